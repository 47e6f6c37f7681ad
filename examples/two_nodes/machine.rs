//! The two machines.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use statem::Backoff;
use statem::{Cx, EnterCx, Handler, Next, Reply, StateMachine, keep, postpone, unexpected};
use turmoil::net::UdpSocket;

use super::simulation::{Story, Wire};

/// What goes from one node to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What an answer has from its request. They grow.
    pub reference: u64,
    /// How much to put in, or was put in.
    pub amount: u64,
}

impl Message {
    /// As on the wire.
    #[must_use]
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.reference.to_be_bytes());
        bytes[8..].copy_from_slice(&self.amount.to_be_bytes());
        bytes
    }

    /// `None` for what is no message.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (reference, amount) = bytes.split_at_checked(8)?;
        Some(Message {
            reference: u64::from_be_bytes(reference.try_into().ok()?),
            amount: u64::from_be_bytes(amount.try_into().ok()?),
        })
    }
}

/// Asks the other node, one request at a time.
#[derive(StateMachine)]
#[machine(event = Event, data = Asking)]
pub enum Asker {
    /// Nothing is asked.
    #[initial]
    #[to(Waiting = "asked")]
    Idle,
    /// A request was sent; further ones are postponed.
    #[to(Idle = "answered or given up")]
    Waiting(Waiting),
}

/// The state with a request under way.
pub struct Waiting {
    message: Message,
    reply: Reply<u64, Unknown>,
    backoff: Backoff,
}

/// Nobody answered in time: the request may have run, once or more often, may yet run, or never will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// What happens to the asker.
pub enum Event {
    /// Puts this much in. The answer is how much was put in.
    Deposit(u64, Reply<u64, Unknown>),
    /// A message has come.
    Received(Received),
    /// No answer has come for a while.
    Silence,
}

/// What the asker keeps.
pub struct Asking {
    /// The way to the other node.
    pub wire: Wire,
    /// Who it is.
    pub peer: SocketAddr,
    /// Whether it asks again when no answer comes; otherwise it gives up.
    pub repeats: bool,
    /// How long an answer may take.
    pub patience: Duration,
    /// The reference of the next request.
    pub reference: u64,
    /// Where what happens is told.
    pub story: Story,
}

impl Handler for Asker {
    fn enter(&mut self, asking: &mut Asking, cx: &mut EnterCx<Self>) {
        match self {
            Self::Idle if asking.reference == 0 => {
                // Once, and then for as long as the machine lives: late answers come in any state.
                asking.reference = 1;
                asking.wire.listen(cx, Event::Received);
            }
            Self::Idle => {}
            Self::Waiting(s) => {
                asking.send(s.message);
                cx.state_timeout(asking.patience, Event::Silence);
            }
        }
    }

    fn handle(
        state: AskerAt<'_>,
        event: Event,
        asking: &mut Asking,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {AskerAt as S, Event as E};
        match (state, event) {
            (S::Idle(s), E::Deposit(amount, reply)) => {
                let reference = asking.reference;
                asking.reference += 1;
                s.go(Waiting {
                    message: Message { reference, amount },
                    reply,
                    backoff: Backoff::default()
                        .first(asking.patience)
                        .cap(8 * asking.patience)
                        .seed(reference),
                })
            }
            (S::Waiting(_), event @ E::Deposit(..)) => postpone(event),

            (S::Waiting(s), E::Received(Ok((bytes, _)))) => match Message::decode(&bytes) {
                Some(answer) if answer.reference == s.message.reference => s.go_with(|old| {
                    let _ = old.reply.send(answer.amount);
                    Idle
                }),
                late => asking.drop_late(late),
            },
            (_, E::Received(Ok((bytes, _)))) => asking.drop_late(Message::decode(&bytes)),

            // Asking again with another reference would make it another request.
            (S::Waiting(mut s), E::Silence) if asking.repeats => {
                asking.story.asks_again(s.message.reference);
                asking.send(s.message);
                let pause = asking.patience + s.backoff.delay();
                cx.state_timeout(pause, Event::Silence);
                keep()
            }
            (S::Waiting(s), E::Silence) => {
                asking.story.gives_up(s.message.reference);
                s.go_with(|old| {
                    let _ = old.reply.fail(Unknown);
                    Idle
                })
            }
            (_, event) => unexpected(event),
        }
    }
}

impl Asking {
    fn send(&mut self, message: Message) {
        self.story.count(|counts| counts.sent += 1);
        self.wire.send(message, self.peer);
    }

    /// An answer that nobody waits for any more.
    fn drop_late(&mut self, answer: Option<Message>) -> Next<Asker> {
        if let Some(answer) = answer {
            self.story.drops_late(answer.reference);
        }
        keep()
    }
}

/// Keeps the account.
#[derive(StateMachine)]
#[machine(event = Request, data = Account)]
pub enum Teller {
    /// Requests are carried out.
    #[initial]
    Serving,
}

/// What happens to the teller: a request has come.
pub struct Request(Received);

/// What the teller keeps.
pub struct Account {
    /// The way to the other node.
    pub wire: Wire,
    /// Whether it knows a request that it has carried out.
    pub remembers: bool,
    /// The last request. Its asker has one under way at a time and counts them, so this one number
    /// is enough: who asks with a higher one has the answer to this one or wants it no more.
    pub last: Option<Message>,
    /// How often each request was carried out, to be counted in the end.
    pub carried_out: BTreeMap<u64, u32>,
    /// Where what happens is told.
    pub story: Story,
}

impl Handler for Teller {
    fn enter(&mut self, account: &mut Account, cx: &mut EnterCx<Self>) {
        account.wire.listen(cx, Request);
    }

    fn handle(
        _: TellerAt<'_>,
        event: Request,
        account: &mut Account,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let Request(Ok((bytes, asker))) = event else {
            return unexpected(event);
        };
        let Some(request) = Message::decode(&bytes) else {
            return keep();
        };
        let last = account.last.map_or(0, |last| last.reference);
        if account.remembers && request.reference <= last {
            account.story.remembers(request.reference);
            // An older one has nobody who waits for its answer.
            if request.reference == last {
                account.wire.send(request, asker);
            }
            return keep();
        }
        let times = account.carried_out.entry(request.reference).or_default();
        *times += 1;
        account.story.carries_out(request.reference, *times);
        account.last = Some(request);
        account.wire.send(request, asker);
        keep()
    }
}

/// Messages that come in on a socket.
pub struct Incoming {
    socket: Arc<UdpSocket>,
    next: Pin<Box<dyn Future<Output = Received> + Send>>,
}

/// A message, and who sent it.
pub type Received = io::Result<(Vec<u8>, SocketAddr)>;

impl Incoming {
    /// What comes in here.
    #[must_use]
    pub fn new(socket: Arc<UdpSocket>) -> Self {
        let next = Box::pin(receive(socket.clone()));
        Incoming { socket, next }
    }
}

impl Stream for Incoming {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        let received = ready!(self.next.as_mut().poll(cx));
        self.next = Box::pin(receive(self.socket.clone()));
        Poll::Ready(Some(received))
    }
}

async fn receive(socket: Arc<UdpSocket>) -> Received {
    let mut buffer = [0; 64];
    let (length, from) = socket.recv_from(&mut buffer).await?;
    Ok((buffer[..length].to_vec(), from))
}
