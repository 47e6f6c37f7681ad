//! F31 to F35: too much of everything.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use allocation_counter::measure;
use bytes::{Buf, BytesMut};
use statem::net::{Client, LinkConfig, Lost, NotSent, Policy, RequestError};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::drop::wired;
use crate::support::caller::{CAP, How, Rig, all};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::protocol::{Ask, Kind, Lines, Manners, frame, frames, lines};
use crate::support::row::{Row, tell};
use crate::support::server::Conduct;
use crate::support::time::{SLACK, millis, now, settle, until, within};

fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn f31_a_hundred_thousand_calls_while_it_is_down() {
    let mut row = Row::new(
        "F31",
        "100,000 calls while there is no connection, bound 1,000",
        "memory",
    );
    let runtime = paused();
    let mut rig = Rig::default();
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let limit = millis(30_000);
    let (caller, began, waiting) = runtime.block_on(async {
        let caller = rig.start(lines(), network.connector(), |b| b.queue(1_000));
        until("it is disconnected", || caller.is("Disconnected")).await;
        let (began, waiting) = (now(), caller.spawn_many(1_000, How::within(limit)));
        settle().await;
        (caller, began, waiting)
    });
    // The client is a task of this thread, so what it allocates is measured with its callers.
    let mut full = None;
    let used = measure(|| full = Some(runtime.block_on(refused(&caller.client))));
    row.told("those beyond, at once", &full.unwrap());
    let grown = used.bytes_max;
    tell(
        "F31",
        format!("99,000 refused at once; memory grew by at most {grown} bytes meanwhile"),
    );
    assert!(grown < 16 * 1024, "{grown} bytes");
    runtime.block_on(async {
        assert_eq!(began.elapsed(), Duration::ZERO, "at once");
        // One that may displace finds nobody that may be displaced; among its own it does.
        let oldest = How {
            policy: Some(Policy::DropOldest(2_000)),
            ..How::default()
        };
        failed!(
            caller.ask(oldest).await,
            RequestError::NotSent(NotSent::QueueFull)
        );
        for told in all(waiting).await {
            failed!(told, RequestError::NotSent(NotSent::TimedOut));
        }
        assert!(
            began.elapsed() < limit + millis(100),
            "{:?}",
            began.elapsed()
        );
        row.sees("those that wait end at their limits, without a connection; memory is flat");
        let oldest = How {
            policy: Some(Policy::DropOldest(10)),
            ..How::default()
        };
        let calls = caller.spawn_many(11, oldest);
        settle().await;
        let told = calls.into_iter().next().unwrap().await.unwrap();
        row.told(
            "where the newest win, the oldest",
            failed!(told, RequestError::NotSent(NotSent::Displaced)),
        );
        until("the others have ended", || rig.ledger.open() == 0).await;
        let counts = rig.end(caller).await;
        // 99,000, the one that displaces nobody, and eleven that wait in the end.
        assert_eq!(counts.not_sent, 1_000 + 99_000 + 1 + 11, "{counts:?}");
    });
    row.end();
}

/// 99,000 calls, one after the other: what they are told.
async fn refused(client: &Client<Lines>) -> RequestError {
    let mut told = None;
    for key in 0..99_000 {
        let result = client.call(Ask::run(key)).limit(millis(60_000)).await;
        let Err(error @ RequestError::NotSent(NotSent::QueueFull)) = result else {
            panic!("told {result:?}");
        };
        told = Some(error);
    }
    told.expect("some were refused")
}

