//! What a link decodes and encodes for a client: frames that have come together are one event and
//! one transition; a request gets its id when there is room for it.

use std::error::Error;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use super::protocol::Protocol;
use crate::net::CloseReason;

/// The most frames of one event. A turn goes on to calls and timeouts after some events.
const TOGETHER: usize = 128;

/// Frames that have come together, at least one, in their order.
pub struct Frames<F> {
    /// Apart, so that one alone needs no allocation.
    first: Option<F>,
    /// Behind a pointer: every event of a client has room for its frames.
    rest: Option<Box<Rest<F>>>,
}

struct Rest<F> {
    more: std::vec::IntoIter<F>,
    /// What has come of decoding on.
    failed: Option<Failure>,
}

/// The codec of a user, which decodes as many frames at a time as there are.
pub(super) struct Together<C> {
    codec: C,
    /// The bytes that a link takes for one frame at most.
    limit: usize,
}

type Failure = Box<dyn Error + Send + Sync>;

impl<F> Frames<F> {
    fn one(frame: F) -> Self {
        Frames {
            first: Some(frame),
            rest: None,
        }
    }

    /// The failure that follows the frames, once they were taken.
    pub(super) fn failure(&mut self) -> Option<CloseReason> {
        let failed = self.rest.as_mut()?.failed.take();
        failed.map(CloseReason::Garbage)
    }

    /// How many are left.
    pub(super) fn len(&self) -> usize {
        let more = self.rest.as_deref().map_or(0, |rest| rest.more.len());
        usize::from(self.first.is_some()) + more
    }

    pub(super) fn is_empty(&self) -> bool {
        let is_over = |rest: &Rest<F>| rest.more.len() == 0 && rest.failed.is_none();
        self.first.is_none() && self.rest.as_deref().is_none_or(is_over)
    }
}

impl<F> Iterator for Frames<F> {
    type Item = F;

    fn next(&mut self) -> Option<F> {
        self.first
            .take()
            .or_else(|| self.rest.as_mut()?.more.next())
    }
}

impl<C> Together<C> {
    pub(super) fn new(codec: C, limit: usize) -> Self {
        Together { codec, limit }
    }
}

impl<C: Decoder<Error: Into<Failure>>> Decoder for Together<C> {
    type Item = Frames<C::Item>;
    type Error = Failure;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Failure> {
        // The link takes what is decoded at a time for one frame when it measures it.
        let more = if bytes.len() > self.limit {
            0
        } else {
            TOGETHER - 1
        };
        let before = bytes.len();
        let Some(first) = self.codec.decode(bytes).map_err(Into::into)? else {
            return Ok(None);
        };
        let taken = before.saturating_sub(bytes.len()).max(1);
        let mut frames = Frames::one(first);
        let mut rest = Vec::new();
        let mut failed = None;
        while rest.len() < more && !bytes.is_empty() {
            match self.codec.decode(bytes) {
                Ok(Some(frame)) => {
                    if rest.is_empty() {
                        // As if all were as long as the first one.
                        rest.reserve_exact((bytes.len() / taken + 1).min(more));
                    }
                    rest.push(frame);
                }
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error.into());
                    break;
                }
            }
        }
        if !rest.is_empty() || failed.is_some() {
            let more = rest.into_iter();
            frames.rest = Some(Box::new(Rest { more, failed }));
        }
        Ok(Some(frames))
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Failure> {
        let frame = self.codec.decode_eof(bytes).map_err(Into::into)?;
        Ok(frame.map(Frames::one))
    }
}

/// A request on its way to the link, which gives it back as it is where it finds no room.
pub(super) struct Outgoing<'a, P: Protocol> {
    pub(super) request: P::Request,
    /// The id to write into it, and who knows where.
    pub(super) stamp: Option<(&'a P, u64)>,
}

impl<P: Protocol> Outgoing<'_, P> {
    /// One of the protocol's own.
    pub(super) fn own(request: P::Request) -> Self {
        Outgoing {
            request,
            stamp: None,
        }
    }
}

impl<P: Protocol> Encoder<Outgoing<'_, P>> for Together<P::Codec> {
    type Error = <P::Codec as Encoder<P::Request>>::Error;

    fn encode(&mut self, out: Outgoing<'_, P>, bytes: &mut BytesMut) -> Result<(), Self::Error> {
        let mut request = out.request;
        if let Some((protocol, id)) = out.stamp {
            protocol.stamp(&mut request, id);
        }
        self.codec.encode(request, bytes)
    }
}
