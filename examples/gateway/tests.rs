//! A gateway and its devices, on a clock that stands still while anything runs.

use std::time::Duration;

use statem::testing::{Bench, EdgeCoverage};
use statem::{Bound, Builder, CallError, ExitReason, Handle, Request as _, Status};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::counts::Tally;
use super::device::{
    Device, DeviceId, Down, Event, Facts, Joining, Message, Order, QUESTIONS, Readings, Refused,
    Times,
};
use super::field::{Outcome, Simulation, Summary, TIMES, run};
use super::router::{self, Devices, Gateway, Open, RETRY_AFTER, Router};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than any limit of a test.
const LONG: Duration = Duration::from_secs(10_000);

const READING: Message = Message::Reading {
    amount: 6,
    seconds: 2,
};
/// What the machines have a bug for.
const BUG: Message = Message::Reading {
    amount: 6,
    seconds: 0,
};

/// A gateway, its end of the way to the devices, and what it counts.
struct Site {
    gateway: Gateway,
    handle: Handle<Router>,
    orders: mpsc::Receiver<Down>,
    tally: Tally,
}

fn site(limit: usize, down: usize) -> Site {
    site_with(TIMES, limit, down)
}

fn site_with(times: Times, limit: usize, down: usize) -> Site {
    let tally = Tally::default();
    let (down, orders) = mpsc::channel(down);
    let devices = Devices::new(limit, times, down, tally.clone());
    // Smaller than the number of devices that say goodbye.
    let handle = Builder::new().mailbox(80).spawn(Open, devices);
    Site {
        gateway: Gateway::from(handle.clone()),
        handle,
        orders,
        tally,
    }
}

impl Site {
    async fn heard(&self, device: u32, message: Message) {
        let heard = self.gateway.heard(DeviceId(device), message).await;
        heard.expect("the gateway is there");
        settle().await;
    }

    /// Asks, and does not wait for the answer.
    async fn ask(&self, device: u32, limit: Duration) -> Asked {
        let gateway = self.gateway.clone();
        let asked = tokio::spawn(async move { gateway.ask(DeviceId(device)).limit(limit).await });
        settle().await;
        asked
    }

    /// The number of the question that a device was sent.
    fn question(&mut self, device: u32) -> u64 {
        match self.orders.try_recv() {
            Ok((DeviceId(id), Order::Answer(number))) if id == device => number,
            other => panic!("no question to {device}: {other:?}"),
        }
    }
}

type Asked = tokio::task::JoinHandle<Result<u32, CallError<Refused>>>;

async fn outcome(asked: Asked) -> Result<u32, CallError<Refused>> {
    asked.await.expect("it only asks")
}

