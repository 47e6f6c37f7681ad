//! When a child is ready, and when all are.

use std::time::Duration;

use statem::supervisor::{Strategy, Supervisor};
use statem::{Backoff, CallError, ExitReason, Status};

use crate::support::{Event, Script, Trace, fail, settle, worker};

#[tokio::test(start_paused = true)]
async fn a_tree_is_ready_when_each_child_is_in_the_state_it_says() {
    let trace = Trace::default();
    let mut inner = Supervisor::new("inner", Strategy::OneForOne);
    let b = inner.child(worker("b", &trace).ready_in(&["Busy", "Done"]));
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    supervisor.child(worker("a", &trace));
    supervisor.tree(inner);
    let c = supervisor.child(worker("c", &trace).ready_in(&["Busy"]));
    let tree = supervisor.spawn();
    let waits = tree.clone();
    let waits = tokio::spawn(async move { waits.ready().await });
    settle().await;
    let ready = tree.children().await.unwrap();
    let ready: Vec<_> = ready.iter().map(|child| child.ready).collect();
    assert_eq!(ready, [true, false, false]);
    c.cast(Event::Work).await.unwrap();
    settle().await;
    assert!(!waits.is_finished());
    b.cast(Event::Work).await.unwrap();
    waits.await.unwrap().unwrap();
    // Whoever comes later need not wait.
    tree.ready().await.unwrap();
    // Unless something below is not ready any more.
    fail(&b).await;
    let waits = tree.clone();
    let waits = tokio::spawn(async move { waits.ready().await });
    settle().await;
    assert!(!waits.is_finished() && !tree.report().await.unwrap().is_ready());
    b.cast(Event::Work).await.unwrap();
    waits.await.unwrap().unwrap();
    assert!(tree.report().await.unwrap().is_ready());
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_restarted_is_not_ready_and_one_that_is_down_does_not_count() {
    let trace = Trace::default();
    let mut supervisor =
        Supervisor::new("top", Strategy::OneForOne).intensity(9, Duration::from_secs(5));
    let a = supervisor.child(worker("a", &trace).ready_in(&["Busy"]));
    let backoff = Backoff::default().first(Duration::from_secs(9)).seed(1);
    let b = supervisor.child(worker("b", &trace).backoff(backoff));
    let tree = supervisor.spawn();
    a.cast(Event::Work).await.unwrap();
    tree.ready().await.unwrap();
    fail(&b).await;
    let waits = tree.clone();
    let waits = tokio::spawn(async move { waits.ready().await });
    settle().await;
    assert!(!waits.is_finished());
    waits.await.unwrap().unwrap();
    fail(&a).await;
    let waits = tree.clone();
    let waits = tokio::spawn(async move { waits.ready().await });
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(!waits.is_finished(), "it is in another state again");
    tree.terminate("a").await.unwrap();
    waits.await.unwrap().unwrap();
    tree.stop().await;
}

/// Not paused: a thread is blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_child_is_not_ready_as_long_as_its_life_before_runs_on() {
    let trace = Trace::default();
    let mut inner = Supervisor::new("inner", Strategy::OneForOne);
    let a = inner.child(worker("a", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    let inner = top.tree(inner);
    let top = top.spawn();
    // A task that its start has woken may wait behind it in a place that no other thread looks at.
    top.ready().await.unwrap();
    let (goes_on, blocks) = std::sync::mpsc::channel::<()>();
    let (tells, told) = tokio::sync::oneshot::channel();
    let script: Script = Box::new(move |_, _| {
        tells.send(()).unwrap();
        blocks.recv().unwrap();
    });
    a.cast(Event::Run(script)).await.unwrap();
    told.await.unwrap();
    inner.kill();
    let mut of_inner = inner.watch();
    while inner.restarts() == 0 || !matches!(of_inner.status(), Status::Running(_)) {
        of_inner.changed().await;
    }
    // Each question is handled in a turn of its own, after which the supervisor looks at its tasks.
    for _ in 0..10 {
        let children = inner.children().await.unwrap();
        assert!(matches!(children[0].status, Status::Running("Idle")));
        assert!(!children[0].ready);
    }
    goes_on.send(()).unwrap();
    inner.ready().await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    assert!(matches!(top.stop().await, ExitReason::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_ends_is_never_ready() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    supervisor.child(worker("a", &trace).ready_in(&["Busy"]));
    let tree = supervisor.spawn();
    let waits = tree.clone();
    let waits = tokio::spawn(async move { waits.ready().await });
    settle().await;
    tree.stop().await;
    let error = waits.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Stopped { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_tree_without_children_is_ready() {
    let tree = Supervisor::new("top", Strategy::OneForAll).spawn();
    tree.ready().await.unwrap();
    tree.stop().await;
}

#[test]
#[should_panic(expected = "`Worker` has no state `Bsuy` to be ready in")]
fn a_state_that_is_not_there_is_found_at_once() {
    drop(worker("a", &Trace::default()).ready_in(&["Bsuy"]));
}
