//! A request that a caller makes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::machine::{ClientMachine, Event};
use super::protocol::Protocol;
use crate::net::{Policy, Queued, RequestError};
use crate::{Call, Handle, Reply};

/// A request, made by [`Client::call`](super::Client::call): a future of its one outcome (N50).
///
/// It is sent to the client when it is first polled, and its limit counts from there, with or without
/// a connection (N54).
///
/// Cancel safety: dropped before it was written to the connection, it never will be (N51, N80);
/// dropped later, its answer is dropped and counted.
///
/// # Errors
///
/// See [`RequestError`]; [`RequestError::may_have_run`] tells whether it is safe to ask again.
///
/// # Panics
///
/// When it is polled outside of a tokio runtime with its timer enabled.
#[must_use = "a request is sent when it is awaited"]
pub struct ClientCall<'a, P: Protocol> {
    call: Call<'a, ClientMachine<P>, P::Response, RequestError, (P::Request, Policy)>,
}

impl<'a, P: Protocol> ClientCall<'a, P> {
    pub(super) fn new(
        handle: &'a Handle<ClientMachine<P>>,
        request: P::Request,
        policy: Policy,
    ) -> Self {
        ClientCall {
            call: handle.call_with((request, policy), queued),
        }
    }

    /// What becomes of it when it cannot be sent at once, in place of the client's own policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        if let Some((_, of_call)) = self.call.value_mut() {
            *of_call = policy;
        }
        self
    }

    /// How long to wait for the answer, in place of the client's own limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.call = self.call.limit(limit);
        self
    }

    /// Until when to wait for the answer, in place of the client's own limit.
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.call = self.call.deadline(deadline);
        self
    }
}

/// A request and its policy, in the shape in which a connection takes it, so that it is not moved into
/// another one on its way.
fn queued<P: Protocol>(
    (request, policy): (P::Request, Policy),
    reply: Reply<P::Response, RequestError>,
) -> Event<P> {
    Event::Call(Queued {
        request,
        reply,
        policy,
        handed: false,
        replays: 0,
    })
}

impl<P: Protocol> Unpin for ClientCall<'_, P> {}

impl<P: Protocol> Future for ClientCall<'_, P> {
    type Output = Result<P::Response, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.call)
            .poll(cx)
            .map_err(RequestError::from)
    }
}

impl<P: Protocol> fmt::Debug for ClientCall<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCall")
            .field("call", &self.call)
            .finish()
    }
}
