//! Room in the write buffer, and pauses.

use std::io;

use statem::net::LinkConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::owner::{World, act, news, on, talking};

/// Nine letters and the end of the line.
const TEN: &str = "aaaaaaaaa";

#[test]
fn room_is_told_once_when_half_of_the_write_buffer_is_free() {
    let (mut owner, far) = talking(LinkConfig::default().high_water(40));
    far.accept(0);
    act(&mut owner, |world| (0..4).for_each(|_| world.send(TEN)));
    assert!(news(&mut owner).is_empty(), "nobody was refused");
    act(&mut owner, |world| {
        world.send("b");
        world.send("c");
    });
    assert_eq!(news(&mut owner), ["full for b", "full for c"]);
    far.accept(19);
    assert!(news(&mut owner).is_empty());
    far.accept(1);
    assert_eq!(news(&mut owner), ["room"]);
    far.accept(usize::MAX);
    assert!(news(&mut owner).is_empty());
    // Full once more, told once more.
    far.accept(0);
    act(&mut owner, |world| (0..5).for_each(|_| world.send(TEN)));
    far.accept(usize::MAX);
    assert_eq!(
        news(&mut owner),
        [format!("full for {TEN}"), "room".to_owned()]
    );
}

#[test]
fn room_is_not_told_of_a_buffer_that_nobody_was_refused_by() {
    let (mut owner, far) = talking(LinkConfig::default().high_water(40));
    far.accept(0);
    act(&mut owner, |world| (0..4).for_each(|_| world.send(TEN)));
    far.accept(usize::MAX);
    assert!(news(&mut owner).is_empty());
}

#[test]
fn room_that_the_end_of_the_turn_makes_is_told_at_once() {
    let (mut owner, far) = talking(LinkConfig::default().high_water(10));
    act(&mut owner, |world| {
        world.send(TEN);
        world.send("b");
    });
    assert_eq!(news(&mut owner), ["full for b", "room"]);
    assert_eq!(far.writes(), 1);
}

#[test]
fn n40_room_waits_for_a_credit_as_frames_do() {
    let (mut owner, far) = talking(LinkConfig::default().high_water(10).credits(1));
    act(&mut owner, |world| world.holds = true);
    far.send("one\n");
    far.accept(0);
    owner.poll();
    act(&mut owner, |world| {
        world.send(TEN);
        world.send("b");
    });
    far.accept(usize::MAX);
    assert_eq!(news(&mut owner), ["full for b"]);
    act(&mut owner, World::release);
    assert_eq!(news(&mut owner), ["line one", "room"]);
}

#[test]
fn n82_of_a_connection_that_ends_no_room_is_told() {
    for closes in [false, true] {
        let (mut owner, far) = talking(LinkConfig::default().high_water(10));
        far.accept(0);
        act(&mut owner, move |world| {
            world.send(TEN);
            world.send("b");
            if closes {
                world.link().close(std::time::Duration::from_secs(1));
            }
        });
        assert_eq!(news(&mut owner), ["full for b"]);
        if closes {
            far.accept(usize::MAX);
            assert!(news(&mut owner).is_empty());
        }
        far.fail(io::ErrorKind::ConnectionReset);
        assert_eq!(
            news(&mut owner),
            ["closed: reading failed: connection reset"]
        );
    }
}

#[test]
fn a_paused_link_gives_what_it_is_asked_for_and_goes_on_where_it_was() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.send("one\nhush\ntwo\nthree\nfour\n");
    assert_eq!(news(&mut owner), ["line one", "line hush"]);
    far.send("five\n");
    far.end();
    assert!(news(&mut owner).is_empty());
    act(&mut owner, |world| {
        world.send("still here");
        world.link().read(2);
    });
    assert_eq!(news(&mut owner), ["line two", "line three"]);
    assert_eq!(far.take_written(), b"still here\n");
    act(&mut owner, |world| world.link().read(1));
    assert_eq!(news(&mut owner), ["line four"]);
    act(&mut owner, |world| world.link().resume());
    let end = "closed: the peer closed the connection";
    assert_eq!(news(&mut owner), ["line five", end]);
}

#[test]
fn a_peer_that_has_closed_its_side_gets_an_answer_that_takes_time_from_a_link_that_is_paused() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.send("question\n");
    assert_eq!(news(&mut owner), ["line question"]);
    act(&mut owner, |world| world.link().pause());
    far.end();
    assert!(news(&mut owner).is_empty());
    act(&mut owner, |world| {
        world.send("answer");
        world.link().resume();
    });
    assert_eq!(news(&mut owner), ["closed: the peer closed the connection"]);
    assert_eq!(far.take_written(), b"answer\n");
}

#[test]
fn a_pause_holds_with_another_codec_and_ends_with_a_goodbye() {
    let (mut owner, far) = talking(LinkConfig::default());
    act(&mut owner, |world| {
        world.link().pause();
        world.talk_bytes(2);
    });
    far.send("abcdef");
    assert!(news(&mut owner).is_empty());
    act(&mut owner, |world| {
        world
            .bytes
            .as_mut()
            .expect("it talks in bytes")
            .read_exactly(3);
    });
    assert_eq!(news(&mut owner), ["bytes abc"]);
    act(&mut owner, |world| {
        let link = world.bytes.as_mut().expect("it talks in bytes");
        link.close(std::time::Duration::from_secs(1));
    });
    far.end();
    let end = "closed: the peer closed the connection";
    assert_eq!(news(&mut owner), ["bytes def", end]);
}

#[test]
fn a_paused_link_is_not_told_that_the_connection_broke_and_says_so_when_it_sends() {
    let (mut owner, far) = talking(LinkConfig::default());
    act(&mut owner, |world| world.link().pause());
    far.fail(io::ErrorKind::BrokenPipe);
    act(&mut owner, |world| world.send("one"));
    act(&mut owner, |world| world.send("two"));
    assert_eq!(news(&mut owner), ["closed for two"]);
    act(&mut owner, |world| world.link().resume());
    let [closed] = &news(&mut owner)[..] else {
        panic!("one event")
    };
    assert!(closed.contains("failed: broken pipe"), "{closed}");
}

#[tokio::test]
async fn what_the_peer_sends_to_a_paused_link_stays_with_it() {
    let (near, mut far) = tokio::io::duplex(16);
    let mut owner = on(LinkConfig::default(), near);
    act(&mut owner, |world| world.link().pause());
    let text = format!("{TEN}\n").repeat(8);
    let mut rest = text.as_bytes();
    loop {
        owner.poll();
        tokio::select! {
            biased;
            written = far.write(rest) => rest = &rest[written.expect("it is open")..],
            () = std::future::ready(()) => break,
        }
    }
    assert_eq!(rest.len(), text.len() - 16);
    act(&mut owner, |world| world.link().resume());
    while !rest.is_empty() {
        let written = far.write(rest).await.expect("it is open");
        rest = &rest[written..];
        owner.poll();
    }
    assert_eq!(news(&mut owner).len(), 8);
    act(&mut owner, |world| world.send("x"));
    let mut answer = [0; 2];
    far.read_exact(&mut answer).await.expect("it is open");
}
