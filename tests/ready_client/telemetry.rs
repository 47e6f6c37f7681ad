//! What the log is told, and a handler that panics.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once};

use statem::ExitReason;
use statem::net::Policy;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use crate::support::{
    Fate, Lines, Network, SECOND, ask, balanced, builder, connected, end, name, outcome, settle,
    started, until,
};

/// Whether anybody wants to hear of a place in the code is remembered for the whole process. So
/// somebody does, before a client starts: a test that listens must not find it remembered otherwise.
pub(crate) fn somebody_listens() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let set = tracing::subscriber::set_global_default(Deaf);
        set.expect("it is set here alone");
    });
}

/// Is told of everything a client does, and keeps nothing.
struct Deaf;

impl Subscriber for Deaf {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Log::wants(metadata)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Keeps what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.target() == "statem::net::client"
    }

    fn count(&self, level: Level, part: &str) -> usize {
        let log = self.0.lock().expect("nobody panics with it");
        let fits = |(of, text): &&(Level, String)| *of == level && text.contains(part);
        log.iter().filter(fits).count()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Log::wants(metadata)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                let _ = write!(self.0, "{field}={value:?} ");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        let mut log = self.0.lock().expect("nobody panics with it");
        log.push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn f44_every_start_has_its_end_in_the_log_and_in_the_counts() {
    let log = Log::default();
    let _default = tracing::subscriber::set_default(log.clone());
    let network = Network::new(Fate::Refuse);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let client = builder(&network, hello).start();
    settle().await;
    let failed = client.call("a".to_owned()).policy(Policy::FailFast).await;
    assert_eq!(name(&failed), "NotSent(Disconnected)");
    network.now(Fate::Accept);
    for _ in 0..3 {
        until(|| network.has_peer()).await;
        let peer = network.peer();
        peer.say("welcome");
        settle().await;
        let calls = [ask(&client, "b"), ask(&client, "c")];
        settle().await;
        peer.say("B");
        settle().await;
        peer.reset();
        let mut told = Vec::new();
        for call in calls {
            told.push(name(&outcome(call).await));
        }
        assert_eq!(told, ["B", "Unknown(Lost)"]);
    }
    network.now(Fate::Hang);
    tokio::time::sleep(2 * SECOND).await;
    let counts = end(client).await;
    assert_eq!((counts.ok, counts.unknown, counts.not_sent), (3, 3, 1));
    assert_eq!((counts.connects_failed, counts.ups), (1, 3));
    let count = |part: &str| log.count(Level::DEBUG, part) as u64;
    assert_eq!(count("message=connecting"), counts.connects);
    assert_eq!(count("message=connected"), counts.connects_succeeded);
    assert_eq!(count("message=could not connect"), counts.connects_failed);
    assert_eq!(
        count("message=gave up connecting"),
        counts.connects_abandoned
    );
    assert_eq!(count("message=handshake"), 3);
    assert_eq!(count("message=a request was answered"), 3);
    assert_eq!(count("unknown=1"), 3);
    assert_eq!(count("not_sent=1"), 1);
    assert_eq!(log.count(Level::INFO, "message=up"), 3);
    assert_eq!(log.count(Level::INFO, "message=down"), 3);
    assert_eq!(log.count(Level::INFO, "reason=reading failed"), 3);
    assert_eq!(log.count(Level::INFO, "in_flight=1"), 3);
}

#[tokio::test(start_paused = true)]
async fn f39_a_protocol_that_panics_ends_the_client_and_everybody_is_told() {
    let network = Network::new(Fate::Accept);
    let (client, peer) = started(&network, builder(&network, Lines::default()).window(2)).await;
    let sent = [ask(&client, "a"), ask(&client, "b")];
    settle().await;
    let waits = ask(&client, "c");
    settle().await;
    peer.say("panic");
    assert!(matches!(client.closed().await, ExitReason::Panicked { .. }));
    for call in sent {
        assert_eq!(name(&outcome(call).await), "Stopped(true)");
    }
    assert_eq!(name(&outcome(waits).await), "Stopped(false)");
    assert!(peer.wire.is_closed());
    let counts = end(client).await;
    assert_eq!((counts.stopped, counts.not_sent), (2, 1));

    // Whoever restarts it needs no network for that.
    let (again, peer) = connected(&network).await;
    let asked = ask(&again, "a");
    settle().await;
    peer.answer();
    assert_eq!(name(&outcome(asked).await), "A");
    end(again).await;
}

#[tokio::test(start_paused = true)]
async fn f39_a_protocol_that_panics_over_a_replaced_connection_ends_the_client() {
    let network = Network::new(Fate::Accept);
    let (client, old) = connected(&network).await;
    let on_old = ask(&client, "a");
    settle().await;
    network.now(Fate::Hang);
    client.reconnect_now().await;
    settle().await;
    old.say("panic");
    assert!(matches!(client.closed().await, ExitReason::Panicked { .. }));
    assert_eq!(name(&outcome(on_old).await), "Stopped(true)");
    balanced(client.counts());
    end(client).await;
}
