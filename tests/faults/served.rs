//! [`statem::net::Server`] and ready clients in a simulated network, turmoil's: partitions, and hosts
//! that crash. One seed makes one run again: `SEED=17 cargo test -p statem-tests --test faults served`.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statem::net::{Accept, Accepted, Io, Link, LinkEvent, ServerCounts};
use statem::{Builder, Cx, EnterCx, Handler, Next, StateMachine, Status, keep, unexpected};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::codec::LinesCodec;
use turmoil::net::TcpListener;

use crate::simulation::{PORT, Said, connector, seeds};
use crate::support::caller::{Caller, How, Rig, all, balanced};
use crate::support::ledger::{Ledger, Outcome};
use crate::support::protocol::{Lines, pinging};
use crate::support::row::tell;
use crate::support::time::{millis, now, until, within};

const CLIENTS: usize = 4;
/// The longest silence of a peer.
const IDLE: Duration = millis(1_500);
/// Of the clients: an answer that is late, and the silence after which they ping.
const LIMIT: Duration = millis(500);
/// How long things go wrong.
const TURMOIL: Duration = millis(8_000);

/// A connection that executes what it is asked, in order.
#[derive(StateMachine)]
#[machine(event = Event, data = Ledger, shutdown = Event::Leave)]
enum Serving {
    #[initial]
    #[to(Open)]
    New(New),
    #[to(Over)]
    Open(Open),
    #[terminal]
    Over,
}

struct New {
    io: Box<dyn Io>,
}

struct Open {
    link: Link<LinesCodec>,
}

enum Event {
    Begin,
    Link(LinkEvent<String>),
    Leave,
}

impl Handler for Serving {
    fn enter(&mut self, _: &mut Ledger, cx: &mut EnterCx<Self>) {
        if let Self::New(_) = self {
            cx.insert(Event::Begin);
        }
    }

    fn handle(
        state: ServingAt<'_>,
        event: Event,
        ledger: &mut Ledger,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (ServingAt::New(s), Event::Begin) => s.go_with(|old| Open {
                link: Link::open(
                    old.io,
                    LinesCodec::new_with_max_length(100),
                    cx,
                    Event::Link,
                ),
            }),
            (ServingAt::Open(mut s), Event::Link(LinkEvent::Frame(line))) => {
                if line != "ping" {
                    ledger.execute(line.parse().expect("clients send keys"));
                }
                s.link.send(format!("={line}")).expect("there is room");
                keep()
            }
            (ServingAt::Open(s), Event::Link(LinkEvent::Closed(_))) => s.go(Over),
            // A peer that does not close its side is the server's matter.
            (ServingAt::Open(mut s), Event::Leave) => {
                s.link.close(Duration::MAX);
                keep()
            }
            (_, event) => unexpected(event),
        }
    }
}

/// turmoil's listener for a server.
struct Simulated(TcpListener);

impl Accept for Simulated {
    async fn accept(&self) -> io::Result<Accepted> {
        let (io, peer) = self.0.accept().await?;
        let io = Box::new(io);
        Ok(Accepted {
            io,
            peer: Some(peer),
        })
    }
}

/// The server's host, seen from outside: each start of it has a server of its own.
#[derive(Clone, Default)]
struct Host {
    lives: Arc<Mutex<Vec<statem::net::Server>>>,
    drain: Arc<Notify>,
    /// How long the drain took.
    drained: Arc<Mutex<Option<Duration>>>,
}

impl Host {
    async fn live(self, ledger: Ledger, idle: Duration, limit: Duration) -> turmoil::Result {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
        let builder =
            statem::net::Server::builder(Simulated(listener), move |accepted: Accepted| {
                Builder::<Serving>::new().build(New { io: accepted.io }, ledger.clone())
            });
        let server = builder.idle_timeout(idle).start();
        self.lives.lock().unwrap().push(server.clone());
        self.drain.notified().await;
        let began = now();
        server.shutdown(limit).await;
        *self.drained.lock().unwrap() = Some(began.elapsed());
        Ok(())
    }

    /// Of the life that there is.
    fn counts(&self) -> ServerCounts {
        self.lives.lock().unwrap().last().unwrap().counts()
    }

    /// Every life that is over has closed its books.
    fn check(&self, ended: usize) -> usize {
        let lives = self.lives.lock().unwrap();
        for server in &lives[..ended] {
            let counts = server.counts();
            assert!(matches!(server.status(), Status::Stopped(_)), "{server:?}");
            assert_eq!(counts.open(), 0, "{counts:?}");
            assert_eq!(counts.accepted, counts.started, "{counts:?}");
            assert_eq!(counts.started, counts.ended + counts.failed, "{counts:?}");
        }
        lives.len()
    }
}

