//! Scenarios over pipes in memory, on a paused clock: the real server, sessions and rooms.

use std::io;
use std::time::Duration;

use statem::net::{Accept, Accepted, Server, ServerBuilder, feed};
use statem::testing::Bench;
use statem::{Builder, Registry};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{sleep, timeout};

use super::guest::Guest;
use super::machine::{NAMELESS, UNREADING};
use super::room::{self, Members, Open, UNREAD};
use super::{Chat, DRAIN, IDLE};

/// Where guests come in.
struct Door(Mutex<mpsc::Receiver<DuplexStream>>);

impl Accept for Door {
    async fn accept(&self) -> io::Result<Accepted> {
        match self.0.lock().await.recv().await {
            Some(io) => Ok(Accepted {
                io: Box::new(io),
                peer: None,
            }),
            None => std::future::pending().await,
        }
    }
}

struct House {
    chat: Chat,
    server: Server,
    door: mpsc::Sender<DuplexStream>,
}

fn house() -> House {
    house_with(|builder| builder)
}

fn house_with(settings: impl FnOnce(ServerBuilder) -> ServerBuilder) -> House {
    let (door, knocks) = mpsc::channel(8);
    let chat = Chat::default();
    let server = settings(chat.server(Door(Mutex::new(knocks)))).start();
    House { chat, server, door }
}

impl House {
    /// A connection with room for so many bytes in each direction.
    async fn pipe(&self, bytes: usize) -> DuplexStream {
        let (near, far) = duplex(bytes);
        self.door.send(far).await.expect("the server accepts");
        near
    }

    async fn guest(&self) -> Guest {
        Guest::new(Box::new(self.pipe(64 * 1024).await))
    }

    async fn member(&self, name: &str, room: &str) -> Guest {
        let mut guest = self.guest().await;
        guest.enter(name, room).await.expect("it is let in");
        guest
    }

    /// Waits until everybody has gone, and looks whether anything is left.
    async fn ends_empty(self) {
        let House { chat, server, .. } = self;
        server.shutdown(DRAIN).await;
        let counts = server.counts();
        assert_eq!(counts.open(), 0, "{counts:?}");
        assert_eq!(counts.failed, 0, "{counts:?}");
        while !chat.rooms.names().is_empty() {
            rest().await;
        }
        assert!(chat.names.take("ann").is_some(), "a name was left behind");
    }
}

/// Lets everything happen that needs no time.
async fn rest() {
    sleep(Duration::from_millis(1)).await;
}

/// The next line of each.
async fn all_hear(guests: &mut [&mut Guest], line: &str) {
    for guest in guests {
        guest.hears(line).await.expect("it hears what all hear");
    }
}

async fn hear(guest: &mut Guest) -> String {
    let line = guest.hear().await.expect("the connection is there");
    line.expect("the server has not closed it")
}

async fn ask(guest: &mut Guest, line: &str) -> String {
    guest.ask(line).await.expect("it is answered")
}

