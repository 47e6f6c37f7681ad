//! Clients of Redis that share one connection among their callers, against a server of this
//! program's own.
//!
//! `raw` is a loop over a socket that keeps as many requests in flight as the others have callers: the
//! limit of the connection and of the server. `actor` is what one would write by hand: callers, a
//! bounded channel, and a task with the socket; it has no limits, no reconnecting and no bound but
//! that one. With `tokio::time::timeout` around its calls, as nobody should do without, it is in the
//! column beside: calls of statem always have a limit. Each caller reads a key of its own and compares
//! what comes.
//!
//! The processor time is that of this process, so the server's is not in it.

mod actor;
mod peers;
mod raw;
#[path = "../../tests/redis_server.rs"]
mod redis_server;
mod with_statem;

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use actor::{Actor, Limited};
use peers::{Fred, RedisRs};
use raw::raw;
use redis_server::Server;
use with_statem::Statem;

use crate::report::{Contender, Section, each, measure, now, ratio};

const NAMES: &[&str] = &[
    "raw",
    "actor",
    "actor, limits",
    "redis-rs",
    "fred",
    "statem",
];
const RAW: usize = 0;
const ACTOR: usize = 1;
const LIMITED: usize = 2;
const REDIS_RS: usize = 3;
const STATEM: usize = 5;

const ROUNDS: usize = 15;
/// How many callers there are, and how many requests they make together in a round.
const ROWS: [(u32, u32); 3] = [(1, 8_000), (64, 128_000), (512, 409_600)];

/// A client of Redis.
trait Client: Clone + Send + Sync + 'static {
    type Value: AsRef<[u8]> + Send;

    fn connect(address: &str) -> impl Future<Output = Self> + Send;
    fn get(&self, key: &str) -> impl Future<Output = Self::Value> + Send;
}

/// What each caller reads, and what must come.
type Entries = Arc<[(String, String)]>;

#[derive(Clone, Copy)]
enum Threads {
    One,
    Two,
}

impl Threads {
    fn runtime(self) -> Runtime {
        let mut builder = match self {
            Threads::One => Builder::new_current_thread(),
            Threads::Two => Builder::new_multi_thread(),
        };
        let builder = builder.worker_threads(2).enable_all();
        builder.build().expect("a runtime starts")
    }
}

/// A round: the nanoseconds of a request, on the clock and of the processors.
#[derive(Clone, Copy)]
struct Sample {
    took: f64,
    cpu: f64,
}

pub(crate) fn rows(filter: &str) {
    let wanted = ROWS.map(|(callers, requests)| (name(callers), callers, requests));
    let wanted: Vec<_> = wanted
        .into_iter()
        .filter(|(name, ..)| name.contains(filter))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let server = Server::start("clients");
    let address = server.address();
    let entries: Entries = (0..512)
        .map(|caller| (format!("key:{caller:04}"), format!("{caller:032}")))
        .collect();
    Threads::One
        .runtime()
        .block_on(raw::fill(&address, &entries))
        .expect("the server takes what is written");
    for (threads, speed, cpu) in [
        (
            Threads::One,
            "requests, one thread",
            "processor, one thread",
        ),
        (
            Threads::Two,
            "requests, two threads",
            "processor, two threads",
        ),
    ] {
        let mut speed = Section::new(filter, speed, "thousands a second", NAMES).more_is_better();
        let mut cpu = Section::new(filter, cpu, "ns a request", NAMES).compared_with(ACTOR);
        let mut rows = Vec::new();
        for &(ref name, callers, requests) in &wanted {
            let round = Round {
                address: &address,
                entries: &entries,
                threads,
                callers,
                requests,
            };
            let samples = round.of_all();
            let aim = (callers == 1).then(|| latency(&took(&samples)));
            speed.show(name, aim, &rates(&samples));
            rows.push((name, callers, samples));
        }
        for (name, callers, samples) in rows {
            let samples = of_processor(&samples);
            let aim = (callers == 512).then(|| cost(&samples));
            cpu.show(name, aim, &samples);
        }
    }
}

fn name(callers: u32) -> String {
    let s = if callers == 1 { "" } else { "s" };
    format!("GET of 32 bytes, {callers} caller{s}")
}

/// What all contenders of a row do.
#[derive(Clone, Copy)]
struct Round<'a> {
    address: &'a str,
    entries: &'a Entries,
    threads: Threads,
    callers: u32,
    requests: u32,
}

