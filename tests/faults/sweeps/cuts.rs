//! However the bytes of a peer are cut, the same is seen.

use bytes::BytesMut;
use tokio_util::codec::Encoder;

use super::{greeting, waiting};
use crate::drop::wired;
use crate::support::caller::{How, Rig, Speaks as Speaker, all};
use crate::support::protocol::{Frame, FrameCodec, Frames, Kind, Lines};
use crate::support::time::{millis, settle, until, within};

/// What a peer says after the requests 1, 2 and 3 have come: all kinds of frames.
fn in_lines() -> Vec<u8> {
    b"=1\n!7\n!8\n=2\r\n=3\n!9\n".to_vec()
}

fn in_frames(answers: [u64; 3]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    let mut codec = FrameCodec::new();
    let mut say = |id, kind, key| codec.encode(Frame { id, kind, key }, &mut bytes).unwrap();
    say(0, Kind::Push, 7);
    for id in answers {
        say(id, Kind::Run, id);
    }
    say(0, Kind::Push, 8);
    bytes.to_vec()
}

/// Everything that a user can see of a client whose peer sends these pieces one after the other:
/// a greeting with a push behind it, then answers.
async fn seen<P: Speaker>(protocol: P, hello: &[&[u8]], pieces: &[&[u8]]) -> Vec<String> {
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    let caller = rig.start(protocol, network.connector(), |b| b);
    let mut notices = within(millis(1), "subscribed", caller.client.subscribe(32)).await;
    caller.until_in("Handshaking").await;
    let say = async |pieces: &[&[u8]]| {
        for piece in pieces {
            wires.lock().unwrap()[0].send(piece);
            settle().await;
        }
    };
    say(hello).await;
    let calls = caller.spawn_many(3, How::default());
    settle().await;
    (1..=3).for_each(|key| rig.ledger.execute(key));
    say(pieces).await;
    let mut seen: Vec<_> = all(calls)
        .await
        .iter()
        .map(|told| format!("{told:?}"))
        .collect();
    wires.lock().unwrap()[0].end();
    until("the end is seen", || caller.counts().downs == 1).await;
    settle().await;
    while let Some(notice) = waiting(&mut notices) {
        seen.push(notice);
    }
    let counts = caller.counts();
    seen.push(format!("{} {} {}", counts.pushed, counts.stray, counts.ok));
    rig.end(caller).await;
    seen
}

/// All the ways to cut bytes in two, and one byte at a time.
fn cuts(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let in_two = (1..bytes.len()).map(|place| vec![&bytes[..place], &bytes[place..]]);
    in_two.chain([bytes.chunks(1).collect()]).collect()
}

async fn every_cut<P: Speaker>(protocol: impl Fn() -> P, hello: &[u8], bytes: &[u8]) {
    let whole = seen(protocol(), &[hello], &[bytes]).await;
    assert_eq!(
        whole.iter().filter(|seen| seen.starts_with("Ok")).count(),
        3,
        "{whole:?}"
    );
    let cuts_of_bytes = cuts(bytes);
    for pieces in &cuts_of_bytes {
        assert_eq!(
            seen(protocol(), &[hello], pieces).await,
            whole,
            "{pieces:?}"
        );
    }
    for pieces in cuts(hello) {
        assert_eq!(
            seen(protocol(), &pieces, &[bytes]).await,
            whole,
            "{pieces:?}"
        );
    }
    // In three.
    for first in (1..bytes.len()).step_by(3) {
        for second in (first + 1..bytes.len()).step_by(5) {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(
                seen(protocol(), &[hello], &pieces).await,
                whole,
                "{pieces:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n82_however_lines_are_cut_the_same_is_seen() {
    every_cut(|| Lines(greeting()), b"+hello\n!6\n", &in_lines()).await;
}

#[tokio::test(start_paused = true)]
async fn n82_however_frames_are_cut_the_same_is_seen() {
    let mut hello = BytesMut::new();
    let mut codec = FrameCodec::new();
    codec
        .encode(
            Frame {
                id: 0,
                kind: Kind::Hello,
                key: 0,
            },
            &mut hello,
        )
        .unwrap();
    codec
        .encode(
            Frame {
                id: 0,
                kind: Kind::Push,
                key: 6,
            },
            &mut hello,
        )
        .unwrap();
    // The answers come in another order than the requests; ids begin at the first one.
    every_cut(|| Frames(greeting(), 1..=9), &hello, &in_frames([2, 3, 1])).await;
}
