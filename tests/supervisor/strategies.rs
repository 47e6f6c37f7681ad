//! Who is restarted with a child that failed, and after which ends.

use std::time::Duration;

use statem::supervisor::{Restart, Strategy, Supervisor, Tree};
use statem::{CallError, ExitReason, Handle, Status};

use crate::support::{
    Drains, Event, Trace, Worker, World, child, fail, now, settle, state, tasks, worker,
};

/// Three children under a strategy.
async fn three(strategy: Strategy, trace: &Trace) -> (Tree, [Handle<Worker>; 3]) {
    let mut supervisor = Supervisor::new("top", strategy).intensity(9, Duration::from_secs(5));
    let handles = ["a", "b", "c"].map(|name| supervisor.child(worker(name, trace)));
    let tree = supervisor.spawn();
    settle().await;
    assert_eq!(trace.line(), "a1 idle, b1 idle, c1 idle");
    (tree, handles)
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_the_child_that_failed() {
    let trace = Trace::default();
    let (tree, [_, b, _]) = three(Strategy::OneForOne, &trace).await;
    fail(&b).await;
    assert_eq!(trace.line(), "b1 end, b2 idle");
    assert_eq!(tasks(), 4);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_for_all_ends_the_others_in_reverse_and_starts_all_in_order() {
    let trace = Trace::default();
    let (tree, [a, b, c]) = three(Strategy::OneForAll, &trace).await;
    fail(&b).await;
    assert_eq!(
        trace.line(),
        "b1 end, c1 drain, c1 end, a1 drain, a1 end, a2 idle, b2 idle, c2 idle"
    );
    assert_eq!(tasks(), 4);
    for handle in [&a, &b, &c] {
        assert_eq!(handle.restarts(), 1);
        assert_eq!(handle.call(Event::Ask).await.unwrap(), 2);
    }
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_restarts_those_that_were_started_after_it() {
    let trace = Trace::default();
    let (tree, [_, b, _]) = three(Strategy::RestForOne, &trace).await;
    fail(&b).await;
    assert_eq!(trace.line(), "b1 end, c1 drain, c1 end, b2 idle, c2 idle");
    assert_eq!(tasks(), 4);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_last_child_of_a_group_is_restarted_alone_by_rest_for_one() {
    let trace = Trace::default();
    let (tree, [_, _, c]) = three(Strategy::RestForOne, &trace).await;
    fail(&c).await;
    assert_eq!(trace.line(), "c1 end, c2 idle");
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn which_ends_are_followed_by_a_restart() {
    let ends = [
        ("normal", ExitReason::Normal),
        ("shutdown", ExitReason::Shutdown),
        ("ended", ExitReason::ended("this is why")),
        ("error", ExitReason::other("an error")),
    ];
    for (restart, restarts_after) in [
        (
            Restart::Permanent,
            &["normal", "shutdown", "ended", "error", "panic", "kill"][..],
        ),
        (Restart::Transient, &["error", "panic", "kill"]),
        (Restart::Temporary, &[]),
    ] {
        for end in ["normal", "shutdown", "ended", "error", "panic", "kill"] {
            let trace = Trace::default();
            let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
            let handle = supervisor.child(worker("w", &trace).restart(restart));
            let tree = supervisor.spawn();
            settle().await;
            match ends.iter().find(|(name, _)| *name == end) {
                Some((_, reason)) => handle.try_cast(Event::Stop(reason.clone())).unwrap(),
                None if end == "panic" => handle.try_cast(Event::Panic).unwrap(),
                None => handle.kill(),
            }
            settle().await;
            let restarted = restarts_after.contains(&end);
            assert_eq!(
                (state(&handle), tasks()),
                if restarted {
                    ("Idle", 2)
                } else {
                    ("stopped", 1)
                },
                "{restart:?} after {end}"
            );
            // Temporary children are forgotten, others stay in the list.
            let listed = tree.children().await.unwrap().len();
            assert_eq!(listed, usize::from(restart != Restart::Temporary));
            assert!(matches!(tree.stop().await, ExitReason::Shutdown));
            assert_eq!(tasks(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_is_ended_with_its_group_and_does_not_come_back() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForAll);
    let a = supervisor.child(worker("a", &trace));
    let b = supervisor.child(worker("b", &trace).restart(Restart::Temporary));
    let tree = supervisor.spawn();
    settle().await;
    trace.take();
    fail(&a).await;
    assert_eq!(trace.line(), "a1 end, b1 drain, b1 end, a2 idle");
    assert!(matches!(b.status(), Status::Stopped(ExitReason::Shutdown)));
    assert_eq!(tree.children().await.unwrap().len(), 1);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_that_has_done_its_work_is_started_again_with_its_group() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForAll);
    let a = supervisor.child(worker("a", &trace));
    let b = supervisor.child(worker("b", &trace).restart(Restart::Transient));
    let tree = supervisor.spawn();
    let done = b.closed();
    b.stop().await;
    assert!(matches!(done.await, ExitReason::Normal));
    trace.take();
    fail(&a).await;
    assert_eq!(trace.line(), "a1 end, a2 idle, b2 idle");
    assert_eq!(b.call(Event::Ask).await.unwrap(), 2);
    tree.stop().await;
}

/// Three children that take a second to end.
async fn slow(strategy: Strategy, trace: &Trace) -> (Tree, [Handle<Worker>; 3]) {
    let mut supervisor = Supervisor::new("top", strategy).intensity(9, Duration::from_secs(5));
    let handles = ["a", "b", "c"].map(|name| {
        let mut world = World::new(name, trace);
        world.drains = Drains::After(Duration::from_secs(1));
        supervisor.child(child(world))
    });
    let tree = supervisor.spawn();
    settle().await;
    trace.take();
    (tree, handles)
}

#[tokio::test(start_paused = true)]
async fn the_others_of_a_group_are_ended_one_after_another() {
    let trace = Trace::default();
    let (tree, [a, b, c]) = slow(Strategy::OneForAll, &trace).await;
    let start = now();
    fail(&a).await;
    assert_eq!(trace.line(), "a1 end, c1 drain");
    assert_eq!([&a, &b, &c].map(state), ["Idle", "Idle", "Idle"]);
    assert!(matches!(tree.status(), Status::Running("Regrouping")));
    tree.ready().await.unwrap();
    assert_eq!(
        trace.line(),
        "c1 end, b1 drain, b1 end, a2 idle, b2 idle, c2 idle"
    );
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_a_group_is_ended_waits_for_its_restart() {
    let trace = Trace::default();
    let (tree, [a, b, _]) = slow(Strategy::RestForOne, &trace).await;
    fail(&b).await;
    assert_eq!(trace.line(), "b1 end, c1 drain");
    // A request, and the failure of a child that the group does not contain.
    let asked = tree.clone();
    let asked = tokio::spawn(async move { asked.delete("a").await });
    fail(&a).await;
    assert_eq!(trace.line(), "a1 end");
    assert!(!asked.is_finished());
    // To be looked at and to be waited for is no change.
    assert_eq!(tree.children().await.unwrap().len(), 3);
    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Failed(_)));
    tree.ready().await.unwrap();
    assert_eq!(
        trace.line(),
        "c1 end, b2 idle, c2 idle, c2 drain, c2 end, b2 drain, b2 end, a2 idle, b3 idle, c3 idle"
    );
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_while_its_group_is_ended_is_ended_already() {
    let trace = Trace::default();
    let (tree, [a, b, c]) = slow(Strategy::OneForAll, &trace).await;
    fail(&a).await;
    fail(&b).await;
    fail(&c).await;
    tree.ready().await.unwrap();
    assert_eq!(
        trace.line(),
        "a1 end, c1 drain, b1 end, c1 end, a2 idle, b2 idle, c2 idle"
    );
    // One failure, one restart.
    assert_eq!(tree.report().await.unwrap().recent, 1);
    tree.stop().await;
}