#[tokio::test(start_paused = true)]
async fn what_is_said_goes_to_all_in_the_room_and_to_nobody_else() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.member("bob", "den").await;
    let mut cy = house.member("cy", "attic").await;
    all_hear(&mut [&mut ann], "* bob comes in").await;
    bob.say("hello\u{1b}[2J").await.expect("said");
    all_hear(&mut [&mut ann, &mut bob], "<bob> hello [2J").await;
    assert_eq!(ask(&mut ann, "/who").await, "* here: ann, bob");
    assert_eq!(ask(&mut cy, "/who").await, "* here: cy");
    assert_eq!(ask(&mut bob, "/leave").await, "* you have left the room");
    all_hear(&mut [&mut ann], "* bob leaves").await;
    assert_eq!(ask(&mut bob, "/who").await, "* rooms: attic, den");
    assert_eq!(
        ask(&mut bob, "who hears me?").await,
        "* join a room first, by `/join ROOM`"
    );
    bob.say("/join attic").await.expect("said");
    assert_eq!(hear(&mut bob).await, "* you are in");
    all_hear(&mut [&mut bob, &mut cy], "* bob comes in").await;
    assert!(
        ask(&mut ann, "/help")
            .await
            .starts_with("* the commands are ")
    );
    drop((ann, bob, cy));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_has_one_member_and_is_free_when_that_one_has_gone_or_changed_it() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.guest().await;
    hear(&mut bob).await;
    let taken = "* somebody else has that name";
    let allowed = "* a name has 1 to 16 letters, digits, `-` and `_`";
    assert_eq!(ask(&mut bob, "/nick ann").await, taken);
    for name in ["", "a b", "*", "seventeen-letters"] {
        assert_eq!(ask(&mut bob, &format!("/nick {name}")).await, allowed);
    }
    assert_eq!(
        ask(&mut bob, "/join den").await,
        "* tell your name first, by `/nick NAME`"
    );
    assert_eq!(
        ask(&mut ann, "/nick eve").await,
        "* ann is eve from here on"
    );
    assert!(
        ask(&mut bob, "/nick ann")
            .await
            .starts_with("* you are ann")
    );
    assert_eq!(ask(&mut bob, "/nick eve").await, taken);
    drop(ann);
    rest().await;
    assert_eq!(ask(&mut bob, "/nick eve").await, "* you are eve");
    drop(bob);
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_member_says_last_is_heard_before_its_leave() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    // All in one piece, and no more.
    let mut bob = house.pipe(1024).await;
    bob.write_all(b"/nick bob\n/join den\none\ntwo\n/leave\n/join den\nthree")
        .await
        .expect("the pipe has room");
    bob.shutdown().await.expect("it is open");
    for line in [
        "* bob comes in",
        "<bob> one",
        "<bob> two",
        "* bob leaves",
        "* bob comes in",
        "<bob> three",
        "* bob leaves",
    ] {
        assert_eq!(hear(&mut ann).await, line);
    }
    // One that the room knows already.
    let mut cy = house.member("cy", "den").await;
    cy.say("four").await.expect("said");
    drop(cy);
    for line in ["* cy comes in", "<cy> four", "* cy leaves"] {
        assert_eq!(hear(&mut ann).await, line);
    }
    drop((ann, bob));
    house.ends_empty().await;
}

