//! What subscribers are told.

use std::sync::Arc;

use super::machine::{ClientMachine, Event};
use super::protocol::Protocol;
use crate::net::{Feed, FeedError, FeedEvent, Lost};
use crate::{Actions, Guard};

/// What a subscriber of a [`Client`](super::Client) is told.
///
/// A peer forgets its subscribers with the connection, so whatever was asked of it for their sake
/// has to be asked again after each `Up`; what it would have sent between `Down` and that is lost.
/// What it does send on a connection that it [drains](super::Received::Drain) comes all the same, also
/// after the `Down` of that connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<Response> {
    /// The peer has sent something that was not asked.
    Item(Arc<Response>),
    /// The subscriber was too slow, and this many notices did not reach it; each may have been an
    /// `Up` or a `Down`.
    Missed(u64),
    /// There is a working connection: told at once to who subscribes when there is.
    Up,
    /// It is gone, or replaced.
    Down(Arc<Lost>),
}

/// The subscribers of a client.
pub(super) struct Subscribers<Response> {
    all: Vec<Subscriber<Response>>,
    /// The number of the last one.
    number: u64,
}

struct Subscriber<Response> {
    number: u64,
    feed: Feed<Notice<Response>>,
    missed: u64,
    _watch: Guard,
}

impl<Response: Send + Sync + 'static> Subscribers<Response> {
    pub(super) fn add<P: Protocol<Response = Response>>(
        &mut self,
        mut feed: Feed<Notice<Response>>,
        up: bool,
        cx: &mut Actions<ClientMachine<P>>,
    ) {
        self.number += 1;
        let number = self.number;
        let watch = feed.watch(cx, move |event| Event::Feed(number, event));
        let mut subscriber = Subscriber {
            number,
            feed,
            missed: 0,
            _watch: watch,
        };
        if !up || subscriber.tell(Notice::Up) {
            self.all.push(subscriber);
        }
    }

    /// Tells a subscriber that has room again what it has missed, or forgets one that has gone.
    pub(super) fn on_feed(&mut self, number: u64, event: FeedEvent) {
        let gone = matches!(event, FeedEvent::Gone);
        self.all.retain_mut(|subscriber| {
            subscriber.number != number || (!gone && subscriber.catch_up())
        });
    }

    pub(super) fn item(&mut self, response: Response) {
        if !self.all.is_empty() {
            let response = Arc::new(response);
            self.tell(|| Notice::Item(response.clone()));
        }
    }

    pub(super) fn up(&mut self) {
        self.tell(|| Notice::Up);
    }

    pub(super) fn down(&mut self, lost: &Arc<Lost>) {
        self.tell(|| Notice::Down(lost.clone()));
    }

    fn tell(&mut self, notice: impl Fn() -> Notice<Response>) {
        self.all.retain_mut(|subscriber| subscriber.tell(notice()));
    }
}

impl<Response> Default for Subscribers<Response> {
    fn default() -> Self {
        Subscribers {
            all: Vec::new(),
            number: 0,
        }
    }
}

impl<Response> Subscriber<Response> {
    /// False if it has gone.
    fn tell(&mut self, notice: Notice<Response>) -> bool {
        if !self.catch_up() {
            return false;
        }
        let missed = self.missed > 0;
        let sent = if missed {
            // It learns of this one by its number.
            Err(FeedError::Full(notice))
        } else {
            self.feed.send(notice)
        };
        match sent {
            Ok(()) => true,
            Err(FeedError::Full(_)) => {
                self.missed += 1;
                true
            }
            Err(FeedError::Gone(_)) => false,
        }
    }

    /// Tells it how many it has missed, if there is room for that. False if it has gone.
    fn catch_up(&mut self) -> bool {
        if self.missed > 0 {
            match self.feed.send(Notice::Missed(self.missed)) {
                Ok(()) => self.missed = 0,
                Err(FeedError::Full(_)) => {}
                Err(FeedError::Gone(_)) => return false,
            }
        }
        true
    }
}
