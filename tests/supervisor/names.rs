//! Children with names in a registry.

use std::cmp::Ordering;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicUsize};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use statem::supervisor::{ChildError, Queue, Restart, Strategy, Supervisor, Tree};
use statem::{AlreadyStarted, Backoff, Builder, CallError, ExitReason, Handle, Registry};

use crate::support::{
    Event, Idle, Trace, Worker, World, fail, gave_up, settle, soon, state, tasks, worker,
};

type Names = Registry<&'static str, Worker>;

/// A machine that is nobody's child, under a name.
fn stranger(names: &Names, name: &'static str) -> Handle<Worker> {
    let world = World::new("s", &Trace::default());
    names.spawn(name, Builder::new(), Idle, world).unwrap()
}

/// Whether a name gives this handle.
async fn is_named(names: &Names, name: &'static str, handle: &Handle<Worker>) -> bool {
    let note = Trace::default();
    let Some(found) = names.get(name) else {
        return false;
    };
    let of_note = note.clone();
    let script: crate::support::Script = Box::new(move |_, _| of_note.say("here".into()));
    found.cast(Event::Run(script)).await.unwrap();
    // Whatever this one is asked comes behind it, if it is the same.
    handle.call(Event::Ask).await.unwrap();
    note.line() == "here"
}

#[tokio::test(start_paused = true)]
async fn n76_a_name_belongs_to_the_handle_that_outlives_a_restart() {
    let (trace, names) = (Trace::default(), Names::new());
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let backoff = Backoff::default().first(Duration::from_secs(2)).seed(1);
    let spec = worker("a", &trace).queue(Queue::Keep).backoff(backoff);
    let a = supervisor.child(spec.registered(&names, "first"));
    // Only who has begun to live has a name.
    assert!(names.names().is_empty());
    let tree = supervisor.spawn();
    settle().await;
    assert!(is_named(&names, "first", &a).await);

    fail(&a).await;
    assert_eq!(state(&a), "restarting");
    assert_eq!(names.names(), ["first"]);
    // What is sent by the name meanwhile is kept, as by any handle.
    let found = names.get("first").unwrap();
    let asked = tokio::spawn(async move { found.call(Event::Ask).await });
    assert_eq!(soon(asked).await.unwrap().unwrap(), 2);
    assert!(is_named(&names, "first", &a).await);
    tree.stop().await;
    assert!(names.names().is_empty());
    assert_eq!(tasks(), 0);
}

