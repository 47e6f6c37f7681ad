//! What the log is told, and a handler that panics.

use std::net::SocketAddr;

use statem::ExitReason;
use statem::net::{Address, Client, Connector, Dial, Io, IoFuture, Policy, Resolve};
use tracing::Level;

use crate::log::{Log, listen};
use crate::support::{
    Fate, Lines, MS, Network, SECOND, ask, balanced, builder, connected, end, name, outcome,
    settle, started, until,
};

#[tokio::test(start_paused = true)]
async fn f44_every_start_has_its_end_in_the_log_and_in_the_counts() {
    let (log, _guard) = listen();
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
    let kept = log.take();
    let count_of = |level: Level, part: &str| {
        let fits = |(of, text): &&(Level, String)| *of == level && text.contains(part);
        kept.iter().filter(fits).count()
    };
    let count = |part: &str| count_of(Level::DEBUG, part) as u64;
    assert_eq!(count("message=connecting"), counts.connects);
    assert_eq!(count("message=connected"), counts.connects_succeeded);
    assert_eq!(count("message=could not connect"), counts.connects_failed);
    assert_eq!(
        count("message=gave up connecting"),
        counts.connects_abandoned
    );
    assert_eq!(count("message=handshake endpoint="), 3);
    assert_eq!(count("message=handshake done"), 3);
    assert_eq!(count("message=a request was answered"), 3);
    assert_eq!(count("unknown=1"), 3);
    assert_eq!(count("not_sent=1"), 1);
    assert_eq!(count_of(Level::INFO, "message=up"), 3);
    assert_eq!(count_of(Level::INFO, "message=down"), 3);
    assert_eq!(count_of(Level::INFO, "reason=reading failed"), 3);
    assert_eq!(count_of(Level::INFO, "in_flight=1"), 3);
    assert_eq!(count_of(Level::INFO, "uptime="), 3);
}

/// Where a client connects to, and which of these answers.
const BOTH: &str = "127.0.0.1:4000 or 127.0.0.1:4001";
const FIRST: &str = "127.0.0.1:4000";

/// What is said of requests; everything else is said of connections.
const OF_REQUESTS: [&str; 3] = [
    "a request was answered",
    "an answer came too late",
    "requests failed",
];

/// What was said of connections since the log was last asked: each message, and to which endpoint.
fn of_connections(log: &Log) -> Vec<String> {
    let kept = log.take().into_iter();
    let lines = kept.filter_map(|(_, line)| {
        let said = line.strip_prefix("message=").expect("words come first");
        // The driver names the machine.
        let is_client = !said.contains(" machine=");
        if !is_client || OF_REQUESTS.iter().any(|words| said.starts_with(words)) {
            return None;
        }
        let named = said.split_once(" endpoint=");
        let (message, rest) = named.unwrap_or_else(|| panic!("no endpoint in {said:?}"));
        let words = rest.split(' ').take_while(|word| !word.contains('='));
        let endpoint: Vec<_> = words.collect();
        Some(format!("{message}: {}", endpoint.join(" ")))
    });
    lines.collect()
}

