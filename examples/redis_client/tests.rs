//! The client's machine, driven by hand: no server, no runtime, no waiting.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use statem::net::CloseReason;
use statem::testing::{Bench, Wire, WireEnd, wire};
use statem::{Answer, CallError, ExitReason, Origin};
use tokio_util::codec::Decoder;

use super::codec::resp::{Frame, Resp};
use super::machine::{Client, Connecting, Connection, Event, Redis, Settings, Socket, Waiting};
use super::request::{Lost, RequestError, Value, command};

type Driven = Bench<Connection>;
type Asked = Answer<Value, RequestError>;

/// What a Redis that speaks RESP3 answers to the greeting.
const GREETING: &[u8] = b"%1\r\n+proto\r\n:3\r\n";

fn bench(settings: Settings) -> Driven {
    // Dialling is finished by the tests.
    Bench::new(
        Connecting,
        Client::new(settings, Box::new(|| Box::pin(std::future::pending()))),
    )
}

fn dialled(bench: &mut Driven, end: WireEnd) {
    bench.finish::<io::Result<Socket>>(Ok(Box::new(end)));
    bench.poll();
}

/// A client that has a connection, and the other end of it.
fn connected(settings: Settings) -> (Driven, Wire) {
    let mut bench = bench(settings);
    let server = connect(&mut bench);
    (bench, server)
}

fn connect(bench: &mut Driven) -> Wire {
    let (end, server) = wire();
    dialled(bench, end);
    assert_eq!(commands(&server), [["HELLO", "3"]]);
    server.send(GREETING);
    bench.poll();
    assert_eq!(bench.state_name(), "Connected");
    server
}

fn get(bench: &mut Driven, key: &str) -> Asked {
    let frame = command(["GET", key]);
    bench.call(|reply| Event::Send {
        command: frame,
        reply,
    })
}

/// The commands that the server has received since this was last asked.
fn commands(server: &Wire) -> Vec<Vec<String>> {
    let mut bytes = BytesMut::from(&server.take_written()[..]);
    let mut commands = Vec::new();
    while let Some(frame) = Resp.decode(&mut bytes).expect("the client writes commands") {
        let Frame::Array { data, .. } = frame else {
            panic!("a command is an array: {frame:?}")
        };
        let words = data.into_iter().map(|word| match word {
            Frame::BlobString { data, .. } => {
                String::from_utf8(data.to_vec()).expect("a word is text")
            }
            other => panic!("a word is a string: {other:?}"),
        });
        commands.push(words.collect());
    }
    assert!(bytes.is_empty(), "half a command was left: {bytes:?}");
    commands
}

fn value(answer: &mut Asked) -> Value {
    answer.try_take().expect("an answer").expect("a value")
}

fn failure(answer: &mut Asked) -> RequestError {
    match answer.try_take().expect("an answer") {
        Err(CallError::Failed(error)) => error,
        other => panic!("not the client's own error: {other:?}"),
    }
}

fn lost(bench: &Driven) -> &Lost {
    match bench.state() {
        Some(Connection::Disconnected(state)) => &state.lost,
        _ => panic!("the client is in {}", bench.state_name()),
    }
}

/// How long until the state timeout fires.
fn state_timeout(bench: &Driven) -> Option<Duration> {
    let timeouts = bench.timeouts();
    timeouts
        .iter()
        .find(|(origin, _)| *origin == Origin::StateTimeout)
        .and_then(|(_, left)| *left)
}

/// One attempt that is refused; gives the wait after it.
fn refused(bench: &mut Driven) -> Duration {
    bench.finish::<io::Result<Socket>>(Err(io::ErrorKind::ConnectionRefused.into()));
    assert!(matches!(lost(bench), Lost::Refused(_)));
    let delay = state_timeout(bench).expect("the back-off runs");
    bench.advance(delay);
    assert_eq!(bench.state_name(), "Connecting");
    delay
}

