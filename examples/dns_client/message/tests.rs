//! What is written is read as it was, and nothing that is read does harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// Values by chance, from a seed.
struct Chance(fastrand::Rng);

impl Chance {
    /// A name of few different labels, so that ends of names come again; some labels are odd.
    fn name(&mut self) -> Name {
        let labels = self.0.usize(0..5);
        let mut text = String::new();
        for _ in 0..labels {
            let long = "l".repeat(self.0.usize(1..=63));
            let label = [
                "www", "WWW", "example", "test", "a", "mail", "\\.", "\\000", "\\255", &long,
            ];
            text += self.0.choice(label).expect("there are some");
            text += ".";
        }
        let name = if labels == 0 {
            Ok(Name::root())
        } else {
            text.parse()
        };
        // Five long labels are too long for a name.
        name.unwrap_or_else(|_| name_of_all_bytes())
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.0.usize(0..=most);
        (0..length).map(|_| self.0.u8(..)).collect()
    }

    fn data(&mut self) -> Data {
        match self.0.u8(0..9) {
            0 => Data::A(self.0.u32(..).into()),
            1 => Data::Aaaa(self.0.u128(..).into()),
            2 => Data::Ns(self.name()),
            3 => Data::Cname(self.name()),
            4 => Data::Ptr(self.name()),
            5 => Data::Mx {
                preference: self.0.u16(..),
                exchange: self.name(),
            },
            6 => Data::Soa {
                primary: self.name(),
                mailbox: self.name(),
                tail: SoaTail {
                    serial: self.0.u32(..),
                    refresh: self.0.u32(..),
                    retry: self.0.u32(..),
                    expire: self.0.u32(..),
                    minimum: self.0.u32(..),
                },
            },
            7 => {
                let texts = self.0.usize(0..4);
                Data::Txt((0..texts).map(|_| self.bytes(255)).collect())
            }
            // No kind that is known has such a number.
            _ => Data::Other(Kind(self.0.u16(100..)), self.bytes(300)),
        }
    }

    fn records(&mut self) -> Vec<Record> {
        let count = self.0.usize(0..4);
        let record = |_| Record {
            name: self.name(),
            class: self.0.u16(..),
            ttl: self.0.u32(..),
            data: self.data(),
        };
        (0..count).map(record).collect()
    }

    fn message(&mut self) -> Message {
        let questions = self.0.usize(0..3);
        Message {
            id: self.0.u16(..),
            flags: Flags {
                is_response: self.0.bool(),
                opcode: self.0.u8(0..16),
                is_authoritative: self.0.bool(),
                is_truncated: self.0.bool(),
                recursion_desired: self.0.bool(),
                recursion_available: self.0.bool(),
                reserved: self.0.u8(0..8),
                code: Code::new(self.0.u8(..)),
            },
            questions: (0..questions)
                .map(|_| Question {
                    name: self.name(),
                    kind: Kind(self.0.u16(..)),
                    class: self.0.u16(..),
                })
                .collect(),
            answers: self.records(),
            authorities: self.records(),
            additionals: self.records(),
        }
    }
}

fn name_of_all_bytes() -> Name {
    let labels = (0..=127_u8).map(|byte| format!("\\{byte:03}"));
    name(&(labels.take(126).collect::<Vec<_>>().join(".") + "."))
}

/// The bytes of a query for `example.test` A, with an answer that points at the name.
fn answered() -> Vec<u8> {
    let question = Question::new(name("example.test"), Kind::A);
    let mut message = Message::query(0x1234, question.clone()).response(Code::NO_ERROR);
    message.answers.push(Record {
        name: question.name,
        class: INTERNET,
        ttl: 300,
        data: Data::A(Ipv4Addr::new(192, 0, 2, 1)),
    });
    message.encode().expect("it is short")
}

#[test]
fn the_bytes_of_a_message_are_those_of_the_specification() {
    let expected: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\
        \x07example\x04test\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\xc0\0\x02\x01";
    assert_eq!(answered(), expected);
}

