//! How children end, with and without their supervisor.

use std::time::Duration;

use statem::supervisor::{Shutdown, Strategy, Supervisor, Tree};
use statem::{CallError, ExitReason, Handle, Status};
use tracing::subscriber::set_default;

use crate::log::listen;
use crate::support::{
    Drains, Event, Trace, Worker, World, child, fail, now, settle, soon, state, tasks, worker,
};

/// Children that take so long to end, under a strategy.
async fn draining(
    strategy: Strategy,
    trace: &Trace,
    drains: &[(&'static str, Drains, Shutdown)],
) -> (Tree, Vec<Handle<Worker>>) {
    let mut supervisor = Supervisor::new("top", strategy);
    let handles = drains.iter().map(|(name, drains, shutdown)| {
        let mut world = World::new(name, trace);
        world.drains = *drains;
        supervisor.child(child(world).shutdown(*shutdown))
    });
    let handles = handles.collect();
    let tree = supervisor.spawn();
    settle().await;
    trace.take();
    (tree, handles)
}

const SECOND: Duration = Duration::from_secs(1);
const FIVE: Shutdown = Shutdown::Within(Duration::from_secs(5));

#[tokio::test(start_paused = true)]
async fn a_supervisor_ends_its_children_the_last_one_first_and_then_itself() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", after, FIVE), ("c", after, FIVE)];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    let start = now();
    assert!(matches!(tree.stop().await, ExitReason::Shutdown));
    assert_eq!(start.elapsed(), 3 * SECOND);
    assert_eq!(
        trace.line(),
        "c1 drain, c1 end, b1 drain, b1 end, a1 drain, a1 end"
    );
    assert_eq!(tasks(), 0);
    for handle in handles {
        assert!(matches!(handle.closed().await, ExitReason::Shutdown));
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_ignores_its_shutdown_is_killed_when_its_time_is_over() {
    let trace = Trace::default();
    let children = [
        ("a", Drains::AtOnce, FIVE),
        ("b", Drains::Never, Shutdown::Within(2 * SECOND)),
    ];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    let start = now();
    soon(tree.stop()).await;
    assert_eq!(start.elapsed(), 2 * SECOND);
    // It is not asked to terminate (N62).
    assert_eq!(trace.line(), "b1 drain, a1 drain, a1 end");
    assert!(matches!(handles[1].closed().await, ExitReason::Killed));
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_child_may_be_killed_at_once_or_waited_for_without_a_limit() {
    let trace = Trace::default();
    let long = Duration::from_secs(100_000);
    let children = [
        ("a", Drains::After(long), Shutdown::Forever),
        ("b", Drains::AtOnce, Shutdown::Kill),
    ];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    let start = now();
    tree.stop().await;
    assert_eq!(start.elapsed(), long);
    assert_eq!(trace.line(), "a1 drain, a1 end");
    assert!(matches!(handles[1].closed().await, ExitReason::Killed));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_child_is_killed_when_its_time_is_over() {
    let trace = Trace::default();
    let children = [("a", Drains::AtOnce, Shutdown::Within(SECOND))];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    handles[0].suspend().await.unwrap();
    let start = now();
    soon(tree.stop()).await;
    assert_eq!(start.elapsed(), SECOND);
    assert!(matches!(handles[0].closed().await, ExitReason::Killed));
}

#[tokio::test(start_paused = true)]
async fn children_without_an_order_are_ended_all_at_once() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", after, FIVE), ("c", after, FIVE)];
    let (tree, _handles) = draining(Strategy::Dynamic, &trace, &children).await;
    let start = now();
    tree.stop().await;
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_while_the_supervisor_stops_is_not_restarted() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", after, FIVE), ("c", after, FIVE)];
    let (tree, handles) = draining(Strategy::OneForAll, &trace, &children).await;
    let stopping = tree.clone();
    let stopping = tokio::spawn(async move { stopping.stop().await });
    settle().await;
    assert!(matches!(tree.status(), Status::Running("Stopping")));
    // One that waits for its turn, and the one whose turn it is.
    fail(&handles[0]).await;
    fail(&handles[2]).await;
    assert!(matches!(stopping.await.unwrap(), ExitReason::Shutdown));
    assert_eq!(trace.line(), "c1 drain, a1 end, c1 end, b1 drain, b1 end");
    assert!(matches!(
        handles[0].closed().await,
        ExitReason::Panicked { .. }
    ));
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_child_is_told_of_its_end_before_the_others_have_ended() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", Drains::AtOnce, FIVE)];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    let start = now();
    let stopping = tree.clone();
    let stopping = tokio::spawn(async move { stopping.stop().await });
    handles[1].closed().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!stopping.is_finished());
    stopping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_gives_up_tells_at_once_who_waits_for_the_child_that_failed() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", after, FIVE)];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    fail(&handles[1]).await;
    handles[1].try_cast(Event::Panic).unwrap();
    let start = now();
    let error = handles[1].call(Event::Ask).await.unwrap_err();
    assert!(matches!(error, CallError::Stopped { begun: false, .. }));
    assert_eq!(start.elapsed(), Duration::ZERO);
    tree.closed().await;
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_told_to_stop_while_it_restarts_a_group_does() {
    let trace = Trace::default();
    let after = Drains::After(SECOND);
    let children = [("a", after, FIVE), ("b", after, FIVE), ("c", after, FIVE)];
    let (tree, handles) = draining(Strategy::OneForAll, &trace, &children).await;
    fail(&handles[1]).await;
    assert!(matches!(tree.status(), Status::Running("Regrouping")));
    let start = now();
    tree.stop().await;
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(trace.line(), "b1 end, c1 drain, c1 end, a1 drain, a1 end");
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_killed_or_left_lets_its_children_go() {
    for way in ["killed", "left"] {
        let trace = Trace::default();
        let children = [
            ("a", Drains::Never, Shutdown::Forever),
            ("b", Drains::Never, Shutdown::Forever),
        ];
        let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
        if way == "killed" {
            tree.kill();
            assert!(matches!(tree.closed().await, ExitReason::Killed));
        }
        drop(tree);
        settle().await;
        // Shut down at their next turn, each terminated, without being waited for.
        assert_eq!(trace.line(), "b1 end, a1 end", "{way}");
        for handle in handles {
            assert!(matches!(handle.closed().await, ExitReason::Shutdown));
        }
        assert_eq!(tasks(), 0, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_may_live_without_handles_does() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    let weak = tree.downgrade();
    tree.detach();
    fail(&a).await;
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    weak.upgrade().unwrap().stop().await;
    assert_eq!(tasks(), 0);
}

#[test]
fn n63_a_runtime_that_goes_away_tells_the_callers_of_all_children() {
    let trace = Trace::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let a = supervisor.child(worker("a", &trace));
    let tree = runtime.block_on(async {
        let tree = supervisor.spawn();
        settle().await;
        tree
    });
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    other.block_on(async {
        assert!(matches!(tree.closed().await, ExitReason::Aborted));
        let error = a.call(Event::Ask).await.unwrap_err();
        assert!(matches!(error, CallError::Stopped { .. }));
        assert_eq!(state(&a), "stopped");
    });
}

/// Not paused: a thread is blocked, and the others go on.
#[test]
fn a_child_that_does_not_end_when_it_was_killed_is_warned_of_and_waited_for() {
    let (log, _guard) = listen();
    let of_threads = log.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .enable_time()
        // For as long as the thread lives.
        .on_thread_start(move || std::mem::forget(set_default(of_threads.clone())))
        .build()
        .unwrap();
    runtime.block_on(async {
        let trace = Trace::default();
        let limit = Shutdown::Within(Duration::from_millis(100));
        let children = [("a", Drains::AtOnce, FIVE), ("b", Drains::AtOnce, limit)];
        let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
        tree.ready().await.unwrap();
        let (goes_on, blocks) = std::sync::mpsc::channel::<()>();
        let (tells, told) = tokio::sync::oneshot::channel();
        let script: crate::support::Script = Box::new(move |_, _| {
            tells.send(()).unwrap();
            blocks.recv().unwrap();
        });
        handles[1].cast(Event::Run(script)).await.unwrap();
        told.await.unwrap();
        let start = now();
        let stopping = tree.clone();
        let stopping = tokio::spawn(async move { stopping.stop().await });
        let warning = loop {
            let warned = log
                .take()
                .into_iter()
                .find(|(_, line)| line.contains("does not end"));
            if let Some((level, line)) = warned {
                assert_eq!(level, tracing::Level::WARN);
                break line;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "no warning");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        // After the time it had to end, and a second more.
        assert!(start.elapsed() >= Duration::from_millis(1100));
        for words in [
            "a child that was killed does not end: a handler of it blocks its thread",
            "supervisor=\"top\"",
            "child=\"b\"",
        ] {
            assert!(warning.contains(words), "no {words:?} in {warning}");
        }
        // It is waited for all the same, and so is the one before it, which still runs.
        assert!(matches!(tree.status(), Status::Running("Stopping")));
        assert_eq!(state(&handles[0]), "Idle");
        assert!(!stopping.is_finished());
        goes_on.send(()).unwrap();
        assert!(matches!(stopping.await.unwrap(), ExitReason::Shutdown));
        assert!(matches!(handles[1].closed().await, ExitReason::Killed));
        assert!(
            log.take()
                .iter()
                .all(|(_, line)| !line.contains("does not end"))
        );
    });
}

/// Not paused: a thread is blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_child_that_blocks_its_thread_is_waited_for_and_killed_when_it_goes_on() {
    let trace = Trace::default();
    let children = [
        ("a", Drains::AtOnce, FIVE),
        ("b", Drains::AtOnce, Shutdown::Kill),
    ];
    let (tree, handles) = draining(Strategy::OneForOne, &trace, &children).await;
    // A task that its start has woken may wait behind it in a place that no other thread looks at.
    tree.ready().await.unwrap();
    let (goes_on, blocks) = std::sync::mpsc::channel::<()>();
    let (tells, told) = tokio::sync::oneshot::channel();
    let script: crate::support::Script = Box::new(move |_, _| {
        tells.send(()).unwrap();
        blocks.recv().unwrap();
    });
    handles[1].cast(Event::Run(script)).await.unwrap();
    handles[1].cast(Event::Note("never")).await.unwrap();
    told.await.unwrap();
    let mut states = handles[1].watch();
    let mut of_tree = tree.watch();
    let stopping = tree.clone();
    let stopping = tokio::spawn(async move { stopping.stop().await });
    while !matches!(of_tree.status(), Status::Running("Stopping")) {
        of_tree.changed().await;
    }
    assert!(matches!(states.status(), Status::Running("Idle")));
    goes_on.send(()).unwrap();
    assert!(matches!(stopping.await.unwrap(), ExitReason::Shutdown));
    while !matches!(states.status(), Status::Stopped(ExitReason::Killed)) {
        states.changed().await;
    }
    assert!(!trace.line().contains("never"));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_asks_its_supervisor_while_both_end_is_answered() {
    let trace = Trace::default();
    let told = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let mut world = World::new("a", &trace);
    world.drains = Drains::After(SECOND);
    let a = supervisor.child(child(world));
    let tree = supervisor.spawn();
    settle().await;
    let (weak, said) = (tree.downgrade(), told.clone());
    let script = move |_: &mut World, cx: &mut statem::Cx<Worker>| {
        let asks = async move {
            // When the supervisor has begun to end this child.
            tokio::time::sleep(SECOND / 2).await;
            let tree = weak.upgrade().unwrap();
            let children = tree.children().await.unwrap().len();
            let error = tree.restart("a").await.unwrap_err();
            said.say(format!("{children} children; {error}"));
        };
        cx.state_task(asks, |()| Event::Note("asked"));
    };
    a.try_cast(Event::Run(Box::new(script))).unwrap();
    settle().await;
    let start = now();
    tree.stop().await;
    assert_eq!(start.elapsed(), SECOND);
    let line = told.line();
    assert!(
        line.starts_with("1 children; ") && line.contains("is ending its children"),
        "{line}"
    );
    assert_eq!(trace.line(), "a1 idle, a1 drain, a1 asked, a1 end");
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_group_that_ignores_its_end_is_killed_in_its_time_and_counts_nothing() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForAll).intensity(1, 5 * SECOND);
    let a = supervisor.child(worker("a", &trace));
    let mut world = World::new("b", &trace);
    world.drains = Drains::Never;
    let b = supervisor.child(child(world).shutdown(SECOND));
    let tree = supervisor.spawn();
    settle().await;
    let start = now();
    fail(&a).await;
    // One restart is all that is allowed: that of the group is one, the kill is none.
    tree.ready().await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    for handle in [&a, &b] {
        assert_eq!(handle.call(Event::Ask).await.unwrap(), 2);
    }
    assert_eq!(tree.report().await.unwrap().recent, 1);
    assert_eq!(tasks(), 3);
    tree.stop().await;
    assert_eq!(tasks(), 0);
}
