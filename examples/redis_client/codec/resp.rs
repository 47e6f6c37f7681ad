//! RESP3, the protocol of Redis, as a codec.
//!
//! The crate `redis-protocol` reads and writes the frames. What is added here is one check: its
//! decoder calls itself for each level of nesting, so a peer that sends `*1` a few thousand times
//! would overflow the stack of the whole process. A client never trusts the other side with that.

use bytes::BytesMut;
use redis_protocol::error::{RedisProtocolError, RedisProtocolErrorKind};
use redis_protocol::resp3::decode::complete::decode_bytes_mut;
use redis_protocol::resp3::encode::complete::extend_encode;
use tokio_util::codec::{Decoder, Encoder};

pub use redis_protocol::resp3::types::BytesFrame as Frame;

/// Levels of arrays in arrays that a frame may have. The replies of Redis have three at most.
const MAX_DEPTH: usize = 16;

/// The codec.
#[derive(Debug, Default)]
pub struct Resp;

impl Decoder for Resp {
    type Item = Frame;
    type Error = RedisProtocolError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, RedisProtocolError> {
        if is_too_deep(bytes) {
            let text = format!("a frame is nested deeper than {MAX_DEPTH} levels");
            return Err(RedisProtocolError::new(
                RedisProtocolErrorKind::DecodeError,
                text,
            ));
        }
        Ok(decode_bytes_mut(bytes)?.map(|(frame, ..)| frame))
    }
}

impl Encoder<Frame> for Resp {
    type Error = RedisProtocolError;

    fn encode(&mut self, frame: Frame, bytes: &mut BytesMut) -> Result<(), RedisProtocolError> {
        extend_encode(bytes, &frame, false).map(|_| ())
    }
}

/// Whether the first frame of `bytes`, as far as it has come, is nested too deeply. What is not a
/// frame at all is left to the decoder.
fn is_too_deep(bytes: &[u8]) -> bool {
    // For each level that is open: how many frames it still needs.
    let mut open: Vec<u64> = Vec::new();
    let mut rest = bytes;
    loop {
        let Some((kind, after)) = rest.split_first() else {
            return false;
        };
        let Some(end) = after.windows(2).position(|pair| pair == b"\r\n") else {
            return false;
        };
        let length = std::str::from_utf8(&after[..end])
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        rest = &after[end + 2..];
        match (kind, length) {
            (b'*' | b'~' | b'>', Some(length)) => open.push(length),
            (b'%', Some(length)) => open.push(length.saturating_mul(2)),
            // Attributes come before the frame they belong to and are not counted as one.
            (b'|', Some(length)) => open.push(length.saturating_mul(2).saturating_add(1)),
            (b'$' | b'!' | b'=', Some(length)) => {
                let skip = usize::try_from(length)
                    .ok()
                    .and_then(|length| length.checked_add(2));
                let Some(behind) = skip.and_then(|skip| rest.get(skip..)) else {
                    return false;
                };
                rest = behind;
                close(&mut open);
            }
            (b'*' | b'~' | b'>' | b'%' | b'|' | b'$' | b'!' | b'=', None) => return false,
            _ => close(&mut open),
        }
        // A level that needs nothing more is a frame of the level above.
        while open.last() == Some(&0) {
            open.pop();
            close(&mut open);
        }
        if open.is_empty() {
            return false;
        }
        if open.len() > MAX_DEPTH {
            return true;
        }
    }
}

/// A frame of the innermost level is complete.
fn close(open: &mut [u64]) {
    if let Some(needed) = open.last_mut() {
        *needed = needed.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<Option<Frame>, RedisProtocolError> {
        Resp.decode(&mut BytesMut::from(bytes))
    }

    #[test]
    fn a_frame_nested_without_end_is_refused_before_it_overflows_the_stack() {
        for header in [
            "*1\r\n",
            "%1\r\n",
            "~1\r\n",
            ">1\r\n",
            "|1\r\n",
            "*2\r\n:1\r\n",
        ] {
            let error = decode(header.repeat(100_000).as_bytes()).expect_err(header);
            assert!(
                error.details().contains("nested deeper"),
                "{header:?}: {error}"
            );
        }
    }

    #[test]
    fn what_redis_sends_is_not_too_deep() {
        let hello = b"%2\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*2\r\n%1\r\n+a\r\n*0\r\n%1\r\n+b\r\n*0\r\n";
        assert!(matches!(decode(hello), Ok(Some(Frame::Map { .. }))));
        // Many frames side by side are not deep.
        let wide = [b"*3000\r\n".as_slice(), &b"*1\r\n:1\r\n".repeat(3000)].concat();
        assert!(matches!(decode(&wide), Ok(Some(Frame::Array { .. }))));
    }

    #[test]
    fn any_part_of_a_frame_is_a_part_and_any_garbage_is_an_error_or_a_part() {
        let frame = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n%1\r\n+a\r\n|1\r\n+t\r\n:3\r\n:4\r\n";
        for length in 0..frame.len() {
            assert_eq!(decode(&frame[..length]), Ok(None), "{length} bytes");
        }
        assert!(matches!(decode(frame), Ok(Some(_))));
        // No input may panic: a panic would end the machine, not the connection.
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = b"*$%~>|!=_,(#+-:;.H0123459?tf\r\n\r\n\r\n\r\nxL \xff";
        for _ in 0..50_000 {
            let bytes: Vec<u8> = (0..random.usize(1..40))
                .map(|_| alphabet[random.usize(..alphabet.len())])
                .collect();
            let _ = decode(&bytes);
        }
    }
}
