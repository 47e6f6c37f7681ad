//! What becomes of requests.

use std::time::Duration;

use statem::net::{Policy, RequestError};

use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, builder, connected, end, name, outcome, settle, started,
};

#[tokio::test(start_paused = true)]
async fn f25_a_request_whose_caller_goes_before_it_is_sent_never_is() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).start();
    let gone = ask(&client, "gone");
    let stays = ask(&client, "stays");
    settle().await;
    gone.abort();
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    let peer = network.peer();
    assert_eq!(peer.heard(), ["stays"]);
    peer.say("STAYS");
    assert_eq!(name(&outcome(stays).await), "STAYS");
    let counts = end(client).await;
    assert_eq!((counts.accepted, counts.not_sent, counts.ok), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn f26_a_request_whose_caller_goes_after_it_is_sent_keeps_its_answer_to_itself() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let mut random = random_numbers(7);
    let mut live = Vec::new();
    for number in 0..2000 {
        let asked = ask(&client, &format!("n{number}"));
        let dropped_after = Duration::from_millis(random() % 12);
        if random().is_multiple_of(2) {
            tokio::spawn(async move {
                tokio::time::sleep(dropped_after).await;
                asked.abort();
            });
        } else {
            live.push((number, asked));
        }
        if number % 3 == 0 {
            // Some go before the answer comes.
            tokio::time::sleep(3 * MS).await;
            peer.answer();
        }
    }
    tokio::time::sleep(20 * MS).await;
    peer.answer();
    for (number, asked) in live {
        assert_eq!(name(&outcome(asked).await), format!("N{number}"));
    }
    let counts = end(client).await;
    assert_eq!((counts.connects, counts.stray), (1, 0));
    assert!(counts.late > 0, "{counts:?}");
}

/// Numbers from a seed.
fn random_numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

#[tokio::test(start_paused = true)]
async fn f27_two_thousand_calls_that_are_given_up_while_it_is_down_are_not_sent() {
    let network = Network::new(Fate::Refuse);
    let client = builder(&network, Lines::default()).queue(4000).start();
    let calls: Vec<_> = (0..2000)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { client.call(number.to_string()).limit(50 * MS).await })
        })
        .collect();
    tokio::time::sleep(100 * MS).await;
    for call in calls {
        assert_eq!(
            name(&call.await.expect("nobody panics")),
            "NotSent(TimedOut)"
        );
    }
    network.now(Fate::Accept);
    client.ready().await.expect("it connects");
    settle().await;
    assert_eq!(network.peer().heard(), Vec::<String>::new());
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.not_sent), (0, counts.accepted));
}

