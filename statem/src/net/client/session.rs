//! What a client keeps in every state, and what it does with requests.

use std::collections::VecDeque;
use std::sync::Arc;

use super::counts::Counters;
use super::ending::Retiring;
use super::live::Live;
use super::machine::{ClientMachine, Event};
use super::notice::{Notice, Subscribers};
use super::protocol::Protocol;
use super::settings::Settings;
use crate::Backoff;
use crate::net::{
    Connector, Endpoint, Feed, FeedEvent, Lost, NotSent, Policy, Queue, Queued, RequestError,
    Settled,
};
use crate::{Actions, Cx, Next, Reply, keep, postpone};

/// What the machine keeps in every state.
pub struct Session<P: Protocol> {
    pub(super) protocol: P,
    pub(super) connector: Connector,
    pub(super) backoff: Backoff,
    pub(super) settings: Settings,
    pub(super) counters: Arc<Counters>,
    /// Requests that wait for a connection or for room on it.
    pub(super) queue: Queue<P::Request, P::Response>,
    pub(super) subscribers: Subscribers<P::Response>,
    /// Connections that were replaced, the newest last.
    pub(super) retiring: VecDeque<Retiring<P>>,
    /// The endpoint whose last connection did not do: the next attempt begins with another one.
    pub(super) unfit: Option<Endpoint>,
    /// Whether it was told that there is no connection to be had, since there was one.
    pub(super) warned: bool,
    /// Whether it was told that the protocol says what cannot be written.
    pub(super) told_unwritable: bool,
    /// Why there is no connection.
    pub(super) lost: Arc<Lost>,
    /// The number of the newest connection.
    pub(super) number: u64,
    /// Lent to the protocol, and empty in between.
    pub(super) out: Vec<P::Request>,
}

/// Requests.
impl<P: Protocol> Session<P> {
    pub(super) fn new(
        protocol: P,
        connector: Connector,
        settings: Settings,
        counters: Arc<Counters>,
    ) -> Self {
        Session {
            protocol,
            connector,
            backoff: settings.backoff.clone(),
            counters,
            queue: Queue::new(settings.queue),
            subscribers: Subscribers::default(),
            retiring: VecDeque::new(),
            unfit: None,
            warned: false,
            told_unwritable: false,
            lost: Arc::new(Lost::NotYet),
            number: 0,
            out: Vec::new(),
            settings,
        }
    }

    /// A request, where there is a connection.
    pub(super) fn call(
        &mut self,
        live: &mut Live<P>,
        queued: Queued<P::Request, P::Response>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        Counters::add(&self.counters.accepted, 1);
        self.send(live, queued, cx)
    }

    /// A request, where there is none, unless the one that is being replaced is still in use.
    pub(super) fn wait(
        &mut self,
        queued: Queued<P::Request, P::Response>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        if let Some(mut retiring) = self.take_in_use() {
            let next = self.call(&mut retiring.live, queued, cx);
            self.retiring.push_back(retiring);
            return next;
        }
        Counters::add(&self.counters.accepted, 1);
        let lost = self.lost.clone();
        self.queue
            .push(queued.request, queued.reply, queued.policy, || {
                NotSent::Disconnected(lost)
            });
        self.settle_queue();
        keep()
    }

    /// A request that comes too late.
    pub(super) fn refuse(
        &mut self,
        queued: Queued<P::Request, P::Response>,
    ) -> Next<ClientMachine<P>> {
        Counters::add(&self.counters.accepted, 1);
        self.counters.settle(Settled {
            not_sent: 1,
            ..Settled::default()
        });
        drop(queued.request);
        drop(queued.reply.fail(RequestError::NotSent(NotSent::Stopping)));
        keep()
    }

    fn send(
        &mut self,
        live: &mut Live<P>,
        mut queued: Queued<P::Request, P::Response>,
        cx: &mut Actions<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        // Nobody overtakes those who wait.
        if self.queue.is_empty() {
            match live.send(queued, &self.protocol, &self.settings, cx) {
                Ok(()) => return keep(),
                Err(back) => queued = back,
            }
        }
        if queued.policy == Policy::FailFast && live.has_ended() {
            // It fails when the reason is known.
            Counters::take_back(&self.counters.accepted, 1);
            return postpone(Event::Call(queued));
        }
        self.queue
            .push(queued.request, queued.reply, queued.policy, || {
                NotSent::Busy
            });
        self.settle_queue();
        keep()
    }

    /// Sends what waits, as far as there is room.
    pub(super) fn flush(&mut self, live: &mut Live<P>, cx: &mut Actions<ClientMachine<P>>) {
        if self.queue.is_empty() {
            return;
        }
        while let Some(queued) = self.queue.take() {
            if let Err(queued) = live.send(queued, &self.protocol, &self.settings, cx) {
                self.queue.give_back(queued);
                break;
            }
        }
        self.settle_queue();
    }

    pub(super) fn settle_queue(&mut self) {
        self.counters.settle(self.queue.take_settled());
    }
}

/// Subscribers.
impl<P: Protocol> Session<P> {
    pub(super) fn subscribe(
        &mut self,
        feed: Feed<Notice<P::Response>>,
        up: bool,
        reply: Reply<()>,
        cx: &mut Cx<ClientMachine<P>>,
    ) -> Next<ClientMachine<P>> {
        self.subscribers.add(feed, up, cx);
        let _ = reply.send(());
        keep()
    }

    pub(super) fn on_feed(&mut self, number: u64, event: FeedEvent) -> Next<ClientMachine<P>> {
        self.subscribers.on_feed(number, event);
        keep()
    }
}

/// Without a last word of the machine, as when it is killed, those who wait are told by the drop of
/// their replies.
impl<P: Protocol> Drop for Session<P> {
    fn drop(&mut self) {
        let handed = self.queue.handed();
        let unsent = self.queue.len() - handed;
        self.counters.settle(Settled {
            not_sent: unsent as u64,
            stopped: handed as u64,
            ..Settled::default()
        });
    }
}