#[tokio::test(start_paused = true)]
async fn f44_whatever_is_said_of_a_connection_names_its_endpoint_and_every_handshake_has_an_end() {
    let (log, _guard) = listen();
    let network = Network::new(Fate::Refuse);
    let hello = Lines {
        hello: Some("hello"),
        ..Lines::default()
    };
    let connector = network.connector().or("127.0.0.1:4001");
    let start = || Client::builder(hello.clone(), connector.clone()).start();
    let client = start();
    until(|| client.counts().connects_failed == 1).await;
    let warned = format!("cannot connect; not told again before it could: {BOTH}");
    assert_eq!(
        of_connections(&log),
        [
            format!("connecting: {BOTH}"),
            format!("could not connect: {BOTH}"),
            warned,
            format!("disconnected: {BOTH}"),
        ]
    );
    end(client).await;
    log.take();

    network.now(Fate::Accept);
    for (way, ends) in [
        ("welcome", vec!["handshake done", "up"]),
        ("what", vec!["handshake failed"]),
        ("no", vec!["handshake failed"]),
        ("", vec!["handshake failed"]),
        ("stop", vec!["gave up the handshake"]),
        ("kill", vec!["gave up the handshake"]),
        ("shutdown", vec!["gave up the handshake"]),
    ] {
        let client = start();
        until(|| network.has_peer()).await;
        let peer = network.peer();
        settle().await;
        let begins = [
            format!("connecting: {BOTH}"),
            format!("connected: {FIRST}"),
            format!("handshake: {FIRST}"),
        ];
        assert_eq!(of_connections(&log), begins, "{way:?}");
        network.now(Fate::Hang);
        match way {
            "stop" => drop(client.stop().await),
            "kill" => client.kill(),
            "shutdown" => drop(client.shutdown(SECOND).await),
            "" => tokio::time::sleep(10 * SECOND).await,
            said => peer.say(said),
        }
        settle().await;
        let said = of_connections(&log);
        let expected: Vec<_> = ends.iter().map(|end| format!("{end}: {FIRST}")).collect();
        assert_eq!(said[..expected.len()], expected, "{way:?}");
        let fails = ends == ["handshake failed"];
        let warned = format!("cannot connect; not told again before it could: {FIRST}");
        assert_eq!(said.contains(&warned), fails, "{said:?}");
        let disconnected = format!("disconnected: {FIRST}");
        assert_eq!(said.contains(&disconnected), fails, "{said:?}");
        if way == "welcome" {
            peer.reset();
            settle().await;
            let said = of_connections(&log);
            assert_eq!(said[..2], [format!("down: {FIRST}"), disconnected]);
        }
        client.stop().await;
        let abandoned = client.counts().connects_abandoned;
        end(client).await;
        let gave_up = format!("gave up connecting: {BOTH}");
        let said = of_connections(&log);
        let times = said.iter().filter(|said| **said == gave_up).count();
        assert_eq!(times as u64, abandoned, "{way:?}: {said:?}");
        network.now(Fate::Accept);
    }
}