#[tokio::test(start_paused = true)]
async fn f32_calls_that_waited_and_new_ones_at_the_connect() {
    let mut row = Row::new(
        "F32",
        "calls that waited and new ones, as the connection comes and breaks",
        "memory, wire",
    );
    for breaks in 0..40 {
        let mut rig = Rig::default();
        let server = rig.server(Conduct::default());
        let network = Network::new(&rig.tasks, |_| Fate::Refused);
        rig.watch(&network);
        let caller = rig.start(lines(), network.connector(), |b| b.window(8));
        let mut calls = caller.spawn_many(50, How::default());
        settle().await;
        network.plan(move |_| Fate::Reaches(server.clone()));
        until("it connects", || network.open() == 1).await;
        // New ones come while those that waited leave, and it breaks after so many turns.
        for turn in 0..40 {
            calls.push(caller.spawn(How::default()));
            tokio::task::yield_now().await;
            if turn == breaks {
                network.reset();
            }
        }
        let told = all(calls).await;
        let failed = told.iter().filter(|told| told.is_err()).count();
        assert!(failed <= 8, "the window was lost at most: {failed}");
        let order = rig.ledger.order();
        assert!(order.is_sorted(), "in order: {order:?}");
        assert_eq!(rig.ledger.twice(), 0);
        rig.end(caller).await;
    }
    row.sees("sent in the order of the calls, each at most once; one that breaks loses no more than its window");
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f32_nobody_overtakes_those_who_wait_for_the_write_buffer() {
    let rig = Rig::default();
    let (network, wires) = wired(&rig);
    // Room for two requests of 62 bytes, and again for one when the half of it is free.
    let config = LinkConfig::default().high_water(100);
    let caller = rig.start(lines(), network.connector(), |b| b.link(config));
    caller.ready().await;
    let padded = How {
        padding: 59,
        ..How::default()
    };
    wires.lock().unwrap()[0].accept(0);
    let mut calls = caller.spawn_many(3, padded);
    settle().await;
    assert_eq!(caller.counts().sent, 2, "the third one waits");
    // Some bytes leave: it is not over the mark any more, and not yet told to go on.
    wires.lock().unwrap()[0].accept(30);
    settle().await;
    calls.push(caller.spawn(padded));
    settle().await;
    wires.lock().unwrap()[0].accept(usize::MAX);
    settle().await;
    let written = wires.lock().unwrap()[0].take_written();
    let written = String::from_utf8(written).unwrap();
    let keys: Vec<_> = written
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(keys, ["1", "2", "3", "4"]);
    (1..=4).for_each(|key| rig.ledger.execute(key));
    wires.lock().unwrap()[0].send("=1\n=2\n=3\n=4\n");
    assert!(all(calls).await.iter().all(Result::is_ok));
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f33_more_calls_than_the_window() {
    let mut row = Row::new("F33", "ten more calls than the window of 8", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(lines(), network.connector(), |b| b.window(8));
    caller.ready().await;
    server.answers(false);
    let calls = caller.spawn_many(18, How::default());
    settle().await;
    assert_eq!(rig.ledger.executed(), 8, "on the wire");
    let told = caller.ask(How::fails_fast()).await;
    row.told(
        "to fail fast",
        failed!(told, RequestError::NotSent(NotSent::Busy)),
    );
    server.answers(true);
    assert!(all(calls).await.iter().all(Result::is_ok));
    assert_eq!(rig.ledger.order(), (1..=18).collect::<Vec<_>>());
    row.sees("the others wait, and are sent in order");
    rig.end(caller).await;
    row.end();
}

/// A peer that sends this much that nobody has asked for, as fast as it can, and more until it has
/// answered [`IN_BETWEEN`] requests meanwhile.
fn flooding(bytes: usize) -> (std::net::SocketAddr, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut reads = socket.try_clone().unwrap();
        let (asked, requests) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let (mut received, mut segment) = (BytesMut::new(), [0; 4_096]);
            while let Ok(count @ 1..) = reads.read(&mut segment) {
                received.extend_from_slice(&segment[..count]);
                while received.len() >= 21 {
                    let mut frame = received.split_to(21);
                    frame.advance(4);
                    let (id, _, key) = (frame.get_u64(), frame.get_u8(), frame.get_u64());
                    if asked.send((id, key)).is_err() {
                        return;
                    }
                }
            }
        });
        let sent = write_flood(&socket, bytes, &requests);
        let _ = socket.shutdown(Shutdown::Both);
        reader.join().unwrap();
        sent
    });
    (address, peer)
}

/// Requests that a peer answers in its flood.
const IN_BETWEEN: u64 = 10;

/// How many bytes were sent before the other side had enough.
fn write_flood(
    mut socket: &TcpStream,
    bytes: usize,
    requests: &mpsc::Receiver<(u64, u64)>,
) -> usize {
    let pushed = frame(0, Kind::Push, 7, 16 * 1024);
    let (mut sent, mut answered) = (0, 0);
    while sent < bytes || answered < IN_BETWEEN {
        for (id, key) in requests.try_iter() {
            answered += 1;
            if socket.write_all(&frame(id, Kind::Run, key, 0)).is_err() {
                return sent;
            }
        }
        if socket.write_all(&pushed).is_err() {
            return sent;
        }
        sent += pushed.len();
    }
    while let Ok((id, key)) = requests.recv() {
        if socket.write_all(&frame(id, Kind::Run, key, 0)).is_err() {
            break;
        }
    }
    sent
}

