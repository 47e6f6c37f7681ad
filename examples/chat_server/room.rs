//! The machine of a room: what is said in it goes to all its members, in one order.
//!
//! It waits for nobody. For each member there is a [`Feed`] of [`UNREAD`] lines, from which the
//! session of the member takes lines into its write buffer, of
//! [`HIGH_WATER`](super::machine::HIGH_WATER) bytes, from which the operating system takes them into
//! its own. When all that is full, lines are dropped for this member, and counted; when half of the
//! feed is free again, the member is told how many it has missed, at their place. So a slow reader
//! costs a bounded amount of memory and nobody's time. A member who leaves, however it does, lets go
//! of the other end of the feed.

use std::collections::BTreeMap;

use statem::net::{Feed, FeedEvent};
use statem::{Builder, Cx, Guard, Handle, Handler, Next, Registry, StateMachine, keep};

use super::Line;

/// Lines that wait for one member.
pub const UNREAD: usize = 64;
/// Members that `/who` shows.
const SHOWN: usize = 20;

/// A room.
#[derive(StateMachine)]
#[machine(event = Event, data = Members)]
pub enum Room {
    /// Somebody is here: whoever is has a handle, and without any the machine ends.
    #[initial]
    #[to()]
    Open,
}

/// What can happen to a room. A member has another number each time it comes in.
pub enum Event {
    /// Somebody comes in.
    Enter {
        /// The member's number.
        number: u64,
        /// Its name.
        name: Line,
        /// Where it hears what is said.
        feed: Feed<Line>,
    },
    /// A line for all.
    Said(Line),
    /// The member has another name.
    Renamed(u64, Line),
    /// The member wants to know who is here.
    Who(u64),
    /// Something happened on the feed of the member.
    Feed(u64, FeedEvent),
    /// The member has left.
    Left(u64),
}

/// Those who are here, by their numbers.
#[derive(Default)]
pub struct Members(BTreeMap<u64, Member>);

struct Member {
    name: Line,
    feed: Feed<Line>,
    /// Lines that were dropped since there was room for them.
    missed: u64,
    _watch: Guard,
}

impl Handler for Room {
    fn handle(_: RoomAt<'_>, event: Event, members: &mut Members, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Said(line) => members.tell(&line),
            Event::Enter {
                number,
                name,
                mut feed,
            } => {
                let watch = feed.watch(cx, move |event| Event::Feed(number, event));
                let news = format!("* {name} comes in");
                let member = Member {
                    name,
                    feed,
                    missed: 0,
                    _watch: watch,
                };
                members.0.insert(number, member);
                members.tell(&news.into());
            }
            Event::Renamed(number, name) => {
                if let Some(member) = members.0.get_mut(&number) {
                    let before = std::mem::replace(&mut member.name, name);
                    let news = format!("* {before} is {} from here on", member.name);
                    members.tell(&news.into());
                }
            }
            Event::Who(number) => {
                let names = members.names();
                if let Some(member) = members.0.get_mut(&number) {
                    member.tell(&names);
                }
            }
            Event::Feed(number, FeedEvent::Room) => {
                if let Some(member) = members.0.get_mut(&number) {
                    member.is_told_what_it_missed();
                }
            }
            // What it said last may still wait in the mailbox, and goes first.
            Event::Feed(number, _) => {
                if cx.handle().try_cast(Event::Left(number)).is_err() {
                    members.remove(number);
                }
            }
            Event::Left(number) => members.remove(number),
        }
        keep()
    }
}

/// Finds the room or makes it, and goes in.
pub(super) async fn enter(
    rooms: Registry<Line, Room>,
    room: Line,
    number: u64,
    name: Line,
    feed: Feed<Line>,
) -> Handle<Room> {
    let room = loop {
        match rooms.spawn(room.clone(), Builder::new(), Open, Members::default()) {
            Ok(made) => break made,
            Err(started) => {
                if let Some(room) = started.holder.upgrade() {
                    break room;
                }
                // The last member has just left it, and its name is free in a moment.
                if let Some(ended) = started.holder.closed() {
                    ended.await;
                }
            }
        }
    };
    let enter = Event::Enter { number, name, feed };
    // A room that has ended meanwhile has dropped the feed, and of that the session hears.
    drop(room.cast(enter).await);
    room
}

impl Members {
    fn tell(&mut self, line: &Line) {
        for member in self.0.values_mut() {
            member.tell(line);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(member) = self.0.remove(&number) {
            self.tell(&format!("* {} leaves", member.name).into());
        }
    }

    fn names(&self) -> Line {
        let names: Vec<_> = self.0.values().map(|member| &*member.name).collect();
        list("here", &names)
    }
}

impl Member {
    fn tell(&mut self, line: &Line) {
        // After a gap nothing comes before the word about it.
        if self.missed > 0 || self.feed.send(line.clone()).is_err() {
            self.missed += 1;
        }
    }

    fn is_told_what_it_missed(&mut self) {
        let s = if self.missed == 1 { "" } else { "s" };
        let news = format!("* you read too slowly and missed {} line{s}", self.missed);
        if self.feed.send(news.into()).is_ok() {
            self.missed = 0;
        }
    }
}

/// Names as a line of bounded length.
pub(super) fn list(title: &str, names: &[&str]) -> Line {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => format!("* {title}: {shown}"),
        more => format!("* {title}: {shown} and {more} more"),
    }
    .into()
}
