//! Frames that come in one segment.

use statem::net::LinkConfig;

use crate::support::{
    Fate, Lines, Network, SECOND, ask, builder, connected, end, name, outcome, settle, started,
};

async fn told(calls: Vec<tokio::task::JoinHandle<crate::support::Outcome>>) -> Vec<String> {
    let mut told = Vec::new();
    for call in calls {
        told.push(name(&outcome(call).await));
    }
    told
}

fn several(
    client: &statem::net::Client<Lines>,
    count: usize,
) -> Vec<tokio::task::JoinHandle<crate::support::Outcome>> {
    (0..count)
        .map(|number| ask(client, &number.to_string()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn f13_answers_before_an_end_in_the_same_segment_are_delivered() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let calls = several(&client, 4);
    settle().await;
    peer.wire.send("A\nB\nhalf");
    peer.wire.end();
    assert_eq!(
        told(calls).await,
        ["A", "B", "Unknown(Lost)", "Unknown(Lost)"]
    );
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f30_answers_before_garbage_in_the_same_segment_are_delivered_and_those_after_it_are_not() {
    for garbage in [
        &b"A\nB\n\xff\xfe\nC\n"[..],
        b"A\nB\nbad\nC\n",
        b"A\nB\n\xff\xfe\n",
    ] {
        let network = Network::new(Fate::Accept);
        let (client, peer) = connected(&network).await;
        let calls = several(&client, 3);
        settle().await;
        peer.wire.send(garbage);
        assert_eq!(told(calls).await, ["A", "B", "Protocol"], "{garbage:?}");
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn f38_answers_around_a_drain_in_the_same_segment_are_delivered() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    tokio::time::sleep(11 * SECOND).await;
    let calls = several(&client, 3);
    settle().await;
    peer.wire.send("A\ndrain\nB\n\nC\n");
    assert_eq!(told(calls).await, ["A", "B", "C"]);
    assert!(peer.wire.is_shut());
    client.ready().await.expect("there is another connection");
    assert_eq!(end(client).await.ups, 2);
}

#[tokio::test(start_paused = true)]
async fn a_drain_of_a_connection_that_is_being_replaced_does_not_swallow_what_follows() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let calls = several(&client, 2);
    settle().await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    settle().await;
    peer.wire.send("A\ndrain\nB\n");
    assert_eq!(told(calls).await, ["A", "B"]);
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn many_short_frames_are_not_one_long_frame() {
    let network = Network::new(Fate::Accept);
    let link = LinkConfig::default().max_frame(8);
    let (client, peer) = started(&network, builder(&network, Lines::default()).link(link)).await;
    let calls = several(&client, 300);
    settle().await;
    peer.answer();
    let answers: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    assert_eq!(told(calls).await, answers);
    let calls = several(&client, 1);
    settle().await;
    peer.wire.send("123456789\n");
    assert_eq!(told(calls).await, ["Protocol"]);
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn how_the_bytes_are_cut_does_not_matter() {
    let network = Network::new(Fate::Accept);
    let text = b"A\n!p\nB\n\nC\n";
    for cut in 0..=text.len() {
        let (client, peer) = connected(&network).await;
        let calls = several(&client, 3);
        settle().await;
        peer.wire.send(&text[..cut]);
        settle().await;
        peer.wire.send(&text[cut..]);
        assert_eq!(told(calls).await, ["A", "B", "C"], "cut after {cut} bytes");
        assert_eq!(end(client).await.pushed, 1);
    }
}