#[tokio::test(start_paused = true)]
async fn f28_what_was_read_is_unknown_and_what_was_not_is_not_sent() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    // Two lines and a half of "incr-n\n".
    peer.wire.accept(2 * 7 + 3);
    let asked: Vec<_> = (0..5)
        .map(|number| ask(&client, &format!("incr-{number}")))
        .collect();
    settle().await;
    assert_eq!(peer.heard(), ["incr-0", "incr-1", "inc"]);
    peer.say("ONE");
    settle().await;
    peer.reset();
    let mut told = Vec::new();
    for asked in asked {
        told.push(name(&outcome(asked).await));
    }
    assert_eq!(
        told,
        [
            "ONE",
            "Unknown(Lost)",
            "Unknown(Lost)",
            "NotSent(Closed)",
            "NotSent(Closed)"
        ]
    );
    client.ready().await.expect("it connects again");
    settle().await;
    assert_eq!(
        network.peer().heard(),
        Vec::<String>::new(),
        "nothing is sent twice"
    );
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.not_sent, counts.replayed), (3, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn f28_only_what_may_run_twice_is_sent_again_in_its_old_order() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let waits: Vec<_> = ["get-1", "set", "get-2", "get-3"]
        .map(|line| ask(&client, line))
        .into();
    settle().await;
    let fails = {
        let client = client.clone();
        tokio::spawn(async move {
            client
                .call("get-4".to_owned())
                .policy(Policy::FailFast)
                .await
        })
    };
    settle().await;
    assert_eq!(peer.heard().len(), 5);
    peer.reset();
    settle().await;
    let later = ask(&client, "later");
    client.ready().await.expect("it connects again");
    settle().await;
    let new = network.peer();
    assert_eq!(new.heard(), ["get-1", "get-2", "get-3", "later"]);
    for line in ["1", "2", "3", "4"] {
        new.say(line);
    }
    let mut told = Vec::new();
    for asked in waits.into_iter().chain([later, fails]) {
        told.push(name(&outcome(asked).await));
    }
    assert_eq!(told, ["1", "Unknown(Lost)", "2", "3", "4", "Unknown(Lost)"]);
    let counts = end(client).await;
    assert_eq!((counts.accepted, counts.sent, counts.replayed), (6, 6, 3));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_gets_an_id_of_the_new_connection() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(3..=9),
        ..Lines::default()
    };
    let (client, peer) = started(&network, builder(&network, by_id)).await;
    let first = ask(&client, "set");
    settle().await;
    let again = ask(&client, "get");
    settle().await;
    assert_eq!(peer.heard(), ["3 set", "4 get"]);
    peer.reset();
    assert_eq!(name(&outcome(first).await), "Unknown(Lost)");
    client.ready().await.expect("it connects again");
    settle().await;
    let new = network.peer();
    assert_eq!(new.heard(), ["3 get"]);
    new.say("3 GET");
    assert_eq!(name(&outcome(again).await), "GET");
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_run_and_waits_to_be_sent_again_is_unknown_when_its_limit_passes() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let asked = ask(&client, "get");
    settle().await;
    network.now(Fate::Refuse);
    peer.reset();
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(name(&outcome(asked).await), "Unknown(TimedOut)");
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.unknown, counts.replayed), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn f29_an_id_whose_caller_has_gone_is_not_given_to_another_request() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(1..=4),
        ..Lines::default()
    };
    let (client, peer) = started(&network, builder(&network, by_id)).await;
    let mut first: Vec<_> = ["a", "b", "c", "d"].map(|line| ask(&client, line)).into();
    settle().await;
    assert_eq!(peer.heard(), ["1 a", "2 b", "3 c", "4 d"]);
    first.remove(1).abort();
    settle().await;
    let busy = client.call("e".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&busy), "NotSent(Busy)");
    let waits = ask(&client, "f");
    settle().await;
    assert_eq!(peer.heard(), Vec::<String>::new());
    // Not in order, and the one nobody waits for among them.
    peer.wire.send("4 D\n2 B\n1 A\n3 C\n");
    settle().await;
    assert_eq!(peer.heard(), ["1 f"]);
    peer.say("1 F");
    let mut told = Vec::new();
    for asked in first.into_iter().chain([waits]) {
        told.push(name(&outcome(asked).await));
    }
    assert_eq!(told, ["A", "C", "D", "F"]);
    let counts = end(client).await;
    assert_eq!((counts.late, counts.stray), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn f29_with_the_connection_its_ids_are_free() {
    let network = Network::new(Fate::Accept);
    let by_id = Lines {
        ids: Some(1..=2),
        ..Lines::default()
    };
    let (client, peer) = started(&network, builder(&network, by_id)).await;
    for line in ["a", "b"] {
        let gone = ask(&client, line);
        settle().await;
        gone.abort();
    }
    settle().await;
    let waits = ask(&client, "c");
    settle().await;
    assert_eq!(peer.heard(), ["1 a", "2 b"]);
    peer.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    settle().await;
    let new = network.peer();
    assert_eq!(new.heard(), ["1 c"]);
    new.say("1 C");
    assert_eq!(name(&outcome(waits).await), "C");
    end(client).await;
}

async fn violated(bytes: &[u8], protocol: Lines) {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, protocol)).await;
    let asked: Vec<_> = ["a", "b"].map(|line| ask(&client, line)).into();
    settle().await;
    peer.wire.send(bytes);
    for asked in asked {
        assert_eq!(name(&outcome(asked).await), "Protocol", "{bytes:?}");
    }
    assert!(peer.wire.is_closed());
    client
        .ready()
        .await
        .expect("the process lives and connects again");
    let counts = end(client).await;
    assert_eq!((counts.protocol, counts.connects), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn f30_what_may_not_come_is_a_protocol_error_for_those_in_flight() {
    violated(b"bad\n", Lines::default()).await;
    violated(b"\xff\xfe garbage\n", Lines::default()).await;
    let by_id = Lines {
        ids: Some(1..=9),
        ..Lines::default()
    };
    violated(b"7 nobody\n", by_id.clone()).await;
    violated(b"no id\n", by_id).await;
}

#[tokio::test(start_paused = true)]
async fn f30_an_answer_that_nobody_asked_for_ends_the_connection() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    peer.say("unasked");
    settle().await;
    assert!(peer.wire.is_closed());
    client.ready().await.expect("it connects again");
    let counts = end(client).await;
    assert_eq!((counts.stray, counts.connects), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_told_and_disturbs_nobody() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let before = ask(&client, "a");
    settle().await;
    let invalid = client.call("two\nlines".to_owned()).await;
    assert_eq!(name(&invalid), "NotSent(Invalid)");
    let after = ask(&client, "b");
    settle().await;
    assert_eq!(peer.answer(), 2);
    assert_eq!(name(&outcome(before).await), "A");
    assert_eq!(name(&outcome(after).await), "B");
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.not_sent), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_asks_is_answered_before_anything_else_and_one_that_asks_without_reading_is_left()
 {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    peer.say("?1");
    settle().await;
    assert_eq!(peer.heard(), ["=1"]);
    peer.wire.accept(0);
    let question = format!("?{}", "x".repeat(40 * 1024));
    for _ in 0..3 {
        peer.say(&question);
    }
    settle().await;
    let waits = ask(&client, "a");
    settle().await;
    peer.wire.accept(usize::MAX);
    settle().await;
    let heard = peer.heard();
    assert_eq!(
        (heard.len(), &*heard[3]),
        (4, "a"),
        "what the peer asked for goes first"
    );
    peer.say("A");
    assert_eq!(name(&outcome(waits).await), "A");
    peer.wire.accept(0);
    for _ in 0..2 {
        peer.say(&question);
    }
    peer.wire.send("?\n".repeat(1100));
    settle().await;
    assert!(peer.wire.is_closed());
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn f09_all_in_flight_are_told_in_the_turn_in_which_the_connection_is_lost() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    let calls: Vec<_> = (0..64)
        .map(|number| ask(&client, &number.to_string()))
        .collect();
    settle().await;
    network.now(Fate::Refuse);
    peer.wire.end();
    settle().await;
    for call in calls {
        assert!(call.is_finished());
        let told = call.await.expect("nobody panics");
        assert!(matches!(&told, Err(RequestError::Unknown(_))), "{told:?}");
    }
    end(client).await;
}

#[tokio::test(start_paused = true)]
async fn n80_what_was_buffered_and_may_be_sent_again_counts_once() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = connected(&network).await;
    peer.wire.accept(0);
    let asked = ask(&client, "get");
    settle().await;
    peer.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    settle().await;
    network.peer().answer();
    assert_eq!(name(&outcome(asked).await), "GET");
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.ok, counts.replayed), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn f30_an_answer_to_a_request_of_which_no_byte_was_sent_is_one_that_nobody_asked_for() {
    for (ids, says) in [(None, "408 TIMEOUT"), (Some(408..=409), "408 TIMEOUT")] {
        let network = Network::new(Fate::Accept);
        let lines = Lines {
            ids,
            ..Lines::default()
        };
        let (client, peer) = started(&network, builder(&network, lines)).await;
        peer.wire.accept(0);
        let asked = ask(&client, "transfer");
        settle().await;
        // As a server that tells an idle client, unasked, that it is about to hang up.
        peer.say(says);
        let told = name(&outcome(asked).await);
        assert_eq!((&*told, peer.heard()), ("NotSent(Closed)", vec![]));
        assert!(peer.wire.is_closed());
        let counts = end(client).await;
        assert_eq!((counts.ok, counts.stray, counts.not_sent), (0, 1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_run_twice_and_that_kills_its_peer_is_sent_again_three_times() {
    let network = Network::new(Fate::Accept);
    let client = builder(&network, Lines::default())
        .limit(600 * SECOND)
        .start();
    let poison = ask(&client, "get poison");
    let mut sent = 0;
    while !poison.is_finished() {
        if network.has_peer() {
            let peer = network.peer();
            settle().await;
            settle().await;
            sent += peer.heard().len();
            peer.reset();
        }
        settle().await;
        assert!(sent < 20, "it is sent without end");
    }
    assert_eq!(name(&outcome(poison).await), "Unknown(Lost)");
    assert_eq!(sent, 4);
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.replayed, counts.unknown), (1, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn n80_what_may_have_run_on_one_connection_is_unknown_although_the_next_one_takes_nothing() {
    let network = Network::new(Fate::Accept);
    let (client, first) = connected(&network).await;
    let asked = ask(&client, "get");
    settle().await;
    assert_eq!(first.heard(), ["get"]);
    network.now(Fate::Full);
    first.reset();
    settle().await;
    client.ready().await.expect("it connects again");
    settle().await;
    network.now(Fate::Refuse);
    network.peer().reset();
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(name(&outcome(asked).await), "Unknown(TimedOut)");
    let counts = end(client).await;
    assert_eq!((counts.sent, counts.not_sent, counts.unknown), (1, 0, 1));
}