#[test]
fn every_bit_of_the_header_is_where_the_specification_has_it() {
    let flags = |first: u8, second: u8| {
        let bytes = [0, 7, first, second, 0, 0, 0, 0, 0, 0, 0, 0];
        let message = Message::decode(&bytes).expect("a header alone is a message");
        assert_eq!(message.encode().expect("it is short"), bytes);
        message.flags
    };
    let none = Flags::default();
    assert_eq!(flags(0, 0), none);
    for (first, second, expected) in [
        (
            0x80,
            0,
            Flags {
                is_response: true,
                ..none
            },
        ),
        (0x78, 0, Flags { opcode: 15, ..none }),
        (0x08, 0, Flags { opcode: 1, ..none }),
        (
            0x04,
            0,
            Flags {
                is_authoritative: true,
                ..none
            },
        ),
        (
            0x02,
            0,
            Flags {
                is_truncated: true,
                ..none
            },
        ),
        (
            0x01,
            0,
            Flags {
                recursion_desired: true,
                ..none
            },
        ),
        (
            0,
            0x80,
            Flags {
                recursion_available: true,
                ..none
            },
        ),
        (
            0,
            0x70,
            Flags {
                reserved: 7,
                ..none
            },
        ),
        (
            0,
            0x10,
            Flags {
                reserved: 1,
                ..none
            },
        ),
        (
            0,
            0x03,
            Flags {
                code: Code::NO_SUCH_NAME,
                ..none
            },
        ),
        (
            0,
            0x0f,
            Flags {
                code: Code::new(15),
                ..none
            },
        ),
    ] {
        assert_eq!(flags(first, second), expected);
    }
}

#[test]
fn what_is_encoded_decodes_to_itself() {
    let mut pointers = 0;
    for seed in 0..5_000 {
        let message = Chance(fastrand::Rng::with_seed(seed)).message();
        let bytes = message.encode().expect("it is short");
        assert_eq!(Message::decode(&bytes), Ok(message), "seed {seed}");
        pointers += bytes.split(|byte| *byte == 0xc0).count() - 1;
    }
    assert!(pointers > 5_000, "names are pointed at: {pointers}");
}

