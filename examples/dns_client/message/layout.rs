//! The parts of a message that have a fixed layout, declared as they are on the wire (RFC 1035, 4.1).
//!
//! In Erlang the header is one pattern:
//!
//! ```erlang
//! <<Id:16, QR:1, Opcode:4, AA:1, TC:1, RD:1, RA:1, Z:3, RCode:4,
//!   QDCount:16, ANCount:16, NSCount:16, ARCount:16, Rest/binary>>
//! ```
//!
//! Here it is a struct with a width at each field, and [deku](https://docs.rs/deku) derives the
//! reader and the writer from it. Why deku: it takes fields of bits and of bytes in one declaration
//! that reads from top to bottom in the order of the wire, reads and writes by the same one, and
//! says by an error what is too short. The crates that only pack bits into an integer
//! (`modular-bitfield`, `bilge`, `bitbybit`) would leave the order of the bytes and the rest of the
//! header to code by hand; `binrw` reads whole bytes only; `packed_struct` numbers the bits of a
//! struct of a known size, which fits, but stops where lengths begin. What has no fixed layout,
//! names, is read by hand in [`name`](super::name).

use deku::{DekuRead, DekuWrite};

/// What every message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DekuRead, DekuWrite)]
pub struct Header {
    /// What an answer has from its query.
    #[deku(endian = "big")]
    pub id: u16,
    /// The sixteen bits between.
    pub flags: Flags,
    /// Entries of the first section.
    #[deku(endian = "big")]
    pub questions: u16,
    /// Entries of the second section.
    #[deku(endian = "big")]
    pub answers: u16,
    /// Entries of the third section.
    #[deku(endian = "big")]
    pub authorities: u16,
    /// Entries of the fourth section.
    #[deku(endian = "big")]
    pub additionals: u16,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DekuRead, DekuWrite)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a bit of its own on the wire"
)]
pub struct Flags {
    /// QR: an answer, not a query.
    #[deku(bits = 1)]
    pub is_response: bool,
    /// What is asked for; 0 is a standard query.
    #[deku(bits = 4)]
    pub opcode: u8,
    /// AA: the server is responsible for the name.
    #[deku(bits = 1)]
    pub is_authoritative: bool,
    /// TC: the rest did not fit into the datagram.
    #[deku(bits = 1)]
    pub is_truncated: bool,
    /// RD: the server is to ask others where it does not know.
    #[deku(bits = 1)]
    pub recursion_desired: bool,
    /// RA: it does that.
    #[deku(bits = 1)]
    pub recursion_available: bool,
    /// Z: of no meaning here.
    #[deku(bits = 3)]
    pub reserved: u8,
    /// RCODE: how it went.
    pub code: Code,
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DekuRead, DekuWrite)]
pub struct Code(#[deku(bits = 4)] u8);

impl Code {
    /// All is well.
    pub const NO_ERROR: Code = Code(0);
    /// The server could not read the query.
    pub const FORMAT_ERROR: Code = Code(1);
    /// The server could not find out.
    pub const SERVER_FAILURE: Code = Code(2);
    /// There is no such name.
    pub const NO_SUCH_NAME: Code = Code(3);
    /// The server does not do that.
    pub const NOT_IMPLEMENTED: Code = Code(4);
    /// The server does not do that for this client.
    pub const REFUSED: Code = Code(5);

    /// The code of this number, of which the lower four bits count.
    #[must_use]
    pub fn new(number: u8) -> Self {
        Code(number & 0xf)
    }

    /// Whether it says something about the name. The others say something about the server, and
    /// another one may do better.
    #[must_use]
    pub fn is_about_the_name(self) -> bool {
        self == Code::NO_ERROR || self == Code::NO_SUCH_NAME
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Code::NO_ERROR => f.write_str("no error"),
            Code::FORMAT_ERROR => f.write_str("it could not read the query"),
            Code::SERVER_FAILURE => f.write_str("it could not find out"),
            Code::NO_SUCH_NAME => f.write_str("no such name"),
            Code::NOT_IMPLEMENTED => f.write_str("it does not do that"),
            Code::REFUSED => f.write_str("it refuses"),
            Code(other) => write!(f, "response code {other}"),
        }
    }
}

/// What follows the name in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DekuRead, DekuWrite)]
#[deku(endian = "big")]
pub struct QuestionTail {
    /// Which records are asked for.
    pub kind: u16,
    /// Of which class.
    pub class: u16,
}

/// What follows the name in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DekuRead, DekuWrite)]
#[deku(endian = "big")]
pub struct RecordHead {
    /// Which record it is.
    pub kind: u16,
    /// Of which class.
    pub class: u16,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// How many bytes of data follow.
    pub length: u16,
}

/// What follows the two names in the data of an SOA record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DekuRead, DekuWrite)]
#[deku(endian = "big")]
pub struct SoaTail {
    /// The version of the zone.
    pub serial: u32,
    /// Seconds until a copy is looked after.
    pub refresh: u32,
    /// Seconds until that is tried again.
    pub retry: u32,
    /// Seconds after which a copy is of no use.
    pub expire: u32,
    /// For how many seconds "no such name" may be kept.
    pub minimum: u32,
}
