//! The stream: messages after their lengths, and what a client that stays connected is told of them.

use std::error::Error;
use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use statem::net::{Protocol, Received};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

use super::message::Message;

/// What goes wrong with bytes or messages.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Messages, each after its length in two bytes (RFC 1035, 4.2.2). So none is longer than 65535.
#[derive(Debug)]
pub struct Framed(LengthDelimitedCodec);

impl Default for Framed {
    fn default() -> Self {
        Framed(
            LengthDelimitedCodec::builder()
                .length_field_length(2)
                .new_codec(),
        )
    }
}

impl Decoder for Framed {
    type Item = Message;
    type Error = Failure;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Message>, Failure> {
        let Some(frame) = self.0.decode(bytes)? else {
            return Ok(None);
        };
        Ok(Some(Message::decode(&frame)?))
    }
}

impl Encoder<Message> for Framed {
    type Error = Failure;

    fn encode(&mut self, message: Message, bytes: &mut BytesMut) -> Result<(), Failure> {
        Ok(self.0.encode(Bytes::from(message.encode()?), bytes)?)
    }
}

/// Queries over one connection, answered in any order (RFC 7766, 7).
#[derive(Clone, Copy, Debug)]
pub struct Pipelined;

impl Protocol for Pipelined {
    type Codec = Framed;
    type Request = Message;
    type Response = Message;

    fn codec(&self) -> Framed {
        Framed::default()
    }

    fn receive(&mut self, message: Message, _: &mut Vec<Message>) -> Received<Message> {
        if message.flags.is_response {
            Received::AnswerTo(message.id.into(), message)
        } else {
            Received::Violation("the server asks".into())
        }
    }

    fn ids(&self) -> Option<RangeInclusive<u64>> {
        Some(0..=u16::MAX.into())
    }

    fn stamp(&self, query: &mut Message, id: u64) {
        query.id = u16::try_from(id).expect("it is one of those above");
    }
}
