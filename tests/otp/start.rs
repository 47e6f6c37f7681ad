//! Starting: the suite's groups `start` and `start_handle_event`, and its failing starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use statem::{
    Builder, Cx, EnterCx, ExitReason, Handle, Handler, Next, Registry, Reply, StateMachine, Status,
    keep, spawn, unexpected,
};
use tokio::time::timeout;

use crate::line::{Closed, Idle, Line, LinePerState, by_calls, by_casts, stop_it};
use crate::support::{Log, ms, short, told};

#[tokio::test(start_paused = true)]
async fn start1() {
    let line = spawn::<Line>(Idle, Log::default());
    by_casts(&line).await;
    by_calls(&line).await;
    // What a monitor tells in OTP is a future here.
    let down = line.closed();
    stop_it(&line, ExitReason::Normal).await;
    assert!(matches!(down.await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn start1_with_a_handler_for_each_state() {
    let line = spawn::<LinePerState>(Closed, Log::default());
    by_casts(&line).await;
    by_calls(&line).await;
    stop_it(&line, ExitReason::Normal).await;
}

#[tokio::test(start_paused = true)]
async fn start2() {
    let line = spawn::<Line>(Idle, Log::default());
    by_casts(&line).await;
    by_calls(&line).await;
    stop_it(&line, ExitReason::Shutdown).await;
    assert!(matches!(
        line.status(),
        Status::Stopped(ExitReason::Shutdown)
    ));
}

/// A resource that one machine may hold at a time, as OTP's named table.
#[derive(Clone, Default)]
struct Table(Arc<AtomicBool>);

struct Taken(Table);

impl Table {
    fn take(&self) -> Taken {
        assert!(!self.0.swap(true, Ordering::SeqCst), "the table is taken");
        Taken(self.clone())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::SeqCst);
    }
}

/// A machine that takes the table in its init.
#[derive(StateMachine)]
#[machine(event = Reply<u32>, data = Option<Taken>)]
enum Shop {
    #[initial]
    #[to(Open)]
    Open,
}

impl Handler for Shop {
    fn enter(&mut self, taken: &mut Option<Taken>, _: &mut EnterCx<Self>) {
        assert!(taken.is_some(), "enter comes after init");
    }

    fn handle(
        _: ShopAt<'_>,
        reply: Reply<u32>,
        _: &mut Option<Taken>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let _ = reply.send(1);
        keep()
    }
}

type Init = fn(&mut EnterCx<Shop>);

/// Starts the shop with an init that takes the table and then fails, and gives what the starter and
/// a caller are told. The table is free when the starter is told, so that it may try again.
async fn start_fails(table: &Table, how: Init) -> [String; 2] {
    let ours = table.clone();
    let shop = Builder::<Shop>::new()
        .init(move |taken, cx| {
            *taken = Some(ours.take());
            how(cx);
        })
        .spawn(Open, None);
    let caller = tokio::spawn({
        let shop = shop.clone();
        async move { shop.call(|reply| reply).await }
    });
    let reason = shop.closed().await;
    assert!(!table.0.load(Ordering::SeqCst), "the table is not free");
    [short(&reason), told(caller.await.unwrap())]
}

/// Is open when its goods have come, which takes a time.
#[derive(StateMachine)]
#[machine(event = Delivered, data = (Duration, Log))]
enum Stall {
    #[initial]
    #[to(Selling)]
    Waiting,
    #[to()]
    Selling,
}

struct Delivered;

impl Handler for Stall {
    fn enter(&mut self, (time, log): &mut (Duration, Log), cx: &mut EnterCx<Self>) {
        match self {
            Stall::Waiting => cx.state_timeout(*time, Delivered),
            Stall::Selling => log.add("open"),
        }
    }

    fn handle(
        state: StallAt<'_>,
        event: Delivered,
        _: &mut (Duration, Log),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match state {
            StallAt::Waiting(s) => s.go(Selling),
            StallAt::Selling(_) => unexpected(event),
        }
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, (_, log): &mut (Duration, Log)) {
        log.add("terminate");
    }
}

/// Starts a stall that takes a time to open, and waits for that within a limit.
async fn open_within(limit: Duration, time: Duration, log: &Log) -> Result<Handle<Stall>, String> {
    let stall = spawn::<Stall>(Waiting, (time, log.clone()));
    let mut states = stall.watch();
    let open = async {
        loop {
            match states.status() {
                Status::Running("Selling") => break Ok(()),
                Status::Stopped(reason) => break Err(short(&reason)),
                _ => states.changed().await,
            };
        }
    };
    if let Ok(opened) = timeout(limit, open).await {
        return opened.map(|()| stall);
    }
    stall.kill();
    stall.closed().await;
    Err("too late".into())
}

#[tokio::test(start_paused = true)]
async fn start3() {
    let log = Log::default();
    let stall = open_within(ms(200), ms(50), &log).await.unwrap();
    assert_eq!(log.take(), "open");
    stall.stop().await;
    assert_eq!(log.take(), "terminate");
    // One that takes too long is killed: no terminate, and nothing of it happens later.
    let late = open_within(ms(50), ms(200), &log).await;
    assert_eq!(late.err().unwrap(), "too late");
    tokio::time::sleep(ms(1000)).await;
    assert_eq!(log.take(), "");
}

#[tokio::test(start_paused = true)]
async fn start4() {
    let ignore: Init = |cx| cx.stop(ExitReason::Normal);
    let [reason, caller] = start_fails(&Table::default(), ignore).await;
    assert_eq!(reason, "Normal");
    assert_eq!(caller, "stopped: Normal, begun: false");
}

#[tokio::test(start_paused = true)]
async fn start5a() {
    let stop: Init = |cx| cx.stop(ExitReason::other("stopped"));
    let [reason, caller] = start_fails(&Table::default(), stop).await;
    assert_eq!(reason, "stopped");
    assert_eq!(caller, "stopped: stopped, begun: false");
}

#[tokio::test(start_paused = true)]
async fn start5b() {
    // OTP's silent failure: an end that makes no crash report.
    let error: Init = |cx| cx.stop(ExitReason::Shutdown);
    let [reason, caller] = start_fails(&Table::default(), error).await;
    assert_eq!(reason, "Shutdown");
    assert_eq!(caller, "stopped: Shutdown, begun: false");
}

#[tokio::test(start_paused = true)]
async fn loop_start_fail() {
    let table = Table::default();
    let flavours: [(Init, &str); 4] = [
        (
            |cx| cx.stop(ExitReason::other("failed to start")),
            "failed to start",
        ),
        (|cx| cx.stop(ExitReason::Normal), "Normal"),
        (|_| panic!("bailout"), "`bailout` in init"),
        (|cx| cx.stop(ExitReason::Shutdown), "Shutdown"),
    ];
    for (how, expected) in flavours {
        for _ in 0..5 {
            assert_eq!(start_fails(&table, how).await[0], expected);
        }
    }
    // And the start that takes too long.
    let log = Log::default();
    for _ in 0..5 {
        assert!(open_within(ms(5), ms(50), &log).await.is_err());
    }
    assert_eq!(log.take(), "");
    // Nothing was left behind: the next one starts.
    let shop = Builder::<Shop>::new()
        .init(move |taken, _| *taken = Some(table.take()))
        .spawn(Open, None);
    assert_eq!(shop.call(|reply| reply).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn enter_loop() {
    // A task that runs already becomes the machine.
    let log = Log::default();
    let (line, driver) = Builder::<Line>::new().build(Idle, log.clone());
    let task = tokio::spawn(async move {
        let before = "the task had a life before";
        (before, driver.run().await)
    });
    by_calls(&line).await;
    stop_it(&line, ExitReason::Normal).await;
    let (_, reason) = task.await.unwrap();
    assert!(matches!(reason, ExitReason::Normal));

    // What orders it to shut down is heard by its terminate.
    let (line, driver) = Builder::<Line>::new().build(Idle, log.clone());
    let task = tokio::spawn(driver);
    by_calls(&line).await;
    log.take();
    line.shutdown(Duration::from_secs(1)).await;
    assert!(matches!(task.await.unwrap(), ExitReason::Shutdown));
    assert_eq!(log.take(), "terminate: Shutdown");

    // It owns its name: whoever comes second cannot become a machine of that name.
    let lines = Registry::new();
    let build = || lines.build("line", Builder::new(), Idle, log.clone());
    let (line, driver) = build().unwrap();
    assert!(build().is_err());
    let task = tokio::spawn(driver);
    by_calls(&line).await;
    stop_it(&line, ExitReason::Normal).await;
    task.await.unwrap();
    drop(build().unwrap());
}
