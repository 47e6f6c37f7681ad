//! The bounds of a link that is given none.

use crate::support::{Notes, log, send, together};

#[test]
fn by_default_a_link_refuses_to_send_from_64_kib_on() {
    // With the end of the line one byte less, and just as many.
    for (length, is_full) in [(64 * 1024 - 2, false), (64 * 1024 - 1, true)] {
        let (mut talk, far) = together(Notes::default());
        far.accept(0);
        let line = "x".repeat(length);
        send(&mut talk, &[&line, "next"]);
        let refused = log(&talk).iter().any(|word| word == "full: next");
        assert_eq!(refused, is_full, "{length}");
    }
}

#[test]
fn by_default_a_link_ends_at_a_frame_of_more_than_16_mib() {
    let (mut talk, far) = together(Notes::default());
    far.send(vec![b'x'; 16 * 1024 * 1024]);
    talk.poll();
    assert!(log(&talk).is_empty(), "{:?}", log(&talk));
    far.send("x");
    talk.poll();
    let too_long = "closed: the peer sent more than 16777216 bytes without a complete frame";
    assert_eq!(log(&talk), [too_long]);
}

#[test]
fn n40_by_default_32_frames_may_be_postponed_and_no_more_are_read() {
    let (mut talk, far) = together(Notes {
        holds: true,
        ..Notes::default()
    });
    far.send("f\n".repeat(40));
    talk.poll();
    assert_eq!(talk.postponed().count(), 32);
}
