//! A loop over a socket, without callers.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Entries;

/// What is read at once.
pub(crate) const CHUNK: usize = 32 * 1024;

pub(crate) async fn connect(address: &str) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Reads each entry in turn, with as many requests in flight as there are entries.
pub(crate) async fn raw(socket: &mut TcpStream, entries: &Entries, requests: u32) {
    let (mut sent, mut answered) = (0, 0);
    let (mut out, mut input) = (BytesMut::new(), BytesMut::new());
    let mut to_ask = entries.iter().cycle();
    let mut to_come = entries.iter().cycle();
    while answered < requests {
        while sent < requests && ((sent - answered) as usize) < entries.len() {
            let (key, _) = to_ask.next().expect("it has no end");
            get(&mut out, key);
            sent += 1;
        }
        socket
            .write_all_buf(&mut out)
            .await
            .expect("the server reads");
        input.reserve(CHUNK);
        let read = socket.read_buf(&mut input).await;
        assert!(read.expect("the server answers") > 0);
        while let Some(value) = blob(&mut input) {
            let (_, expected) = to_come.next().expect("it has no end");
            assert_eq!(value, expected.as_bytes());
            answered += 1;
        }
    }
}

/// Writes all entries.
pub(crate) async fn fill(address: &str, entries: &Entries) -> io::Result<()> {
    let mut socket = connect(address).await?;
    for (key, value) in &**entries {
        socket
            .write_all(format!("SET {key} {value}\r\n").as_bytes())
            .await?;
        let mut answer = [0; 5];
        socket.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"+OK\r\n");
    }
    Ok(())
}

/// Writes the command that reads a key.
pub(crate) fn get(out: &mut BytesMut, key: &str) {
    out.extend_from_slice(b"*2\r\n$3\r\nGET\r\n$");
    let mut length = [0; 20];
    let mut rest = &mut length[..];
    io::Write::write_fmt(&mut rest, format_args!("{}", key.len())).expect("there is room");
    let unused = rest.len();
    out.extend_from_slice(&length[..length.len() - unused]);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Takes one string from what has come, if it is whole.
pub(crate) fn blob(input: &mut BytesMut) -> Option<BytesMut> {
    let end = input.windows(2).position(|pair| pair == b"\r\n")?;
    assert_eq!(input[0], b'$', "every answer is a string");
    let length = std::str::from_utf8(&input[1..end]).expect("a number is text");
    let length: usize = length.parse().expect("it is a number");
    if input.len() < end + length + 4 {
        return None;
    }
    input.advance(end + 2);
    let value = input.split_to(length);
    input.advance(2);
    Some(value)
}
