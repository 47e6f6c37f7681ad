//! The machine of a connection: one member, from its greeting to its goodbye.

use std::time::Duration;

use statem::net::{CloseReason, FeedStream, Io, Link, LinkConfig, LinkEvent, SendError, feed};
use statem::{
    At, CastErrorKind, Cx, EnterCx, Guard, Handle, Handler, Next, StateMachine, keep,
    keep_and_retry, postpone, unexpected,
};

use super::Line;
use super::codec::{Fault, Lines};
use super::command::{Command, visible};
use super::names::{Name, is_name};
use super::room::{self, Room, UNREAD};
use super::visitor::{NO_NAME, Visitor};

/// How long a visitor has to say its name, whatever else it sends meanwhile.
pub const NAMELESS: Duration = Duration::from_secs(30);
/// How long a member may read nothing while there is something to read.
pub const UNREADING: Duration = Duration::from_secs(30);
/// How long a peer may take to close the connection after the last word.
pub const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes in a session's write buffer from which on lines stay in the feed.
pub const HIGH_WATER: usize = 8 * 1024;

const WELCOME: &str = "* welcome; tell your name by `/nick NAME`";
const COMMANDS: &str = "* the commands are /nick NAME, /join ROOM, /leave, /who, /quit";
const NAME_FIRST: &str = "* tell your name first, by `/nick NAME`";
const JOIN_FIRST: &str = "* join a room first, by `/join ROOM`";
const LEFT: &str = "* you have left the room";
const ROOM_ENDED: &str = "* something went wrong in the room, and it has ended";
const TOO_LATE: &str = "* goodbye: you did not tell your name in time";
const SHUTTING_DOWN: &str = "* goodbye: the server is shutting down";
const BYE: &str = "* goodbye";
const UNREAD_ANSWERS: &str = "it does not read the answers to its commands";

/// A member's session.
#[derive(StateMachine)]
#[machine(event = Event, data = Visitor, shutdown = Event::Leave)]
#[to(Gone = "closed")]
pub enum ChatSession {
    /// The connection is there, and nothing was said.
    #[initial]
    #[to(Nameless = "greeted")]
    Arrived(Arrived),
    /// The visitor has no name.
    #[to(Lobby = "named", Goodbye = "ends or late")]
    Nameless(Nameless),
    /// The member is in no room.
    #[to(Entering = "joins", Goodbye = "ends")]
    Lobby(Lobby),
    /// The room is looked for, or made; what the member says meanwhile is for that room.
    #[to(Talking = "is in", Goodbye = "ends")]
    Entering(Entering),
    /// The member is in a room.
    #[to(
        Behind = "reads slowly",
        Entering = "joins another",
        Lobby = "leaves",
        Goodbye = "ends"
    )]
    Talking(Talking),
    /// The write buffer is full: lines stay in the feed, and what does not fit there is missed.
    #[to(Talking = "has read", Goodbye = "ends")]
    Behind(Behind),
    /// The last word is said; the peer is to close the connection.
    Goodbye(Goodbye),
    /// The connection has ended.
    #[terminal]
    Gone,
}

/// A connection on which nothing was said.
pub struct Arrived {
    socket: Box<dyn Io>,
}

/// A connection of somebody without a name.
pub struct Nameless {
    link: Link<Lines>,
}

/// A member outside of the rooms.
pub struct Lobby {
    link: Link<Lines>,
    name: Name,
}

/// A member on its way into a room.
pub struct Entering {
    link: Link<Lines>,
    name: Name,
    number: u64,
    lines: FeedStream<Line>,
}

/// A member in a room.
pub struct Talking {
    link: Link<Lines>,
    name: Name,
    /// It lives as long as somebody has this.
    room: Handle<Room>,
    number: u64,
    /// The lines of the room.
    _lines: Guard,
    /// What was said last waits until the room has room for it.
    held: Option<Guard>,
}

/// A member that reads more slowly than the room talks.
pub struct Behind {
    talking: Talking,
}

/// A connection that is about to end.
pub struct Goodbye {
    _link: Link<Lines>,
}

/// The right to read, change and leave the state `S`, as a handler has it.
type In<'a, S> = At<'a, ChatSession, S>;

/// What can happen to a session.
pub enum Event {
    /// The session begins.
    Begin,
    /// Something happened on the connection.
    Link(LinkEvent<Result<String, Fault>>),
    /// The room is there, and knows of the member.
    Entered(Handle<Room>),
    /// A line of the room's; `None` when it has ended.
    Heard(Option<Line>),
    /// The room has taken what waited for it.
    Taken,
    /// The time to tell a name is over.
    TooLate,
    /// The server ends.
    Leave,
}

impl Handler for ChatSession {
    fn enter(&mut self, _: &mut Visitor, cx: &mut EnterCx<Self>) {
        match self {
            Self::Arrived(_) => cx.insert(Event::Begin),
            Self::Nameless(_) => cx.state_timeout(NAMELESS, Event::TooLate),
            _ => {}
        }
    }

