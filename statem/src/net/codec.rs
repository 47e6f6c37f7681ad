//! Codecs: [`Exactly`] for handshakes, which know how many bytes come next, and [`Lines`].

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// A codec whose frames are of a length that is given, and which writes bytes as they are.
///
/// For handshakes: open the link passive or [paused](super::Link::pause), ask for each part by
/// [`Link::read_exactly`](super::Link::read_exactly), and go on by
/// [`Link::with_codec`](super::Link::with_codec). A peer that closes within a part has
/// [cut](super::CloseReason::Cut) it.
///
/// ```
/// use bytes::BytesMut;
/// use statem::net::Exactly;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = Exactly::new(3);
/// let mut received = BytesMut::from("onetwo, and");
/// assert_eq!(codec.decode(&mut received).unwrap().unwrap(), "one");
/// assert_eq!(codec.decode(&mut received).unwrap().unwrap(), "two");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Exactly {
    length: usize,
}

impl Exactly {
    /// Frames of so many bytes.
    ///
    /// Of 0 bytes there is always one more: ask for each by
    /// [`Link::read_exactly`](super::Link::read_exactly).
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Exactly { length: bytes }
    }

    pub(super) fn set_length(&mut self, bytes: usize) {
        self.length = bytes;
    }
}

impl Decoder for Exactly {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<Bytes>> {
        if received.len() < self.length {
            return Ok(None);
        }
        Ok(Some(received.split_to(self.length).freeze()))
    }
}

impl<Item: AsRef<[u8]>> Encoder<Item> for Exactly {
    type Error = io::Error;

    fn encode(&mut self, bytes: Item, unsent: &mut BytesMut) -> io::Result<()> {
        unsent.extend_from_slice(bytes.as_ref());
        Ok(())
    }
}

/// A codec of lines of text, for protocols in which a line is a message.
///
/// It is strict, where a lenient one would let a message pass for another one. What is encoded may
/// have no line feed and no carriage return within, which would make two messages of one. A line
/// that the end of the connection has cut off is none: the link says
/// [`CloseReason::Cut`](super::CloseReason::Cut). No line has more bytes than the limit, whichever
/// way it goes, and all are UTF-8. What it refuses to decode ends the connection as
/// [`CloseReason::Garbage`](super::CloseReason::Garbage); what it refuses to encode is given up as
/// [`SendError::Codec`](super::SendError::Codec), and nothing of it is written.
///
/// A line is written with a line feed at its end, and read with that or with a carriage return before
/// it.
///
/// ```
/// use bytes::BytesMut;
/// use statem::net::Lines;
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = Lines::new(80);
/// let mut bytes = BytesMut::new();
/// codec.encode("hello", &mut bytes)?;
/// assert!(codec.encode("hello\nDELETE everything", &mut bytes).is_err());
/// assert_eq!(bytes, "hello\n");
///
/// bytes.extend_from_slice(b"balance: 1000");
/// assert_eq!(codec.decode(&mut bytes)?.as_deref(), Some("hello"));
/// assert_eq!(codec.decode(&mut bytes)?, None);
/// assert!(codec.decode_eof(&mut bytes).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lines {
    limit: usize,
    /// Bytes in which there is no line feed: each is looked at once.
    searched: usize,
}

impl Lines {
    /// Lines of at most so many bytes, their ends not counted.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Lines { limit, searched: 0 }
    }

    fn too_long(&self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, format!("a line of more than {} bytes", self.limit))
    }
}

impl Decoder for Lines {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<String>> {
        let invalid = io::ErrorKind::InvalidData;
        let new = received[self.searched..].iter();
        let Some(end) = new.copied().position(|byte| byte == b'\n') else {
            self.searched = received.len();
            let line = received.strip_suffix(b"\r").unwrap_or(&received[..]);
            return if line.len() > self.limit {
                Err(self.too_long(invalid))
            } else {
                Ok(None)
            };
        };
        let end = std::mem::take(&mut self.searched) + end;
        let line = received.split_to(end + 1);
        let line = &line[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > self.limit {
            return Err(self.too_long(invalid));
        }
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some(line.to_owned())),
            Err(error) => Err(io::Error::new(invalid, error)),
        }
    }
}

impl<Line: AsRef<str>> Encoder<Line> for Lines {
    type Error = io::Error;

    fn encode(&mut self, line: Line, unsent: &mut BytesMut) -> io::Result<()> {
        let line = line.as_ref();
        let invalid = io::ErrorKind::InvalidInput;
        if line.contains(['\n', '\r']) {
            return Err(io::Error::new(invalid, "a line with a line break in it"));
        }
        if line.len() > self.limit {
            return Err(self.too_long(invalid));
        }
        unsent.extend_from_slice(line.as_bytes());
        unsent.extend_from_slice(b"\n");
        Ok(())
    }
}