async fn refused(asked: Asked) -> Refused {
    match outcome(asked).await {
        Err(CallError::Failed(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test measures what passed")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn a_device_is_started_by_its_word_forgotten_at_its_end_and_started_again() {
    let mut site = site(10, 10);
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Unknown);
    site.heard(1, Message::Alive).await;
    assert_eq!(site.tally.counts().started, 1);
    // It never reads anything.
    tokio::time::sleep(TIMES.join).await;
    settle().await;
    assert_eq!(site.tally.counts().never_joined, 1);
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Unknown);

    site.heard(1, READING).await;
    let asked = site.ask(1, SECOND).await;
    let number = site.question(1);
    site.heard(1, Message::Answer { number, value: 7 }).await;
    assert_eq!(outcome(asked).await.expect("an answer"), 7);
    let counts = site.tally.counts();
    assert_eq!((counts.started, counts.most), (2, 1));
    assert_eq!((counts.heard, counts.routed, counts.handled), (3, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_its_device_no_longer_than_its_caller() {
    let mut site = site(10, 10);
    for device in 1..=3 {
        site.heard(device, Message::Alive).await;
    }
    let start = now();
    let joins = site.ask(1, 10 * SECOND).await;
    let joins_too_late = site.ask(2, 10 * SECOND).await;
    let does_not_answer = site.ask(3, 10 * SECOND).await;
    tokio::time::sleep(6 * SECOND).await;
    assert!(site.orders.try_recv().is_err(), "nobody has joined");
    site.heard(1, READING).await;
    site.heard(3, READING).await;
    let number = site.question(1);
    site.question(3);
    site.heard(1, Message::Answer { number, value: 1 }).await;
    assert_eq!(outcome(joins).await.expect("an answer"), 1);

    // The limit is that of the call to the gateway, not one of the device's.
    let error = outcome(does_not_answer).await.expect_err("too late");
    assert!(matches!(error, CallError::TimedOut { begun: true, .. }));
    let error = outcome(joins_too_late).await.expect_err("too late");
    assert!(matches!(error, CallError::TimedOut { begun: false, .. }));
    assert_eq!(start.elapsed(), 10 * SECOND);
    // That one is not asked any more.
    site.heard(2, READING).await;
    assert!(site.orders.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_device_takes_so_many_questions_and_no_more() {
    let mut site = site(10, 10);
    site.heard(1, READING).await;
    let mut asked = Vec::new();
    for _ in 0..QUESTIONS {
        asked.push(site.ask(1, SECOND).await);
    }
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Busy);
    for asked in asked {
        let error = outcome(asked).await.expect_err("nobody answers");
        assert!(matches!(error, CallError::TimedOut { begun: true, .. }));
    }
    // Their callers have gone, and make room.
    while site.orders.try_recv().is_ok() {}
    let asked = site.ask(1, SECOND).await;
    let number = site.question(1);
    site.heard(1, Message::Answer { number, value: 5 }).await;
    assert_eq!(outcome(asked).await.expect("an answer"), 5);

    // As many wait until it has joined.
    site.heard(2, Message::Alive).await;
    let mut asked = Vec::new();
    for _ in 0..QUESTIONS {
        asked.push(site.ask(2, LONG).await);
    }
    let error = outcome(site.ask(2, SECOND).await).await;
    let what = Bound::Postponed;
    assert!(
        matches!(error, Err(CallError::Full { what: found, .. }) if found == what),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_way_to_the_devices_that_is_full_refuses_questions() {
    let mut site = site(10, 1);
    site.heard(1, READING).await;
    let first = site.ask(1, SECOND).await;
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Busy);
    let number = site.question(1);
    site.heard(1, Message::Answer { number, value: 3 }).await;
    assert_eq!(outcome(first).await.expect("an answer"), 3);
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_a_device_is_told_when_to_try_again() {
    let mut site = site(2, 10);
    for device in 1..=3 {
        site.heard(device, Message::Alive).await;
    }
    let full = Order::Full {
        retry_after: RETRY_AFTER,
    };
    assert_eq!(site.orders.try_recv(), Ok((DeviceId(3), full)));
    assert_eq!(refused(site.ask(3, SECOND).await).await, Refused::Unknown);
    // Those who are in go on.
    site.heard(1, READING).await;
    let counts = site.tally.counts();
    assert_eq!((counts.started, counts.turned_away), (2, 1));
    assert_eq!((counts.heard, counts.routed), (4, 3));

    // The end of one makes room.
    tokio::time::sleep(TIMES.join).await;
    site.heard(3, READING).await;
    assert_eq!(site.tally.counts().started, 3);
}

#[tokio::test(start_paused = true)]
async fn the_bug_of_one_machine_harms_no_other() {
    let mut site = site(10, 10);
    for device in 1..=3 {
        site.heard(device, READING).await;
    }
    let waits = site.ask(1, LONG).await;
    let its_own = site.ask(2, LONG).await;
    let (number, _) = (site.question(1), site.question(2));
    site.heard(2, BUG).await;
    let error = outcome(its_own).await.expect_err("its machine has ended");
    assert!(
        matches!(error, CallError::Stopped { begun: true, .. }),
        "{error:?}"
    );
    assert_eq!(refused(site.ask(2, SECOND).await).await, Refused::Unknown);

    site.heard(1, Message::Answer { number, value: 1 }).await;
    assert_eq!(outcome(waits).await.expect("an answer"), 1);
    assert!(matches!(site.handle.status(), Status::Running("Open")));
    // It starts again when it speaks, from nothing.
    site.heard(2, READING).await;
    let counts = site.tally.counts();
    assert_eq!((counts.started, counts.panicked, counts.lost), (4, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_the_machine_before_is_none_to_the_next() {
    let mut site = site(10, 10);
    site.heard(1, READING).await;
    let first = site.ask(1, LONG).await;
    let late = site.question(1);
    site.heard(1, BUG).await;
    drop(outcome(first).await);
    site.heard(1, READING).await;
    let second = site.ask(1, 2 * SECOND).await;
    let number = site.question(1);
    let value = 1;
    let message = Message::Answer {
        number: late,
        value,
    };
    site.heard(1, message).await;
    let value = 2;
    site.heard(1, Message::Answer { number, value }).await;
    assert_eq!(outcome(second).await.expect("an answer"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_silent_device_is_asked_nothing_and_forgotten_if_it_stays_so() {
    let mut site = site(10, 10);
    site.heard(1, READING).await;
    let start = now();
    tokio::time::sleep(TIMES.silent / 2).await;
    // That somebody asks is no word of the device.
    let asked = site.ask(1, LONG).await;
    site.question(1);
    assert_eq!(refused(asked).await, Refused::Silent);
    assert_eq!(start.elapsed(), TIMES.silent);
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Silent);

    site.heard(1, Message::Alive).await;
    let asked = site.ask(1, SECOND).await;
    site.question(1);
    drop(outcome(asked).await);
    tokio::time::sleep(TIMES.silent + TIMES.gone).await;
    settle().await;
    assert_eq!(refused(site.ask(1, SECOND).await).await, Refused::Unknown);
    let counts = site.tally.counts();
    assert_eq!((counts.started, counts.fell_silent), (1, 1));
    assert_eq!((counts.readings, counts.reported), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_ends_reads_the_last_report_of_every_device() {
    let site = site(1000, 10);
    for device in 0..500 {
        let heard = site.gateway.heard(DeviceId(device), READING).await;
        heard.expect("the gateway is there");
    }
    settle().await;
    // In a task of its own, which is woken as soon as the state changes.
    let (gateway, mut states) = (site.gateway.clone(), site.handle.watch());
    let meanwhile = tokio::spawn(async move {
        while matches!(states.status(), Status::Running("Open")) {
            states.changed().await;
        }
        assert!(matches!(states.status(), Status::Running("Closing")));
        tokio::join!(
            gateway.heard(DeviceId(501), READING),
            gateway.ask(DeviceId(1))
        )
    });
    settle().await;
    let gateway = site.gateway.clone();
    let closing = tokio::spawn(async move { gateway.close(LONG).await });
    let (heard, asked) = meanwhile.await.expect("the gateway was seen closing");
    heard.expect("it has not ended yet");
    assert!(matches!(asked, Err(CallError::Failed(Refused::Closing))));
    let reason = closing.await.expect("it only waits");
    assert!(matches!(reason, ExitReason::Shutdown), "{reason}");
    let counts = site.tally.counts();
    assert_eq!((counts.started, counts.left), (500, 500));
    assert_eq!((counts.reported, counts.sum), (500, 1500));
    assert_eq!((counts.put_off, counts.lost, counts.refused), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_on_its_way_when_the_last_device_has_ended_is_read() {
    // It reports at its end and not before, and that is when the gateway is told to end.
    let times = Times {
        report: LONG,
        ..TIMES
    };
    let site = site_with(times, 10, 10);
    site.heard(1, READING).await;
    tokio::time::sleep(times.silent + times.gone).await;
    site.gateway.close(LONG).await;
    let counts = site.tally.counts();
    assert_eq!((counts.fell_silent, counts.left), (1, 0));
    assert_eq!((counts.reported, counts.lost), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_devices_ends_at_once() {
    let site = site(10, 10);
    let start = now();
    assert!(matches!(
        site.gateway.close(LONG).await,
        ExitReason::Shutdown
    ));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_finds_no_room_is_kept_for_the_next_one() {
    let tally = Tally::default();
    let (down, _orders) = mpsc::channel(1);
    // Nobody runs these routers.
    let router = || {
        let devices = Devices::new(1, TIMES, down.clone(), tally.clone());
        Builder::<Router>::new().mailbox(1).build(Open, devices)
    };
    let ((full, _full), (free, _free)) = (router(), router());
    let filled = full.try_cast(router::Event::Close);
    filled.expect("there is room for one");
    let facts = Facts {
        id: DeviceId(1),
        times: TIMES,
        router: full.downgrade(),
        down: down.clone(),
        tally: tally.clone(),
        readings: Readings::default(),
        number: 0,
    };
    let mut device = Bench::<Device>::new(Joining, facts);
    device.send(Event::Heard(READING));
    device.advance(TIMES.report);
    assert_eq!(tally.counts().put_off, 1);
    assert_eq!(device.data().readings, Readings { count: 1, sum: 3 });

    device.send(Event::Heard(READING));
    device.data_mut().router = free.downgrade();
    device.advance(TIMES.report);
    assert_eq!(tally.counts().put_off, 1);
    assert_eq!(device.data().readings, Readings::default());
}

async fn simulate(devices: u32, limit: usize, seed: u64) -> Summary {
    let simulation = Simulation {
        devices,
        limit,
        seconds: 300,
        seed,
    };
    let summary = run(simulation).await.expect("the gateway lives");
    let checked = summary.check();
    checked.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    summary
}

#[tokio::test(start_paused = true)]
async fn the_counts_balance_whatever_the_seed_is() {
    for seed in 0..10 {
        let summary = simulate(100, 100, seed).await;
        assert_eq!(summary.counts.panicked, summary.planted);
        // What ended with its machine is what the machine ended of.
        assert_eq!(
            summary.counts.routed - summary.counts.handled,
            summary.planted
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_devices_do_all_that_devices_do() {
    let summary = simulate(1000, 990, 1).await;
    let counts = summary.counts;
    for count in [
        counts.turned_away,
        counts.lost,
        counts.never_joined,
        counts.fell_silent,
        counts.panicked,
        counts.left,
        summary.outcome(Outcome::Answered),
        summary.outcome(Outcome::Unknown),
        summary.outcome(Outcome::Silent),
        summary.outcome(Outcome::TooLate),
    ] {
        assert!(count > 0, "{summary}");
    }
    assert!(counts.started > 1000, "{summary}");
    assert_eq!(counts.most, 990);
    EdgeCoverage::of::<Device>().assert_complete();
    EdgeCoverage::of::<Router>().assert_complete();
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_does_the_same() {
    let first = simulate(100, 99, 7).await;
    assert_eq!(first, simulate(100, 99, 7).await);
    assert_ne!(first, simulate(100, 99, 8).await);
}
