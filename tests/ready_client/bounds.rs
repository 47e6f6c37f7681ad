//! Bounds: the queue, the window, the write buffer.

use statem::net::{Client, Lost, NotSent, Policy, RequestError};

use crate::support::{
    Fate, Lines, MS, Network, Outcome, Peer, SECOND, ask, builder, connected, end, name, now,
    outcome, settle, started, state,
};

#[tokio::test(start_paused = true)]
async fn f31_a_hundred_thousand_calls_while_it_is_down_wait_up_to_the_bound() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).queue(1000).start();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..100_000 {
        let client = client.clone();
        calls.spawn(async move {
            let start = now();
            (
                name(&client.call(number.to_string()).await),
                start.elapsed(),
            )
        });
    }
    let (mut full, mut timed_out) = (0, 0);
    while let Some(told) = calls.join_next().await {
        match told.expect("nobody panics") {
            (told, after) if told == "NotSent(QueueFull)" => {
                assert!(after < 10 * MS, "{after:?}");
                full += 1;
            }
            (told, after) if told == "NotSent(TimedOut)" => {
                assert_eq!(after, 5 * SECOND);
                timed_out += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((full, timed_out), (99_000, 1000));
    let counts = end(client).await;
    assert_eq!((counts.accepted, counts.not_sent), (100_000, 100_000));
}

#[tokio::test(start_paused = true)]
async fn f31_a_caller_may_let_the_oldest_give_way() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default())
        .policy(Policy::DropOldest(2))
        .start();
    let mut calls = Vec::new();
    for line in ["a", "b", "c"] {
        calls.push(ask(&client, line));
        settle().await;
    }
    assert_eq!(name(&outcome(calls.remove(0)).await), "NotSent(Displaced)");
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    assert_eq!(network.peer().answer(), 2);
    for (call, answer) in calls.into_iter().zip(["B", "C"]) {
        assert_eq!(name(&outcome(call).await), answer);
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f32_what_waited_goes_before_what_comes_and_each_is_sent_at_most_once() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).window(2).start();
    let mut calls = Vec::new();
    for line in ["0", "1", "2", "3", "4"] {
        calls.push(ask(&client, line));
        settle().await;
    }
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    for line in ["5", "6"] {
        calls.push(ask(&client, line));
        settle().await;
    }
    let mut sent = Vec::new();
    let mut peer = network.peer();
    for round in 0..6 {
        sent.extend(peer.heard());
        if round == 2 {
            // In the middle of it the connection is lost, and the two in flight with it.
            peer.reset();
            settle().await;
            client.ready().await.expect("it connects again");
            settle().await;
            peer = network.peer();
        } else {
            peer.say("answer");
        }
        settle().await;
    }
    assert_eq!(sent, ["0", "1", "2", "3", "4", "5", "6"]);
    let mut told = Vec::new();
    for call in calls {
        told.push(name(&outcome(call).await));
    }
    assert_eq!(
        told.iter().filter(|told| *told == "Unknown(Lost)").count(),
        2,
        "{told:?}"
    );
    assert_eq!(
        told.iter().filter(|told| *told == "answer").count(),
        5,
        "{told:?}"
    );
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f33_no_more_than_the_window_is_on_the_wire() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, Lines::default()).window(8)).await;
    let calls: Vec<_> = (0..18)
        .map(|number| ask(&client, &format!("n{number}")))
        .collect();
    settle().await;
    let busy = client.call("no".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&busy), "NotSent(Busy)");
    let mut most = 0;
    loop {
        let lines = peer.answer();
        most = most.max(lines);
        if lines == 0 {
            break;
        }
        settle().await;
    }
    assert_eq!(most, 8);
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(name(&outcome(call).await), format!("N{number}"));
    }
    assert_eq!(end(client).await.ok, 18);
}

