//! Bytes to lines and back.

use std::io;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder, LinesCodec, LinesCodecError};

/// The longest line that a member may send, in bytes.
pub const LONGEST: usize = 512;

/// Lines of a bounded length, of which a longer one is a mistake that the connection outlives: no more
/// of it than this is ever kept.
#[derive(Debug)]
pub struct Lines(LinesCodec);

/// Why a line was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It is not UTF-8.
    NotText,
}

impl Fault {
    /// What the member is told of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Fault::TooLong => "* that line has more than 512 bytes and was dropped",
            Fault::NotText => "* that line is not UTF-8 and was dropped",
        }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Lines(LinesCodec::new_with_max_length(LONGEST))
    }
}

impl Decoder for Lines {
    type Item = Result<String, Fault>;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        without_faults(self.0.decode(received))
    }

    fn decode_eof(&mut self, received: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        without_faults(self.0.decode_eof(received))
    }
}

fn without_faults(
    decoded: Result<Option<String>, LinesCodecError>,
) -> io::Result<Option<Result<String, Fault>>> {
    match decoded {
        Ok(line) => Ok(line.map(Ok)),
        Err(LinesCodecError::MaxLineLengthExceeded) => Ok(Some(Err(Fault::TooLong))),
        Err(LinesCodecError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Ok(Some(Err(Fault::NotText)))
        }
        Err(LinesCodecError::Io(error)) => Err(error),
    }
}

impl<Text: AsRef<str>> Encoder<Text> for Lines {
    type Error = LinesCodecError;

    fn encode(&mut self, line: Text, unsent: &mut BytesMut) -> Result<(), LinesCodecError> {
        self.0.encode(line, unsent)
    }
}
