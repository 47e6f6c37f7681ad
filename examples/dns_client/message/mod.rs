//! DNS messages: what is asked and answered, and how it is written (RFC 1035).

pub mod layout;
pub mod name;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use deku::{DekuContainerRead, DekuContainerWrite};

pub use layout::{Code, Flags, Header, SoaTail};
use layout::{QuestionTail, RecordHead};
pub use name::{InvalidName, Name};

/// The bytes of a header.
pub const HEADER: usize = 12;

/// The internet: the one class in use.
pub const INTERNET: u16 = 1;

/// A query or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What an answer has from its query.
    pub id: u16,
    /// What it is.
    pub flags: Flags,
    /// What is asked: one question, in all that is in use.
    pub questions: Vec<Question>,
    /// What answers it.
    pub answers: Vec<Record>,
    /// Who is responsible.
    pub authorities: Vec<Record>,
    /// What else may be of use.
    pub additionals: Vec<Record>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About this name.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
    /// Of which class.
    pub class: u16,
}

/// Something that is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of this name.
    pub name: Name,
    /// Of this class.
    pub class: u16,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// What is known.
    pub data: Data,
}

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    A(Ipv4Addr),
    /// A server that knows the names below it.
    Ns(Name),
    /// The name is another one's alias.
    Cname(Name),
    /// How the zone is kept.
    Soa {
        /// Where it is written.
        primary: Name,
        /// Whom to write to.
        mailbox: Name,
        /// The numbers.
        tail: SoaTail,
    },
    /// The name of an address.
    Ptr(Name),
    /// Where mail goes.
    Mx {
        /// The lower, the better.
        preference: u16,
        /// Where to.
        exchange: Name,
    },
    /// Texts, each of at most 255 bytes.
    Txt(Vec<Vec<u8>>),
    /// An address.
    Aaaa(Ipv6Addr),
    /// Something else, as it came.
    Other(Kind, Vec<u8>),
}

/// Which record something is: the type, in the words of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind(pub u16);

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They end too early.
    Short,
    /// A name is longer than 255 bytes.
    LongName,
    /// A label begins with bits that no label begins with.
    Label,
    /// A name points to itself or to what follows it.
    Pointer,
    /// The data of a record are longer or shorter than they should be.
    Data,
    /// Something follows the last section.
    Rest,
}

/// A message does not fit into 65535 bytes, or something in it not into its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Message {
    /// The query that asks this.
    #[must_use]
    pub fn query(id: u16, question: Question) -> Self {
        Message {
            id,
            flags: Flags {
                recursion_desired: true,
                ..Flags::default()
            },
            questions: vec![question],
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        }
    }

    /// An answer to it, with nothing in it.
    #[must_use]
    pub fn response(&self, code: Code) -> Self {
        Message {
            id: self.id,
            flags: Flags {
                is_response: true,
                opcode: self.flags.opcode,
                recursion_desired: self.flags.recursion_desired,
                recursion_available: true,
                code,
                ..Flags::default()
            },
            questions: self.questions.clone(),
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        }
    }

    /// Whether it answers exactly this question. Its id has been looked at before, but sixteen bits
    /// are soon guessed, and soon used again (RFC 5452, 9.1; RFC 7766, 7).
    #[must_use]
    pub fn answers(&self, question: &Question) -> bool {
        self.flags.is_response
            && self.flags.opcode == 0
            && matches!(&self.questions[..], [own] if own.is_same(question))
    }

    /// Reads a message that fills `bytes`.
    ///
    /// What is cut off a [truncated](Flags::is_truncated) one is left out.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes. There are none that make it panic.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        let header: Header = reader.fixed(HEADER)?;
        let mut message = Message {
            id: header.id,
            flags: header.flags,
            questions: Vec::new(),
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        };
        // The counts are what somebody claims: no room is made for what is not there.
        for _ in 0..header.questions {
            message.questions.push(reader.question()?);
        }
        let sections = [
            (header.answers, &mut message.answers),
            (header.authorities, &mut message.authorities),
            (header.additionals, &mut message.additionals),
        ];
        let mut is_cut = false;
        'sections: for (count, section) in sections {
            for _ in 0..count {
                match reader.record() {
                    Ok(record) => section.push(record),
                    Err(_) if header.flags.is_truncated => {
                        is_cut = true;
                        break 'sections;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if is_cut || reader.at == bytes.len() {
            Ok(message)
        } else {
            Err(Malformed::Rest)
        }
    }

    /// Writes it. A name, or the end of one, that was written before is pointed at.
    ///
    /// # Errors
    ///
    /// When it has no room.
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let count = |length: usize| u16::try_from(length).map_err(|_| TooLong);
        let header = Header {
            id: self.id,
            flags: self.flags,
            questions: count(self.questions.len())?,
            answers: count(self.answers.len())?,
            authorities: count(self.authorities.len())?,
            additionals: count(self.additionals.len())?,
        };
        let mut writer = Writer::default();
        writer.fixed(&header)?;
        for question in &self.questions {
            writer.question(question)?;
        }
        for record in [&self.answers, &self.authorities, &self.additionals]
            .into_iter()
            .flatten()
        {
            writer.record(record)?;
        }
        count(writer.bytes.len())?;
        Ok(writer.bytes)
    }
}

