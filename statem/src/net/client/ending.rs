//! The connection that was replaced, and the end of a client.

use std::sync::Arc;

use super::connections::{Happened, Verdict};
use super::live::Live;
use super::machine::{ClientMachine, Event};
use super::protocol::Protocol;
use super::session::Session;
use super::telemetry::tell;
use crate::net::{Lost, NotSent, RequestError, Unknown};
use crate::{Actions, Cx, ExitReason, Next, Timer, keep, keep_and_retry, stop};

/// The most connections that were replaced and are kept for what was sent on them.
const RETIRING: usize = 8;

/// A connection that is being replaced.
pub(super) struct Retiring<P: Protocol> {
    pub(super) live: Box<Live<P>>,
    pub(super) why: Lost,
    /// Whether requests are sent on it, since there is no other one.
    pub(super) in_use: bool,
    /// When what is in flight is given up.
    pub(super) expires: Timer,
}

impl<P: Protocol> Retiring<P> {
    /// Says goodbye, if it is not used and owes nothing.
    fn leave(&mut self) {
        if !self.in_use && self.live.in_flight() == 0 {
            self.expires = Timer::inert();
            self.live.say_goodbye();
        }
    }
}

/// The connection that was replaced, and the end.
impl<P: Protocol> Session<P> {
    /// Keeps a connection beside the states that make another one.
    pub(super) fn retire(
        &mut self,
        mut live: Box<Live<P>>,
        why: Lost,
        cx: &mut Actions<ClientMachine<P>>,
    ) {
        tell!(DEBUG, endpoint = %live.endpoint, %why, "to be replaced");
        live.retire();
        let in_use = !matches!(why, Lost::Drained);
        let retiring = Retiring {
            live,
            why,
            in_use,
            expires: Timer::inert(),
        };
        if in_use {
            self.keep(retiring);
        } else {
            self.lost = Arc::new(Lost::Drained);
            self.subscribers.down(&self.lost);
            self.let_go(retiring, cx);
        }
    }

    /// The newest comes last: it alone may be in use. Beyond the bound the oldest is given up.
    fn keep(&mut self, retiring: Retiring<P>) {
        if self.retiring.len() >= RETIRING {
            if let Some(oldest) = self.retiring.pop_front() {
                self.give_up(oldest);
            }
        }
        self.retiring.push_back(retiring);
    }

    pub(super) fn is_retiring(&self, number: u64) -> bool {
        self.place_of(number).is_some()
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        let mut all = self.retiring.iter();
        all.position(|retiring| retiring.live.number == number)
    }

    /// Whether a connection is in use although it is to be replaced: then there is one, whatever
    /// the state is.
    pub(super) fn is_in_use(&self) -> bool {
        self.retiring.back().is_some_and(|retiring| retiring.in_use)
    }

    /// Takes that connection.
    pub(super) fn take_in_use(&mut self) -> Option<Retiring<P>> {
        if self.is_in_use() {
            self.retiring.pop_back()
        } else {
            None
        }
    }

    /// Something happened on a connection that was replaced.
    pub(super) fn on_retiring(
        &mut self,
        number: u64,
        what: Happened<P>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        let Some(place) = self.place_of(number) else {
            return keep();
        };
        let Some(mut retiring) = self.retiring.remove(place) else {
            return keep();
        };
        let verdict = self.heard(&mut retiring.live, what, cx);
        match verdict {
            Verdict::Keep if retiring.in_use => {
                self.flush(&mut retiring.live, cx);
                self.retiring.insert(place, retiring);
            }
            Verdict::Replace(Lost::Drained) if retiring.in_use => {
                retiring.why = Lost::Drained;
                self.lost = Arc::new(Lost::Drained);
                self.subscribers.down(&self.lost);
                self.let_go(retiring, cx);
                // Those that found it ended wait for the reason, and this is one.
                return keep_and_retry();
            }
            Verdict::Keep | Verdict::Replace(_) => {
                retiring.leave();
                self.retiring.insert(place, retiring);
            }
            Verdict::Lost(_) if retiring.live.is_closing() => self.give_up(retiring),
            Verdict::Lost(lost) => {
                let lost = self.close(&mut retiring.live, lost);
                if retiring.in_use {
                    self.subscribers.down(&lost);
                    self.lost = lost.clone();
                    if self.settings.stop_on_disconnect {
                        return stop(lost);
                    }
                    // As above.
                    return keep_and_retry();
                }
            }
        }
        keep()
    }

