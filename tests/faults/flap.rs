//! F16 to F19: a connection that never lasts, a herd, an outage without end.

use std::fs;
use std::time::Duration;

use statem::Backoff;
use statem::net::RequestError;
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::support::caller::{CAP, Caller, How, Rig, Speaks, balanced};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::protocol::lines;
use crate::support::relay::{Fault, Relay};
use crate::support::row::{Row, tell};
use crate::support::server::Conduct;
use crate::support::time::{SLACK, millis, now, until};

/// How long a relay flaps.
const FLAPPING: Duration = millis(5_000);
const LONGEST: Duration = millis(2_000);

/// The delays of these clients: the defaults, but for a shorter longest one.
fn backoff() -> Backoff {
    Backoff::default().cap(LONGEST)
}

/// The time that this thread had the processor.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first number"))
}

/// Callers that ask again and again, on a thread and a runtime of their own, while a relay flaps.
/// How much processor time the client took, with its callers.
async fn flapping(rig: &Rig, relay: &Relay, fault: Fault) -> Duration {
    relay.fault(fault);
    let (address, began) = (relay.address, now());
    let ledger = rig.ledger.clone();
    let client = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let rig = Rig::beside(&ledger);
        runtime.block_on(async {
            let caller = rig.start(lines(), address, |b| b.backoff(backoff()).seed(1));
            // The first attempt pays for the loading of its code, too.
            until("it has tried", || caller.counts().connects > 1).await;
            let before = processor_time();
            sleep(FLAPPING).await;
            let took = processor_time() - before;
            let counts = caller.counts();
            assert!(counts.connects >= 4, "it does try: {counts:?}");
            rig.end(caller).await;
            took
        })
    });
    until("the client has ended", || client.is_finished()).await;
    assert!(began.elapsed() >= FLAPPING);
    client
        .join()
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
}

/// Connects a second, of a client that was tried for so long.
fn a_second(connects: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(connects).unwrap()) / time.as_secs_f64()
}

