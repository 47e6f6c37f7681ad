//! Children that fail while their supervisor deals with others: an end is asked of one life and of no
//! other.

use std::time::Duration;

use statem::supervisor::{ChildError, Restart, Shutdown, Spec, Strategy, Supervisor};
use statem::{Backoff, CallError, ExitReason, Status};

use crate::support::{
    Drains, Event, Idle, Trace, Worker, World, child, fail, settle, soon, state, tasks, worker,
};

/// Two failures before the supervisor has its turn, with the intensity that is the default.
#[tokio::test(start_paused = true)]
async fn n76_children_of_a_group_that_fail_at_once_are_restarted_once() {
    let within = Shutdown::Within(Duration::from_secs(5));
    for shutdown in [within, Shutdown::Forever, Shutdown::Kill] {
        for (one, other) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
            let trace = Trace::default();
            let mut supervisor = Supervisor::new("top", Strategy::OneForAll);
            let children = ["a", "b", "c"]
                .map(|name| supervisor.child(worker(name, &trace).shutdown(shutdown)));
            let tree = supervisor.spawn();
            settle().await;
            children[one].try_cast(Event::Panic).unwrap();
            children[other].try_cast(Event::Panic).unwrap();
            settle().await;
            let status = tree.status();
            assert!(matches!(status, Status::Running(_)), "{status:?}");
            let restarts = children.each_ref().map(statem::Handle::restarts);
            assert_eq!(restarts, [1, 1, 1], "{shutdown:?} {one} {other}");
            assert!(children.iter().all(|child| state(child) == "Idle"));
            tree.stop().await;
            assert_eq!(tasks(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n76_children_of_a_supervisor_that_gave_up_begin_again_without_its_stops() {
    let trace = Trace::default();
    let mut inner =
        Supervisor::new("inner", Strategy::OneForOne).intensity(0, Duration::from_secs(5));
    let x = inner.child(worker("x", &trace));
    let y = inner.child(worker("y", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    let inner = top.tree(inner);
    let tree = top.spawn();
    settle().await;
    x.try_cast(Event::Panic).unwrap();
    y.try_cast(Event::Panic).unwrap();
    settle().await;
    assert!(matches!(tree.status(), Status::Running(_)));
    assert_eq!(
        (x.restarts(), y.restarts(), inner.restarts()),
        (1, 1, 1),
        "{}",
        trace.line()
    );
    assert_eq!((state(&x), state(&y)), ("Idle", "Idle"));
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn n76_a_child_whose_start_panicked_is_not_stopped_when_it_starts_at_last() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForAll);
    // Both fail before the supervisor has its turn.
    let children = ["a", "b"].map(|name| {
        let (mut world, mut fails) = (World::new(name, &trace), true);
        supervisor.child(Spec::<Worker>::new(name, move || {
            assert!(!std::mem::replace(&mut fails, false), "not yet");
            (Idle, world.next())
        }))
    });
    let tree = supervisor.spawn();
    settle().await;
    assert!(matches!(tree.status(), Status::Running(_)));
    assert!(children.iter().all(|child| state(child) == "Idle"));
    assert_eq!(trace.line(), "a1 idle, b1 idle");
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn n76_a_kill_finds_nobody_while_a_child_waits_for_its_restart() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne)
        .backoff(Backoff::default().first(Duration::from_secs(1)).seed(3));
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    settle().await;
    fail(&a).await;
    assert!(matches!(a.status(), Status::Restarting));
    a.kill();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(matches!(tree.status(), Status::Running(_)));
    assert_eq!((state(&a), a.restarts()), ("Idle", 1));
    // And somebody once it runs.
    a.kill();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(trace.line(), "a1 idle, a1 end, a2 idle");
}

#[tokio::test(start_paused = true)]
async fn n76_a_child_is_ended_before_its_task_was_polled() {
    for shutdown in [Shutdown::Forever, Shutdown::Kill] {
        let trace = Trace::default();
        let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
        let keeps = supervisor.child(worker("k", &trace));
        let tree = supervisor.spawn();
        settle().await;
        let spec = worker("a", &trace).shutdown(shutdown);
        // Both requests are there before the supervisor has its turn.
        let (started, ended) = tokio::join!(tree.start(spec), tree.terminate("a"));
        let a = started.unwrap();
        ended.unwrap();
        assert!(matches!(a.status(), Status::Stopped(_)));
        assert_eq!(tasks(), 2);
        tree.restart("a").await.unwrap();
        settle().await;
        assert_eq!(state(&a), "Idle");
        assert_eq!(state(&keeps), "Idle");
        tree.stop().await;
    }
}

/// The supervisor waits for one that takes a second to end.
fn slow(trace: &Trace) -> Spec<Worker> {
    let mut slow = World::new("slow", trace);
    slow.drains = Drains::After(Duration::from_secs(1));
    child(slow)
}

#[tokio::test(start_paused = true)]
async fn more_children_than_are_postponed_by_default_may_end_while_a_group_is_ended() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne);
    let early: Vec<_> = (0..1100)
        .map(|number| {
            let mut world = World::new("early", &trace);
            let spec = Spec::<Worker>::new(format!("early {number}"), move || (Idle, world.next()));
            supervisor.child(spec.restart(Restart::Temporary))
        })
        .collect();
    let failing = supervisor.child(worker("failing", &trace));
    supervisor.child(slow(&trace));
    let tree = supervisor.spawn();
    tree.ready().await.unwrap();
    fail(&failing).await;
    assert!(matches!(tree.status(), Status::Running("Regrouping")));
    for one in &early {
        one.try_cast(Event::Stop(ExitReason::Normal)).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = tree.status();
    assert!(
        matches!(status, Status::Running("Supervising")),
        "{status:?}"
    );
    assert_eq!(tree.children().await.unwrap().len(), 2);
    assert_eq!(tasks(), 3);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn children_may_end_though_as_many_requests_wait_as_may_while_a_group_is_ended() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne);
    let early = ["a", "b", "c"].map(|name| supervisor.child(worker(name, &trace)));
    let failing = supervisor.child(worker("failing", &trace));
    supervisor.child(slow(&trace));
    let tree = supervisor.intensity(4, Duration::from_secs(60)).spawn();
    settle().await;
    fail(&failing).await;
    let asked: Vec<_> = (0..1100)
        .map(|_| {
            let tree = tree.clone();
            tokio::spawn(async move { tree.delete("nobody").await })
        })
        .collect();
    settle().await;
    for one in &early {
        one.try_cast(Event::Panic).unwrap();
    }
    settle().await;
    assert!(matches!(tree.status(), Status::Running("Regrouping")));
    let mut refused = 0;
    for asked in asked {
        match soon(asked).await.unwrap() {
            Err(CallError::Failed(ChildError::NoSuchChild)) => {}
            Err(CallError::Full { .. }) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 1100 - 1024);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(matches!(tree.status(), Status::Running("Supervising")));
    assert!(early.iter().all(|child| state(child) == "Idle"));
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_stopped_while_a_group_is_ended_knows_who_has_ended_meanwhile() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne);
    let early = ["a", "b"].map(|name| supervisor.child(worker(name, &trace)));
    let failing = supervisor.child(worker("failing", &trace));
    supervisor.child(slow(&trace));
    let tree = supervisor.spawn();
    settle().await;
    fail(&failing).await;
    for one in &early {
        one.try_cast(Event::Panic).unwrap();
    }
    settle().await;
    assert!(matches!(tree.status(), Status::Running("Regrouping")));
    assert!(matches!(soon(tree.stop()).await, ExitReason::Shutdown));
    assert_eq!(tasks(), 0);
}
