//! What a client does with its connections: from the attempt to the loss.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::codec::Decoder;

use super::connecting::Attempt;
use super::counts::Counters;
use super::frames::{Frames, Together};
use super::live::Live;
use super::machine::{ClientMachine, Event, On};
use super::protocol::{Handshake, Protocol, Received};
use super::session::Session;
use super::telemetry::tell;
use crate::net::{ConnectError, Connection, Link, LinkEvent, Lost, RequestError};
use crate::{Actions, Cx};

/// What follows from an event of a connection.
pub(super) enum Verdict {
    Keep,
    /// It is to be replaced.
    Replace(Lost),
    /// It is gone, or must be given up.
    Lost(Lost),
}

type Frame<P> = <<P as Protocol>::Codec as Decoder>::Item;
pub(super) type Happened<P> = On<Frames<Frame<P>>>;

/// Connections.
impl<P: Protocol> Session<P> {
    pub(super) fn connect(
        &mut self,
    ) -> (
        Attempt,
        impl Future<Output = Result<Connection, ConnectError>> + Send + use<P>,
    ) {
        // A refusal is followed by a delay that may be longer than any penalty.
        if let Some(endpoint) = self.unfit.take() {
            self.connector.failed(&endpoint);
        }
        let attempt = Attempt::start(self.counters.clone(), &self.connector);
        (attempt, self.connector.connect())
    }