#[test]
fn f34_the_peer_floods() {
    const FLOOD: usize = 64 * 1024 * 1024;
    let mut row = Row::new(
        "F34",
        "the peer floods (64 MB that nobody asked for)",
        "loopback",
    );
    let (address, peer) = flooding(FLOOD);
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut rig = Rig::default();
    rig.ledger.server_is_foreign();
    rig.watch_port(address.port());
    let mut flooded = None;
    let used = measure(|| {
        runtime.block_on(async {
            let caller = rig.start(frames(100), address, |b| b);
            let frames = FLOOD as u64 / (16 * 1024 + 21);
            // Calls and a timer, while it floods.
            while caller.counts().pushed < frames || answered < IN_BETWEEN {
                let asked = now();
                caller.works().await;
                answered += 1;
                slowest = slowest.max(asked.elapsed());
                sleep(millis(1)).await;
            }
            caller.client.stop().await;
            flooded = Some(caller);
        });
    });
    tell(
        "F34",
        format!(
            "{answered} calls answered meanwhile, the slowest in {slowest:?}; memory at most {} bytes",
            used.bytes_max
        ),
    );
    assert!(used.bytes_max < 2 * 1024 * 1024, "{} bytes", used.bytes_max);
    assert!(slowest < millis(1_000) + SLACK, "{slowest:?}");
    assert!(peer.join().unwrap() >= FLOOD);
    runtime.block_on(rig.end(flooded.unwrap()));
    row.sees(
        "calls are answered in between; memory is bounded by a few segments; it stops at once",
    );
    row.end();
}

#[test]
fn f34_a_client_stops_in_a_flood() {
    let (address, peer) = flooding(usize::MAX);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut rig = Rig::default();
    rig.watch_port(address.port());
    let caller = runtime.block_on(async {
        let caller = rig.start(frames(100), address, |b| b);
        until("it is flooded", || caller.counts().pushed > 1_000).await;
        let began = now();
        within(SLACK, "it stops", caller.client.stop()).await;
        tell(
            "F34",
            format!("stopped in a flood in {:?}", began.elapsed()),
        );
        caller
    });
    assert!(peer.join().unwrap() > 1_000);
    runtime.block_on(rig.end(caller));
}

#[tokio::test(start_paused = true)]
async fn f35_local_messages_disturb_no_timeout() {
    let mut row = Row::new(
        "F35",
        "a thousand local messages a second while the peer is silent",
        "memory",
    );
    let (limit, silence) = (millis(500), millis(400));
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let protocol = Lines(Manners {
        pings: true,
        greets: true,
        ..Manners::default()
    });
    let caller = rig.start(protocol, network.connector(), |b| {
        b.answer_timeout(limit)
            .ping_after(silence)
            .handshake_timeout(millis(300))
    });
    caller.works().await;
    // Nothing of an earlier state fires in this one, such as the limit of the handshake.
    sleep(Duration::from_secs(10)).await;
    assert_eq!((caller.counts().ups, caller.counts().downs), (1, 0));
    server.answers(false);
    let began = now();
    while caller.counts().downs == 0 {
        // Neither leaves this computer: one cannot be written, one only looks.
        let told = caller
            .ask(How {
                bad: true,
                ..How::fails_fast()
            })
            .await;
        if caller.counts().downs == 0 {
            failed!(told, RequestError::NotSent(NotSent::Invalid(_)));
        }
        let _ = caller.client.inspect().await;
        sleep(millis(1)).await;
        assert!(
            began.elapsed() <= silence + 2 * limit + millis(2),
            "{:?}",
            began.elapsed()
        );
    }
    let told = caller.ask(How::fails_fast()).await;
    let error = failed!(told, RequestError::NotSent(NotSent::Disconnected(_)));
    let RequestError::NotSent(NotSent::Disconnected(lost)) = error else {
        unreachable!()
    };
    assert!(matches!(**lost, Lost::Unresponsive(_)), "{lost:?}");
    row.told("noticed as if there were none", error);
    server.answers(true);
    let began = now();
    caller.works().await;
    assert!(began.elapsed() <= CAP, "{:?}", began.elapsed());
    rig.end(caller).await;
    row.end();
}
