//! What is asked of Redis, and what it answers.

use std::error::Error;
use std::fmt;

use bytes::Bytes;

/// A command with its arguments, written once.
///
/// ```text
/// Command::from(["SET", "key", "value"])
/// Command::from(["BLPOP", "queue", "0"]).long()
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// As it goes over the wire: an array of strings.
    pub(super) bytes: Vec<u8>,
    pub(super) long: bool,
    pub(super) idempotent: bool,
}

impl Command {
    /// A command of these words, the first of which is its name.
    #[must_use]
    pub fn new<Word: AsRef<[u8]>>(words: &[Word]) -> Self {
        // Nine bytes more than the word, if it is shorter than 100,000 bytes.
        let length: usize = words.iter().map(|word| word.as_ref().len() + 10).sum();
        let mut bytes = Vec::with_capacity(length + 10);
        header(&mut bytes, b'*', words.len());
        for word in words {
            blob(&mut bytes, word.as_ref());
        }
        Command {
            bytes,
            long: false,
            idempotent: false,
        }
    }

    /// Its answer may take as long as it likes, as that of `BLPOP`. Those behind it wait for it, too:
    /// give commands that block a client of their own.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.long = true;
        self
    }

    /// It does no harm when it runs twice, as `GET` and `SET`: it is sent again when its connection is
    /// lost, instead of failing with [`Unknown`](statem::net::Unknown).
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

impl<Word: AsRef<[u8]>, const N: usize> From<[Word; N]> for Command {
    fn from(words: [Word; N]) -> Self {
        Command::new(&words)
    }
}

impl<Word: AsRef<[u8]>> From<&[Word]> for Command {
    fn from(words: &[Word]) -> Self {
        Command::new(words)
    }
}

impl<Word: AsRef<[u8]>> From<Vec<Word>> for Command {
    fn from(words: Vec<Word>) -> Self {
        Command::new(&words)
    }
}

/// Writes the line that a frame of this kind begins with.
pub(super) fn header(out: &mut Vec<u8>, kind: u8, length: usize) {
    if let Ok(digit @ 0..10) = u8::try_from(length) {
        // Most are so short.
        return out.extend_from_slice(&[kind, b'0' + digit, b'\r', b'\n']);
    }
    // From its end to its beginning, with room for the digits of any length.
    let mut line = *b"______________________\r\n";
    let mut first = line.len() - 2;
    let mut rest = length;
    while rest > 0 {
        first -= 1;
        line[first] = b"0123456789"[rest % 10];
        rest /= 10;
    }
    first -= 1;
    line[first] = kind;
    out.extend_from_slice(&line[first..]);
}

/// Writes a string of bytes.
pub(super) fn blob(out: &mut Vec<u8>, data: &[u8]) {
    header(out, b'$', data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// What Redis sends.
// The variant has a word of its own, so that a value is moved in whole words: it is moved often on its way
// to whoever asked.
#[derive(Clone, Debug, PartialEq)]
#[repr(u64)]
pub enum Value {
    /// There is no such thing.
    Nil,
    /// Yes or no.
    Bool(bool),
    /// A number, as of `INCR`.
    Number(i64),
    /// A number that need not be whole.
    Double(f64),
    /// Bytes, as of `GET`, or a text such as `OK`.
    Data(Bytes),
    /// Several, in an order or in none.
    Array(Vec<Value>),
    /// Pairs, in the order in which they came; with version 2 of the protocol they are an array.
    Map(Vec<(Value, Value)>),
    /// What was not asked.
    Push(Vec<Value>),
    /// An error among several values, as of `EXEC`.
    Error(ServerError),
}

impl Value {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Value::Data(data) if data == word)
    }
}

/// What Redis answers: an error of the server is an answer, too.
pub type Answer = Result<Value, ServerError>;

/// An error that the server answers with. Only the command's meaning tells whether it has done
/// anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError(pub(super) Bytes);

impl ServerError {
    /// What the server says.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Whether it is of this kind: its first word, such as `WRONGTYPE`.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.0.split(|byte| *byte == b' ').next() == Some(code.as_bytes())
    }
}

impl From<&'static str> for ServerError {
    fn from(text: &'static str) -> Self {
        ServerError(Bytes::from_static(text.as_bytes()))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server says: {}", self.text())
    }
}

impl Error for ServerError {}