fn network(seed: u64) -> turmoil::Sim<'static> {
    turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::from_secs(300))
        .tick_duration(millis(1))
        .min_message_latency(millis(1))
        .max_message_latency(millis(20))
        .tcp_capacity(4_096)
        .build()
}

fn name(number: usize) -> String {
    format!("client-{number}")
}

fn start(rig: &Rig, seed: u64) -> Caller<Lines> {
    rig.start(pinging(), connector(), |b| {
        b.seed(seed).answer_timeout(LIMIT).ping_after(LIMIT)
    })
}

/// Does at random what a network and a host do to each other, for as long as there is turmoil.
struct Chaos {
    random: fastrand::Rng,
    /// Until when each client does not reach the server.
    cut_off: [Option<Duration>; CLIENTS],
    /// Until when the server's host is down.
    down: Option<Duration>,
    next: Duration,
    crashes: usize,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        Chaos {
            random: fastrand::Rng::with_seed(seed),
            cut_off: [None; CLIENTS],
            down: None,
            next: millis(500),
            crashes: 0,
        }
    }

    fn step(&mut self, simulation: &mut turmoil::Sim<'_>) {
        let now = simulation.elapsed();
        let is_over = |until: &mut Option<Duration>| until.take_if(|until| *until <= now).is_some();
        let is_up_again = is_over(&mut self.down);
        if is_up_again {
            simulation.bounce("server");
        }
        for client in 0..CLIENTS {
            let is_over = is_over(&mut self.cut_off[client]);
            let is_reached = self.down.is_none() && self.cut_off[client].is_none();
            if (is_over || is_up_again) && is_reached {
                simulation.repair(name(client), "server");
            }
        }
        if now < self.next || now > TURMOIL {
            return;
        }
        self.next = now + millis(self.random.u64(100..1_000));
        let until = Some(now + millis(self.random.u64(50..2_000)));
        if self.random.u8(..3) == 0 && self.down.is_none() {
            // Its power fails: it says no last word. (The order of last words is tokio's, which
            // drops tasks in an order that no seed decides.)
            for client in 0..CLIENTS {
                simulation.partition(name(client), "server");
            }
            simulation.crash("server");
            self.crashes += 1;
            self.down = until;
        } else {
            let client = self.random.usize(..CLIENTS);
            simulation.partition(name(client), "server");
            self.cut_off[client] = until;
        }
    }
}

/// What a run has done.
struct Run {
    order: Vec<u64>,
    crashes: usize,
    unknown: usize,
    answered: usize,
}

/// A server and its clients, and what becomes of them in turmoil.
fn outlive(seed: u64) -> Run {
    let said = Said("served", seed);
    let (ledger, host) = (Ledger::default(), Host::default());
    let mut simulation = network(seed);
    simulation.host("server", {
        let (ledger, host) = (ledger.clone(), host.clone());
        move || host.clone().live(ledger.clone(), IDLE, millis(1))
    });
    let settled = Arc::new(tokio::sync::Barrier::new(CLIENTS));
    for client in 0..CLIENTS {
        let (ledger, host, settled) = (ledger.clone(), host.clone(), settled.clone());
        simulation.client(name(client), async move {
            let rig = Rig::beside(&ledger);
            let caller = start(&rig, seed * 100 + client as u64);
            let mut random = fastrand::Rng::with_seed(seed * 100 + client as u64);
            let mut calls = Vec::new();
            let began = now();
            while began.elapsed() < TURMOIL {
                calls.push(caller.spawn(How::within(millis(random.u64(20..3_000)))));
                sleep(millis(random.u64(1..80))).await;
            }
            all(calls).await;
            // It comes back by itself. The first calls may be lost with an old connection.
            let comes_back = async { while caller.ask(How::default()).await.is_err() {} };
            within(TURMOIL, "the client comes back", comes_back).await;
            settled.wait().await;
            // Those that are dead are found out by their silence; the others are not silent.
            sleep(IDLE * 2 + millis(100)).await;
            let counts = host.counts();
            assert_eq!(counts.open(), CLIENTS as u64, "{counts:?}");
            caller.works().await;
            settled.wait().await;
            caller.client.stop().await;
            let counts = caller.counts();
            balanced(&counts);
            assert_eq!(counts.ups, counts.downs, "{counts:?}");
            until("the server knows that all have gone", || {
                host.counts().open() == 0
            })
            .await;
            Ok(())
        });
    }
    let mut chaos = Chaos::new(seed);
    while !simulation.step().unwrap_or_else(|error| panic!("{error}")) {
        chaos.step(&mut simulation);
    }
    drop(simulation);
    ledger.check();
    let lives = host.lives.lock().unwrap().len();
    assert_eq!(host.check(lives), chaos.crashes + 1);
    std::mem::forget(said);
    Run {
        order: ledger.order(),
        crashes: chaos.crashes,
        unknown: ledger.count(Outcome::Unknown),
        answered: ledger.count(Outcome::Ok),
    }
}

