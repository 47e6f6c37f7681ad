//! A connection that goes on with another codec, or without its link.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use statem::net::{Exactly, Io, Link, LinkConfig, LinkEvent, UpgradeError};
use statem::testing::wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::codec::LinesCodec;

use crate::owner::{Event, act, deed, handed, news, on, talking};
use crate::support::Half;

/// A whole conversation: two changes of the codec, and a goodbye.
const BYTES: &[u8] = b"one\nraw 4\nabcd\r\n\r\ntexttwo\nraw 4\ntextbye\nlate\n";
const TRACE: [&str; 10] = [
    "line one",
    "line raw 4",
    "bytes abcd",
    "bytes \r\n\r\n",
    "bytes text",
    "line two",
    "line raw 4",
    "bytes text",
    "line bye",
    "line late",
];
const END: &str = "closed: the peer closed the connection";

/// What happens when the bytes come in these parts, and what is answered.
fn conversation(parts: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
    let (mut owner, far) = talking(LinkConfig::default());
    for part in parts {
        far.send(part);
        owner.poll();
    }
    far.end();
    let events = news(&mut owner);
    assert!(far.is_closed());
    assert_eq!(owner.sources().count(), 0);
    (events, far.take_written())
}

#[test]
fn n82_the_events_are_the_same_however_the_bytes_are_cut_when_codecs_change_and_the_link_closes() {
    let check = |parts: &[&[u8]]| {
        let (mut events, written) = conversation(parts);
        assert_eq!(events.pop().expect("the end"), END, "{parts:?}");
        assert_eq!(events, TRACE, "{parts:?}");
        assert_eq!(written, b"so long\n");
    };
    for first in 0..=BYTES.len() {
        for second in first..=BYTES.len() {
            check(&[&BYTES[..first], &BYTES[first..second], &BYTES[second..]]);
        }
    }
    check(&BYTES.chunks(1).collect::<Vec<_>>());
}

#[test]
fn the_bytes_of_half_a_frame_go_to_the_new_codec_at_once() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.send("one\nabcde");
    assert_eq!(news(&mut owner), ["line one"]);
    act(&mut owner, |world| world.talk_bytes(2));
    assert_eq!(news(&mut owner), ["bytes ab", "bytes cd"]);
    // Twice in one transition, and back: nobody was asked in between.
    act(&mut owner, |world| {
        world.talk_lines();
        world.talk_bytes(1);
        world.talk_lines();
    });
    far.send("fg\n");
    assert_eq!(news(&mut owner), ["line efg"]);
}

#[test]
fn n40_n36_frames_of_the_old_codec_that_were_postponed_still_come_and_keep_their_credits() {
    let (mut owner, far) = talking(LinkConfig::default().credits(2));
    act(&mut owner, |world| world.holds = true);
    far.send("one\ntwo\nabcdef");
    assert!(news(&mut owner).is_empty());
    let source = owner.sources().next().expect("the link");
    act(&mut owner, |world| world.talk_bytes(3));
    assert_eq!(owner.postponed().count(), 2);
    assert_eq!(owner.sources().next(), Some(source));
    act(&mut owner, super::owner::World::release);
    assert_eq!(
        news(&mut owner),
        ["line one", "line two", "bytes abc", "bytes def"]
    );
}

#[test]
fn n80_marks_hold_across_a_change_and_what_was_sent_leaves_in_its_order() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(7);
    act(&mut owner, |world| {
        world.send("one");
        world.send("two");
        world.send("three");
        world.talk_bytes(1);
        let link = world.bytes.as_mut().expect("it talks in bytes");
        world.marks.push(link.send("!!").expect("there is room"));
        world.talk_lines();
    });
    assert_eq!(far.take_written(), b"one\ntwo");
    assert_eq!(handed(&owner), [true, true, false, false]);
    far.accept(8);
    owner.poll();
    assert_eq!(handed(&owner), [true, true, true, true]);
    far.accept(usize::MAX);
    owner.poll();
    assert_eq!(far.take_written(), b"\nthree\n!!");
}

#[test]
fn a_link_that_has_ended_stays_so_with_another_codec() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.end();
    assert_eq!(news(&mut owner), [END]);
    act(&mut owner, |world| {
        world.talk_bytes(1);
        let link = world.bytes.as_mut().expect("it talks in bytes");
        link.send("x").expect_err("nobody reads it");
    });
    assert!(news(&mut owner).is_empty());
}

#[test]
fn n83_a_link_that_has_another_codec_closes_its_socket_when_it_is_dropped() {
    let (mut owner, far) = talking(LinkConfig::default());
    act(&mut owner, |world| world.talk_bytes(1));
    assert!(!far.is_closed());
    far.send("ab");
    owner.send(deed(|world, _| world.bytes = None));
    assert!(far.is_closed());
    assert!(news(&mut owner).is_empty());
    assert_eq!(owner.sources().count(), 0);
}

#[test]
fn a_codec_whose_events_are_of_another_machine_is_refused() {
    let (mut owner, _far) = talking(LinkConfig::default());
    act(&mut owner, |world| {
        let link = world.lines.take().expect("it talks in lines");
        let changed = catch_unwind(AssertUnwindSafe(|| {
            link.with_codec(LinesCodec::new(), |_: LinkEvent<String>| "not an event")
        }));
        let message = changed.expect_err("it is refused");
        let message = message.downcast::<String>().expect("a message");
        assert!(message.contains("`&str` is not their type"), "{message}");
    });
}

/// Takes the byte stream out and leaves it to the test.
fn upgrade(link: &mut Link<LinesCodec>) -> Result<Box<dyn Io>, UpgradeError> {
    link.upgrade()
}