    fn handle(
        state: ChatSessionAt<'_>,
        event: Event,
        visitor: &mut Visitor,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {ChatSessionAt as S, Event as E, LinkEvent as L};
        match (state, event) {
            (S::Arrived(s), E::Begin) => s.go_with(|old| Nameless::greet(old.socket, cx)),
            (S::Nameless(s), E::TooLate) => {
                visitor.log("it has told no name in time");
                s.go_with(|old| Goodbye::say(old.link, TOO_LATE))
            }

            (S::Nameless(s), E::Link(L::Frame(line))) => Nameless::line(s, &line, visitor),
            (S::Lobby(s), E::Link(L::Frame(line))) => Lobby::line(s, &line, visitor, cx),
            // What a member says waits until the room is there, or has room, or the member reads. After
            // 32 lines the link is not read, and the rest waits with the peer.
            (S::Entering(_), event @ E::Link(_)) | (S::Behind(_), event @ E::Link(L::Frame(_))) => {
                postpone(event)
            }
            (S::Talking(s), event @ E::Link(_)) if s.held.is_some() => postpone(event),
            (S::Talking(s), E::Link(L::Frame(line))) => Talking::line(s, &line, visitor, cx),

            (S::Entering(s), E::Entered(room)) => s.go_with(|old| Talking::begin(old, room, cx)),
            (S::Talking(s), E::Heard(Some(line))) => Talking::hear(s, line, cx),
            (S::Talking(s), E::Heard(None)) => s.go_with(|old| Lobby::say(old, ROOM_ENDED)),
            (S::Behind(_), event @ E::Heard(_)) => postpone(event),
            (S::Behind(s), E::Link(L::Room)) => s.go_with(|old| old.talking),
            (S::Talking(mut s), E::Taken) => {
                s.held = None;
                keep_and_retry()
            }
            (S::Behind(mut s), E::Taken) => {
                s.talking.held = None;
                keep()
            }

            (S::Nameless(s), E::Leave) => s.go_with(|old| Goodbye::say(old.link, SHUTTING_DOWN)),
            (S::Lobby(s), E::Leave) => s.go_with(|old| Goodbye::say(old.link, SHUTTING_DOWN)),
            (S::Entering(s), E::Leave) => s.go_with(|old| Goodbye::say(old.link, SHUTTING_DOWN)),
            (S::Talking(s), E::Leave) => s.go_with(|old| Goodbye::say(old.link, SHUTTING_DOWN)),
            (S::Behind(s), E::Leave) => {
                s.go_with(|old| Goodbye::say(old.talking.link, SHUTTING_DOWN))
            }
            // It has been said, and what the peer still says, it says to nobody.
            (S::Goodbye(_), E::Link(L::Frame(_)) | E::Leave) | (_, E::Link(L::Room)) => keep(),

            (state, E::Link(L::Closed(why))) => {
                match why {
                    CloseReason::End => {}
                    CloseReason::CloseTimeout { limit } if limit.is_zero() => {
                        visitor.log(UNREAD_ANSWERS);
                    }
                    why => visitor.log(&why.to_string()),
                }
                state.go(Gone)
            }
            (state, E::Leave) => state.go(Gone),
            (_, event) => unexpected(event),
        }
    }
}

impl Arrived {
    /// The first state of a session on this byte stream.
    #[must_use]
    pub fn new(socket: Box<dyn Io>) -> Self {
        Arrived { socket }
    }
}

impl Nameless {
    fn greet(socket: Box<dyn Io>, cx: &mut Cx<ChatSession>) -> Self {
        let config = LinkConfig::default()
            .high_water(HIGH_WATER)
            .write_timeout(UNREADING);
        let mut link = Link::open_with(config, socket, Lines::default(), cx, Event::Link);
        say(&mut link, WELCOME);
        Nameless { link }
    }

    fn line(
        mut s: In<'_, Self>,
        line: &Result<String, Fault>,
        visitor: &mut Visitor,
    ) -> Next<ChatSession> {
        let words = match visitor.command(line) {
            Ok(Command::Nick(name)) => match visitor.name(name) {
                Ok(name) => {
                    let words = format!("* you are {}; {}", name.text(), &JOIN_FIRST[2..]);
                    return s.go_with(|Nameless { link }| Lobby::say(Lobby { link, name }, &words));
                }
                Err(why) => why,
            },
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Help) => COMMANDS,
            Ok(_) => NAME_FIRST,
            Err(fault) => fault.words(),
        };
        say(&mut s.link, words);
        keep()
    }
}

impl Lobby {
    /// The state, with what the member is told of it.
    fn say(from: impl Into<Lobby>, words: &str) -> Self {
        let mut lobby = from.into();
        say(&mut lobby.link, words);
        lobby
    }