impl Round<'_> {
    fn of_all(self) -> Vec<Vec<Sample>> {
        let mut contenders: Vec<Contender<'_, Sample>> = vec![
            Box::new(move || self.of_raw()),
            Box::new(move || self.of::<Actor>()),
            Box::new(move || self.of::<Limited>()),
            Box::new(move || self.of::<RedisRs>()),
            Box::new(move || self.of::<Fred>()),
            Box::new(move || self.of::<Statem>()),
        ];
        assert_eq!(contenders.len(), NAMES.len());
        measure(ROUNDS, &mut contenders)
    }

    fn of_raw(self) -> Sample {
        let Round {
            address, requests, ..
        } = self;
        let (address, entries) = (address.to_owned(), self.first());
        self.run(async move {
            let mut socket = raw::connect(&address).await.expect("the server accepts");
            raw(&mut socket, &entries, requests / 10).await;
            measured(requests, raw(&mut socket, &entries, requests)).await
        })
    }

    fn of<C: Client>(self) -> Sample {
        let Round {
            address, requests, ..
        } = self;
        let (address, entries) = (address.to_owned(), self.first());
        self.run(async move {
            let client = C::connect(&address).await;
            ask(&client, &entries, requests / 10).await;
            measured(requests, ask(&client, &entries, requests)).await
        })
    }

    /// On a runtime of its own, and on a worker of it: nothing of the round before is still being
    /// cleared away.
    fn run(self, work: impl Future<Output = Sample> + Send + 'static) -> Sample {
        let runtime = self.threads.runtime();
        runtime.block_on(async { tokio::spawn(work).await.expect("no work panics") })
    }

    /// The entries of the callers of this row.
    fn first(self) -> Entries {
        self.entries[..self.callers as usize].into()
    }
}

/// Lets a caller for each entry make its part of the requests, one after the other.
async fn ask<C: Client>(client: &C, entries: &Entries, requests: u32) {
    let callers = u32::try_from(entries.len()).expect("there are few");
    let tasks = (0..entries.len()).map(|caller| {
        let (client, entries) = (client.clone(), entries.clone());
        tokio::spawn(async move {
            let (key, value) = &entries[caller];
            for _ in 0..requests.div_ceil(callers) {
                let got = client.get(key).await;
                assert_eq!(
                    got.as_ref(),
                    value.as_bytes(),
                    "the answer of somebody else"
                );
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no caller panics");
    }
}

async fn measured(requests: u32, work: impl Future<Output = ()>) -> Sample {
    let (start, cpu) = (now(), processor());
    work.await;
    Sample {
        took: each(start.elapsed(), requests),
        cpu: each(processor().saturating_sub(cpu), requests),
    }
}

/// What this process has used of the processors.
fn processor() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.try_into().expect("it is not negative")
}

fn took(samples: &[Vec<Sample>]) -> Vec<Vec<f64>> {
    map(samples, |sample| sample.took)
}

fn rates(samples: &[Vec<Sample>]) -> Vec<Vec<f64>> {
    map(samples, |sample| 1e6 / sample.took)
}

fn of_processor(samples: &[Vec<Sample>]) -> Vec<Vec<f64>> {
    map(samples, |sample| sample.cpu)
}

fn map(samples: &[Vec<Sample>], what: fn(&Sample) -> f64) -> Vec<Vec<f64>> {
    samples
        .iter()
        .map(|of_one| of_one.iter().map(what).collect())
        .collect()
}

/// The aim of a single caller: how long it waits, compared with the client where it waits least.
fn latency(took: &[Vec<f64>]) -> String {
    let beside_raw = |of_one: &Vec<f64>| ratio(of_one, &took[RAW]);
    let best = took[ACTOR..STATEM].iter().map(beside_raw).reduce(f64::min);
    let best = best.expect("there are other clients");
    let ours = beside_raw(&took[STATEM]) / best;
    format!("latency ≤ 1.05 × the best; {ours:.2}")
}

/// The aims for the processor.
fn cost(cpu: &[Vec<f64>]) -> String {
    let beside = |other: usize| ratio(&cpu[STATEM], &cpu[other]);
    let (actor, limited, redis_rs) = (beside(ACTOR), beside(LIMITED), beside(REDIS_RS));
    format!(
        "≤ 1.20 × actor; {actor:.2} ({limited:.2} with limits), ≤ 0.50 × redis-rs; {redis_rs:.2}"
    )
}