#[tokio::test]
async fn the_word_about_missed_lines_stands_where_they_are_missing() {
    let (feed, mut lines) = feed(UNREAD);
    let mut room = Bench::new(Open, Members::default());
    let (number, name) = (1, "ann".into());
    room.send(room::Event::Enter { number, name, feed });
    for said in 1..=UNREAD {
        room.send(room::Event::Said(said.to_string().into()));
    }
    // It was the last of these that found no room, and there is room for one more by now.
    assert_eq!(lines.next().await.as_deref(), Some("* ann comes in"));
    room.send(room::Event::Said("behind the gap".into()));
    for said in 1..UNREAD {
        assert_eq!(lines.next().await, Some(said.to_string().into()));
    }
    room.poll();
    room.send(room::Event::Said("heard again".into()));
    let word = "* you read too slowly and missed 2 lines";
    assert_eq!(lines.next().await.as_deref(), Some(word));
    assert_eq!(lines.next().await.as_deref(), Some("heard again"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_told_how_much_it_missed_and_harms_nobody() {
    const LINES: usize = 500;
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.member("bob", "den").await;
    let mut cy = Guest::new(Box::new(house.pipe(256).await));
    cy.enter("cy", "den").await.expect("it is let in");
    all_hear(&mut [&mut ann], "* bob comes in").await;
    all_hear(&mut [&mut ann, &mut bob], "* cy comes in").await;
    let long = "x".repeat(200);
    for number in 0..LINES {
        ann.say(&format!("{number} {long}")).await.expect("said");
        let line = format!("<ann> {number} {long}");
        all_hear(&mut [&mut ann, &mut bob], &line).await;
    }
    let mut heard = 0;
    let missed = loop {
        let line = hear(&mut cy).await;
        if let Some(words) = line.strip_prefix("* you read too slowly and missed ") {
            break words
                .strip_suffix(" lines")
                .expect("several")
                .parse::<usize>();
        }
        assert_eq!(line, format!("<ann> {heard} {long}"));
        heard += 1;
    };
    assert_eq!(heard + missed.expect("a number"), LINES);
    // 64 in the feed, 32 that the session has taken, 8 KiB of them in the write buffer, and one or two
    // in the pipe.
    assert!((130..140).contains(&heard), "{heard}");
    ann.say("still there?").await.expect("said");
    all_hear(&mut [&mut ann, &mut bob, &mut cy], "<ann> still there?").await;
    drop((ann, bob, cy));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_is_cut_off_in_time() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut cy = Guest::new(Box::new(house.pipe(256).await));
    cy.enter("cy", "den").await.expect("it is let in");
    all_hear(&mut [&mut ann], "* cy comes in").await;
    for number in 0..100 {
        ask(&mut ann, &format!("{number} {}", "x".repeat(200))).await;
    }
    let left = timeout(UNREADING + Duration::from_secs(1), hear(&mut ann)).await;
    assert_eq!(left.as_deref(), Ok("* cy leaves"));
    drop((ann, cy));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_its_answers_is_cut_off_at_once() {
    let house = house();
    let mut guest = house.pipe(256).await;
    // The answers are longer, and the server takes as many of these as it answers.
    let written = timeout(Duration::from_secs(1), async {
        loop {
            guest.write_all(b"/who\n").await?;
        }
    });
    let ended: io::Result<()> = written.await.expect("the server closes the connection");
    assert!(ended.is_err());
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_or_no_text_is_dropped_and_the_session_goes_on() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.member("bob", "den").await;
    all_hear(&mut [&mut ann], "* bob comes in").await;
    let too_long = "* that line has more than 512 bytes and was dropped";
    assert_eq!(ask(&mut ann, &"x".repeat(1_000_000)).await, too_long);
    ann.say("y").await.expect("said");
    all_hear(&mut [&mut ann, &mut bob], "<ann> y").await;

    let mut pipe = house.pipe(1024).await;
    pipe.write_all(b"/nick \xff\n/nick cy\n")
        .await
        .expect("written");
    let mut cy = Guest::new(Box::new(pipe));
    hear(&mut cy).await;
    assert_eq!(
        hear(&mut cy).await,
        "* that line is not UTF-8 and was dropped"
    );
    assert!(hear(&mut cy).await.starts_with("* you are cy"));
    drop((ann, bob, cy));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_tells_no_name_is_cut_off_in_time_whatever_it_sends() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut slow = house.guest().await;
    hear(&mut slow).await;
    // A line now and then does not help.
    let goodbye = timeout(NAMELESS + Duration::from_secs(1), async {
        loop {
            let line = ask(&mut slow, "/nick *").await;
            if line.starts_with("* goodbye") {
                break line;
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(
        goodbye.await.as_deref(),
        Ok("* goodbye: you did not tell your name in time")
    );
    assert_eq!(ask(&mut ann, "/who").await, "* here: ann");
    drop((ann, slow));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_silent_for_too_long_is_cut_off_and_one_that_speaks_is_not() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let _bob = house.member("bob", "den").await;
    all_hear(&mut [&mut ann], "* bob comes in").await;
    let mut waited = Duration::ZERO;
    while ask(&mut ann, "/who").await == "* here: ann, bob" {
        waited += Duration::from_secs(60);
        assert!(
            waited <= 2 * IDLE + Duration::from_secs(60),
            "bob is still there"
        );
        sleep(Duration::from_secs(60)).await;
    }
    assert!(waited >= IDLE);
    drop(ann);
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_connections_is_refused_and_those_who_are_in_go_on() {
    let house = house_with(|builder| builder.limit(2));
    let mut ann = house.member("ann", "den").await;
    let bob = house.member("bob", "den").await;
    all_hear(&mut [&mut ann], "* bob comes in").await;
    for _ in 0..1000 {
        let mut refused = house.guest().await;
        assert_eq!(
            refused.hear().await.expect("it is closed, not cut off"),
            None
        );
    }
    assert_eq!(house.server.counts().refused, 1000);
    assert_eq!(ask(&mut ann, "hello").await, "<ann> hello");
    drop(bob);
    all_hear(&mut [&mut ann], "* bob leaves").await;
    rest().await;
    let cy = house.member("cy", "den").await;
    drop((ann, cy));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_says_more_than_the_room_takes_waits_and_loses_nothing() {
    const MEMBERS: usize = 60;
    const LINES: usize = 100;
    let house = house();
    let mut ann = house.member("ann", "den").await;
    // All of this is there when the room gets its first turn: more than its mailbox holds.
    let mut others = Vec::new();
    for number in 0..MEMBERS {
        let mut other = house.pipe(64 * 1024).await;
        let hello = format!("/nick m{number}\n/join den\n");
        other.write_all(hello.as_bytes()).await.expect("written");
        assert_eq!(hear(&mut ann).await, format!("* m{number} comes in"));
        others.push(other);
    }
    for other in &mut others {
        let lines: Vec<_> = (0..LINES).map(|line| line.to_string()).collect();
        let lines = lines.join("\n") + "\n";
        other.write_all(lines.as_bytes()).await.expect("written");
    }
    let (mut heard, mut missed) = (0, 0);
    let mut next = [0; MEMBERS];
    while heard + missed < MEMBERS * LINES {
        let line = hear(&mut ann).await;
        if let Some(words) = line.strip_prefix("* you read too slowly and missed ") {
            let count = words.split(' ').next().expect("a word");
            missed += count.parse::<usize>().expect("a number");
            continue;
        }
        heard += 1;
        let (from, number) = line[2..].split_once("> ").expect("somebody says it");
        let from: usize = from.parse().expect("a number");
        let number: usize = number.parse().expect("a number");
        assert!(number >= next[from], "{line} comes after {}", next[from]);
        next[from] = number + 1;
    }
    rest().await;
    assert_eq!(heard + missed, MEMBERS * LINES);
    drop((ann, others));
    house.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_its_last_member_leaves_is_there_again_for_the_next_one() {
    let house = house();
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.guest().await;
    hear(&mut bob).await;
    ask(&mut bob, "/nick bob").await;
    for _ in 0..100 {
        // The one may find the room while the other is its last member.
        let (left, joined) =
            tokio::join!(ann.say("/leave\n/join den"), bob.say("/join den\n/leave"));
        left.and(joined).expect("said");
        while hear(&mut ann).await != "* ann comes in" {}
        while hear(&mut bob).await != "* you have left the room" {}
    }
    drop((ann, bob));
    house.ends_empty().await;
}

#[tokio::test]
async fn who_comes_while_a_room_ends_waits_for_its_name_and_makes_it_again() {
    let rooms = Registry::new();
    // It has no handle, and no turn to notice.
    drop(rooms.spawn("den".into(), Builder::new(), Open, Members::default()));
    let (feed, mut lines) = feed(UNREAD);
    let _room = room::enter(rooms, "den".into(), 1, "ann".into(), feed).await;
    assert_eq!(lines.next().await.as_deref(), Some("* ann comes in"));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_all_hear_a_goodbye_and_who_does_not_go_is_cut_off() {
    let house = house();
    let mut nameless = house.guest().await;
    hear(&mut nameless).await;
    let mut ann = house.member("ann", "den").await;
    let mut bob = house.guest().await;
    hear(&mut bob).await;
    ask(&mut bob, "/nick bob").await;
    let mut slow = Guest::new(Box::new(house.pipe(256).await));
    slow.enter("slow", "den").await.expect("it is let in");
    all_hear(&mut [&mut ann], "* slow comes in").await;
    for number in 0..100 {
        ask(&mut ann, &format!("{number} {}", "x".repeat(200))).await;
    }
    let ended = timeout(
        DRAIN + Duration::from_secs(3),
        tokio::spawn({
            let server = house.server.clone();
            async move { server.shutdown(DRAIN).await }
        }),
    );
    for guest in [&mut nameless, &mut ann, &mut bob] {
        let mut last = None;
        // Others may leave first. That the connection is closed and not cut off is no error.
        while let Some(line) = guest.hear().await.expect("it is closed in the end") {
            last = Some(line);
        }
        let goodbye = "* goodbye: the server is shutting down";
        assert_eq!(last.as_deref(), Some(goodbye));
    }
    assert!(ended.await.is_ok(), "the server has not ended in time");
    drop((nameless, ann, bob, slow));
    house.ends_empty().await;
}
