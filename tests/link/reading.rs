//! What comes in: frames, ends, and the bounds.

use std::io;

use statem::net::LinkConfig;

use crate::support::{Event, Half, Notes, log, on, send, together};

fn config(config: LinkConfig) -> Notes {
    Notes {
        config,
        ..Notes::default()
    }
}

#[test]
fn the_frames_are_the_same_however_the_bytes_are_cut() {
    let bytes = b"one\ntwo\n\nfour\r\nfive\n";
    let whole = ["one", "two", "", "four", "five"];
    for cut in 0..=bytes.len() {
        let (mut talk, far) = together(Notes::default());
        let (now, later) = bytes.split_at(cut);
        far.send(now);
        talk.poll();
        let first: Vec<_> = log(&talk).to_vec();
        assert_eq!(first[..], whole[..first.len()]);
        far.send(later);
        talk.poll();
        assert_eq!(log(&talk), whole);
    }
    let (mut talk, far) = together(Notes::default());
    for byte in bytes {
        far.send([*byte]);
        talk.poll();
    }
    assert_eq!(log(&talk), whole);
}

#[test]
fn n82_complete_frames_come_before_the_end() {
    let (mut talk, far) = together(Notes::default());
    far.send("a\nb\n");
    far.end();
    talk.poll();
    assert_eq!(
        log(&talk),
        ["a", "b", "closed: the peer closed the connection"]
    );
    assert!(far.is_closed());
    assert_eq!(talk.sources().count(), 0);
}

#[test]
fn n82_complete_frames_come_before_an_error() {
    let (mut talk, far) = together(Notes::default());
    far.send("a\nb\nhal");
    far.fail(io::ErrorKind::ConnectionReset);
    talk.poll();
    assert_eq!(
        log(&talk),
        ["a", "b", "closed: reading failed: connection reset"]
    );
}

#[test]
fn n82_an_end_is_told_once_whether_reading_or_writing_notices_it_first() {
    let bytes = b"f1\nf2\n\xff";
    // Reading is first: the link is polled before anything is written.
    let talk = on(Notes::default(), Half(bytes));
    let cut = "closed: the peer closed the connection within a frame, after 1 bytes of it";
    assert_eq!(log(&talk), ["f1", "f2", cut]);

    // Writing is first: the link has no credit to read with until after the write has failed.
    let mut notes = config(LinkConfig::default().credits(1));
    notes.holds = true;
    let mut talk = on(notes, Half(bytes));
    send(&mut talk, &["x"]);
    assert_eq!(talk.postponed().count(), 1);
    talk.send(Event::Release);
    talk.poll();
    assert_eq!(log(&talk), ["f1", "f2", "x!NotSent", cut]);
}

#[test]
fn n82_a_write_that_failed_is_told_although_the_end_is_read_after_it() {
    // An operating system tells an error once: to the write, and what is read then is the end.
    let mut notes = config(LinkConfig::default().credits(1));
    notes.holds = true;
    let mut talk = on(notes, Half(b"f1\nf2\n"));
    send(&mut talk, &["x"]);
    talk.send(Event::Release);
    talk.poll();
    let closed = "closed: writing failed: broken pipe";
    assert_eq!(log(&talk), ["f1", "f2", "x!NotSent", closed]);
}

#[test]
fn a_write_that_fails_ends_a_connection_that_is_silent() {
    let (mut talk, far) = together(Notes::default());
    far.fail(io::ErrorKind::BrokenPipe);
    send(&mut talk, &["x"]);
    talk.poll();
    let [fate, closed] = log(&talk) else {
        panic!("{:?}", log(&talk))
    };
    assert_eq!(fate, "x!NotSent");
    assert!(closed.contains("failed: broken pipe"), "{closed}");
}

#[test]
fn a_frame_that_is_cut_off_is_named_so() {
    let (mut talk, far) = together(Notes::default());
    far.send(b"whole\n\xff\xfe");
    far.end();
    talk.poll();
    assert_eq!(log(&talk)[0], "whole");
    assert!(
        log(&talk)[1].contains("closed: the peer closed the connection within a frame"),
        "{:?}",
        log(&talk)
    );
}

#[test]
fn a_frame_is_cut_off_also_when_the_codec_has_all_of_it_that_came() {
    let (mut talk, far) = together(Notes::default());
    far.send("whole\nhead\n");
    talk.poll();
    far.end();
    talk.poll();
    let cut = "closed: the peer closed the connection within a frame, after 0 bytes of it";
    assert_eq!(log(&talk), ["whole", cut]);
}

#[test]
fn n40_a_passive_link_gives_what_it_is_asked_for() {
    let (mut talk, far) = together(config(LinkConfig::default().credits(0)));
    far.send("a\nb\nc\n");
    far.end();
    talk.poll();
    assert!(log(&talk).is_empty());
    talk.send(Event::Read(2));
    talk.poll();
    assert_eq!(log(&talk), ["a", "b"]);
    talk.send(Event::Read(1));
    talk.poll();
    assert_eq!(log(&talk), ["a", "b", "c"]);
    talk.send(Event::Read(1));
    talk.poll();
    assert_eq!(log(&talk)[3], "closed: the peer closed the connection");
}

#[test]
fn garbage_is_named_so_and_ends_the_connection() {
    let (mut talk, far) = together(Notes::default());
    far.send(b"whole\n\xff\xfe\nlater\n");
    talk.poll();
    assert_eq!(log(&talk)[0], "whole");
    assert!(
        log(&talk)[1].starts_with("closed: the peer sent what is not a frame: "),
        "{:?}",
        log(&talk)
    );
    assert_eq!(log(&talk).len(), 2, "what comes after garbage is not read");
    assert!(far.is_closed());
}

#[test]
fn a_frame_over_the_limit_ends_the_connection_however_it_is_cut() {
    let bytes = b"0123456789\n0123456789a\nx\n";
    for cut in 0..=bytes.len() {
        let (mut talk, far) = together(config(LinkConfig::default().max_frame(11)));
        let (now, later) = bytes.split_at(cut);
        far.send(now);
        talk.poll();
        far.send(later);
        talk.poll();
        let wanted = [
            "0123456789",
            "closed: the peer sent more than 11 bytes without a complete frame",
        ];
        assert_eq!(log(&talk), wanted, "cut at {cut}");
        assert!(far.is_closed());
    }
}

#[test]
fn n40_a_machine_that_postpones_frames_stops_reading() {
    let mut notes = config(LinkConfig::default().credits(2));
    notes.holds = true;
    let (mut talk, far) = together(notes);
    far.send("f1\nf2\nf3\nf4\nf5\n");
    far.end();
    talk.poll();
    assert_eq!(talk.postponed().count(), 2);
    // What arrives later is not even read.
    far.send("f6\n".repeat(1000));
    talk.poll();
    assert_eq!(talk.postponed().count(), 2);
    talk.send(Event::Release);
    talk.poll();
    assert_eq!(log(&talk)[..5], ["f1", "f2", "f3", "f4", "f5"]);
    assert_eq!(
        log(&talk).last().expect("the end"),
        "closed: the peer closed the connection"
    );
}

#[test]
fn n36_frames_of_a_link_that_was_left_are_not_handled() {
    let (mut talk, far) = together(Notes {
        holds: true,
        ..Notes::default()
    });
    far.send("f1\nf2\n");
    talk.poll();
    assert_eq!(talk.postponed().count(), 2);
    talk.send(Event::Leave);
    talk.send(Event::Release);
    talk.poll();
    assert_eq!((log(&talk).len(), talk.postponed().count()), (0, 0));
    assert_eq!(talk.counts().discarded, 2);
}
