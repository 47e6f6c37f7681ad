//! A client that stays connected: a machine made of the parts of the kit, for which a user writes
//! the protocol.

mod builder;
mod call;
mod connecting;
mod connections;
mod counts;
mod ending;
mod frames;
mod live;
mod machine;
mod notice;
mod protocol;
mod session;
mod settings;
mod shown;
mod telemetry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::ClientBuilder;
pub use call::ClientCall;
pub use counts::ClientCounts;
pub use machine::ClientMachine;
pub use notice::Notice;
pub use protocol::{Handshake, Protocol, Received};

use crate::net::{Connector, FeedStream, Policy, feed};
use crate::{CallError, Closed, ExitReason, Handle, Inspection, Status, Watch};
use counts::Counters;
use machine::Event;

/// A client that stays connected to a peer. Clone it for each user.
///
/// It needs nothing but a [`Protocol`] and whom to connect to. It connects by itself, with back-off,
/// and again whenever the connection is lost; it sends many requests without waiting for their
/// answers, gives each answer to its caller, and tells who gets none whether his request may have
/// run ([`RequestError`](crate::net::RequestError)). A connection that goes silent is given up, one
/// that the peer is about to end is replaced first. Nothing is sent twice unless the protocol says
/// that it may be.
///
/// Like a [`Handle`] it keeps its machine alive: when the last one is dropped, the client ends.
/// [`ClientMachine`] draws its states.
///
/// ```
/// use statem::net::{Client, Lines, Protocol, Received};
/// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// struct Echo;
///
/// impl Protocol for Echo {
///     type Codec = Lines;
///     type Request = String;
///     type Response = String;
///
///     fn codec(&self) -> Lines {
///         Lines::new(1024)
///     }
///
///     fn receive(&mut self, line: String, _: &mut Vec<String>) -> Received<String> {
///         Received::Answer(line)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// // There is no server yet: a client starts without one.
/// let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
/// let client = Client::start(Echo, port);
/// # tokio::spawn(async move {
/// #     let listener = tokio::net::TcpListener::bind(port).await.unwrap();
/// #     let (mut socket, _) = listener.accept().await.unwrap();
/// #     let (read, mut write) = socket.split();
/// #     let mut lines = BufReader::new(read).lines();
/// #     while let Ok(Some(line)) = lines.next_line().await {
/// #         write.write_all(format!("{}\n", line.to_uppercase()).as_bytes()).await.unwrap();
/// #     }
/// # });
/// assert_eq!(client.call("hello".to_owned()).await.unwrap(), "HELLO");
/// # });
/// ```
pub struct Client<P: Protocol> {
    handle: Handle<ClientMachine<P>>,
    counters: Arc<Counters>,
    policy: Policy,
}

impl<P: Protocol> Client<P> {
    /// Starts a client with the defaults of [`ClientBuilder`], as a task of the current tokio
    /// runtime. Returns at once: there is no connection yet, and there need not be a peer.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use = "the client ends when its last handle is dropped"]
    pub fn start(protocol: P, peer: impl Into<Connector>) -> Self {
        Self::builder(protocol, peer).start()
    }

    /// Starts a client otherwise than with the defaults.
    pub fn builder(protocol: P, peer: impl Into<Connector>) -> ClientBuilder<P> {
        ClientBuilder::new(protocol, peer.into())
    }

