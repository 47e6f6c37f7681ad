//! What a user writes: the protocol.

use std::error::Error;
use std::ops::RangeInclusive;

use tokio_util::codec::{Decoder, Encoder};

/// What a connection speaks: the one part of a [`Client`](super::Client) that its user writes.
///
/// The codec makes frames of bytes and bytes of requests, [`receive`](Protocol::receive) says what a
/// frame is, and everything else has a default: no handshake, answers in order, nothing runs twice,
/// no ping. The value itself is for what is to be known about the peer; it is the machine's, lives as
/// long as the client, and its methods are called in the machine's task, so they must not wait. A
/// panic in one is a panic of the machine.
///
/// ```
/// use statem::net::{Lines, Protocol, Received};
///
/// /// Every line is answered by a line.
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
/// ```
pub trait Protocol: Send + Sized + 'static {
    /// Makes frames of bytes, and bytes of requests.
    type Codec: Decoder<Item: Send, Error: Into<Box<dyn Error + Send + Sync>>>
        + Encoder<Self::Request, Error: Into<Box<dyn Error + Send + Sync>>>
        + Send
        + 'static;
    /// What is asked.
    type Request: Send + 'static;
    /// What is answered, and what the peer sends unasked. An error that the peer answers with is an
    /// answer: where there are such, this is a `Result`.
    type Response: Send + Sync + 'static;

    /// A codec for a connection. Each has its own: nothing of an old one is left in a new one.
    fn codec(&self) -> Self::Codec;

    /// A frame has come: what is it? What is put into `out` is sent before anything else, as for a
    /// peer that pings; it is no request, so no answer is expected. If it cannot be written, the
    /// connection is given up ([`Lost::Unwritable`](super::super::Lost::Unwritable)).
    fn receive(
        &mut self,
        frame: <Self::Codec as Decoder>::Item,
        out: &mut Vec<Self::Request>,
    ) -> Received<Self::Response>;

    /// A connection was made: what is put into `out` is sent first.
    ///
    /// `Done`, the default, needs no answer. `Continue` waits for frames, which go to
    /// [`greeted`](Protocol::greeted), within the limit of the handshake.
    fn hello(&mut self, out: &mut Vec<Self::Request>) -> Handshake {
        let _ = out;
        Handshake::Done
    }

    /// A frame has come in the handshake; what is put into `out` is sent. By default any frame is
    /// the end of the handshake.
    fn greeted(
        &mut self,
        frame: <Self::Codec as Decoder>::Item,
        out: &mut Vec<Self::Request>,
    ) -> Handshake {
        let _ = (frame, out);
        Handshake::Done
    }

    /// The ids that requests may have, asked once for each connection. `None`, the default: there
    /// are none, and answers come in the order of the requests.
    fn ids(&self) -> Option<RangeInclusive<u64>> {
        None
    }

    /// Writes its id into a request that is about to be sent, once. Called if there are
    /// [`ids`](Protocol::ids), after [`is_long`](Protocol::is_long) and
    /// [`replay`](Protocol::replay).
    fn stamp(&self, request: &mut Self::Request, id: u64) {
        let _ = (request, id);
    }

    /// Whether the answer may take as long as it likes, as of a request that waits for something to
    /// happen: the peer is then not taken for unresponsive, as long as the caller waits. By default
    /// none may.
    fn is_long(&self, request: &Self::Request) -> bool {
        let _ = request;
        false
    }

    /// A copy of a request that does no harm when it runs twice: it is sent again when the
    /// connection is lost before its answer has come, three times at most, since it may be what its
    /// peer does not live through. By default no request is.
    ///
    /// Only what may wait for a connection by its [`Policy`](super::super::Policy) is sent again.
    fn replay(&self, request: &Self::Request) -> Option<Self::Request> {
        let _ = request;
        None
    }

    /// A request that does nothing but being answered, to see whether a silent peer is still there.
    /// `None`, the default: an idle connection is taken for a good one. If it cannot be written, the
    /// connection is given up.
    fn ping(&mut self) -> Option<Self::Request> {
        None
    }
}

/// What a frame is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received<Response> {
    /// The answer to the oldest request, of a protocol that answers in order.
    Answer(Response),
    /// The answer to the request with this id, of a protocol with ids.
    AnswerTo(u64, Response),
    /// Something that was not asked: it goes to all who have subscribed.
    Push(Response),
    /// The peer is about to end the connection. Nothing more is sent on it, another one is made at
    /// once, and what was sent is still answered on the old one.
    Drain,
    /// Nothing.
    Ignore,
    /// What may not come. The connection is given up, since nothing that follows can be trusted.
    Violation(Box<dyn Error + Send + Sync>),
}

/// How far the handshake is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Handshake {
    /// More frames are to come.
    Continue,
    /// Requests can be sent.
    Done,
    /// It failed, and another attempt may do better.
    Failed(Box<dyn Error + Send + Sync>),
    /// The peer refuses this client, as for a wrong password: another attempt will do no better, so
    /// it is made much later or not at all; see
    /// [`ClientBuilder::stop_when_refused`](super::ClientBuilder::stop_when_refused).
    Refused(Box<dyn Error + Send + Sync>),
}
