//! Messages as people read and write them.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use super::{Data, Kind, Malformed, Question, Record, TooLong};

/// What has a name of its own here.
const KINDS: [(&str, Kind); 8] = [
    ("A", Kind::A),
    ("NS", Kind::NS),
    ("CNAME", Kind::CNAME),
    ("SOA", Kind::SOA),
    ("PTR", Kind::PTR),
    ("MX", Kind::MX),
    ("TXT", Kind::TXT),
    ("AAAA", Kind::AAAA),
];

/// By its name, or as `TYPE65` (RFC 3597).
impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = KINDS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, kind)) = known {
            return Ok(*kind);
        }
        let number = text.to_ascii_uppercase();
        let number = number.strip_prefix("TYPE").and_then(|n| n.parse().ok());
        number.map(Kind).ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            format!("`{text}` is not a type: {}, or TYPE65", names.join(", "))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KINDS.iter().find(|(_, kind)| kind == self) {
            Some((name, _)) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.name, self.ttl, self.data.kind())?;
        match &self.data {
            Data::A(address) => address.fmt(f),
            Data::Aaaa(address) => address.fmt(f),
            Data::Ns(name) | Data::Cname(name) | Data::Ptr(name) => name.fmt(f),
            Data::Mx {
                preference,
                exchange,
            } => write!(f, "{preference} {exchange}"),
            Data::Soa {
                primary,
                mailbox,
                tail,
            } => write!(f, "{primary} {mailbox} {}", tail.serial),
            Data::Txt(texts) => {
                let texts: Vec<_> = texts
                    .iter()
                    .map(|text| format!("\"{}\"", text.escape_ascii()))
                    .collect();
                f.write_str(&texts.join(" "))
            }
            Data::Other(_, bytes) => write!(f, "({} bytes)", bytes.len()),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Short => "the message ends too early",
            Malformed::LongName => "a name is longer than 255 bytes",
            Malformed::Label => "a label begins with bits that none begins with",
            Malformed::Pointer => "a name points to itself or to what follows it",
            Malformed::Data => "the data of a record do not fill their length",
            Malformed::Rest => "something follows the last section",
        })
    }
}

impl Error for Malformed {}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message, or a part of it, is too long to be written")
    }
}

impl Error for TooLong {}
