//! What one would write by hand: a channel, and a task with the socket and a queue of callers.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Client, raw};

const BOUND: usize = 1024;
/// That of statem's calls.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Actor(mpsc::Sender<Ask>);

struct Ask {
    key: String,
    reply: oneshot::Sender<BytesMut>,
}

impl Client for Actor {
    type Value = BytesMut;

    async fn connect(address: &str) -> Self {
        let socket = raw::connect(address).await.expect("the server accepts");
        let (sender, receiver) = mpsc::channel(BOUND);
        tokio::spawn(run(socket, receiver));
        Actor(sender)
    }

    async fn get(&self, key: &str) -> BytesMut {
        let (reply, answer) = oneshot::channel();
        let key = key.to_owned();
        assert!(self.0.send(Ask { key, reply }).await.is_ok());
        answer.await.expect("the task answers")
    }
}

/// The same, with a limit for each call.
#[derive(Clone)]
pub(crate) struct Limited(Actor);

impl Client for Limited {
    type Value = BytesMut;

    async fn connect(address: &str) -> Self {
        Limited(Actor::connect(address).await)
    }

    async fn get(&self, key: &str) -> BytesMut {
        let answer = timeout(LIMIT, self.0.get(key)).await;
        answer.expect("the server answers in time")
    }
}

async fn run(mut socket: TcpStream, mut asks: mpsc::Receiver<Ask>) {
    let (mut reads, mut writes) = socket.split();
    let (mut out, mut input) = (BytesMut::new(), BytesMut::new());
    let (mut asked, mut waiting) = (Vec::with_capacity(BOUND), VecDeque::new());
    loop {
        input.reserve(raw::CHUNK);
        tokio::select! {
            count = asks.recv_many(&mut asked, BOUND) => {
                if count == 0 {
                    return;
                }
                for Ask { key, reply } in asked.drain(..) {
                    raw::get(&mut out, &key);
                    waiting.push_back(reply);
                }
                writes.write_all_buf(&mut out).await.expect("the server reads");
            }
            read = reads.read_buf(&mut input) => {
                assert!(read.expect("the server answers") > 0);
                while let Some(value) = raw::blob(&mut input) {
                    let reply: oneshot::Sender<_> = waiting.pop_front().expect("somebody asked");
                    drop(reply.send(value));
                }
            }
        }
    }
}
