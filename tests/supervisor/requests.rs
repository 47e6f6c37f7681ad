//! Children that are started, ended, restarted and forgotten at run time.

use std::time::Duration;

use statem::supervisor::{ChildError, Restart, Strategy, Supervisor, Tree};
use statem::{CallError, ExitReason, Status};

use crate::support::{Drains, Event, Trace, World, child, fail, settle, state, tasks, worker};

fn failed<T>(outcome: Result<T, CallError<ChildError>>) -> ChildError {
    match outcome {
        Err(CallError::Failed(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it did not fail"),
    }
}

async fn names(tree: &Tree) -> Vec<String> {
    let children = tree.children().await.unwrap();
    children
        .iter()
        .map(|child| child.name.to_string())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_child_is_started_ended_restarted_and_forgotten() {
    let trace = Trace::default();
    let tree = Supervisor::new("top", Strategy::OneForOne).spawn();
    let a = tree.start(worker("a", &trace)).await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 1);
    assert_eq!(
        failed(tree.start(worker("a", &trace)).await),
        ChildError::NameTaken
    );
    assert_eq!(failed(tree.restart("a").await), ChildError::Running);
    assert_eq!(failed(tree.delete("a").await), ChildError::Running);
    assert_eq!(failed(tree.restart("x").await), ChildError::NoSuchChild);
    assert_eq!(failed(tree.delete("x").await), ChildError::NoSuchChild);
    assert_eq!(failed(tree.terminate("x").await), ChildError::NoSuchChild);

    let closed = a.closed();
    tree.terminate("a").await.unwrap();
    assert!(matches!(closed.await, ExitReason::Shutdown));
    assert_eq!((state(&a), tasks()), ("stopped", 1));
    tree.terminate("a").await.unwrap();
    assert_eq!(names(&tree).await, ["a"]);

    // For the same handle.
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    fail(&a).await;
    assert_eq!(a.call(Event::Ask).await.unwrap(), 3);
    assert_eq!(tree.children().await.unwrap()[0].restarts, 2);

    tree.terminate("a").await.unwrap();
    tree.delete("a").await.unwrap();
    assert!(names(&tree).await.is_empty());
    assert_eq!(failed(tree.restart("a").await), ChildError::NoSuchChild);
    assert!(matches!(a.status(), Status::Stopped(_)));

    tree.start(worker("a", &trace)).await.unwrap();
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_child_is_waited_for_by_all_who_ask_for_it() {
    let trace = Trace::default();
    let mut world = World::new("a", &trace);
    world.drains = Drains::After(Duration::from_secs(60));
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    supervisor.child(child(world).shutdown(Duration::from_secs(100)));
    let b = supervisor.child(worker("b", &trace));
    let tree = supervisor.spawn();
    settle().await;
    let asked: Vec<_> = (0..2)
        .map(|_| {
            let tree = tree.clone();
            tokio::spawn(async move { tree.terminate("a").await })
        })
        .collect();
    settle().await;
    // Others are looked after meanwhile.
    fail(&b).await;
    assert_eq!(b.call(Event::Ask).await.unwrap(), 2);
    assert_eq!(failed(tree.restart("a").await), ChildError::Running);
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_that_is_ended_is_forgotten() {
    let trace = Trace::default();
    let tree = Supervisor::new("top", Strategy::OneForOne).spawn();
    let spec = worker("a", &trace).restart(Restart::Temporary);
    let a = tree.start(spec).await.unwrap();
    tree.terminate("a").await.unwrap();
    assert!(names(&tree).await.is_empty());
    assert!(matches!(a.closed().await, ExitReason::Shutdown));
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_was_started_last_is_the_last_one() {
    let trace = Trace::default();
    let mut supervisor =
        Supervisor::new("top", Strategy::RestForOne).intensity(9, Duration::from_secs(5));
    supervisor.child(worker("a", &trace));
    let b = supervisor.child(worker("b", &trace));
    let tree = supervisor.spawn();
    let c = tree.start(worker("c", &trace)).await.unwrap();
    settle().await;
    trace.take();
    fail(&b).await;
    assert_eq!(trace.line(), "b1 end, c1 drain, c1 end, b2 idle, c2 idle");
    fail(&c).await;
    assert_eq!(trace.line(), "c2 end, c3 idle");
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_ending_starts_nobody() {
    let trace = Trace::default();
    let mut world = World::new("a", &trace);
    world.drains = Drains::After(Duration::from_secs(1));
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    supervisor.child(child(world));
    let tree = supervisor.spawn();
    settle().await;
    let stopping = tree.clone();
    let stopping = tokio::spawn(async move { stopping.stop().await });
    settle().await;
    assert_eq!(
        failed(tree.start(worker("b", &trace)).await),
        ChildError::Stopping
    );
    assert_eq!(failed(tree.terminate("a").await), ChildError::Stopping);
    assert_eq!(failed(tree.restart("a").await), ChildError::Stopping);
    assert_eq!(failed(tree.delete("a").await), ChildError::Stopping);
    stopping.await.unwrap();
    let error = tree.start(worker("b", &trace)).await.unwrap_err();
    assert!(matches!(error, CallError::Stopped { .. }));
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_children_come_and_go() {
    let trace = Trace::default();
    let tree = Supervisor::new("top", Strategy::Dynamic)
        .intensity(0, Duration::from_secs(5))
        .spawn();
    let mut handles = Vec::new();
    for number in 0..500 {
        let mut world = World::new("w", &trace);
        let spec = statem::supervisor::Spec::new(number.to_string(), move || {
            (crate::support::Idle, world.next())
        });
        handles.push(tree.start(spec.restart(Restart::Temporary)).await.unwrap());
    }
    settle().await;
    assert_eq!(tasks(), 501);
    for (number, handle) in handles.iter().enumerate() {
        match number % 3 {
            0 => drop(handle.stop().await),
            1 => handle.kill(),
            _ => {}
        }
    }
    settle().await;
    assert_eq!(tree.children().await.unwrap().len(), 166);
    assert_eq!(tasks(), 167);
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_adds_no_child_beyond_its_limit() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).limit(3);
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    let temporary = worker("b", &trace).restart(Restart::Temporary);
    let b = tree.start(temporary).await.unwrap();
    tree.start(worker("c", &trace)).await.unwrap();
    let full = ChildError::Full { limit: 3 };
    assert_eq!(failed(tree.start(worker("d", &trace)).await), full);
    let inner = || Supervisor::new("inner", Strategy::OneForOne);
    assert_eq!(failed(tree.start_tree(inner()).await), full);
    assert!(full.to_string().contains("has 3 children"), "{full}");
    // Of two reasons the one that lasts.
    let twice = tree.start(worker("c", &trace)).await;
    assert_eq!(failed(twice), ChildError::NameTaken);

    // One that has ended is still a child; a restart adds none.
    tree.terminate("c").await.unwrap();
    fail(&a).await;
    assert_eq!(failed(tree.start(worker("d", &trace)).await), full);
    tree.delete("c").await.unwrap();
    tree.start(worker("d", &trace)).await.unwrap();
    // A temporary one that has ended is none.
    assert_eq!(failed(tree.start_tree(inner()).await), full);
    fail(&b).await;
    tree.start_tree(inner()).await.unwrap();
    assert_eq!(names(&tree).await, ["a", "d", "inner"]);
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn children_that_were_there_first_are_no_matter_of_the_limit() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).limit(0);
    let a = supervisor.child(worker("a", &trace));
    supervisor.child(worker("b", &trace));
    let tree = supervisor.spawn();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 1);
    let full = ChildError::Full { limit: 0 };
    assert_eq!(failed(tree.start(worker("c", &trace)).await), full);
    tree.terminate("a").await.unwrap();
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_may_start_another_one() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    let (weak, of_b) = (tree.downgrade(), trace.clone());
    let script: crate::support::Script = Box::new(move |_, cx| {
        cx.state_task(
            async move {
                let tree = weak.upgrade().unwrap();
                tree.start(worker("b", &of_b)).await.unwrap();
            },
            |()| Event::Note("started"),
        );
    });
    a.cast(Event::Run(script)).await.unwrap();
    settle().await;
    let mut words = trace.take();
    words.sort();
    assert_eq!(words, ["a1 idle", "a1 started", "b1 idle"]);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_supervisor_forgets_transient_children_that_are_done() {
    let trace = Trace::default();
    let tree = Supervisor::new("top", Strategy::Dynamic).spawn();
    for life in 0..3 {
        // Each under the same name, which is free again.
        let spec = worker("a", &trace).restart(Restart::Transient);
        let a = tree.start(spec).await.unwrap();
        if life == 2 {
            fail(&a).await;
            assert_eq!((state(&a), a.restarts()), ("Idle", 1));
        }
        let closed = a.closed();
        a.cast(Event::Stop(ExitReason::Normal)).await.unwrap();
        assert!(matches!(closed.await, ExitReason::Normal));
        settle().await;
        assert!(names(&tree).await.is_empty());
    }
    // Whoever is terminated may be wanted again.
    let spec = worker("a", &trace).restart(Restart::Transient);
    tree.start(spec).await.unwrap();
    tree.terminate("a").await.unwrap();
    assert_eq!(names(&tree).await, ["a"]);
    tree.stop().await;
}