    fn line(
        mut s: In<'_, Self>,
        line: &Result<String, Fault>,
        visitor: &mut Visitor,
        cx: &mut Cx<ChatSession>,
    ) -> Next<ChatSession> {
        let words = match visitor.command(line) {
            Ok(Command::Join(room)) if is_name(room) => {
                return s.go_with(|old| Entering::begin(old, room, visitor, cx));
            }
            Ok(Command::Nick(name)) => match visitor.name(name) {
                Ok(name) => {
                    let words = format!("* you are {}", name.text());
                    s.name = name;
                    say(&mut s.link, &words);
                    return keep();
                }
                Err(why) => why,
            },
            Ok(Command::Who) => {
                let rooms = visitor.chat.rooms.names();
                let rooms: Vec<_> = rooms.iter().map(|name| &**name).collect();
                say(&mut s.link, &room::list("rooms", &rooms));
                return keep();
            }
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Join(_)) => NO_NAME,
            Ok(Command::Help) => COMMANDS,
            Ok(Command::Leave | Command::Say(_)) => JOIN_FIRST,
            Err(fault) => fault.words(),
        };
        say(&mut s.link, words);
        keep()
    }
}

impl From<Talking> for Lobby {
    /// The room hears of it in its turn, before the member can come in again; if its mailbox is full it
    /// learns it from the feed.
    fn from(old: Talking) -> Self {
        let _ = old.room.try_cast(room::Event::Left(old.number));
        Lobby {
            link: old.link,
            name: old.name,
        }
    }
}

impl Entering {
    fn begin(
        from: impl Into<Lobby>,
        room: &str,
        visitor: &Visitor,
        cx: &mut Cx<ChatSession>,
    ) -> Self {
        let Lobby { link, name } = from.into();
        let (feed, lines) = feed(UNREAD);
        let number = visitor.chat.number();
        let enter = room::enter(
            visitor.chat.rooms.clone(),
            room.into(),
            number,
            name.text().clone(),
            feed,
        );
        cx.state_task(enter, Event::Entered);
        Entering {
            link,
            name,
            number,
            lines,
        }
    }
}

impl Talking {
    fn begin(mut old: Entering, room: Handle<Room>, cx: &mut Cx<ChatSession>) -> Self {
        say(&mut old.link, "* you are in");
        Talking {
            link: old.link,
            name: old.name,
            room,
            number: old.number,
            _lines: cx.stream(old.lines, Event::Heard),
            held: None,
        }
    }

    /// Passes a line of the room's on; if there is no room in the write buffer it waits, and with it
    /// all that come after it.
    fn hear(mut s: In<'_, Self>, line: Line, cx: &mut Cx<ChatSession>) -> Next<ChatSession> {
        match s.link.send(line) {
            Err(SendError::Full(line)) => {
                cx.postpone(Event::Heard(Some(line)));
                s.go_with(|talking| Behind { talking })
            }
            // That it has ended is an event.
            Ok(_) | Err(_) => keep(),
        }
    }

    fn line(
        mut s: In<'_, Self>,
        line: &Result<String, Fault>,
        visitor: &mut Visitor,
        cx: &mut Cx<ChatSession>,
    ) -> Next<ChatSession> {
        let words = match visitor.command(line) {
            Ok(Command::Say("")) => return keep(),
            Ok(Command::Say(text)) => {
                let line = format!("<{}> {}", s.name.text(), visible(text));
                return Self::pass(s, room::Event::Said(line.into()), cx);
            }
            Ok(Command::Who) => {
                let who = room::Event::Who(s.number);
                return Self::pass(s, who, cx);
            }
            Ok(Command::Nick(name)) => match visitor.name(name) {
                Ok(name) => {
                    let renamed = room::Event::Renamed(s.number, name.text().clone());
                    s.name = name;
                    return Self::pass(s, renamed, cx);
                }
                Err(why) => why,
            },
            Ok(Command::Join(room)) if is_name(room) => {
                return s.go_with(|old| Entering::begin(old, room, visitor, cx));
            }
            Ok(Command::Leave) => return s.go_with(|old| Lobby::say(old, LEFT)),
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Join(_)) => NO_NAME,
            Ok(Command::Help) => COMMANDS,
            Err(fault) => fault.words(),
        };
        say(&mut s.link, words);
        keep()
    }

    /// Tells the room. If its mailbox is full, nothing more of the member is handled until it is not.
    fn pass(
        mut s: In<'_, Self>,
        event: room::Event,
        cx: &mut Cx<ChatSession>,
    ) -> Next<ChatSession> {
        if let Err(refused) = s.room.try_cast(event) {
            // That it has ended is told by the feed.
            if matches!(refused.kind, CastErrorKind::Full) {
                let room = s.room.clone();
                let put = async move { drop(room.cast(refused.event).await) };
                s.held = Some(cx.task(put, |()| Event::Taken));
            }
        }
        keep()
    }
}

impl Goodbye {
    fn say(mut link: Link<Lines>, words: &str) -> Self {
        say(&mut link, words);
        link.close(GOODBYE);
        Goodbye { _link: link }
    }
}

/// Says a line. To a connection that has ended there is nothing to say; that it has is an event. A
/// peer that lets so many answers lie must not fill the server's memory with them.
fn say(link: &mut Link<Lines>, words: &str) {
    if let Err(SendError::Full(_)) = link.send(words) {
        link.close(Duration::ZERO);
    }
}
