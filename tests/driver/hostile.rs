//! Foreign code that panics where nobody expects it, or runs where nobody expects it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use statem::{
    Builder, CallError, Cx, EnterCx, ExitReason, Handler, Next, StateMachine, Status, keep,
};

use crate::log::listen;
use crate::support::*;

/// An error that does not want to be shown.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("unspeakable");
    }
}

impl Error for Unspeakable {}

#[tokio::test(start_paused = true)]
async fn n65_a_reason_that_panics_when_it_is_shown_does_not_keep_the_end_from_being_told() {
    let _listens = listen();
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("fail", |_, _| {
            Step::Stop(ExitReason::other(Unspeakable))
        })],
    );
    let reason = tokio::time::timeout(ms(10), machine.closed()).await;
    assert!(matches!(reason, Ok(ExitReason::Other(_))));
    assert_eq!(trace.take(), "fail terminate");
}

/// A waker that panics when it is used, while it is set.
struct Trap(AtomicBool);

impl Wake for Trap {
    fn wake(self: Arc<Self>) {
        assert!(!self.0.load(Ordering::Relaxed), "trap");
    }
}

#[tokio::test(start_paused = true)]
async fn n61_a_waker_that_panics_does_not_keep_the_end_from_being_told() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Note("m")]);
    let trap = Arc::new(Trap(AtomicBool::new(true)));
    let waker = Waker::from(trap.clone());
    let mut context = Context::from_waker(&waker);
    // One waits for room, one for a place among the questions, one for the end.
    let mut cast = Box::pin(machine.cast(Event::Note("waits")));
    assert!(cast.as_mut().poll(&mut context).is_pending());
    let mut asked: Vec<_> = (0..65).map(|_| Box::pin(machine.inspect())).collect();
    let mut last = asked.pop().unwrap();
    assert!(
        asked
            .iter_mut()
            .all(|asked| poll_once(asked.as_mut()).is_pending())
    );
    assert!(last.as_mut().poll(&mut context).is_pending());
    let mut closed = Box::pin(machine.closed());
    assert!(closed.as_mut().poll(&mut context).is_pending());
    let other = tokio::spawn(machine.closed());
    let call = tokio::spawn({
        let machine = machine.clone();
        async move { machine.call(Event::Ask).await }
    });
    tokio::task::yield_now().await;

    drop(driver);
    trap.0.store(false, Ordering::Relaxed);
    assert!(matches!(machine.status(), Status::Stopped(_)));
    assert!(matches!(other.await.unwrap(), ExitReason::Aborted));
    let call = call.await.unwrap();
    assert!(
        matches!(call, Err(CallError::Stopped { begun: false, .. })),
        "{call:?}"
    );
    assert!(matches!(poll_once(cast.as_mut()), Poll::Ready(Err(_))));
    assert_eq!(trace.take(), "");
}

/// A name that does not want to be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Nameless;

impl fmt::Debug for Nameless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("nameless");
    }
}

#[derive(Debug, StateMachine)]
#[machine(event = (), timeout = Nameless, shutdown = last_word())]
enum Shy {
    #[initial]
    Hiding,
}

/// Does not want to end either.
fn last_word() {
    panic!("no last word");
}

impl Handler for Shy {
    fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
        cx.timeout(Nameless, ms(1000), ());
    }

    fn handle(_: ShyAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn n70_the_name_of_a_timeout_that_panics_is_the_askers_affair_alone() {
    let machine = statem::spawn::<Shy>(Hiding, ());
    let error = machine.inspect().await.unwrap_err();
    assert!(matches!(error, CallError::NotAnswered { .. }), "{error:?}");
    machine.inspect_values().await.unwrap_err();
    assert!(matches!(machine.status(), Status::Running("Hiding")));
    assert!(matches!(machine.stop().await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn n65_a_shutdown_event_that_panics_when_it_is_made_is_a_panic_of_its_machine() {
    let machine = statem::spawn::<Shy>(Hiding, ());
    let reason = machine.shutdown(ms(50)).await;
    assert!(
        matches!(
            &reason,
            ExitReason::Panicked { message, state: "Hiding", .. } if &**message == "no last word"
        ),
        "{reason:?}"
    );
}

/// What a caller has been told, as it happens.
type Told = Arc<Mutex<Vec<&'static str>>>;

#[test]
fn n9_a_source_of_a_machine_that_runs_inside_of_a_handler_answers_at_once() {
    let told = Told::default();
    let seen = told.clone();
    // A runtime cannot be entered twice, so the outer machine is driven by hand.
    let outer = run("outer", move |_, _| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (machine, _) = puppet();
            let caller = tokio::spawn({
                let machine = machine.clone();
                async move { machine.call(keep_reply()).limit(ms(300)).await.is_ok() }
            });
            tokio::task::yield_now().await;
            let answer = run("answer", |world, cx| {
                let reply = world.replies.pop().unwrap();
                cx.state_task(async move { reply.send(7).is_ok() }, |_| {
                    Event::Note("sent")
                });
                Step::Keep
            });
            send(&machine, [answer]);
            if caller.await.unwrap() {
                seen.lock().unwrap().push("inner");
            }
        });
        Step::Keep
    });
    let clock = || ms(0);
    let mut engine = statem::engine::Engine::<Puppet>::new(Idle, World::default());
    engine.start(&clock);
    engine.handle(outer, &clock);
    assert_eq!(*told.lock().unwrap(), ["inner"]);
}

#[test]
fn n9_the_replies_of_a_handler_wait_for_its_end_whatever_runs_inside_of_it() {
    let clock = || ms(0);
    let told = Told::default();
    let mut engine = statem::engine::Engine::<Puppet>::new(Idle, World::default());
    engine.start(&clock);
    let mut answer = engine.call(keep_reply(), &clock);
    let waker = Waker::from(Arc::new(Note(told.clone())));
    let mut context = Context::from_waker(&waker);
    assert!(Pin::new(&mut answer).poll(&mut context).is_pending());

    let seen = told.clone();
    let outer = run("outer", move |world, _| {
        world.replies.pop().unwrap().send(1).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (machine, trace) = puppet();
            let start = run("start", |_, cx| {
                cx.state_task(async { drive_by_hand() }, |()| Event::Note("driven"));
                Step::Keep
            });
            send(&machine, [start]);
            rest(&machine).await;
            machine.stop().await;
            assert_eq!(trace.take(), "start driven terminate");
        });
        seen.lock().unwrap().push("the handler ends");
        Step::Keep
    });
    engine.handle(outer, &clock);
    assert!(matches!(answer.try_take(), Some(Ok(1))));
    assert_eq!(
        *told.lock().unwrap(),
        ["the handler ends", "the caller is woken"]
    );
}

/// Drives a machine to an answer.
fn drive_by_hand() {
    let clock = || ms(0);
    let mut engine = statem::engine::Engine::<Puppet>::new(Idle, World::default());
    engine.start(&clock);
    let mut answer = engine.call(Event::Ask, &clock);
    assert!(matches!(answer.try_take(), Some(Ok(7))));
}

/// Notes that it was woken.
struct Note(Told);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().push("the caller is woken");
    }
}