#[test]
fn each_wait_is_below_a_bound_that_doubles_up_to_the_cap() {
    let mut longest = [Duration::ZERO; 8];
    for seed in 0..200 {
        let mut bench = bench(Settings {
            seed,
            backoff_first: Duration::from_millis(100),
            backoff_cap: Duration::from_secs(2),
            ..Settings::default()
        });
        for longest in &mut longest {
            *longest = refused(&mut bench).max(*longest);
        }
    }
    let bounds = [100, 200, 400, 800, 1600, 2000, 2000, 2000].map(Duration::from_millis);
    for (longest, bound) in longest.into_iter().zip(bounds) {
        assert!(longest <= bound, "{longest:?} is above {bound:?}");
        // Full jitter: of 200 waits some come close to the bound, and one in 200 is a fluke below
        // half of it.
        assert!(
            longest > bound.mul_f64(0.9),
            "{longest:?} is far below {bound:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_waits() {
    let waits = |seed| {
        let mut bench = bench(Settings {
            seed,
            ..Settings::default()
        });
        [(); 5].map(|()| refused(&mut bench))
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
}

#[test]
fn a_server_that_answers_starts_the_back_off_anew() {
    let mut bench = bench(Settings {
        backoff_first: Duration::from_millis(10),
        ..Settings::default()
    });
    for _ in 0..10 {
        refused(&mut bench);
    }
    // One that greets and goes has not shown that it works.
    let server = connect(&mut bench);
    server.end();
    bench.poll();
    let waits: Vec<_> = (0..5)
        .map(|_| {
            let wait = state_timeout(&bench).expect("the back-off runs");
            bench.advance(wait);
            let server = connect(&mut bench);
            server.end();
            bench.poll();
            wait
        })
        .collect();
    assert!(
        waits.iter().any(|wait| *wait > Duration::from_millis(10)),
        "{waits:?}"
    );

    bench.advance(state_timeout(&bench).expect("the back-off runs"));
    let server = connect(&mut bench);
    let _asked = get(&mut bench, "a");
    server.send("_\r\n");
    server.end();
    bench.poll();
    assert!(state_timeout(&bench).expect("the back-off runs") <= Duration::from_millis(10));
}

#[test]
fn dialling_that_takes_too_long_is_given_up() {
    let mut bench = bench(Settings {
        connect_timeout: Duration::from_secs(2),
        ..Settings::default()
    });
    assert_eq!(bench.sources().count(), 1);
    bench.advance(Duration::from_secs(2));
    assert!(matches!(lost(&bench), Lost::ConnectTimeout(_)));
    assert_eq!(
        bench.sources().count(),
        0,
        "the dialling task ended with the state"
    );
}

#[test]
fn a_greeting_that_is_refused_ends_the_connection() {
    for (answer, text) in [
        (
            &b"-NOAUTH HELLO must be called with a password\r\n"[..],
            "NOAUTH",
        ),
        (b"+OK\r\n", "the answer is"),
        (b"SSH-2.0-OpenSSH\r\n", "not a frame"),
    ] {
        let mut bench = bench(Settings::default());
        let (end, server) = wire();
        dialled(&mut bench, end);
        server.send(answer);
        bench.poll();
        assert!(lost(&bench).to_string().contains(text), "{}", lost(&bench));
        assert!(server.is_closed());
        assert_eq!(bench.path(), ["Connecting", "Handshaking", "Disconnected"]);
    }
}

#[test]
fn a_greeting_that_does_not_come_ends_the_connection() {
    let mut bench = bench(Settings {
        handshake_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    let (end, server) = wire();
    bench.advance(Duration::from_millis(1500));
    dialled(&mut bench, end);
    bench.advance(Duration::from_millis(999));
    assert_eq!(
        bench.state_name(),
        "Handshaking",
        "it has a deadline of its own"
    );
    bench.advance(Duration::from_millis(1));
    assert!(matches!(lost(&bench), Lost::HandshakeTimeout(_)));
    assert!(server.is_closed());
}

#[test]
fn replies_go_to_their_requests_in_order() {
    let (mut bench, server) = connected(Settings::default());
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(|key| get(&mut bench, key));
    assert_eq!(
        commands(&server),
        [["GET", "a"], ["GET", "b"], ["GET", "c"]]
    );
    server.send("$1\r\n1\r\n>1\r\n+news\r\n-ERR no b\r\n_\r");
    bench.poll();
    assert_eq!(value(&mut a), Value::Data("1".into()));
    assert!(matches!(failure(&mut b), RequestError::Server(text) if text == "ERR no b"));
    assert!(c.try_take().is_none());
    server.send("\n");
    bench.poll();
    assert_eq!(value(&mut c), Value::Nil);
}

#[test]
fn requests_that_waited_for_the_connection_leave_in_one_write() {
    let mut bench = bench(Settings::default());
    let _waiting: Vec<_> = (0..10).map(|n| get(&mut bench, &n.to_string())).collect();
    assert_eq!(bench.postponed().count(), 10);
    refused(&mut bench);
    assert_eq!(bench.postponed().count(), 10);
    let (end, server) = wire();
    dialled(&mut bench, end);
    let _ = commands(&server);
    let before = server.writes();
    server.send(GREETING);
    bench.poll();
    assert_eq!(server.writes() - before, 1);
    let keys: Vec<String> = commands(&server)
        .into_iter()
        .map(|words| words[1].clone())
        .collect();
    assert_eq!(keys, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(bench.postponed().count(), 0);
}

#[test]
fn at_a_disconnect_each_request_in_flight_is_told_what_is_known() {
    let (mut bench, server) = connected(Settings::default());
    let one = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".len();
    // The first request leaves whole and the second in part.
    server.accept(one + 5);
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(|key| get(&mut bench, key));
    server.fail(io::ErrorKind::ConnectionReset);
    bench.poll();
    assert!(matches!(failure(&mut a), RequestError::Unknown(_)));
    assert!(matches!(failure(&mut b), RequestError::Unknown(_)));
    let error = failure(&mut c);
    assert!(matches!(error, RequestError::NotSent(_)));
    assert!(
        error.to_string().contains("connection reset"),
        "it says why: {error}"
    );
    assert!(server.is_closed());
    assert_eq!(
        bench.path(),
        ["Connecting", "Handshaking", "Connected", "Disconnected"]
    );
}

#[test]
fn a_connection_that_stops_answering_is_given_up() {
    let (mut bench, server) = connected(Settings {
        answer_timeout: Duration::from_secs(3),
        ..Settings::default()
    });
    bench.advance(Duration::from_secs(100));
    assert_eq!(bench.state_name(), "Connected", "nobody waits for anything");
    let (mut a, mut b) = (get(&mut bench, "a"), get(&mut bench, "b"));
    bench.advance(Duration::from_secs(2));
    server.send("_\r\n");
    bench.poll();
    assert_eq!(value(&mut a), Value::Nil);
    // Requests and what the server sends unasked are no sign that it answers.
    bench.advance(Duration::from_secs(2));
    let mut c = get(&mut bench, "c");
    server.send(">1\r\n+news\r\n");
    bench.poll();
    assert_eq!(bench.state_name(), "Connected");
    bench.advance(Duration::from_secs(1));
    assert!(matches!(lost(&bench), Lost::Unresponsive(_)));
    assert!(matches!(failure(&mut b), RequestError::Unknown(_)));
    assert!(matches!(failure(&mut c), RequestError::Unknown(_)));
    assert!(server.is_closed());
}

#[test]
fn requests_can_be_refused_while_there_is_no_connection() {
    let mut bench = bench(Settings {
        waiting: Waiting::Refuse,
        ..Settings::default()
    });
    assert!(matches!(
        failure(&mut get(&mut bench, "a")),
        RequestError::NotConnected
    ));
    refused(&mut bench);
    assert!(matches!(
        failure(&mut get(&mut bench, "a")),
        RequestError::NotConnected
    ));
    assert_eq!(bench.postponed().count(), 0);
}

#[test]
fn only_so_many_requests_wait_for_the_connection() {
    let mut bench = bench(Settings::default());
    let mut waiting: Vec<_> = (0..1024).map(|_| get(&mut bench, "a")).collect();
    let refused = get(&mut bench, "a").try_take();
    assert!(
        matches!(refused, Some(Err(CallError::Full { .. }))),
        "{refused:?}"
    );
    // Whose caller has gone makes room.
    waiting.pop();
    assert!(get(&mut bench, "a").try_take().is_none());
}

#[tokio::test(start_paused = true)]
async fn how_many_requests_wait_is_a_setting() {
    let settings = Settings {
        waiting: Waiting::Postpone(2),
        limit: Duration::from_secs(1),
        ..Settings::default()
    };
    let never = Client::new(settings, Box::new(|| Box::pin(std::future::pending())));
    let redis = Redis::start(never);
    let send = || redis.send(command(["PING"]));
    let (a, b, c) = tokio::join!(send(), send(), send());
    for waited in [a, b] {
        assert!(
            matches!(waited, Err(CallError::TimedOut { begun: false, .. })),
            "{waited:?}"
        );
    }
    assert!(matches!(c, Err(CallError::Full { .. })), "{c:?}");
}

#[test]
fn n84_a_request_whose_caller_has_gone_keeps_its_place() {
    let (mut bench, server) = connected(Settings::default());
    let [a, mut b] = ["a", "b"].map(|key| get(&mut bench, key));
    drop(a);
    server.send("+1\r\n");
    bench.poll();
    assert!(
        b.try_take().is_none(),
        "the reply is that of the caller who has gone"
    );
    server.send("+2\r\n");
    bench.poll();
    assert_eq!(value(&mut b), Value::Data("2".into()));
}

#[test]
fn n52_a_request_whose_caller_has_gone_before_it_was_sent_is_not_sent() {
    let mut bench = bench(Settings::default());
    let [a, _b] = ["a", "b"].map(|key| get(&mut bench, key));
    drop(a);
    let (end, server) = wire();
    dialled(&mut bench, end);
    server.send(GREETING);
    bench.poll();
    assert_eq!(commands(&server)[1..], [["GET", "b"]]);
}

#[test]
fn a_full_table_lets_requests_wait_until_there_is_room() {
    let (mut bench, server) = connected(Settings {
        max_in_flight: 4,
        ..Settings::default()
    });
    let mut asked: Vec<_> = (0..6).map(|n| get(&mut bench, &n.to_string())).collect();
    assert_eq!((commands(&server).len(), bench.postponed().count()), (4, 2));
    server.send("+0\r\n+1\r\n");
    bench.poll();
    assert_eq!((commands(&server).len(), bench.postponed().count()), (2, 0));
    server.send("+2\r\n+3\r\n+4\r\n+5\r\n");
    bench.poll();
    for (n, answer) in asked.iter_mut().enumerate() {
        assert_eq!(value(answer), Value::Data(n.to_string().into()));
    }
}

#[test]
fn a_full_table_refuses_if_that_is_the_choice() {
    let waiting = Waiting::Refuse;
    let (mut bench, _server) = connected(Settings {
        max_in_flight: 1,
        waiting,
        ..Settings::default()
    });
    let _first = get(&mut bench, "a");
    assert!(matches!(
        failure(&mut get(&mut bench, "b")),
        RequestError::Busy
    ));
}

#[test]
fn a_server_that_reads_too_slowly_is_not_written_to_without_end() {
    let (mut bench, server) = connected(Settings::default());
    server.accept(0);
    let large = "x".repeat(1024);
    let asked: Vec<_> = (0..200).map(|_| get(&mut bench, &large)).collect();
    let waiting = bench.postponed().count();
    assert!(
        waiting > 100,
        "the write buffer takes 64 KiB, and {waiting} of 200 KiB wait"
    );
    server.accept(usize::MAX);
    bench.poll();
    server.send("_\r\n".repeat(200 - waiting));
    bench.poll();
    server.send("_\r\n".repeat(waiting));
    bench.poll();
    assert_eq!(bench.postponed().count(), 0);
    assert!(
        asked
            .into_iter()
            .all(|mut answer| value(&mut answer) == Value::Nil)
    );
}

/// What bad servers send in place of the answer to one request, and the word for it.
const BAD: [(&[u8], &str); 5] = [
    (b"\x16\x03\x01garbage", "not a frame"),
    (b"$5\r\nab", "within a frame"),
    (b"", "closed the connection"),
    (b"$19\r\n1234567890123456789\r\n", "more than 16 bytes"),
    (b"+unasked\r\n+unasked\r\n", "nobody had asked"),
];

#[test]
fn a_bad_server_costs_its_connection_and_nothing_more() {
    for (bytes, text) in BAD {
        let (mut bench, server) = connected(Settings {
            max_frame: 16,
            ..Settings::default()
        });
        let mut asked = get(&mut bench, "a");
        server.send(bytes);
        server.end();
        bench.poll();
        assert!(
            lost(&bench).to_string().contains(text),
            "{text}: {}",
            lost(&bench)
        );
        let told = asked.try_take().expect("the caller is told");
        // In the last case the first of the two replies was the caller's.
        assert!(
            told.is_ok() || matches!(told, Err(CallError::Failed(RequestError::Unknown(_)))),
            "{told:?}"
        );
        assert!(server.is_closed());
        // It dials again, after the back-off.
        let wait = state_timeout(&bench).expect("the back-off runs");
        bench.advance(wait);
        let server = connect(&mut bench);
        let mut asked = get(&mut bench, "b");
        server.send("+b\r\n");
        bench.poll();
        assert_eq!(value(&mut asked), Value::Data("b".into()));
    }
}

#[test]
fn a_long_reply_is_cut_off_before_it_has_come() {
    let (mut bench, server) = connected(Settings {
        max_frame: 1000,
        ..Settings::default()
    });
    let _asked = get(&mut bench, "a");
    server.send("$100000000\r\n");
    bench.poll();
    assert_eq!(bench.state_name(), "Connected");
    server.send("x".repeat(1001));
    bench.poll();
    assert!(matches!(
        lost(&bench),
        Lost::Closed(CloseReason::TooLong { limit: 1000 })
    ));
}

#[test]
fn a_client_that_is_stopped_tells_everybody() {
    let (mut bench, _server) = connected(Settings::default());
    let mut asked = get(&mut bench, "a");
    bench.stop(ExitReason::Shutdown);
    assert!(
        matches!(failure(&mut asked), RequestError::Unknown(lost) if matches!(*lost, Lost::Stopping))
    );
}