impl Question {
    /// A question about a name of the internet.
    #[must_use]
    pub fn new(name: Name, kind: Kind) -> Self {
        Question {
            name,
            kind,
            class: INTERNET,
        }
    }

    /// Whether it asks the same.
    #[must_use]
    pub fn is_same(&self, other: &Question) -> bool {
        self.kind == other.kind && self.class == other.class && self.name.is_same(&other.name)
    }
}

impl Data {
    /// Which record it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Data::A(_) => Kind::A,
            Data::Ns(_) => Kind::NS,
            Data::Cname(_) => Kind::CNAME,
            Data::Soa { .. } => Kind::SOA,
            Data::Ptr(_) => Kind::PTR,
            Data::Mx { .. } => Kind::MX,
            Data::Txt(_) => Kind::TXT,
            Data::Aaaa(_) => Kind::AAAA,
            Data::Other(kind, _) => *kind,
        }
    }
}

/// Goes through a message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// A part of fixed layout, which has `length` bytes.
    fn fixed<T: for<'b> DekuContainerRead<'b>>(&mut self, length: usize) -> Result<T, Malformed> {
        let part = self.take(length)?;
        let (_, value) = T::from_bytes((part, 0)).map_err(|_| Malformed::Short)?;
        Ok(value)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Malformed> {
        let part = self.bytes.get(self.at..self.at + length);
        self.at += length;
        part.ok_or(Malformed::Short)
    }

    fn name(&mut self) -> Result<Name, Malformed> {
        let (name, end) = Name::read(self.bytes, self.at)?;
        self.at = end;
        Ok(name)
    }

    fn question(&mut self) -> Result<Question, Malformed> {
        let name = self.name()?;
        let tail: QuestionTail = self.fixed(4)?;
        Ok(Question {
            name,
            kind: Kind(tail.kind),
            class: tail.class,
        })
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let name = self.name()?;
        let head: RecordHead = self.fixed(10)?;
        let length = usize::from(head.length);
        let end = self.at + length;
        if end > self.bytes.len() {
            return Err(Malformed::Short);
        }
        let data = self.data(Kind(head.kind), end)?;
        // A name in the data may lie elsewhere, but what points at it does not.
        if self.at != end {
            return Err(Malformed::Data);
        }
        Ok(Record {
            name,
            class: head.class,
            ttl: head.ttl,
            data,
        })
    }

    fn data(&mut self, kind: Kind, end: usize) -> Result<Data, Malformed> {
        Ok(match kind {
            Kind::A => Data::A(self.array()?.into()),
            Kind::AAAA => Data::Aaaa(Ipv6Addr::from(self.array::<16>()?)),
            Kind::NS => Data::Ns(self.name()?),
            Kind::CNAME => Data::Cname(self.name()?),
            Kind::PTR => Data::Ptr(self.name()?),
            Kind::MX => Data::Mx {
                preference: u16::from_be_bytes(self.array()?),
                exchange: self.name()?,
            },
            Kind::SOA => Data::Soa {
                primary: self.name()?,
                mailbox: self.name()?,
                tail: self.fixed(20)?,
            },
            Kind::TXT => {
                let mut texts = Vec::new();
                while self.at < end {
                    let length = self.array::<1>()?[0];
                    texts.push(self.take(usize::from(length))?.to_vec());
                }
                Data::Txt(texts)
            }
            other => Data::Other(other, self.take(end - self.at)?.to_vec()),
        })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let part = self.take(N)?;
        part.try_into().map_err(|_| Malformed::Short)
    }
}

