//! The chat one would write by hand: a task a connection, a bounded channel for what each member is to
//! hear, and rooms behind locks.
//!
//! It does what the example's does and has the same bounds: names that one member has, lines of a
//! bounded length, limits for those without a name, those who are silent and those who do not read,
//! and members who are told how many lines they missed. A connection that waits keeps no buffer for
//! what may come.

use std::collections::{HashMap, HashSet};
use std::io;
use std::mem::{MaybeUninit, take};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut, BytesMut};
use statem_examples::chat_server::codec::Lines;
use statem_examples::chat_server::command::{Command, visible};
use statem_examples::chat_server::machine::{HIGH_WATER, NAMELESS, UNREADING};
use statem_examples::chat_server::names::is_name;
use statem_examples::chat_server::room::UNREAD;
use statem_examples::chat_server::{IDLE, Line};
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};
use tokio_util::codec::Decoder;

/// Bytes that are read at once.
const SEGMENT: usize = 8 * 1024;

/// What all connections have.
#[derive(Default)]
struct House {
    names: Mutex<HashSet<Line>>,
    rooms: Mutex<HashMap<Line, Room>>,
    numbers: AtomicU64,
}

type Room = Arc<Mutex<Vec<Member>>>;

struct Member {
    number: u64,
    name: Line,
    lines: Sender<Line>,
    missed: Arc<AtomicU64>,
}

/// Accepts for ever.
pub(super) async fn serve(listener: TcpListener) -> io::Result<()> {
    let house = Arc::<House>::default();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let house = house.clone();
        tokio::spawn(async move {
            let mut session = Session::new(house);
            // What went wrong with the one is no matter of the others.
            let _ = session.run(socket).await;
        });
    }
}

struct Session {
    house: Arc<House>,
    name: Option<Line>,
    room: Option<Joined>,
    unsent: BytesMut,
    ends: bool,
}

/// A member's side of its room.
struct Joined {
    house: Arc<House>,
    title: Line,
    room: Room,
    number: u64,
    lines: Receiver<Line>,
    missed: Arc<AtomicU64>,
}

impl Session {
    fn new(house: Arc<House>) -> Self {
        let mut unsent = BytesMut::new();
        unsent.put_slice(b"* welcome; tell your name by `/nick NAME`\n");
        Session {
            house,
            name: None,
            room: None,
            unsent,
            ends: false,
        }
    }

    async fn run(&mut self, mut socket: TcpStream) -> io::Result<()> {
        let (mut codec, mut received) = (Lines::default(), BytesMut::new());
        let (mut limit, mut heard) = (pin!(sleep(NAMELESS)), false);
        loop {
            if !self.unsent.is_empty() {
                let write = socket.write_all_buf(&mut self.unsent);
                timeout(UNREADING, write).await??;
            }
            if self.ends {
                return socket.shutdown().await;
            }
            let named = self.name.is_some();
            tokio::select! {
                ready = socket.readable() => {
                    ready?;
                    let mut space = [MaybeUninit::uninit(); SEGMENT];
                    if !read(&socket, &mut ReadBuf::uninit(&mut space), &mut received)? {
                        return Ok(());
                    }
                    heard = true;
                    while let Some(line) = codec.decode(&mut received)? {
                        match line {
                            Ok(line) => self.line(&line),
                            Err(fault) => self.say(fault.words()),
                        }
                    }
                    if received.is_empty() {
                        received = BytesMut::new();
                    }
                }
                line = hear(&mut self.room) => self.hears(line),
                () = &mut limit => {
                    if !named || !take(&mut heard) {
                        return Ok(());
                    }
                    limit.set(sleep(IDLE));
                }
            }
            if !named && self.name.is_some() {
                limit.set(sleep(IDLE));
            }
        }
    }

    /// Takes what has been said to the member, as far as it fits.
    fn hears(&mut self, line: Option<Line>) {
        let mut next = line;
        while let Some(line) = next {
            self.say(&line);
            let Some(room) = &mut self.room else {
                return;
            };
            if self.unsent.len() >= HIGH_WATER {
                return;
            }
            next = room.lines.try_recv().ok();
            if next.is_none() && room.missed.load(Ordering::Relaxed) > 0 {
                let missed = room.missed.swap(0, Ordering::Relaxed);
                self.say(&format!("* you read too slowly and missed {missed} lines"));
            }
        }
    }

    fn say(&mut self, words: &str) {
        self.unsent.reserve(words.len() + 1);
        self.unsent.put_slice(words.as_bytes());
        self.unsent.put_u8(b'\n');
    }

    fn line(&mut self, line: &str) {
        match (Command::parse(line), &self.name, &self.room) {
            (Command::Quit, ..) => {
                self.say("* goodbye");
                self.ends = true;
            }
            (Command::Nick(name), _, None) => self.named(name),
            (Command::Join(title), Some(name), _) if is_name(title) => {
                let (house, name) = (self.house.clone(), name.clone());
                self.room = None;
                self.room = Some(house.join(title, name));
                self.say("* you are in");
            }
            (Command::Leave, _, Some(_)) => {
                self.room = None;
                self.say("* you have left the room");
            }
            (Command::Say(text), Some(name), Some(room)) => {
                let line = format!("<{name}> {}", visible(text));
                tell(&room.room, &line.into());
            }
            _ => self.say("* the commands are /nick NAME, /join ROOM, /leave, /quit"),
        }
    }

    fn named(&mut self, name: &str) {
        if !is_name(name) || !lock(&self.house.names).insert(name.into()) {
            return self.say("* take another name");
        }
        if let Some(before) = self.name.replace(name.into()) {
            lock(&self.house.names).remove(&before);
        }
        self.say(&format!(
            "* you are {name}; join a room first, by `/join ROOM`"
        ));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            lock(&self.house.names).remove(name);
        }
    }
}

impl House {
    fn join(self: Arc<Self>, title: &str, name: Line) -> Joined {
        let title = Line::from(title);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, lines) = channel(UNREAD);
        let missed = Arc::<AtomicU64>::default();
        let news = format!("* {name} comes in");
        let member = Member {
            number,
            name,
            lines: sender,
            missed: missed.clone(),
        };
        // In one step with the look: the last member takes an empty room away.
        let mut rooms = lock(&self.rooms);
        let room = rooms.entry(title.clone()).or_default().clone();
        lock(&room).push(member);
        drop(rooms);
        tell(&room, &news.into());
        Joined {
            house: self,
            title,
            room,
            number,
            lines,
            missed,
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let mut rooms = lock(&self.house.rooms);
        let mut members = lock(&self.room);
        let place = members.iter().position(|one| one.number == self.number);
        let left = place.map(|place| members.remove(place));
        if members.is_empty() {
            rooms.remove(&self.title);
        }
        drop(members);
        drop(rooms);
        if let Some(member) = left {
            tell(&self.room, &format!("* {} leaves", member.name).into());
        }
    }
}

/// Tells all in a room, and waits for none of them.
fn tell(room: &Room, line: &Line) {
    for member in &*lock(room) {
        if member.missed.load(Ordering::Relaxed) > 0 || member.lines.try_send(line.clone()).is_err()
        {
            member.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn hear(room: &mut Option<Joined>) -> Option<Line> {
    match room {
        Some(room) => room.lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads what is there; false at the end.
fn read(socket: &TcpStream, space: &mut ReadBuf<'_>, received: &mut BytesMut) -> io::Result<bool> {
    match socket.try_read_buf(space) {
        Ok(count) => {
            received.extend_from_slice(space.filled());
            Ok(count > 0)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
