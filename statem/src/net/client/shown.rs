//! The parts of a client as `Debug` shows them: nothing of what its user asks and is answered, so that
//! nothing of it has to be shown, and nothing is but the texts of errors.

use std::fmt;

use super::builder::ClientBuilder;
use super::frames::Frames;
use super::live::Live;
use super::machine::{ClientMachine, Connected, Connecting, Draining, Event, Handshaking};
use super::protocol::Protocol;
use super::session::Session;

impl<P: Protocol> fmt::Debug for ClientBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("connector", &self.connector)
            .field("limit", &self.limit)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for ClientMachine<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(s) => s.fmt(f),
            Self::Connecting(s) => s.fmt(f),
            Self::Handshaking(s) => s.fmt(f),
            Self::Connected(s) => s.fmt(f),
            Self::Draining(s) => s.fmt(f),
            Self::Stopped => f.write_str("Stopped"),
        }
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connecting")
    }
}

impl<P: Protocol> fmt::Debug for Handshaking<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handshaking").field(&self.live).finish()
    }
}

impl<P: Protocol> fmt::Debug for Connected<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connected").field(&self.live).finish()
    }
}

impl<P: Protocol> fmt::Debug for Draining<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Draining").field(&self.live).finish()
    }
}

impl<P: Protocol> fmt::Debug for Live<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("number", &self.number)
            .field("endpoint", &self.endpoint)
            .field("in_flight", &self.in_flight())
            .field("closing", &self.is_closing())
            .finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("connector", &self.connector)
            .field("lost", &self.lost)
            .field("queue", &self.queue)
            .field("retiring", &self.retiring.len())
            .finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for Event<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Event::Call(queued) => return f.debug_tuple("Call").field(queued).finish(),
            Event::Subscribe(..) => "Subscribe",
            Event::Feed(number, event) => {
                let mut shown = f.debug_tuple("Feed");
                return shown.field(number).field(event).finish();
            }
            Event::Reconnect(_) => "Reconnect",
            Event::Drain => "Drain",
            Event::Drained => "Drained",
            Event::Retry => "Retry",
            Event::Connected(made) => return f.debug_tuple("Connected").field(made).finish(),
            Event::TooLate => "TooLate",
            Event::On(number, what) => {
                return f.debug_tuple("On").field(number).field(what).finish();
            }
            Event::Expired(number) => return f.debug_tuple("Expired").field(number).finish(),
        };
        f.write_str(name)
    }
}

impl<F> fmt::Debug for Frames<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
