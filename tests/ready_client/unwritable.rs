//! What the protocol wants to say of its own accord and cannot be written: none of the peer's faults.

use statem::net::{Client, Lost, NotSent, Policy, RequestError, Unknown};
use tracing::Level;

use crate::log::listen;
use crate::support::{
    Fate, Lines, Network, SECOND, ask, builder, end, name, outcome, settle, started, until,
};

fn mute() -> Lines {
    Lines {
        mute: true,
        ..Lines::default()
    }
}

const WHY: &str = "what the protocol had to say cannot be written: max line length exceeded";

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_written_is_no_fault_of_the_peer() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, mute())).await;
    let asked = ask(&client, "a");
    settle().await;
    peer.say("? who");
    let told = outcome(asked).await;
    let Err(RequestError::Unknown(Unknown::Lost(lost))) = &told else {
        panic!("{told:?}");
    };
    assert!(matches!(**lost, Lost::Unwritable(_)), "{lost:?}");
    assert_eq!(lost.to_string(), WHY);
    assert!(!lost.is_protocol());
    assert!(peer.wire.is_closed(), "whoever asked has no answer");
    let counts = end(client).await;
    assert_eq!((counts.unknown, counts.protocol), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_cannot_be_written_is_not_passed_over() {
    for ids in [None, Some(1..=9)] {
        let network = Network::new(Fate::Accept);
        let lines = Lines {
            pings: true,
            ids,
            ..mute()
        };
        let settings = builder(&network, lines).ping_after(SECOND);
        let (client, peer) = started(&network, settings).await;
        network.now(Fate::Refuse);
        tokio::time::sleep(SECOND).await;
        assert!(peer.heard().is_empty());
        assert!(peer.wire.is_closed(), "nobody knows whether it lives");
        assert_eq!(client.counts().downs, 1);
        end(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_warned_of_once_and_not_held_against_the_endpoint() {
    let (log, _guard) = listen();
    let network = Network::new(Fate::Accept);
    let two = network.connector().or("127.0.0.1:4001");
    let client = Client::builder(mute(), two).seed(1).start();
    for _ in 0..3 {
        until(|| network.has_peer()).await;
        let peer = network.peer();
        client.ready().await.expect("it runs");
        peer.say("? who");
        until(|| peer.wire.is_closed()).await;
    }
    assert_eq!(network.ports(), [4000, 4000, 4000]);
    end(client).await;
    let warned: Vec<_> = log
        .take()
        .into_iter()
        .filter(|(of, _)| *of == Level::WARN)
        .collect();
    let [(_, text)] = &warned[..] else {
        panic!("{warned:?}");
    };
    assert!(
        text.contains("a mistake in the protocol") && text.contains(WHY),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_greeting_that_cannot_be_written_when_there_is_room_is_a_failed_handshake() {
    let network = Network::new(Fate::Full);
    let lines = Lines {
        // More than a link keeps.
        hello: Some(Box::leak("x".repeat(70_000).into_boxed_str())),
        ..mute()
    };
    let client = builder(&network, lines).start();
    settle().await;
    let peer = network.peer();
    network.now(Fate::Refuse);
    peer.say("who");
    settle().await;
    assert!(!peer.wire.is_closed(), "its answer waits for room");
    peer.wire.accept(100_000);
    settle().await;
    let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&failed), "NotSent(Disconnected)");
    let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = failed else {
        unreachable!("as above");
    };
    assert!(matches!(*lost, Lost::Handshake(_)), "{lost:?}");
    end(client).await;
}
