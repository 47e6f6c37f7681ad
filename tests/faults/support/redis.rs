//! Enough of Redis to see whose answer an answer is: `ECHO` of a key.

use std::error::Error;
use std::process::Command;

use bytes::{Buf, BufMut, BytesMut};
use statem::net::{Protocol, Received};
use tokio_util::codec::{Decoder, Encoder};

use super::protocol::{Ask, What};
use crate::redis_server;

pub(crate) struct Echo;

/// Sends a signal to a server.
pub(crate) fn signal(server: &redis_server::Server, signal: &str) {
    let process = server.process.as_ref().expect("the server is up");
    let pid = process.id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status();
    assert!(status.expect("`kill` is there").success());
}

pub(crate) struct RespCodec;

impl Decoder for RespCodec {
    type Item = u64;
    type Error = Box<dyn Error + Send + Sync>;

    /// A bulk string of digits: `$2\r\n17\r\n`.
    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<u64>, Self::Error> {
        let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end])?;
        let length: usize = head.strip_prefix('$').ok_or("no bulk string")?.parse()?;
        if bytes.len() < end + length + 4 {
            return Ok(None);
        }
        let key = std::str::from_utf8(&bytes[end + 2..end + 2 + length])?.parse()?;
        bytes.advance(end + length + 4);
        Ok(Some(key))
    }
}

impl Encoder<Ask> for RespCodec {
    type Error = std::io::Error;

    fn encode(&mut self, ask: Ask, bytes: &mut BytesMut) -> std::io::Result<()> {
        let What::Run(key) = ask.what else {
            panic!("this protocol greets nobody")
        };
        let key = key.to_string();
        bytes.put_slice(format!("*2\r\n$4\r\nECHO\r\n${}\r\n{key}\r\n", key.len()).as_bytes());
        Ok(())
    }
}

impl Protocol for Echo {
    type Codec = RespCodec;
    type Request = Ask;
    type Response = u64;

    fn codec(&self) -> RespCodec {
        RespCodec
    }

    fn receive(&mut self, key: u64, _: &mut Vec<Ask>) -> Received<u64> {
        Received::Answer(key)
    }
}