#[tokio::test]
async fn an_upgrade_gives_the_bytes_away_after_what_was_sent_before_it() {
    let (mut owner, far) = talking(LinkConfig::default());
    let (give, taken) = std::sync::mpsc::channel();
    act(&mut owner, move |world| {
        world.send("220 go ahead");
        give.send(upgrade(world.link()).expect("all is quiet"))
            .expect("the test waits");
    });
    assert_eq!(far.take_written(), b"220 go ahead\n");
    let mut io = taken.recv().expect("the byte stream");
    assert_eq!(owner.sources().count(), 0);
    // The link is closed, and says nothing of what happens from here on.
    act(&mut owner, |world| {
        world.send("x");
        assert!(matches!(upgrade(world.link()), Err(UpgradeError::Closed)));
    });
    assert_eq!(news(&mut owner), ["closed for x"]);
    owner.send(deed(|world, _| world.lines = None));
    far.send("hello");
    let mut hello = [0; 5];
    io.read_exact(&mut hello).await.expect("it is open");
    io.write_all(b"secret").await.expect("it is open");
    assert_eq!((&hello, far.take_written()), (b"hello", b"secret".to_vec()));
    drop(io);
    assert!(far.is_closed());
    assert!(news(&mut owner).is_empty());
}

#[test]
fn an_upgrade_refuses_bytes_that_came_before_it_however_they_are_cut() {
    // CVE-2011-0411: what somebody puts behind the command must not pass for what comes in TLS.
    let bytes = b"STARTTLS\nMAIL FROM:<mallory>\n";
    for cut in 0..=bytes.len() {
        let (mut owner, far) = talking(LinkConfig::default());
        act(&mut owner, |world| world.holds = true);
        far.send(&bytes[..cut]);
        owner.poll();
        let handled = owner.postponed().count();
        let unread = cut
            - bytes[..cut]
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(0, |end| end + 1);
        act(&mut owner, move |world| match upgrade(world.link()) {
            Ok(_) => assert_eq!(unread, 0),
            Err(error) => {
                assert_eq!(error, UpgradeError::Unread { bytes: unread });
                world.send("refused");
            }
        });
        if unread > 0 {
            // The link goes on as before.
            far.send(&bytes[cut..]);
            owner.poll();
            assert_eq!(owner.postponed().count(), 2.max(handled));
            assert_eq!(far.take_written(), b"refused\n");
        }
    }
}

#[test]
fn an_upgrade_refuses_to_lose_what_was_sent_and_not_written() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(3);
    act(&mut owner, |world| world.send("220 go"));
    act(&mut owner, |world| {
        assert!(matches!(
            upgrade(world.link()),
            Err(UpgradeError::Unsent { bytes: 4 })
        ));
    });
    // The link goes on, and is woken when there is room.
    far.accept(usize::MAX);
    owner.poll();
    assert_eq!(far.take_written(), b"220 go\n");
    act(&mut owner, |world| {
        assert!(upgrade(world.link()).is_ok());
    });
    assert!(far.is_closed());
}

#[test]
fn an_upgrade_refuses_a_connection_whose_peer_has_closed_its_side() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.accept(3);
    act(&mut owner, |world| world.send("220 go"));
    far.end();
    assert!(news(&mut owner).is_empty());
    far.accept(usize::MAX);
    owner.send(deed(|world, _| {
        assert!(matches!(upgrade(world.link()), Err(UpgradeError::Closed)));
    }));
    assert_eq!(news(&mut owner), [END]);
}

#[test]
fn an_upgrade_whose_last_write_fails_is_told_as_the_end() {
    // Nothing is read, and nothing can be written.
    let (silent, _far) = wire();
    let io = tokio::io::join(silent, Half(b""));
    let mut owner = on(LinkConfig::default(), io);
    act(&mut owner, |world| {
        world.send("x");
        assert!(matches!(upgrade(world.link()), Err(UpgradeError::Closed)));
    });
    assert_eq!(news(&mut owner), ["closed: writing failed: broken pipe"]);
}

#[test]
fn an_upgrade_of_a_connection_that_breaks_says_so_and_the_end_is_told() {
    let (mut owner, far) = talking(LinkConfig::default());
    far.fail(io::ErrorKind::BrokenPipe);
    owner.send(deed(|world, _| {
        world.send("x");
        assert!(matches!(upgrade(world.link()), Err(UpgradeError::Closed)));
    }));
    let [closed] = &news(&mut owner)[..] else {
        panic!("one event")
    };
    assert!(closed.contains("failed: broken pipe"), "{closed}");
    assert_eq!(handed(&owner), [false]);
}

#[test]
fn a_handshake_reads_exactly_what_it_asks_for() {
    let (end, far) = wire();
    let mut owner = on(LinkConfig::default(), wire().0);
    owner.send(deed(|world, cx| {
        world.lines = None;
        let config = LinkConfig::default().credits(0);
        world.bytes = Some(Link::open_with(
            config,
            end,
            Exactly::new(0),
            cx,
            Event::Bytes,
        ));
    }));
    far.send("\x05\x02ab\x03xyz");
    assert!(news(&mut owner).is_empty());
    for (length, wanted) in [(2, "\x05\x02"), (2, "ab"), (0, ""), (1, "\x03"), (3, "xyz")] {
        act(&mut owner, move |world| {
            world
                .bytes
                .as_mut()
                .expect("it talks in bytes")
                .read_exactly(length);
        });
        assert_eq!(news(&mut owner), [format!("bytes {wanted}")]);
    }
    act(&mut owner, |world| {
        world
            .bytes
            .as_mut()
            .expect("it talks in bytes")
            .read_exactly(2);
    });
    far.send("p");
    assert!(news(&mut owner).is_empty());
    far.end();
    let cut = "closed: the peer closed the connection within a frame, after 1 bytes of it";
    assert_eq!(news(&mut owner), [cut]);
}