    /// Asks the peer something and waits for the answer.
    ///
    /// Without a connection, and without room on it, the request waits until its limit passes, 5 s
    /// unless told otherwise, or does what its [policy](ClientCall::policy) says. The future borrows
    /// the client: to send it elsewhere, move a clone with it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`](crate::net::RequestError).
    pub fn call(&self, request: P::Request) -> ClientCall<'_, P> {
        ClientCall::new(&self.handle, request, self.policy)
    }

    /// Waits until there is a working connection, as far as the client knows when the future ends:
    /// at once if there is one.
    ///
    /// It says nothing of the next moment. A connection may break as it is used, or have broken
    /// without a word, and a call that finds none does what its [policy](ClientCall::policy) says;
    /// so nobody has to wait for `ready` before a call. Whoever was told by a call that the
    /// connection is lost, or has [asked for another one](Client::reconnect_now), is not told of the
    /// old one any more: this waits for the next, also while the old one is still used.
    ///
    /// Cancel safety: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Why the client ended, if it did.
    pub async fn ready(&self) -> Result<(), ExitReason> {
        let mut watch = self.watch();
        let mut status = watch.status();
        loop {
            match status {
                Status::Running("Connected") => return Ok(()),
                Status::Stopped(reason) => return Err(reason),
                _ => status = watch.changed().await,
            }
        }
    }

    /// Follows what the peer sends unasked, and whether it is there. The stream ends with the
    /// client.
    ///
    /// At most `bound` notices wait, at least one; a subscriber that is slower is told how many it
    /// has [missed](Notice::Missed). Dropping the stream ends the subscription. It is in force when
    /// this returns; that waits for the machine, without a limit of its own.
    ///
    /// Cancel safety: dropped before it has returned, nothing is subscribed.
    pub async fn subscribe(&self, bound: usize) -> FeedStream<Notice<P::Response>> {
        let (feed, stream) = feed(bound.max(1));
        let asked = self.handle.call_with(feed, Event::Subscribe);
        // A client that has ended drops the feed, which ends the stream.
        drop(asked.limit(Duration::MAX).await);
        stream
    }

    /// Replaces the connection, or makes one at once; waits until the client has begun with it.
    ///
    /// While the back-off runs, the next attempt is made at once; while an attempt or a handshake
    /// runs, nothing happens; while there is a connection, it is used until there is another one,
    /// and then until what was sent on it is answered. Nothing happens to a client that has ended.
    ///
    /// Cancel safety: dropped before its turn in the mailbox, nothing happens; later, it is done all
    /// the same.
    pub async fn reconnect_now(&self) {
        let asked = self.handle.call(Event::Reconnect).limit(Duration::MAX);
        // A client that has ended connects no more.
        drop(asked.await);
    }

    /// The state of the client, by its name in [`ClientMachine`].
    #[must_use]
    pub fn status(&self) -> Status {
        self.handle.status()
    }

    /// Follows the state of the client.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.handle.watch()
    }

    /// What was counted so far; also after the end.
    #[must_use]
    pub fn counts(&self) -> ClientCounts {
        self.counters.read()
    }

    /// Looks at the machine at rest: its state, timeouts and sources (N70).
    ///
    /// # Errors
    ///
    /// As [`Handle::inspect`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn inspect(&self) -> Result<Inspection, CallError> {
        self.handle.inspect().await
    }

    /// Ends the client when what was sent is answered, within `limit` at the latest; waits for the
    /// end.
    ///
    /// What waits fails with [`NotSent::Stopping`](crate::net::NotSent::Stopping), and so does what
    /// is asked from here on. A peer that has answered everything is given a second to close the
    /// connection from its side. The reason of such an end is [`ExitReason::Normal`], or why the
    /// client had ended before. When the limit passes first it is [`ExitReason::Shutdown`], and the
    /// rest is told [`RequestError::Stopped`](crate::net::RequestError::Stopped).
    ///
    /// Cancel safety: once it has been polled the client ends in any case.
    pub async fn shutdown(&self, limit: Duration) -> ExitReason {
        self.handle.shutdown(limit).await
    }

    /// Ends the client at its turn and waits for the end; whoever waits for an answer is told
    /// [`RequestError::Stopped`](crate::net::RequestError::Stopped).
    ///
    /// Cancel safety: once it has been polled the client ends in any case.
    pub async fn stop(&self) -> ExitReason {
        self.handle.stop().await
    }

    /// Ends the client at once; see [`Handle::kill`].
    pub fn kill(&self) {
        self.handle.kill();
    }

    /// Waits for the end of the client. Ready at once, and each time, after it has ended; dropping
    /// the future loses nothing.
    pub fn closed(&self) -> Closed {
        self.handle.closed()
    }
}

impl<P: Protocol> Clone for Client<P> {
    fn clone(&self) -> Self {
        Client {
            handle: self.handle.clone(),
            counters: self.counters.clone(),
            policy: self.policy,
        }
    }
}

impl<P: Protocol> fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("status", &self.status())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
