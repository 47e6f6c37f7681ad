//! Supervisors under supervisors.

use std::time::Duration;

use statem::supervisor::{Queue, Restart, Shutdown, Strategy, Supervisor, Tree};
use statem::{ExitReason, Handle, Status};

use crate::support::{
    Drains, Event, Trace, Worker, World, child, fail, gave_up, settle, state, tasks, worker,
};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

struct Fixture {
    trace: Trace,
    top: Tree,
    inner: Tree,
    a: Handle<Worker>,
    b: Handle<Worker>,
    c: Handle<Worker>,
}

/// `a`, and a supervisor with `b` and `c` that allows one restart; the top allows two.
async fn nested() -> Fixture {
    let trace = Trace::default();
    let mut inner =
        Supervisor::new("inner", Strategy::OneForOne).intensity(1, Duration::from_secs(5));
    let b = inner.child(worker("b", &trace));
    let c = inner.child(worker("c", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne).intensity(2, Duration::from_secs(60));
    let a = top.child(worker("a", &trace));
    let inner = top.tree(inner);
    let top = top.spawn();
    top.ready().await.unwrap();
    assert_eq!(trace.line(), "a1 idle, b1 idle, c1 idle");
    Fixture {
        trace,
        top,
        inner,
        a,
        b,
        c,
    }
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_gives_up_is_restarted_and_the_handles_below_it_survive() {
    let f = nested().await;
    fail(&f.b).await;
    assert_eq!(f.trace.line(), "b1 end, b2 idle");
    fail(&f.b).await;
    assert_eq!(f.trace.line(), "b2 end, c1 drain, c1 end, b3 idle, c2 idle");
    assert_eq!(f.b.call(Event::Ask).await.unwrap(), 3);
    assert_eq!(f.c.call(Event::Ask).await.unwrap(), 2);
    assert_eq!(f.inner.restarts(), 1);
    assert_eq!(f.inner.children().await.unwrap().len(), 2);
    assert_eq!(tasks(), 5);
    assert_eq!(f.a.restarts(), 0);
    f.top.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_failing_takes_down_one_supervisor_after_another() {
    let f = nested().await;
    // Two failures for each life of the inner one, which may have three lives.
    for _ in 0..5 {
        fail(&f.c).await;
        assert_eq!(state(&f.c), "Idle");
    }
    fail(&f.c).await;
    let reason = f.top.closed().await;
    let error = gave_up(&reason);
    assert_eq!((&*error.supervisor, &*error.child), ("top", "inner"));
    assert_eq!(&*gave_up(&error.reason).child, "c");
    for handle in [&f.a, &f.b, &f.c] {
        assert_eq!(state(handle), "stopped");
    }
    assert!(matches!(f.inner.status(), Status::Stopped(_)));
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_ended_from_its_last_leaf() {
    let f = nested().await;
    f.top.stop().await;
    assert_eq!(
        f.trace.line(),
        "c1 drain, c1 end, b1 drain, b1 end, a1 drain, a1 end"
    );
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn children_of_run_time_go_with_their_supervisor_and_those_of_its_start_come_back() {
    let f = nested().await;
    let d = f.inner.start(worker("d", &f.trace)).await.unwrap();
    f.inner.terminate("b").await.unwrap();
    f.inner.delete("b").await.unwrap();
    f.trace.take();
    fail(&f.c).await;
    fail(&f.c).await;
    assert_eq!(
        f.trace.line(),
        "c1 end, c2 idle, c2 end, d1 drain, d1 end, b2 idle, c3 idle"
    );
    assert!(matches!(d.closed().await, ExitReason::Shutdown));
    assert_eq!(f.b.call(Event::Ask).await.unwrap(), 2);
    f.top.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_comes_back_with_its_supervisor() {
    let trace = Trace::default();
    let mut inner =
        Supervisor::new("inner", Strategy::OneForOne).intensity(0, Duration::from_secs(5));
    let a = inner.child(worker("a", &trace).restart(Restart::Temporary));
    let b = inner.child(worker("b", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    top.tree(inner);
    let top = top.spawn();
    settle().await;
    fail(&a).await;
    assert_eq!(state(&a), "stopped");
    trace.take();
    fail(&b).await;
    assert_eq!(trace.line(), "b1 end, a2 idle, b2 idle");
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    top.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_is_killed_starts_its_children_again_when_they_have_ended() {
    let trace = Trace::default();
    let mut world = World::new("a", &trace);
    world.drains = Drains::Never;
    let mut inner = Supervisor::new("inner", Strategy::OneForOne);
    let a = inner.child(child(world).shutdown(Shutdown::Forever));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    let inner = top.tree(inner);
    let top = top.spawn();
    settle().await;
    inner.kill();
    settle().await;
    // Never two lives at once.
    assert_eq!(trace.line(), "a1 idle, a1 end, a2 idle");
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    top.ready().await.unwrap();
    assert_eq!(tasks(), 3);
    top.kill();
    settle().await;
    assert_eq!((tasks(), state(&a)), (0, "stopped"));
}

#[tokio::test(start_paused = true)]
async fn a_transient_supervisor_that_gave_up_is_restarted_and_one_that_was_stopped_is_not() {
    let trace = Trace::default();
    let mut inner = Supervisor::new("inner", Strategy::OneForOne)
        .intensity(0, Duration::from_secs(5))
        .restart(Restart::Transient);
    let a = inner.child(worker("a", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    let inner = top.tree(inner);
    let top = top.spawn();
    settle().await;
    fail(&a).await;
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    assert!(matches!(inner.stop().await, ExitReason::Shutdown));
    settle().await;
    assert_eq!(tasks(), 1);
    assert!(matches!(
        top.children().await.unwrap()[0].status,
        Status::Stopped(_)
    ));
    // Nobody is told that `a` has ended for good: its supervisor may be started again.
    top.restart("inner").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 3);
    top.stop().await;
    assert_eq!(state(&a), "stopped");
}

#[tokio::test(start_paused = true)]
async fn a_tree_prints_itself() {
    let f = nested().await;
    fail(&f.a).await;
    fail(&f.b).await;
    f.b.suspend().await.unwrap();
    f.b.try_cast(Event::Note("waits")).unwrap();
    f.inner.terminate("c").await.unwrap();
    let late = f
        .inner
        .start(worker("late", &f.trace).ready_in(&["Busy"]))
        .await
        .unwrap();
    settle().await;
    assert_eq!(
        f.top.report().await.unwrap().to_string(),
        "\
top: one for one, 1 of 2 restarts
├─ a (Worker): Idle, restarts 1, queue 0
└─ inner (Supervision): Supervising, not ready, restarts 0, queue 0, one for one, 1 of 1 restarts
   ├─ b (Worker): Idle, restarts 1, queue 1
   ├─ c (Worker): ended, it was shut down, restarts 0, queue 0
   └─ late (Worker): Idle, not ready, restarts 0, queue 0"
    );
    drop(late);
    f.top.kill();
}

#[tokio::test(start_paused = true)]
async fn n76_what_waits_below_a_supervisor_that_is_restarted_is_kept_while_its_children_end() {
    let trace = Trace::default();
    let mut inner = Supervisor::new("inner", Strategy::OneForOne).intensity(0, ms(5_000));
    let keeps = inner.child(worker("k", &trace).queue(Queue::Keep));
    // It takes its time, so that the supervisor is about to end for a second.
    let mut slow = World::new("s", &trace);
    slow.drains = Drains::After(ms(1_000));
    inner.child(child(slow));
    let mut top = Supervisor::new("top", Strategy::OneForOne).intensity(5, ms(60_000));
    let inner = top.tree(inner);
    let top = top.spawn();
    top.ready().await.unwrap();
    fail(&keeps).await;
    assert!(matches!(inner.status(), Status::Running("Stopping")));
    keeps.try_cast(Event::Note("kept")).unwrap();
    assert_eq!(keeps.call(Event::Ask).await.unwrap(), 2);
    assert_eq!((inner.restarts(), tasks()), (1, 4));
    assert_eq!(
        trace.line(),
        "k1 idle, s1 idle, k1 end, s1 drain, s1 end, k2 idle, k2 kept, s2 idle"
    );
    top.stop().await;
    assert_eq!(tasks(), 0);
}
