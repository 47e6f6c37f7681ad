//! A connection in use: its link, what was sent on it, and whether it still lives.

use std::collections::VecDeque;
use std::fmt::Display;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::counts::Counters;
use super::frames::{Outgoing, Together};
use super::machine::{ClientMachine, Event, On};
use super::protocol::Protocol;
use super::settings::Settings;
use super::telemetry::{Uptime, tell};
use crate::net::{
    Answered, ById, Endpoint, InOrder, Link, Lost, NotSent, Policy, Queued, RequestError,
    SendError, Sent, Settled, Unknown,
};
use crate::{Actions, Reply, Timer};

/// How often a request is sent again. It may be the one that its peer does not live through.
const REPLAYS: u32 = 3;
/// Messages of the protocol's own that may wait for room in the write buffer.
const OWED: usize = 1024;
/// How long a peer that has answered everything may take to close its side.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) struct Live<P: Protocol> {
    /// No other connection of this client has it.
    pub(super) number: u64,
    pub(super) endpoint: Endpoint,
    link: Link<Together<P::Codec>>,
    sent: Table<P>,
    /// What the protocol wants to send and found no room for.
    owed: VecDeque<P::Request>,
    /// Whether a frame has come since the last tick.
    heard: bool,
    /// The oldest request when `progress` was started.
    watched: Option<u64>,
    /// How often the timer has found it to be the oldest still.
    found: u8,
    /// Runs while there is something in flight, and at most once longer.
    progress: Option<Timer>,
    /// When to look whether the peer is still there.
    tick: Timer,
    /// Runs until the connection is a good one.
    stable: Option<Timer>,
    lifetime: Timer,
    closing: bool,
    /// From when it was ready, until it is gone.
    uptime: Option<Uptime>,
    counters: Arc<Counters>,
}

/// Requests that are sent again, by their request and policy, and how often they were.
type Replay<P> = (<P as Protocol>::Request, Policy, u32);

enum Table<P: Protocol> {
    InOrder(InOrder<P::Response, Replay<P>>),
    ById(ById<P::Response, Replay<P>>),
}

impl<P: Protocol> Live<P> {
    pub(super) fn new(
        number: u64,
        endpoint: Endpoint,
        link: Link<Together<P::Codec>>,
        protocol: &P,
        window: usize,
        counters: Arc<Counters>,
    ) -> Self {
        let sent = match protocol.ids() {
            None => Table::InOrder(InOrder::new(window)),
            Some(ids) => Table::ById(ById::new(ids, window)),
        };
        Live {
            number,
            endpoint,
            link,
            sent,
            owed: VecDeque::new(),
            heard: false,
            watched: None,
            found: 0,
            progress: None,
            tick: Timer::inert(),
            stable: None,
            lifetime: Timer::inert(),
            closing: false,
            uptime: None,
            counters,
        }
    }

    /// It is ready for requests: its timers start.
    pub(super) fn start(&mut self, settings: &mut Settings, cx: &mut Actions<ClientMachine<P>>) {
        let number = self.number;
        self.stable = Some(cx.timer(settings.min_uptime, Event::On(number, On::Stable)));
        if let Some(age) = settings.lifetime() {
            self.lifetime = cx.timer(age, Event::On(number, On::Lifetime));
        }
        self.next_tick(settings, cx);
        self.uptime = Some(Uptime::start());
    }

    /// Whether it has lived long enough to be a good one.
    pub(super) fn is_stable(&self) -> bool {
        self.stable.is_none()
    }

    /// It is a good one.
    pub(super) fn settle_down(&mut self) {
        self.stable = None;
    }

    /// It is replaced: from here on it matters only that it answers. How long it does says nothing of
    /// those that are made in its place.
    pub(super) fn retire(&mut self) {
        self.tick = Timer::inert();
        self.lifetime = Timer::inert();
        if let Some(stable) = &mut self.stable {
            *stable = Timer::inert();
        }
    }

    /// Ends the connection from this side; the event that it has ended follows. Once.
    pub(super) fn say_goodbye(&mut self) {
        if !self.closing {
            self.closing = true;
            self.link.close(GOODBYE);
        }
    }

    /// Whether it has said goodbye.
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// How many requests were sent and not answered.
    pub(super) fn in_flight(&self) -> usize {
        match &self.sent {
            Table::InOrder(table) => table.len(),
            Table::ById(table) => table.len(),
        }
    }

    /// Whether it takes nothing more, also where there is no room. The event that says why follows.
    pub(super) fn has_ended(&self) -> bool {
        !self.link.is_open()
    }

