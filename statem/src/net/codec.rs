//! [`Exactly`]: a codec for handshakes, which know how many bytes come next.

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
