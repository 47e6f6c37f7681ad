//! What goes out: one write a turn, and what is known of it when the connection ends.

use std::io;

use statem::net::LinkConfig;
use statem::testing::wire;
use tokio::io::BufWriter;

use crate::support::{Event, Notes, log, on, send, together};

/// Ten bytes each, with the end of the line.
const THREE: [&str; 3] = ["111111111", "222222222", "333333333"];

#[test]
fn n80_what_the_transport_accepted_in_part_is_unknown_and_the_rest_was_not_sent() {
    let (mut talk, far) = together(Notes::default());
    far.accept(15);
    send(&mut talk, &THREE);
    far.fail(io::ErrorKind::ConnectionReset);
    talk.poll();
    assert_eq!(
        log(&talk)[..3],
        [
            "111111111!Unknown",
            "222222222!Unknown",
            "333333333!NotSent"
        ]
    );
    assert_eq!(far.take_written(), b"111111111\n22222");
}

#[test]
fn n80_holds_at_every_split_of_the_bytes() {
    for accepted in 0..=30 {
        for again in 0..=30 - accepted {
            let (mut talk, far) = together(Notes::default());
            far.accept(accepted);
            send(&mut talk, &THREE);
            far.accept(again);
            talk.poll();
            far.fail(io::ErrorKind::ConnectionReset);
            talk.poll();
            for (place, fate) in log(&talk)[..3].iter().enumerate() {
                let handed = place * 10 < accepted + again;
                assert_eq!(
                    fate.ends_with("!Unknown"),
                    handed,
                    "{accepted} and {again}: {fate}"
                );
            }
            assert_eq!(far.take_written().len(), accepted + again);
        }
    }
}

#[test]
fn all_that_is_sent_in_a_turn_leaves_in_one_write() {
    let (mut talk, far) = together(Notes::default());
    send(&mut talk, &THREE);
    assert_eq!(far.writes(), 1);
    send(&mut talk, &["a"]);
    send(&mut talk, &["b"]);
    assert_eq!(far.writes(), 3);
    assert_eq!(
        far.take_written(),
        b"111111111\n222222222\n333333333\na\nb\n"
    );
}

#[test]
fn answers_to_frames_that_came_together_leave_in_their_order() {
    let (mut talk, far) = together(Notes {
        echoes: true,
        ..Notes::default()
    });
    far.send("a\nb\nc\n");
    talk.poll();
    assert_eq!(far.take_written(), b"a\nb\nc\n");
}

#[test]
fn above_its_high_water_mark_a_link_takes_nothing_until_there_is_room() {
    let config = LinkConfig::default().high_water(25);
    let (mut talk, far) = together(Notes {
        config,
        ..Notes::default()
    });
    far.accept(0);
    send(
        &mut talk,
        &["111111111", "222222222", "333333333", "444444444"],
    );
    assert_eq!(log(&talk), ["full: 444444444"]);
    far.accept(5);
    talk.poll();
    send(&mut talk, &["555555555"]);
    assert_eq!(log(&talk).len(), 2, "25 bytes still wait");
    far.accept(usize::MAX);
    talk.poll();
    send(&mut talk, &["666666666"]);
    assert_eq!(log(&talk).len(), 2);
    assert_eq!(
        far.take_written(),
        b"111111111\n222222222\n333333333\n666666666\n"
    );
}

#[test]
fn n83_leaving_the_state_closes_the_socket_at_once_and_drops_what_was_not_written() {
    let (mut talk, far) = together(Notes::default());
    far.accept(3);
    send(&mut talk, &THREE);
    talk.send(Event::Leave);
    assert!(far.is_closed());
    far.accept(usize::MAX);
    talk.poll();
    assert_eq!(far.take_written(), b"111");
    assert_eq!((log(&talk).len(), talk.sources().count()), (0, 0));
}

#[test]
fn after_the_end_was_noticed_and_before_it_is_handled_nothing_is_taken() {
    let config = LinkConfig::default().credits(1);
    let (mut talk, far) = together(Notes {
        config,
        holds: true,
        ..Notes::default()
    });
    far.send("f1\n");
    talk.poll();
    far.fail(io::ErrorKind::ConnectionReset);
    // The write fails; the link has no credit to say so yet.
    send(&mut talk, &["x"]);
    send(&mut talk, &["y"]);
    assert_eq!(log(&talk), ["closed for: y"]);
    talk.send(Event::Release);
    talk.poll();
    assert_eq!(log(&talk)[1..3], ["f1", "x!NotSent"]);
    assert_eq!(log(&talk).len(), 4);
}

#[test]
fn a_machine_that_holds_its_frames_can_still_write() {
    let config = LinkConfig::default().credits(1);
    let (mut talk, far) = together(Notes {
        config,
        holds: true,
        ..Notes::default()
    });
    far.send("f1\nf2\n");
    talk.poll();
    far.accept(5);
    send(&mut talk, &THREE);
    far.accept(usize::MAX);
    talk.poll();
    assert_eq!(far.take_written().len(), 30);
}

#[test]
fn half_close_keeps_the_answers() {
    for breaks in [false, true] {
        let (mut talk, far) = together(Notes {
            echoes: true,
            ..Notes::default()
        });
        far.accept(3);
        far.send("first\nsecond\n");
        far.end();
        talk.poll();
        assert_eq!(log(&talk), ["first", "second"]);
        assert!(!far.is_closed());
        // The link is as open as it was.
        send(&mut talk, &["third"]);
        let written = if breaks {
            far.fail(io::ErrorKind::BrokenPipe);
            "fir"
        } else {
            far.accept(usize::MAX);
            "first\nsecond\nthird\n"
        };
        talk.poll();
        assert_eq!(far.take_written(), written.as_bytes());
        assert_eq!(
            log(&talk).last().expect("the end"),
            "closed: the peer closed the connection"
        );
        assert!(far.is_closed());
    }
}

#[test]
fn an_item_that_cannot_be_encoded_leaves_nothing_in_the_write_buffer() {
    let (mut talk, far) = together(Notes::default());
    far.accept(0);
    send(&mut talk, &["a", "bad", "b"]);
    assert_eq!(log(&talk).len(), 1);
    assert!(
        log(&talk)[0].contains("could not be encoded"),
        "{:?}",
        log(&talk)
    );
    far.accept(2);
    talk.poll();
    far.fail(io::ErrorKind::ConnectionReset);
    talk.poll();
    assert_eq!(far.take_written(), b"a\n");
    assert_eq!(log(&talk)[1..3], ["a!Unknown", "b!NotSent"]);
}

#[test]
fn a_transport_that_holds_bytes_back_is_flushed_at_the_end_of_the_turn() {
    let (end, far) = wire();
    let mut talk = on(Notes::default(), BufWriter::new(end));
    send(&mut talk, &THREE);
    assert_eq!((far.take_written().len(), far.writes()), (30, 1));
}