/// A message that is being written.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// Where the ends of names were written.
    names: BTreeMap<Vec<u8>, u16>,
}

impl Writer {
    fn fixed(&mut self, part: &impl DekuContainerWrite) -> Result<(), TooLong> {
        self.bytes.extend(part.to_bytes().map_err(|_| TooLong)?);
        Ok(())
    }

    fn name(&mut self, name: &Name) {
        for suffix in name.suffixes() {
            if let Some(at) = self.names.get(suffix) {
                self.bytes.extend((0xc000 | at).to_be_bytes());
                return;
            }
            // Fourteen bits say where.
            if let Ok(at @ ..0x4000) = u16::try_from(self.bytes.len()) {
                self.names.insert(suffix.to_vec(), at);
            }
            let label = &suffix[..=usize::from(suffix[0])];
            self.bytes.extend_from_slice(label);
        }
        self.bytes.push(0);
    }

    fn question(&mut self, question: &Question) -> Result<(), TooLong> {
        self.name(&question.name);
        self.fixed(&QuestionTail {
            kind: question.kind.0,
            class: question.class,
        })
    }

    fn record(&mut self, record: &Record) -> Result<(), TooLong> {
        self.name(&record.name);
        let head = |length| RecordHead {
            kind: record.data.kind().0,
            class: record.class,
            ttl: record.ttl,
            length,
        };
        self.fixed(&head(0))?;
        let begin = self.bytes.len();
        match &record.data {
            Data::A(address) => self.bytes.extend(address.octets()),
            Data::Aaaa(address) => self.bytes.extend(address.octets()),
            Data::Ns(name) | Data::Cname(name) | Data::Ptr(name) => self.name(name),
            Data::Mx {
                preference,
                exchange,
            } => {
                self.bytes.extend(preference.to_be_bytes());
                self.name(exchange);
            }
            Data::Soa {
                primary,
                mailbox,
                tail,
            } => {
                self.name(primary);
                self.name(mailbox);
                self.fixed(tail)?;
            }
            Data::Txt(texts) => {
                for text in texts {
                    self.bytes
                        .push(u8::try_from(text.len()).map_err(|_| TooLong)?);
                    self.bytes.extend(text);
                }
            }
            Data::Other(_, bytes) => self.bytes.extend(bytes),
        }
        // How long names become is known when they are written.
        let length = u16::try_from(self.bytes.len() - begin).map_err(|_| TooLong)?;
        self.bytes[begin - 2..begin].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

impl Kind {
    /// An address of the fourth version of IP.
    pub const A: Kind = Kind(1);
    /// A name server.
    pub const NS: Kind = Kind(2);
    /// The name that an alias stands for.
    pub const CNAME: Kind = Kind(5);
    /// How a zone is kept.
    pub const SOA: Kind = Kind(6);
    /// The name of an address.
    pub const PTR: Kind = Kind(12);
    /// Where mail goes.
    pub const MX: Kind = Kind(15);
    /// Texts.
    pub const TXT: Kind = Kind(16);
    /// An address of the sixth version of IP.
    pub const AAAA: Kind = Kind(28);
}