    /// Sends a request, or gives it back if there is no room or the connection has just ended.
    pub(super) fn send(
        &mut self,
        queued: Queued<P::Request, P::Response>,
        protocol: &P,
        settings: &Settings,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Result<(), Queued<P::Request, P::Response>> {
        let id = match &mut self.sent {
            Table::InOrder(table) if table.is_full() => return Err(queued),
            Table::InOrder(_) => None,
            Table::ById(table) => match table.free_id() {
                Some(id) => Some(id),
                None => return Err(queued),
            },
        };
        if !self.owed.is_empty() {
            return Err(queued);
        }
        let Queued {
            request,
            reply,
            policy,
            handed,
            replays,
        } = queued;
        let hand = InHand {
            counters: &self.counters,
            handed,
        };
        let long = protocol.is_long(&request);
        let times = replays + u32::from(handed);
        let replay = match policy {
            Policy::FailFast => None,
            _ if times >= REPLAYS => None,
            _ => protocol.replay(&request),
        };
        let stamp = id.map(|id| (protocol, id));
        let sent = self.link.send(Outgoing { request, stamp });
        mem::forget(hand);
        match sent {
            Ok(mark) => {
                if handed {
                    Counters::add(&self.counters.replayed, 1);
                } else {
                    Counters::add(&self.counters.sent, 1);
                }
                let replay = replay.map(|request| Box::new((request, policy, times)));
                let sent = Sent::new(mark, Some(reply)).long(long).handed(handed);
                let sent = sent.replay(replay);
                self.note(id, sent);
                self.watch(settings, cx);
                Ok(())
            }
            Err(SendError::Full(out) | SendError::Closed(out)) => Err(Queued {
                request: out.request,
                reply,
                policy,
                handed,
                replays,
            }),
            Err(SendError::Codec(error)) => {
                let mut settled = Settled::default();
                let error = if handed {
                    settled.unknown = 1;
                    RequestError::Unknown(Unknown::NotAnswered)
                } else {
                    settled.not_sent = 1;
                    RequestError::NotSent(NotSent::Invalid(Arc::from(error.into())))
                };
                self.counters.settle(settled);
                drop(reply.fail(error));
                Ok(())
            }
        }
    }

    /// Sends what the protocol says of its own accord, before any further request.
    pub(super) fn say(&mut self, out: &mut Vec<P::Request>) -> Result<(), Lost> {
        for message in out.drain(..) {
            self.owed.push_back(message);
        }
        self.pay()
    }

    /// Sends what found no room before.
    pub(super) fn pay(&mut self) -> Result<(), Lost> {
        while let Some(message) = self.owed.pop_front() {
            match self.link.send(Outgoing::<P>::own(message)) {
                Ok(_) => {}
                Err(SendError::Full(out)) => {
                    self.owed.push_front(out.request);
                    break;
                }
                // The event that says why is on its way.
                Err(SendError::Closed(_)) => self.owed.clear(),
                Err(SendError::Codec(error)) => return Err(Lost::Unwritable(error.into())),
            }
        }
        if self.owed.len() > OWED {
            return Err(Lost::Protocol(
                "it asks for more messages than it reads".into(),
            ));
        }
        Ok(())
    }

    /// A frame has come.
    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    /// An answer to the oldest request, or to the one with this id.
    pub(super) fn answer(&mut self, id: Option<u64>, response: P::Response) -> Result<(), Lost> {
        let answered = match (&mut self.sent, id) {
            (Table::InOrder(table), None) => table.answer(&self.link, response),
            (Table::ById(table), Some(id)) => table.answer(&self.link, id, response),
            (Table::InOrder(_), Some(_)) | (Table::ById(_), None) => Answered::Stray(response),
        };
        match answered {
            Answered::Delivered => {
                Counters::add(&self.counters.ok, 1);
                tell!(DEBUG, "a request was answered");
            }
            Answered::Late => {
                tell!(DEBUG, "an answer came too late");
                Counters::add(&self.counters.late, 1);
                Counters::add(&self.counters.unknown, 1);
            }
            Answered::Own => {}
            Answered::Stray(_) => {
                Counters::add(&self.counters.stray, 1);
                return Err(Lost::Protocol(
                    "an answer came that nobody had asked for".into(),
                ));
            }
        }
        Ok(())
    }

    /// Starts to watch whether answers come, unless that is being done. One timer for all requests,
    /// which fires twice in the limit: a request that is the oldest three times in a row has had it.
    fn watch(&mut self, settings: &Settings, cx: &mut Actions<ClientMachine<P>>) {
        if self.progress.is_none() {
            self.watched = self.oldest();
            self.found = 0;
            self.next_look(settings, cx);
        }
    }

    fn next_look(&mut self, settings: &Settings, cx: &mut Actions<ClientMachine<P>>) {
        self.progress = settings
            .answer_timeout
            .map(|limit| cx.timer(limit / 2, Event::On(self.number, On::Progress)));
    }

    /// It is time to see whether answers come.
    pub(super) fn look_for_progress(
        &mut self,
        settings: &Settings,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Result<(), Lost> {
        self.progress = None;
        let Some(limit) = settings.answer_timeout else {
            return Ok(());
        };
        let oldest = self.oldest();
        if oldest.is_some() && oldest == self.watched {
            self.found += 1;
            match self.found {
                1 => self.next_look(settings, cx),
                // The answer may have come while the machine was not run: what has come is looked at
                // in this turn, after the timers.
                2 => {
                    let soon = Duration::from_nanos(1);
                    self.progress = Some(cx.timer(soon, Event::On(self.number, On::Progress)));
                }
                _ => return Err(Lost::Unresponsive(limit)),
            }
            return Ok(());
        }
        if self.in_flight() > 0 {
            self.watch(settings, cx);
        }
        Ok(())
    }

    /// It is time to see whether the peer is still there: asks it, if it was silent and owes nothing.
    pub(super) fn look_for_life(
        &mut self,
        protocol: &mut P,
        settings: &Settings,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Result<(), Lost> {
        let heard = mem::take(&mut self.heard);
        if !heard && self.oldest().is_none() && !self.is_blocked() {
            let Some(ping) = protocol.ping() else {
                return Ok(());
            };
            self.ping(ping, protocol, settings, cx)?;
        }
        self.next_tick(settings, cx);
        Ok(())
    }

    fn ping(
        &mut self,
        ping: P::Request,
        protocol: &P,
        settings: &Settings,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Result<(), Lost> {
        let mut out = Outgoing::own(ping);
        let mut id = None;
        if let Table::ById(table) = &mut self.sent {
            let Some(free) = table.free_id() else {
                return Ok(());
            };
            out.stamp = Some((protocol, free));
            id = Some(free);
        }
        match self.link.send(out) {
            Ok(mark) => {
                self.note(id, Sent::new(mark, None));
                self.watch(settings, cx);
            }
            // Where there is no room, what fills it is in flight and is watched; the event that says
            // why it has ended is on its way.
            Err(SendError::Full(_) | SendError::Closed(_)) => {}
            Err(SendError::Codec(error)) => return Err(Lost::Unwritable(error.into())),
        }
        Ok(())
    }

    /// Half of the time to the ping: it is sent when nothing was heard from one tick to the next.
    fn next_tick(&mut self, settings: &Settings, cx: &mut Actions<ClientMachine<P>>) {
        if let Some(after) = settings.ping_after {
            self.tick = cx.timer(after / 2, Event::On(self.number, On::Tick));
        }
    }

    /// Whether a request in order waits for as long as it likes: none after it is answered.
    fn is_blocked(&self) -> bool {
        matches!(&self.sent, Table::InOrder(table) if !table.is_empty())
    }

    fn oldest(&self) -> Option<u64> {
        match &self.sent {
            Table::InOrder(table) => table.oldest(),
            Table::ById(table) => table.oldest(),
        }
    }

    fn note(&mut self, id: Option<u64>, sent: Sent<P::Response, Replay<P>>) {
        match (&mut self.sent, id) {
            (Table::InOrder(table), _) => table.push(sent),
            (Table::ById(table), Some(id)) => table.push(id, sent),
            (Table::ById(_), None) => unreachable!("an id was taken from the table"),
        }
    }

    /// Counts and tells that the connection is gone, once, if it was ready.
    pub(super) fn tell_down(&mut self, reason: &dyn Display) {
        if let Some(uptime) = self.uptime.take() {
            Counters::add(&self.counters.downs, 1);
            tell!(
                INFO,
                endpoint = %self.endpoint,
                %reason,
                uptime = ?uptime.elapsed(),
                in_flight = self.in_flight(),
                "down"
            );
            let _ = (reason, uptime);
        }
    }

    /// The connection is gone: fails what is in flight, oldest first, and gives what can be sent
    /// again, newest first.
    pub(super) fn settle(
        &mut self,
        error: impl Fn(bool) -> RequestError,
    ) -> Vec<Queued<P::Request, P::Response>> {
        let mut replays = Vec::new();
        let mut again = |(request, policy, times): Replay<P>,
                         reply: Reply<P::Response, RequestError>,
                         handed: bool| {
            if !handed {
                Counters::take_back(&self.counters.sent, 1);
            }
            replays.push(Queued {
                request,
                reply,
                policy,
                handed,
                replays: times,
            });
        };
        let settled: Settled = match &mut self.sent {
            Table::InOrder(table) => table.settle(&self.link, error, &mut again),
            Table::ById(table) => table.settle(&self.link, error, &mut again),
        };
        Counters::take_back(&self.counters.sent, settled.not_sent);
        self.counters.settle(settled);
        replays.reverse();
        replays
    }
}

/// A request in the hands of the protocol, whose methods may panic: its caller is told that it may
/// have run, by the drop of his reply.
struct InHand<'a> {
    counters: &'a Counters,
    handed: bool,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if !self.handed {
            Counters::add(&self.counters.sent, 1);
        }
        self.counters.settle(Settled {
            stopped: 1,
            ..Settled::default()
        });
    }
}

/// Whoever is still in flight is told by the drop of his reply, which knows why the machine ends.
impl<P: Protocol> Drop for Live<P> {
    fn drop(&mut self) {
        self.tell_down(&"the client has ended");
        let calls = match &self.sent {
            Table::InOrder(table) => table.calls(),
            Table::ById(table) => table.calls(),
        };
        self.counters.settle(Settled {
            stopped: calls as u64,
            ..Settled::default()
        });
    }
}