    /// Time is over for what is in flight on the connection of this number.
    pub(super) fn expired(&mut self, number: u64) -> Next<ClientMachine<P>> {
        let place = self.place_of(number);
        if let Some(retiring) = place.and_then(|place| self.retiring.remove(place)) {
            self.give_up(retiring);
        }
        keep()
    }

    /// Nothing more is sent on it. It stays for a while if anybody still waits for an answer, and
    /// then until the peer has closed its side, too.
    pub(super) fn let_go(&mut self, mut retiring: Retiring<P>, cx: &mut Actions<ClientMachine<P>>) {
        retiring.in_use = false;
        retiring.leave();
        if !retiring.live.is_closing() {
            let expired = Event::Expired(retiring.live.number);
            retiring.expires = cx.timer(self.settings.grace, expired);
        }
        self.keep(retiring);
    }

    fn give_up(&mut self, mut retiring: Retiring<P>) {
        let _ = self.close(&mut retiring.live, retiring.why);
    }

    /// The client is about to end: what waits has waited in vain.
    pub(super) fn drain(&mut self, live: Option<&mut Live<P>>, cx: &mut Actions<ClientMachine<P>>) {
        if let Some(retiring) = self.take_in_use() {
            self.let_go(retiring, cx);
        }
        if let Some(live) = live {
            live.retire();
            self.drained(Some(live), cx);
        } else {
            self.drained(None, cx);
        }
    }

    pub(super) fn on_draining(
        &mut self,
        live: &mut Option<Box<Live<P>>>,
        number: u64,
        what: Happened<P>,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        if self.is_retiring(number) {
            let _ = self.on_retiring(number, what, cx);
        } else if let Some(mut open) = live.take() {
            match self.heard(&mut open, what, cx) {
                Verdict::Keep | Verdict::Replace(_) => *live = Some(open),
                Verdict::Lost(lost) => drop(self.down(&mut open, lost)),
            }
        }
        self.drained(live.as_deref_mut(), cx);
        keep()
    }

    pub(super) fn expired_draining(
        &mut self,
        live: &mut Option<Box<Live<P>>>,
        number: u64,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        let _ = self.expired(number);
        self.drained(live.as_deref_mut(), cx);
        keep()
    }

    /// Says goodbye when all was answered, and ends when that was heard.
    fn drained(&mut self, live: Option<&mut Live<P>>, cx: &mut Actions<ClientMachine<P>>) {
        // What waits has waited in vain, and what could be sent again has no connection for it.
        self.queue.settle(not_sent);
        self.settle_queue();
        match live {
            Some(live) if live.in_flight() == 0 => live.say_goodbye(),
            None if self.retiring.is_empty() => cx.insert(Event::Drained),
            _ => {}
        }
    }

    /// The machine ends: everybody is told why, oldest first.
    pub(super) fn end(&mut self, reason: &ExitReason, live: Option<&mut Live<P>>) {
        let stopped = |may_have_run| RequestError::Stopped {
            reason: reason.clone(),
            may_have_run,
        };
        let mut retiring = std::mem::take(&mut self.retiring);
        let retiring = retiring.iter_mut().map(|retiring| &mut *retiring.live);
        for live in retiring.chain(live) {
            live.tell_down(reason);
            for queued in live.settle(stopped) {
                self.queue.give_back(queued);
            }
        }
        self.queue.settle(stopped);
        self.settle_queue();
    }
}

fn not_sent(handed: bool) -> RequestError {
    if handed {
        RequestError::Unknown(Unknown::Lost(Arc::new(Lost::Stopping)))
    } else {
        RequestError::NotSent(NotSent::Stopping)
    }
}