#[test]
fn served_through_partitions_and_crashes_clients_come_back_and_the_server_counts_right() {
    // Each is a second of a processor.
    let runs: Vec<_> = seeds().into_iter().take(10).map(outlive).collect();
    let sum = |of: fn(&Run) -> usize| runs.iter().map(of).sum::<usize>();
    let (crashes, unknown) = (sum(|run| run.crashes), sum(|run| run.unknown));
    let answered = sum(|run| run.answered);
    tell(
        "served",
        format!(
            "{} seeds, {crashes} crashes, {answered} answered, {unknown} unknown",
            runs.len()
        ),
    );
    // One seed alone may have little to show.
    if let 2.. = runs.len() {
        assert!(crashes > runs.len() && unknown > runs.len() && answered > 100 * runs.len());
    }
}

#[test]
fn served_by_the_same_seed_the_same_requests_run_in_the_same_order() {
    let orders: Vec<_> = [5, 6, 5].map(|seed| outlive(seed).order).into();
    assert!(orders[0] == orders[2], "seed 5 has made two different runs");
    assert_ne!(orders[0], orders[1]);
}

/// A server that is shut down while it cannot reach some of its clients.
fn drained(seed: u64) {
    const WITHIN: Duration = millis(3_000);
    let said = Said("served", seed);
    let (ledger, host) = (Ledger::default(), Host::default());
    let mut simulation = network(seed);
    simulation.host("server", {
        let (ledger, host) = (ledger.clone(), host.clone());
        move || host.clone().live(ledger.clone(), IDLE * 100, WITHIN)
    });
    let mut random = fastrand::Rng::with_seed(seed);
    let lost: Vec<_> = (0..CLIENTS)
        .filter(|client| *client == 0 || random.bool())
        .collect();
    let ready = Arc::new(tokio::sync::Barrier::new(CLIENTS + 1));
    for client in 0..CLIENTS {
        let (ledger, host, ready) = (ledger.clone(), host.clone(), ready.clone());
        let is_lost = lost.contains(&client);
        simulation.client(name(client), async move {
            let rig = Rig::beside(&ledger);
            let caller = start(&rig, seed * 100 + client as u64);
            caller.works().await;
            ready.wait().await;
            let calls = caller.spawn_many(20, How::within(LIMIT));
            for told in all(calls).await {
                // What was under way when the server was told to end is answered.
                assert!(is_lost || told.is_ok(), "{told:?}");
            }
            until("the server has ended", || {
                host.drained.lock().unwrap().is_some()
            })
            .await;
            caller.client.stop().await;
            balanced(&caller.counts());
            Ok(())
        });
    }
    let order = host.drain.clone();
    let (partition, is_ready) = (Arc::new(Notify::new()), ready.clone());
    simulation.client("operator", {
        let partition = partition.clone();
        async move {
            is_ready.wait().await;
            partition.notify_one();
            // The requests are on their way, or there.
            sleep(millis(10)).await;
            order.notify_one();
            Ok(())
        }
    });
    let mut is_whole = true;
    while !simulation.step().unwrap_or_else(|error| panic!("{error}")) {
        let told = std::pin::pin!(partition.notified()).as_mut().enable();
        if is_whole && told {
            is_whole = false;
            for client in &lost {
                simulation.partition(name(*client), "server");
            }
        }
    }
    assert!(!is_whole);
    drop(simulation);
    let took = host.drained.lock().unwrap().expect("it was shut down");
    // Not before, for those who are lost say nothing; and then their machines are stopped.
    assert!(took >= WITHIN && took <= WITHIN + millis(50), "{took:?}");
    assert_eq!(host.check(1), 1);
    ledger.check();
    std::mem::forget(said);
}

#[test]
fn served_and_drained_under_loss_a_server_ends_by_its_deadline() {
    seeds().into_iter().take(10).for_each(drained);
}
