//! Starting: the suite's groups `start` and `start_handle_event`, and its failing starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use statem::{
    Builder, Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, Status, keep, spawn,
};

use crate::line::{Closed, Idle, Line, LinePerState, by_calls, by_casts, stop_it};
use crate::support::{Log, short, told};

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
    line.shutdown(std::time::Duration::from_secs(1)).await;
    assert!(matches!(task.await.unwrap(), ExitReason::Shutdown));
    assert_eq!(log.take(), "terminate: Shutdown");
}