#[tokio::test(start_paused = true)]
async fn f44_the_log_has_the_outcome_of_every_request() {
    let (log, _guard) = listen();
    let network = Network::new(Fate::Accept);
    // How a client ends, each with a request in flight and one that waits.
    for way in ["stopped", "killed", "drained", "panicked"] {
        log.take();
        let settings = builder(&network, Lines::default()).window(2);
        let (client, peer) = started(&network, settings).await;
        let answered = ask(&client, "a");
        settle().await;
        peer.answer();
        assert_eq!(name(&outcome(answered).await), "A");
        let unwritable = ask(&client, "b\nc");
        assert_eq!(name(&outcome(unwritable).await), "NotSent(Invalid)");
        let late = client.call("d".to_owned()).limit(MS).await;
        assert_eq!(name(&late), "Unknown(TimedOut)");
        peer.answer();
        settle().await;
        let broken = ask(&client, "e");
        settle().await;
        peer.say("bad");
        assert_eq!(name(&outcome(broken).await), "Protocol");
        client.ready().await.expect("it connects again");
        let peer = network.peer();
        let held = [ask(&client, "f"), ask(&client, "g"), ask(&client, "h")];
        settle().await;
        match way {
            "stopped" => drop(client.stop().await),
            "killed" => client.kill(),
            "panicked" => peer.say("panic"),
            _ => {
                let ended = client.clone();
                let ended = tokio::spawn(async move { ended.shutdown(SECOND).await });
                settle().await;
                let refused = client.call("i".to_owned()).await;
                assert_eq!(name(&refused), "NotSent(Stopping)");
                peer.answer();
                peer.wire.end();
                ended.await.expect("nobody panics");
            }
        }
        for held in held {
            outcome(held).await.ok();
        }
        let counts = end(client).await;
        let kept = log.take();
        let told = |part: &str| kept.iter().filter(|(_, line)| line.contains(part)).count() as u64;
        let sum = |field: &str| -> u64 {
            let failed = kept
                .iter()
                .filter(|(_, line)| line.contains("requests failed"));
            let fields = failed.flat_map(|(_, line)| line.split(' '));
            let numbers = fields.filter_map(|word| word.strip_prefix(field)?.strip_prefix('='));
            numbers
                .map(|number| number.parse::<u64>().expect("a number"))
                .sum()
        };
        let logged = (
            told("a request was answered"),
            sum("not_sent"),
            sum("unknown") + told("an answer came too late"),
            sum("protocol"),
            sum("stopped"),
        );
        let counted = (
            counts.ok,
            counts.not_sent,
            counts.unknown,
            counts.protocol,
            counts.stopped,
        );
        assert_eq!(logged, counted, "{way}");
        let came_and_went = (told("message=up "), told("message=down "));
        assert_eq!(came_and_went, (counts.ups, counts.downs), "{way}");
    }
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

#[tokio::test(start_paused = true)]
async fn that_a_client_cannot_connect_is_told_once_until_it_was_connected() {
    for (refused, why) in [(false, "connection refused"), (true, "wrong password")] {
        let (log, _guard) = listen();
        let network = Network::new(if refused { Fate::Accept } else { Fate::Refuse });
        let hello = Lines {
            hello: refused.then_some("hello"),
            ..Lines::default()
        };
        let client = builder(&network, hello).start();
        let warned = || {
            let kept = log.take().into_iter();
            let warned = kept.filter(|(level, _)| *level <= Level::WARN);
            warned.map(|(_, line)| line).collect::<Vec<_>>()
        };
        for series in 0..2 {
            for _ in 0..600 {
                tokio::time::sleep(SECOND).await;
                if network.has_peer() {
                    network.peer().say("no");
                }
            }
            let lines = warned();
            assert_eq!(lines.len(), 1, "series {series}: {lines:?}");
            assert!(lines[0].contains(why), "{lines:?}");
            network.now(Fate::Accept);
            client.reconnect_now().await;
            until(|| network.has_peer()).await;
            let peer = network.peer();
            if refused {
                peer.say("welcome");
            }
            client.ready().await.expect("it connects");
            // That a connection is lost is told anyway.
            settle().await;
            network.now(if refused { Fate::Accept } else { Fate::Refuse });
            peer.reset();
        }
        client.stop().await;
        end(client).await;
    }
}

/// A resolver and a dialler that panic: when they are asked, or in the future that they give.
struct Panics {
    later: bool,
}

impl Panics {
    fn future<T: Send + 'static>(&self) -> IoFuture<T> {
        assert!(self.later, "at once");
        Box::pin(async { panic!("later") })
    }
}

impl Resolve for Panics {
    fn resolve(&self, _: &str, _: u16) -> IoFuture<Vec<SocketAddr>> {
        self.future()
    }
}

impl Dial for Panics {
    fn dial(&self, _: &Address) -> IoFuture<Box<dyn Io>> {
        self.future()
    }
}

#[tokio::test(start_paused = true)]
async fn f39_a_resolver_or_a_dialler_that_panics_ends_the_client_and_everybody_is_told() {
    for later in [false, true] {
        for resolves in [false, true] {
            let connector = if resolves {
                Connector::new("db.example:4000").resolver(Panics { later })
            } else {
                Connector::new("10.0.0.1:4000").dialler(Panics { later })
            };
            let client = Client::start(Lines::default(), connector);
            let asked = ask(&client, "a");
            assert!(matches!(client.closed().await, ExitReason::Panicked { .. }));
            assert_eq!(name(&outcome(asked).await), "Stopped(false)");
            let counts = end(client).await;
            assert_eq!((counts.connects, counts.connects_abandoned), (1, 1));
        }
    }
}
