//! How bytes become commands, and lines of a message (RFC 5321).
//!
//! Lines end with CR LF and with nothing else: servers that disagree about it can be made to take
//! one message for two. A line that is too long is told and skipped; only its last byte is kept
//! until its end has come.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// The longest line of a command, with its end.
const COMMAND: usize = 512;
/// The longest line of a message, with its end and one dot more.
const TEXT: usize = 1001;

/// A command of the client's.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Who the client says it is. In the older form of it, `HELO`, it wants to hear of no extensions.
    Hello {
        /// Whether it wants to hear of extensions.
        extended: bool,
    },
    /// The next bytes are those of TLS.
    StartTls,
    /// A message begins, from this address.
    Mail(String),
    /// It goes to this address, too.
    Recipient(String),
    /// Its text follows.
    Data,
    /// There is to be no message after all.
    Reset,
    /// Nothing.
    Nothing,
    /// That was all.
    Quit,
}

/// What is wrong with a line. The session goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It is too long.
    TooLong,
    /// It has a CR without LF, or the other way round.
    BareEnd,
    /// It is no command.
    Unknown,
    /// The command has not the arguments it needs, or others.
    Arguments,
}

/// The codec of commands.
#[derive(Debug)]
pub struct Commands(Lines);

/// The codec of a message's text: lines up to one with only a dot.
#[derive(Debug)]
pub struct Text(Lines);

/// A part of a message.
#[derive(Debug, PartialEq)]
pub enum Part {
    /// A line, without its end.
    Line(Bytes),
    /// The message is complete.
    End,
}

impl Fault {
    /// What the client is told of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Fault::TooLong => "500 5.5.2 Line too long",
            Fault::BareEnd => "500 5.5.2 Lines end with CR LF",
            Fault::Unknown => "500 5.5.1 Command unrecognized",
            Fault::Arguments => "501 5.5.4 Syntax error in parameters or arguments",
        }
    }
}

impl Default for Commands {
    fn default() -> Self {
        Commands(Lines::new(COMMAND))
    }
}

impl Default for Text {
    fn default() -> Self {
        Text(Lines::new(TEXT))
    }
}

impl Decoder for Commands {
    type Item = Result<Command, Fault>;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        let line = self.0.next(received);
        Ok(line.map(|line| line.and_then(|line| command(&line))))
    }
}

impl Decoder for Text {
    type Item = Result<Part, Fault>;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        let line = self.0.next(received);
        Ok(line.map(|line| {
            line.map(|mut line| match &line[..] {
                b"." => Part::End,
                [b'.', ..] => Part::Line(line.split_off(1)),
                _ => Part::Line(line),
            })
        }))
    }
}

impl Encoder<&str> for Commands {
    type Error = io::Error;

    /// Writes a reply, each line of it with its end.
    fn encode(&mut self, reply: &str, unsent: &mut BytesMut) -> io::Result<()> {
        for line in reply.lines() {
            unsent.extend_from_slice(line.as_bytes());
            unsent.extend_from_slice(b"\r\n");
        }
        Ok(())
    }
}

/// Lines of a bounded length.
#[derive(Debug)]
struct Lines {
    /// In bytes, with the end.
    longest: usize,
    /// So many bytes hold no end.
    searched: usize,
    /// The beginning of the line was too long and is gone.
    skips: bool,
}

impl Lines {
    fn new(longest: usize) -> Self {
        Lines {
            longest,
            searched: 0,
            skips: false,
        }
    }

    /// The next line, without its end.
    fn next(&mut self, received: &mut BytesMut) -> Option<Result<Bytes, Fault>> {
        let unsearched = &received[self.searched..];
        let Some(found) = unsearched.windows(2).position(|end| end == b"\r\n") else {
            // The last byte may be the first of an end.
            self.searched = received.len().saturating_sub(1);
            if received.len() >= self.longest {
                self.skips = true;
                drop(received.split_to(self.searched));
                self.searched = 0;
            }
            return None;
        };
        let mut line = received.split_to(self.searched + found + 2).freeze();
        let too_long = std::mem::take(&mut self.skips) || line.len() > self.longest;
        self.searched = 0;
        line.truncate(line.len() - 2);
        Some(if too_long {
            Err(Fault::TooLong)
        } else if line.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            Err(Fault::BareEnd)
        } else {
            Ok(line)
        })
    }
}

fn command(line: &[u8]) -> Result<Command, Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Fault::Unknown)?;
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_end();
    let alone = |command| {
        let alone = rest.is_empty();
        alone.then_some(command).ok_or(Fault::Arguments)
    };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" | "HELO" if rest.is_empty() => Err(Fault::Arguments),
        "EHLO" => Ok(Command::Hello { extended: true }),
        "HELO" => Ok(Command::Hello { extended: false }),
        "STARTTLS" => alone(Command::StartTls),
        "MAIL" => path(rest, "FROM:").map(Command::Mail),
        // Only the sender may be nobody: what comes back must not come back again.
        "RCPT" => match path(rest, "TO:")? {
            address if address.is_empty() => Err(Fault::Arguments),
            address => Ok(Command::Recipient(address)),
        },
        "DATA" => alone(Command::Data),
        "RSET" => alone(Command::Reset),
        "NOOP" => Ok(Command::Nothing),
        "QUIT" => alone(Command::Quit),
        _ => Err(Fault::Unknown),
    }
}

/// The address in `FROM:<address>`, behind which extensions may have parameters.
fn path(arguments: &str, word: &str) -> Result<String, Fault> {
    let (before, rest) = arguments.split_once('<').ok_or(Fault::Arguments)?;
    let (address, _) = rest.split_once('>').ok_or(Fault::Arguments)?;
    let fits = before.trim_end().eq_ignore_ascii_case(word) && !address.contains([' ', '<']);
    fits.then(|| address.to_owned()).ok_or(Fault::Arguments)
}
