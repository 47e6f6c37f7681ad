//! Foreign code that panics where nobody expects it, or runs where nobody expects it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use statem::{
    Builder, CallError, Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, Status, keep,
    unexpected,
};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Level, Metadata, Subscriber};

use crate::log::{listen, somebody_listens};
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

/// Listens to the log, and panics at each warning.
struct Heckler;

impl Subscriber for Heckler {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("statem")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        assert!(
            *event.metadata().level() != Level::WARN,
            "a listener that does not want to hear this"
        );
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn heckle() -> DefaultGuard {
    somebody_listens();
    set_default(Heckler)
}

#[tokio::test(start_paused = true)]
async fn n61_a_listener_that_panics_at_the_end_keeps_nobody_from_being_told() {
    for behind in [0, 100] {
        let (machine, driver, _) = unpolled(Builder::new());
        let _heckles = heckle();
        send(
            &machine,
            [
                run("stop", |_, _| Step::Stop(ExitReason::Normal)),
                Event::Hold {
                    name: "never",
                    reply: None,
                    probe: Some(Probe::new(|| panic!("no drop"))),
                },
            ],
        );
        // In what the driver has taken, or in what is left in the mailbox.
        send(&machine, (0..behind).map(Event::Number));
        let mut call = Box::pin(machine.call(Event::Ask).limit(ms(1_000)));
        assert!(poll_once(call.as_mut()).is_pending());
        tokio::spawn(driver.run());
        let outcome = call.await;
        assert!(
            matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
            "{behind} behind: {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn n65_a_listener_that_panics_at_a_warning_is_none_of_the_machines() {
    let (machine, _) = puppet();
    let _heckles = heckle();
    let outcome = machine.call(|reply| Event::Odd(Some(reply))).await;
    assert!(
        matches!(outcome, Err(CallError::Unexpected { .. })),
        "{outcome:?}"
    );
    assert!(matches!(machine.status(), Status::Running("Idle")));
}

/// Does not expect a timeout whose name does not want to be shown.
#[derive(StateMachine)]
#[machine(event = (), timeout = Nameless)]
enum Surprised {
    #[initial]
    #[to()]
    Waiting,
}

impl Handler for Surprised {
    fn enter(&mut self, (): &mut (), cx: &mut EnterCx<Self>) {
        cx.timeout(Nameless, ms(10), ());
    }

    fn handle(_: SurprisedAt<'_>, event: (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        unexpected(event)
    }
}

#[tokio::test(start_paused = true)]
async fn n65_the_name_of_a_timeout_that_panics_in_a_warning_is_none_of_the_machines() {
    let _listens = listen();
    let machine = statem::spawn::<Surprised>(Waiting, ());
    tokio::time::sleep(ms(20)).await;
    assert!(matches!(machine.status(), Status::Running("Waiting")));
    assert_eq!(machine.inspect().await.unwrap().counts.unexpected, 1);
}

#[tokio::test(start_paused = true)]
async fn n65_a_waker_of_a_caller_that_panics_is_none_of_the_machines() {
    let (machine, _) = puppet_with(Builder::new().postponed(0), |_| {});
    let trap = Arc::new(Trap(AtomicBool::new(true)));
    let waker = Waker::from(trap.clone());
    let mut context = Context::from_waker(&waker);
    let mut unexpected = Box::pin(machine.call(|reply| Event::Odd(Some(reply))));
    let mut refused = Box::pin(machine.call(hold("refused")));
    let mut answered = Box::pin(machine.call(Event::Ask));
    assert!(unexpected.as_mut().poll(&mut context).is_pending());
    assert!(refused.as_mut().poll(&mut context).is_pending());
    assert!(answered.as_mut().poll(&mut context).is_pending());
    rest(&machine).await;
    trap.0.store(false, Ordering::Relaxed);
    assert!(matches!(machine.status(), Status::Running("Idle")));
    let told = unexpected.await;
    assert!(
        matches!(told, Err(CallError::Unexpected { .. })),
        "{told:?}"
    );
    let told = refused.await;
    assert!(matches!(told, Err(CallError::Full { .. })), "{told:?}");
    assert_eq!(answered.await.unwrap(), 7);
}

/// A name that panics when it is compared, while it is set.
#[derive(Clone, Copy, Debug)]
struct Incomparable;

static COMPARED: AtomicBool = AtomicBool::new(false);

impl PartialEq for Incomparable {
    fn eq(&self, _: &Incomparable) -> bool {
        assert!(!COMPARED.load(Ordering::Relaxed), "no comparison");
        true
    }
}

impl Eq for Incomparable {}

#[derive(StateMachine)]
#[machine(event = Option<Reply<u32>>, data = Trace, timeout = Incomparable)]
enum Aloof {
    #[initial]
    #[to()]
    Apart,
}

impl Handler for Aloof {
    fn enter(&mut self, _: &mut Trace, cx: &mut EnterCx<Self>) {
        cx.timeout(Incomparable, ms(10), None);
        cx.state_timeout(ms(20), None);
    }

    fn handle(
        _: AloofAt<'_>,
        event: Option<Reply<u32>>,
        trace: &mut Trace,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match event {
            Some(_) => cx.timeout(Incomparable, ms(10), None),
            None => trace.push("fires"),
        }
        keep()
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, trace: &mut Trace) {
        trace.push("terminate");
    }
}

#[tokio::test(start_paused = true)]
async fn n65_names_of_timeouts_are_compared_where_a_panic_has_a_reason() {
    let trace = Trace::default();
    let start = || statem::spawn::<Aloof>(Apart, trace.clone());
    let [fires, stops, compares] = [start(), start(), start()];
    rest_of(&[&fires, &stops, &compares]).await;
    COMPARED.store(true, Ordering::Relaxed);

    let reason = stops.stop().await;
    assert!(matches!(reason, ExitReason::Normal), "{reason:?}");
    assert_eq!(trace.take(), "terminate");

    let outcome = compares.call(Some).await;
    assert!(
        matches!(
            &outcome,
            Err(CallError::Stopped {
                reason: ExitReason::Panicked { message, callback: "handle", state: "Apart" },
                ..
            }) if &**message == "no comparison"
        ),
        "{outcome:?}"
    );
    assert_eq!(trace.take(), "terminate");

    tokio::time::sleep(ms(30)).await;
    assert_eq!(trace.take(), "fires fires");
    assert!(matches!(fires.status(), Status::Running("Apart")));
}

/// Lets machines start.
async fn rest_of(machines: &[&statem::Handle<Aloof>]) {
    for machine in machines {
        machine.inspect().await.unwrap();
    }
}

#[test]
fn n65_a_runtime_without_a_timer_is_the_reason_of_the_machine_that_needs_one() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let reason = runtime.block_on(async {
        let (machine, _) = puppet();
        let start = run("start", |_, cx| {
            cx.state_timeout(ms(10), Event::Note("never"));
            Step::Keep
        });
        send(&machine, [start]);
        machine.closed().await
    });
    assert!(
        matches!(
            &reason,
            ExitReason::Panicked { message, callback: "the driver", .. }
                if message.contains("enable_time")
        ),
        "{reason:?}"
    );
}