    /// Takes the connection and says hello; whether that is all there is to the handshake.
    pub(super) fn open(
        &mut self,
        connection: Connection,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Result<(Box<Live<P>>, bool), Lost> {
        self.number += 1;
        let number = self.number;
        let link = Link::open_with(
            self.settings.link,
            connection.io,
            Together::new(self.protocol.codec(), self.settings.link.longest_frame()),
            cx,
            move |event| Event::On(number, On::Link(event)),
        );
        let mut live = Box::new(Live::new(
            number,
            connection.endpoint,
            link,
            &self.protocol,
            self.settings.window,
            self.counters.clone(),
        ));
        let handshake = self.protocol.hello(&mut self.out);
        match self.shake(&mut live, handshake) {
            Ok(done) => Ok((live, done)),
            Err(lost) => {
                self.unfit = Some(live.endpoint.clone());
                Err(lost)
            }
        }
    }

    /// Frames of the handshake; whether it is over. What has come with the last one is handled next.
    pub(super) fn greeted(
        &mut self,
        live: &mut Live<P>,
        mut frames: Frames<Frame<P>>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Result<bool, Lost> {
        while let Some(frame) = frames.next() {
            let handshake = self.protocol.greeted(frame, &mut self.out);
            if self.shake(live, handshake)? {
                go_on(live, frames, cx);
                return Ok(true);
            }
        }
        frames
            .failure()
            .map_or(Ok(false), |reason| Err(Lost::Closed(reason)))
    }

    fn shake(&mut self, live: &mut Live<P>, handshake: Handshake) -> Result<bool, Lost> {
        let done = match handshake {
            Handshake::Continue => Ok(false),
            Handshake::Done => Ok(true),
            Handshake::Failed(error) => Err(Lost::Handshake(error)),
            Handshake::Refused(error) => Err(Lost::Refused(error)),
        };
        if done.is_err() {
            // It is not for the next connection.
            self.out.clear();
            return done;
        }
        match live.say(&mut self.out) {
            Ok(()) => done,
            Err(lost) => Err(lost.in_handshake()),
        }
    }

    /// There is a connection that works.
    pub(super) fn up(&mut self, live: &mut Live<P>, cx: &mut Actions<ClientMachine<P>>) {
        live.start(&mut self.settings, cx);
        Counters::add(&self.counters.ups, 1);
        tell!(INFO, endpoint = %live.endpoint, "up");
        self.warned = false;
        if let Some(retiring) = self.take_in_use() {
            self.subscribers.down(&Arc::new(Lost::Replaced));
            self.let_go(retiring, cx);
        }
        self.subscribers.up();
        self.flush(live, cx);
    }

    /// Something happened on the connection that is in use.
    pub(super) fn on(
        &mut self,
        live: &mut Live<P>,
        what: Happened<P>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Verdict {
        let verdict = self.heard(live, what, cx);
        if let Verdict::Keep = verdict {
            self.flush(live, cx);
        }
        verdict
    }

    pub(super) fn heard(
        &mut self,
        live: &mut Live<P>,
        what: Happened<P>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Verdict {
        let result = match what {
            On::Link(LinkEvent::Frame(mut frames)) => {
                live.hear();
                while let Some(frame) = frames.next() {
                    match self.receive(live, frame) {
                        Ok(false) => {}
                        Ok(true) => {
                            go_on(live, frames, cx);
                            return Verdict::Replace(Lost::Drained);
                        }
                        Err(lost) => return Verdict::Lost(lost),
                    }
                }
                frames
                    .failure()
                    .map_or(Ok(()), |reason| Err(Lost::Closed(reason)))
            }
            On::Link(LinkEvent::Closed(reason)) => Err(Lost::Closed(reason)),
            On::Link(LinkEvent::Room) => live.pay(),
            On::Progress => live.look_for_progress(&self.settings, cx),
            On::Tick => live.look_for_life(&mut self.protocol, &self.settings, cx),
            On::Stable => {
                live.settle_down();
                self.backoff.reset();
                Ok(())
            }
            On::Lifetime => {
                // It has lived as long as any may, if that is less than what makes a good one.
                live.settle_down();
                self.backoff.reset();
                return Verdict::Replace(Lost::Lifetime);
            }
        };
        match result {
            Ok(()) => Verdict::Keep,
            Err(lost) => Verdict::Lost(lost),
        }
    }

    /// A frame; whether the peer announces the end.
    fn receive(&mut self, live: &mut Live<P>, frame: Frame<P>) -> Result<bool, Lost> {
        let received = self.protocol.receive(frame, &mut self.out);
        if !self.out.is_empty() {
            live.say(&mut self.out)?;
        }
        match received {
            Received::Answer(response) => live.answer(None, response)?,
            Received::AnswerTo(id, response) => live.answer(Some(id), response)?,
            Received::Push(response) => {
                Counters::add(&self.counters.pushed, 1);
                self.subscribers.item(response);
            }
            Received::Drain => return Ok(true),
            Received::Ignore => {}
            Received::Violation(error) => return Err(Lost::Protocol(error)),
        }
        Ok(false)
    }

    /// A connection that worked is gone: everybody on it is told, or waits to be sent again.
    pub(super) fn down(&mut self, live: &mut Live<P>, lost: Lost) -> Arc<Lost> {
        let is_unwritable = matches!(lost, Lost::Unwritable(_));
        if is_unwritable && !mem::replace(&mut self.told_unwritable, true) {
            tell!(
                WARN,
                endpoint = %live.endpoint,
                reason = %lost,
                "a mistake in the protocol ends its connections; not told again"
            );
        }
        let lost = self.close(live, lost);
        if !live.is_stable() && !is_unwritable {
            self.unfit = Some(live.endpoint.clone());
        }
        self.subscribers.down(&lost);
        lost
    }

    pub(super) fn close(&mut self, live: &mut Live<P>, lost: Lost) -> Arc<Lost> {
        live.tell_down(&lost);
        let lost = Arc::new(lost);
        for queued in live.settle(|handed| RequestError::of_lost(&lost, handed)) {
            self.queue.give_back(queued);
        }
        lost
    }

    /// The endpoint whose connection did not do, or else all there are, for the log.
    #[cfg(feature = "tracing")]
    fn place(&self) -> String {
        match &self.unfit {
            Some(endpoint) => endpoint.to_string(),
            None => self.connector.to_text(),
        }
    }

    /// No connection could be made, or none that works.
    pub(super) fn failed(&mut self, lost: Lost) -> Result<Duration, Arc<Lost>> {
        if !self.warned {
            self.warned = true;
            tell!(
                WARN,
                endpoint = %self.place(),
                reason = %lost,
                "cannot connect; not told again before it could"
            );
        }
        self.disconnected(lost)
    }

    /// There is no connection: how long to wait before the next attempt, or that there is to be
    /// none.
    pub(super) fn disconnected(
        &mut self,
        lost: impl Into<Arc<Lost>>,
    ) -> Result<Duration, Arc<Lost>> {
        let lost = lost.into();
        self.lost = lost.clone();
        let stops = if lost.is_permanent() {
            self.settings.stop_when_refused
        } else {
            false
        };
        if stops || (self.settings.stop_on_disconnect && !self.is_in_use()) {
            return Err(lost);
        }
        let delay = if lost.is_permanent() {
            self.backoff.slow_delay()
        } else {
            self.backoff.delay()
        };
        tell!(DEBUG, endpoint = %self.place(), reason = %lost, ?delay, "disconnected");
        Ok(delay)
    }
}

/// What is left of frames that have come together is handled next, in the state that follows.
fn go_on<P: Protocol>(
    live: &Live<P>,
    frames: Frames<Frame<P>>,
    cx: &mut Actions<ClientMachine<P>>,
) {
    if !frames.is_empty() {
        let rest = On::Link(LinkEvent::Frame(frames));
        cx.insert(Event::On(live.number, rest));
    }
}