#[tokio::test]
async fn f16_it_accepts_and_resets() {
    let mut row = Row::new("F16", "accepts and resets, for 5 s", "loopback, memory");
    let mut rig = Rig::default();
    let relay = Relay::start(
        rig.server(Conduct::default()).listen(&rig.tasks).await,
        &rig.tasks,
    )
    .await;
    rig.watch_port(relay.address.port());
    // Whatever else runs on the computer adds to its time, and nothing takes from it.
    let mut processor = Duration::MAX;
    for _ in 0..3 {
        let before = relay.accepted();
        processor = processor.min(flapping(&rig, &relay, Fault::Flap).await);
        let rate = a_second(relay.accepted() - before, FLAPPING);
        tell(
            "F16",
            format!("{rate:.1} connects a second, {processor:?} of processor in 5 s"),
        );
        assert!(rate <= 3.0, "{rate} connects a second");
        if processor < millis(20) {
            break;
        }
    }
    assert!(processor < millis(20), "{processor:?}");
    row.sees(
        "at most 3 connects a second with delays from 100 ms to 2 s; less than 20 ms of processor",
    );
    rig.end_without().await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f16_it_accepts_and_closes_in_memory() {
    let mut rig = Rig::default();
    let network = Network::new(&rig.tasks, |_| Fate::Dropped);
    rig.watch(&network);
    let began = now();
    let caller = rig.start(lines(), network.connector(), |b| b);
    sleep(Duration::from_secs(1_000)).await;
    let rate = a_second(network.attempts(), began.elapsed());
    assert!((1.0..=3.0).contains(&rate), "{rate} connects a second");
    rig.end(caller).await;
}

#[tokio::test]
async fn f17_it_works_for_thirty_milliseconds_and_resets_again_and_again() {
    let mut row = Row::new(
        "F17",
        "works for 30 ms and resets, again and again",
        "loopback, memory",
    );
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let relay = Relay::start(server.listen(&rig.tasks).await, &rig.tasks).await;
    rig.watch_port(relay.address.port());
    relay.fault(Fault::FlapAfter(millis(30)));
    let (caller, began) = (
        rig.start(lines(), relay.address, |b| b.backoff(backoff()).seed(1)),
        now(),
    );
    let asking = asking(&caller);
    sleep(FLAPPING).await;
    let rate = a_second(relay.accepted(), began.elapsed());
    let counts = caller.counts();
    tell(
        "F17",
        format!("{rate:.1} connects a second, {} calls answered", counts.ok),
    );
    assert!(
        counts.ups >= 3 && counts.ok > 0,
        "it did work in between: {counts:?}"
    );
    assert!(rate <= 3.0, "{rate} connects a second");
    relay.fault(Fault::None);
    let over = now();
    caller.works().await;
    assert!(over.elapsed() <= LONGEST + SLACK, "{:?}", over.elapsed());
    asking.abort();
    row.sees("at most 3 connects a second; calls are answered in between, those that wait later");
    let _ = asking.await;
    rig.end(caller).await;
    row.end();
}

/// A caller that asks again and again.
fn asking<P: Speaks>(caller: &Caller<P>) -> tokio::task::JoinHandle<()> {
    let caller = caller.clone();
    tokio::spawn(async move {
        loop {
            if caller.ask(How::default()).await.is_err() {
                tokio::task::yield_now().await;
            }
            sleep(millis(1)).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn f17_the_back_off_is_reset_by_uptime_alone() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let uptime = millis(10_000);
    let caller = rig.start(lines(), network.connector(), |b| b.min_uptime(uptime));
    // Each lives for a while, and dies before it is a good one: the delays stay long.
    for lives in [millis(30), uptime - millis(1)] {
        let (began, before) = (now(), network.attempts());
        for _ in 0..200 {
            caller.works().await;
            sleep(lives).await;
            network.reset();
        }
        let waited = began.elapsed() - lives * 200;
        let mean = waited / 200;
        assert!(
            (CAP / 3..CAP).contains(&mean),
            "after {lives:?} it waits {mean:?}"
        );
        assert!(network.attempts() - before <= 200, "one attempt each");
    }
    // These are good ones: the delay is a short one each time.
    let began = now();
    for _ in 0..200 {
        caller.works().await;
        sleep(uptime + millis(1)).await;
        network.reset();
    }
    let mean = (began.elapsed() - (uptime + millis(1)) * 200) / 200;
    assert!(
        mean < millis(60),
        "after a good connection it waits {mean:?}"
    );
    rig.end(caller).await;
}

#[tokio::test(start_paused = true)]
async fn f18_ten_thousand_machines_lose_one_server() {
    const MACHINES: u64 = 10_000;
    const WINDOW: Duration = millis(1_000);
    let mut row = Row::new(
        "F18",
        "10,000 clients lose one server at the same time",
        "memory",
    );
    let mut rig = Rig::default();
    let network = Network::to(&rig.server(Conduct::default()), &rig.tasks).with_room(256);
    rig.watch(&network);
    let callers: Vec<_> = (0..MACHINES)
        .map(|seed| {
            let backoff = Backoff::default().first(WINDOW).cap(WINDOW * 30);
            rig.start(lines(), network.connector(), |b| {
                b.backoff(backoff).seed(seed)
            })
        })
        .collect();
    until("all are connected", || {
        callers.iter().all(|caller| caller.is("Connected"))
    })
    .await;
    let before = network.attempts();
    let lost = now();
    network.reset();
    until("all are connected again", || {
        network.attempts() == before + callers.len()
    })
    .await;
    let mut bins = [0_u32; 100];
    for dialled in &network.dialled()[before..] {
        let at = dialled.at - lost;
        assert!(at <= WINDOW + millis(1), "{at:?}");
        bins[usize::try_from(at.as_millis() / 10).unwrap().min(99)] += 1;
    }
    let most = *bins.iter().max().unwrap();
    tell(
        "F18",
        format!("{MACHINES} first attempts in {WINDOW:?}: at most {most} in 10 ms"),
    );
    assert!(most <= 3 * 100, "{bins:?}");
    row.sees("first attempts are spread over the first delay: no 10 ms has three times its share");
    for caller in &callers {
        caller.client.kill();
        caller.client.closed().await;
        let counts = caller.counts();
        balanced(&counts);
        assert_eq!(counts.ups, counts.downs, "{counts:?}");
    }
    drop(callers);
    rig.end_without().await;
    row.end();
}

#[tokio::test(start_paused = true)]
async fn f19_an_outage_of_thirty_days() {
    let mut row = Row::new("F19", "an outage of thirty days", "memory");
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::new(&rig.tasks, |_| Fate::Refused);
    rig.watch(&network);
    let cap = Duration::from_secs(300);
    let backoff = Backoff::default().cap(cap);
    let caller = rig.start(lines(), network.connector(), |b| b.backoff(backoff).seed(7));
    sleep(Duration::from_secs(30 * 24 * 3600)).await;
    let dialled = network.dialled();
    let longest = dialled
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .max()
        .unwrap();
    assert!(
        (cap / 2..=cap + millis(2)).contains(&longest),
        "{longest:?}"
    );
    // Full jitter: half of the cap in the mean.
    let expected = 30 * 24 * 3600 * 2 / 300;
    assert!(
        (expected * 9 / 10..expected * 11 / 10).contains(&dialled.len()),
        "{}",
        dialled.len()
    );
    let told = caller.ask(How::fails_fast()).await;
    failed!(told, RequestError::NotSent(_));
    network.plan(move |_| Fate::Reaches(server.clone()));
    let back = now();
    let told = caller.ask(How::within(cap * 2)).await;
    assert!(
        told.is_ok() && back.elapsed() <= cap + millis(2),
        "{told:?} {:?}",
        back.elapsed()
    );
    row.sees("no delay is longer than the longest; answered at most that long after it is back");
    rig.end(caller).await;
    row.end();
}