/// Counts the names when it is woken.
struct Looks(Names, AtomicUsize);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let found = self.0.names().len();
        self.1.store(found, atomic::Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn n61_the_name_of_a_child_is_free_before_its_end_is_told() {
    for way in ["ended", "terminated", "gave up"] {
        let (trace, names) = (Trace::default(), Names::new());
        let mut supervisor =
            Supervisor::new("top", Strategy::OneForOne).intensity(0, Duration::from_secs(5));
        let spec = worker("a", &trace).restart(Restart::Transient);
        let a = supervisor.child(spec.registered(&names, "first"));
        let tree = supervisor.spawn();
        settle().await;
        let looks = Arc::new(Looks(names.clone(), AtomicUsize::new(9)));
        let mut closed = Box::pin(a.closed());
        let waker = Waker::from(looks.clone());
        // It is woken by the end of a life, too: so it is polled again before each other task.
        let told = tokio::spawn(poll_fn(move |cx| {
            let polled = closed.as_mut().poll(&mut Context::from_waker(&waker));
            cx.waker().wake_by_ref();
            polled
        }));
        settle().await;
        assert!(!told.is_finished(), "{way}");
        match way {
            "ended" => a.try_cast(Event::Stop(ExitReason::Normal)).unwrap(),
            "terminated" => tree.terminate("a").await.unwrap(),
            _ => fail(&a).await,
        }
        told.await.unwrap();
        assert_eq!(looks.1.load(atomic::Ordering::SeqCst), 0, "{way}");
        assert!(names.names().is_empty(), "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_names_of_children_are_free_when_their_supervisor_is_killed_or_left() {
    for way in ["killed", "left"] {
        let (trace, names) = (Trace::default(), Names::new());
        let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
        let a = supervisor.child(worker("a", &trace).registered(&names, "first"));
        let tree = supervisor.spawn();
        settle().await;
        assert_eq!(names.names(), ["first"], "{way}");
        if way == "killed" {
            tree.kill();
        }
        drop(tree);
        a.closed().await;
        assert!(names.names().is_empty(), "{way}");
    }
}

fn failed<T>(outcome: Result<T, CallError<ChildError>>) -> ChildError {
    match outcome {
        Err(CallError::Failed(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it did not fail"),
    }
}

#[tokio::test(start_paused = true)]
async fn r83_a_child_whose_name_is_taken_is_not_started() {
    let (trace, names) = (Trace::default(), Names::new());
    let holder = stranger(&names, "first");
    let tree = Supervisor::new("top", Strategy::Dynamic)
        .intensity(0, Duration::from_secs(5))
        .spawn();
    let spec = || worker("a", &trace).registered(&names, "first");
    assert_eq!(failed(tree.start(spec()).await), ChildError::AlreadyStarted);
    settle().await;
    assert_eq!(trace.line(), "");
    assert!(tree.children().await.unwrap().is_empty());
    assert!(is_named(&names, "first", &holder).await);

    holder.stop().await;
    let a = tree.start(spec()).await.unwrap();
    assert!(is_named(&names, "first", &a).await);
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_is_started_again_takes_its_name_again_if_it_is_free() {
    let (trace, names) = (Trace::default(), Names::new());
    let tree = Supervisor::new("top", Strategy::OneForOne).spawn();
    let spec = worker("a", &trace).registered(&names, "first");
    let a = tree.start(spec).await.unwrap();
    tree.terminate("a").await.unwrap();
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    assert!(is_named(&names, "first", &a).await);

    tree.terminate("a").await.unwrap();
    let holder = stranger(&names, "first");
    assert_eq!(failed(tree.restart("a").await), ChildError::AlreadyStarted);
    assert_eq!(state(&a), "stopped");
    assert_eq!(tree.children().await.unwrap()[0].restarts, 1);
    holder.stop().await;
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 3);
    tree.stop().await;
}

/// A supervisor whose one child is to have a name that another machine has.
fn unlucky(names: &Names, backoff: Option<Backoff>) -> (Tree, Handle<Worker>) {
    let mut supervisor =
        Supervisor::new("top", Strategy::OneForOne).intensity(2, Duration::from_secs(500));
    let mut spec = worker("a", &Trace::default());
    if let Some(backoff) = backoff {
        spec = spec.backoff(backoff);
    }
    let a = supervisor.child(spec.registered(names, "first"));
    (supervisor.spawn(), a)
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_a_failure_of_a_start_that_nobody_waits_for() {
    let names = Names::new();
    let holder = stranger(&names, "first");
    settle().await;
    let (tree, _a) = unlucky(&names, None);
    let reason = soon(tree.closed()).await;
    let ExitReason::Other(error) = &gave_up(&reason).reason else {
        panic!("{reason}");
    };
    let error: &AlreadyStarted<Worker> = error.downcast_ref().unwrap();
    assert_eq!(
        error.to_string(),
        "a `Worker` of this name runs already, in state `Idle`: use its handle"
    );
    assert!(is_named(&names, "first", &holder).await);

    // One that waits finds it free.
    let backoff = Backoff::default().first(Duration::from_secs(9)).seed(1);
    let (tree, a) = unlucky(&names, Some(backoff));
    settle().await;
    assert_eq!(state(&a), "starting");
    holder.stop().await;
    soon(tree.ready()).await.unwrap();
    assert!(is_named(&names, "first", &a).await);
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn names_below_a_supervisor_survive_its_restart() {
    let (trace, names) = (Trace::default(), Names::new());
    let mut inner = Supervisor::new("inner", Strategy::OneForOne).intensity(0, Duration::ZERO);
    let a = inner.child(worker("a", &trace).registered(&names, "first"));
    let b = inner.child(worker("b", &trace));
    let mut top = Supervisor::new("top", Strategy::OneForOne);
    let inner = top.tree(inner);
    let top = top.spawn();
    top.ready().await.unwrap();
    let late = worker("c", &trace).registered(&names, "second");
    inner.start(late).await.unwrap();
    assert_eq!(names.names(), ["first", "second"]);

    fail(&b).await;
    assert_eq!(inner.restarts(), 1);
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    assert!(is_named(&names, "first", &a).await);
    // The other one was forgotten with the life of the supervisor it was added to.
    assert_eq!(names.names(), ["first"]);
    top.stop().await;
    assert!(names.names().is_empty());
}

/// A name that panics when it is first cloned.
#[derive(Debug)]
struct Touchy(Arc<AtomicUsize>);

impl Clone for Touchy {
    fn clone(&self) -> Self {
        let before = self.0.fetch_add(1, atomic::Ordering::SeqCst);
        assert!(before > 0, "not yet");
        Touchy(self.0.clone())
    }
}

impl PartialEq for Touchy {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Touchy {}

impl PartialOrd for Touchy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Touchy {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_panics_is_a_failure_of_its_child() {
    let names: Registry<Touchy, Worker> = Registry::new();
    let tree = Supervisor::new("top", Strategy::Dynamic).spawn();
    let name = Touchy(Arc::default());
    let spec = worker("a", &Trace::default()).registered(&names, name);
    // Once when it is asked for, and again when the child begins.
    let a = tree.start(spec).await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 1);
    assert_eq!(names.names().len(), 1);
    tree.stop().await;
    assert!(names.names().is_empty());
}