#[test]
fn no_sequence_of_bytes_makes_the_parser_panic() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..40_000_u64 {
        let mut chance = Chance(fastrand::Rng::with_seed(seed));
        // Bytes that mean nothing, and messages in which some bytes are other ones, or missing.
        let mut bytes = if seed.is_multiple_of(4) {
            chance.bytes(600)
        } else {
            chance.message().encode().expect("it is short")
        };
        for _ in 0..chance.0.usize(0..4) {
            if !bytes.is_empty() {
                let at = chance.0.usize(..bytes.len());
                let odd = [0, 1, 0x3f, 0x40, 0xc0, 0xff, chance.0.u8(..)];
                bytes[at] = chance.0.choice(odd).expect("there are some");
            }
        }
        if chance.0.bool() {
            let left = chance.0.usize(..=bytes.len());
            bytes.truncate(left);
        }
        let read = catch_unwind(AssertUnwindSafe(|| Message::decode(&bytes)))
            .unwrap_or_else(|_| panic!("seed {seed}: the parser panics at {bytes:?}"));
        match read {
            // What was read can be written, unless what was pointed at has no room when it is
            // written again, and means the same.
            Ok(message) => {
                good += 1;
                if let Ok(again) = message.encode() {
                    assert_eq!(Message::decode(&again), Ok(message), "seed {seed}");
                }
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > 5_000 && bad > 5_000, "{good} good, {bad} bad");
}

#[test]
fn every_prefix_of_a_message_is_too_short_and_every_longer_one_too_long() {
    let whole = answered();
    for length in 0..whole.len() {
        assert_eq!(Message::decode(&whole[..length]), Err(Malformed::Short));
    }
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(Message::decode(&longer), Err(Malformed::Rest));
}

#[test]
fn a_truncated_message_is_read_as_far_as_it_goes() {
    let mut bytes = answered();
    bytes[2] |= 0x02;
    let whole = Message::decode(&bytes).expect("a message");
    assert!(whole.flags.is_truncated);
    bytes.truncate(bytes.len() - 1);
    let cut = Message::decode(&bytes).expect("its header and question are there");
    assert_eq!((cut.questions, cut.answers.len()), (whole.questions, 0));
}

/// A query whose name is these bytes.
fn with_name(wire: &[u8]) -> Result<Message, Malformed> {
    let header = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    Message::decode(&[&header[..], wire, &[0, 1, 0, 1]].concat())
}

#[test]
fn names_that_go_in_circles_are_refused() {
    // To itself, to what follows, and to the label that it ends.
    for wire in [&b"\xc0\x0c"[..], b"\xc0\x0e", b"\x01a\xc0\x0c", b"\xff\xff"] {
        assert_eq!(with_name(wire), Err(Malformed::Pointer), "{wire:?}");
    }
    // Two that point at each other: the second name's pointer is allowed, and leads to one that is not.
    let two = b"\0\0\0\0\0\x02\0\0\0\0\0\0\x01a\xc0\x14\0\x01\0\x01\x01b\xc0\x0c\0\x01\0\x01";
    assert_eq!(Message::decode(two), Err(Malformed::Pointer));
}

#[test]
fn names_and_labels_that_are_too_long_are_refused() {
    let label = [&[63][..], &[b'a'; 63]].concat();
    let longest = [&label[..], &label, &label, &[61], &[b'a'; 61], &[0]].concat();
    assert_eq!(longest.len(), 255);
    assert!(with_name(&longest).is_ok());
    let longer = [&label[..], &label, &label, &[62], &[b'a'; 62], &[0]].concat();
    assert_eq!(with_name(&longer), Err(Malformed::LongName));
    for odd in [0x40, 0x80, 0xbf] {
        assert_eq!(with_name(&[odd, b'a', 0]), Err(Malformed::Label));
    }
    // By pointers: a name of 254 bytes is at the front, and another one adds a label to it.
    let mut message = Message::query(1, Question::new(name_of_all_bytes(), Kind::A));
    message.questions.push(message.questions[0].clone());
    let mut bytes = message.encode().expect("it is short");
    bytes.truncate(bytes.len() - 6);
    bytes.extend(b"\x05label\xc0\x0c\0\x01\0\x01");
    assert_eq!(Message::decode(&bytes), Err(Malformed::LongName));
}

#[test]
fn data_must_fill_the_length_that_is_claimed() {
    let whole = answered();
    for claimed in [0, 3] {
        let mut bytes = whole.clone();
        let at = bytes.len() - 5;
        bytes[at] = claimed;
        assert_eq!(Message::decode(&bytes), Err(Malformed::Data));
    }
}

#[test]
fn counts_make_no_room_for_what_is_not_there() {
    let bytes = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(Message::decode(&bytes), Err(Malformed::Short));
}

#[test]
fn a_message_or_a_text_that_is_too_long_is_not_written() {
    let mut message = Message::query(1, Question::new(Name::root(), Kind::TXT));
    let record = |texts| Record {
        name: Name::root(),
        class: INTERNET,
        ttl: 0,
        data: Data::Txt(texts),
    };
    message.answers = vec![record(vec![vec![0; 256]])];
    assert_eq!(message.encode(), Err(TooLong));
    message.answers = vec![record(vec![vec![0; 255]; 200]); 2];
    assert_eq!(message.encode(), Err(TooLong));
    message.answers.truncate(1);
    assert!(message.encode().is_ok());
}

#[test]
fn names_are_read_as_they_are_shown() {
    for text in [
        "example.test.",
        ".",
        "a\\.b.c.",
        "\\000\\255.x.",
        "_tcp.\\\\.",
    ] {
        assert_eq!(name(text).to_string(), text);
    }
    assert_eq!(name("example.test"), name("example.test."));
    assert_eq!(name("\\a.b"), name("a.b"));
    assert!(name("Example.TEST").is_same(&name("example.test")));
    assert_ne!(name("Example.TEST"), name("example.test"));
    for (text, problem) in [
        ("", "is empty: the root is written `.`"),
        ("a..b", "has an empty label"),
        (".a", "has an empty label"),
        ("a\\", "has half an escape"),
        ("a\\25", "has half an escape"),
        ("a\\256", "has half an escape"),
        (
            "a b",
            "has a character that must be written `\\` and three digits",
        ),
        (&"a".repeat(64), "has a label of more than 63 bytes"),
        (&"a.".repeat(128), "is longer than 255 bytes"),
    ] {
        let error = text.parse::<Name>().expect_err("no name");
        assert_eq!(error.to_string(), format!("`{text}` {problem}"));
    }
    for seed in 0..1000 {
        let name = Chance(fastrand::Rng::with_seed(seed)).name();
        assert_eq!(name.to_string().parse(), Ok(name), "seed {seed}");
    }
}

#[test]
fn only_the_answer_to_the_question_answers_it() {
    let question = Question::new(name("example.test"), Kind::A);
    let query = Message::query(1, question.clone());
    let answer = query.response(Code::NO_ERROR);
    assert!(answer.answers(&question));
    assert!(!query.answers(&question));
    let shouted = Question::new(name("EXAMPLE.test"), Kind::A);
    assert!(answer.answers(&shouted));
    for other in [
        Question::new(name("example.test"), Kind::AAAA),
        Question::new(name("other.test"), Kind::A),
        Question {
            class: 3,
            ..question.clone()
        },
    ] {
        assert!(!answer.answers(&other), "{other}");
    }
    let none = Message {
        questions: Vec::new(),
        ..answer.clone()
    };
    assert!(!none.answers(&question));
    let two = Message {
        questions: vec![question.clone(); 2],
        ..answer
    };
    assert!(!two.answers(&question));
}