#[tokio::test(start_paused = true)]
async fn f24_a_full_write_buffer_lets_requests_wait_and_they_go_on_in_order() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    peer.wire.accept(0);
    let line = "x".repeat(30 * 1024);
    let calls: Vec<_> = (0..6)
        .map(|number| ask(&client, &format!("{number}{line}")))
        .collect();
    settle().await;
    let busy = client.call("no".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&busy), "NotSent(Busy)");
    peer.wire.accept(usize::MAX);
    settle().await;
    let heard = peer.heard();
    let order: String = heard
        .iter()
        .filter_map(|line| line.chars().next())
        .collect();
    assert_eq!(order, "012345");
    for _ in heard {
        peer.say("done");
    }
    for call in calls {
        assert_eq!(name(&outcome(call).await), "done");
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f32_nobody_overtakes_while_the_write_buffer_empties() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    peer.wire.accept(0);
    // Two answers of the protocol's own fill the buffer, the third waits for room.
    let question = "?".to_owned() + &"x".repeat(40 * 1024);
    for _ in 0..3 {
        peer.say(&question);
    }
    settle().await;
    // There is room, but not yet so much that those who wait are told.
    peer.wire.accept(30 * 1024);
    settle().await;
    let first = ask(&client, "1");
    settle().await;
    peer.wire.accept(usize::MAX);
    settle().await;
    let heard = peer.heard();
    assert_eq!((heard.len(), &*heard[3]), (4, "1"));

    peer.wire.accept(0);
    let long = "y".repeat(40 * 1024);
    let calls: Vec<_> = (0..3)
        .map(|number| ask(&client, &format!("{number}{long}")))
        .collect();
    settle().await;
    peer.wire.accept(30 * 1024);
    settle().await;
    let last = ask(&client, "last");
    settle().await;
    peer.wire.accept(usize::MAX);
    settle().await;
    let heard = peer.heard();
    assert_eq!((heard.len(), &*heard[3]), (4, "last"));
    for _ in 0..5 {
        peer.say("done");
    }
    for call in calls.into_iter().chain([first, last]) {
        assert_eq!(name(&outcome(call).await), "done");
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_is_written_once_into_a_request_that_found_no_room_at_first() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(1..=9),
        ..Lines::default()
    };
    let (client, peer) = started(&network, builder(&network, by_id)).await;
    peer.wire.accept(0);
    let line = "x".repeat(40 * 1024);
    let calls: Vec<_> = (0..4).map(|_| ask(&client, &line)).collect();
    settle().await;
    peer.wire.accept(usize::MAX);
    settle().await;
    settle().await;
    let heard = peer.heard();
    for (number, heard) in heard.iter().enumerate() {
        assert_eq!(*heard, format!("{} {line}", number + 1));
        peer.say(&format!("{} done", number + 1));
    }
    for call in calls {
        assert_eq!(name(&outcome(call).await), "done");
    }
    end(client).await;
}

/// Sends more frames than are handled in a turn, and breaks: what is written fails in this turn, and
/// why is told after the frames of the next one.
fn breaks_behind_frames(peer: &Peer) {
    peer.wire.send("\n".repeat(8 * 1024));
    peer.reset();
}

/// Asks more than the machine takes in a turn.
fn ask_fast(client: &Client<Lines>) -> Vec<tokio::task::JoinHandle<Outcome>> {
    let call = |number: usize| {
        let client = client.clone();
        async move {
            let call = client.call(format!("n{number}"));
            call.policy(Policy::FailFast).await
        }
    };
    (0..200).map(|number| tokio::spawn(call(number))).collect()
}

/// Those that were written are told that they did not leave, and those that came too late for that
/// are told why there is no connection.
async fn are_told(calls: Vec<tokio::task::JoinHandle<Outcome>>) {
    let (mut closed, mut disconnected) = (0, 0);
    for call in calls {
        match outcome(call).await {
            Err(RequestError::NotSent(NotSent::Closed(_))) => closed += 1,
            Err(RequestError::NotSent(NotSent::Disconnected(lost))) => {
                assert!(matches!(*lost, Lost::Closed(_)), "{lost}");
                disconnected += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(closed > 0 && disconnected > 0, "{closed} {disconnected}");
}

#[tokio::test(start_paused = true)]
async fn f12_who_fails_fast_while_a_broken_connection_has_frames_left_is_told_that_it_broke() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let calls = ask_fast(&client);
    breaks_behind_frames(&peer);
    are_told(calls).await;
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f12_so_is_who_does_while_that_connection_is_replaced() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    let calls = ask_fast(&client);
    breaks_behind_frames(&peer);
    are_told(calls).await;
    assert_eq!(state(&client), "Connecting");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f12_f38_so_is_who_does_while_a_peer_that_drains_is_replaced() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    let calls = ask_fast(&client);
    peer.wire.send(format!("{}drain\n", "\n".repeat(8 * 1024)));
    peer.reset();
    let mut drained = 0;
    for call in calls {
        match outcome(call).await {
            Err(RequestError::NotSent(NotSent::Closed(_))) => {}
            Err(RequestError::NotSent(NotSent::Disconnected(lost))) => {
                assert!(matches!(*lost, Lost::Drained), "{lost}");
                drained += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(drained > 0);
    end(client).await;
}

/// Every task that can go on does so once.
async fn others_first() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if waited {
            return std::task::Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// What is told to somebody who fails fast, so many turns after the request that fills the window and
/// that nobody reads.
async fn told_after(turns: usize) -> String {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, Lines::default()).window(1)).await;
    let fills = ask(&client, "fills the window");
    let fails = {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..turns {
                others_first().await;
            }
            let call = client.call("fails".to_owned());
            call.policy(Policy::FailFast).await
        })
    };
    breaks_behind_frames(&peer);
    let told = name(&outcome(fails).await);
    drop(fills);
    end(client).await;
    told
}

#[tokio::test(start_paused = true)]
async fn f12_who_fails_fast_on_a_full_window_of_a_broken_connection_is_told_that_it_broke() {
    // As long as nothing was written nobody can know.
    assert_eq!(told_after(0).await, "NotSent(Busy)");
    for turns in 1..=4 {
        assert_eq!(told_after(turns).await, "NotSent(Disconnected)", "{turns}");
    }
}
