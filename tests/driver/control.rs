//! From inside, the last handle, stop, shutdown and kill.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use statem::{
    Builder, CallError, CastErrorKind, Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine,
    Status, keep,
};
use tracing::Level;

use crate::log::listen;
use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n57_a_task_of_the_machine_may_call_its_own_machine() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            let own = cx.handle();
            let task = async move {
                let own = own.upgrade().unwrap();
                own.cast(Event::Note("cast")).await.unwrap();
                own.call(Event::Ask).await.unwrap()
            };
            cx.state_task(task, Event::Number);
            Step::Keep
        })],
    );
    tokio::time::sleep(ms(1)).await;
    assert_eq!(trace.take(), "start cast 7");
}

#[tokio::test(start_paused = true)]
async fn n57_a_task_may_wait_for_room_in_its_own_mailbox() {
    let (machine, trace) = puppet_with(Builder::new().mailbox(1), |_| {});
    send(
        &machine,
        [run("start", |_, cx| {
            let own = cx.handle();
            let task = async move {
                let own = own.upgrade().unwrap();
                for number in 0..10 {
                    own.cast(Event::Number(number)).await.unwrap();
                }
            };
            cx.state_task(task, |()| Event::Note("done"));
            Step::Keep
        })],
    );
    tokio::time::sleep(ms(1)).await;
    // The last one is in the mailbox when the task ends, and outputs go before messages.
    assert_eq!(trace.take(), "start 0 1 2 3 4 5 6 7 8 done 9");
}

#[tokio::test(start_paused = true)]
async fn n57_a_handler_that_blocks_its_thread_is_warned_of() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    let slow = |time| {
        run("slow", move |_, _| {
            spend(time);
            Step::Keep
        })
    };
    send(&machine, [slow(ms(100))]);
    rest(&machine).await;
    assert_eq!(of_level(&log, Level::WARN), Vec::<String>::new());
    send(&machine, [slow(ms(101))]);
    rest(&machine).await;
    rest(&machine).await;
    let warnings = of_level(&log, Level::WARN);
    assert!(
        matches!(&warnings[..], [warning] if warning.contains("blocked its thread")),
        "{warnings:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n64_only_an_abnormal_end_is_reported() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    machine.stop().await;
    let (machine, _) = puppet();
    machine.shutdown(ms(10)).await;
    let (machine, _) = puppet();
    machine
        .stop_with(ExitReason::ended("nothing left to do"))
        .await;
    assert_eq!(of_level(&log, Level::ERROR), Vec::<String>::new());

    let (machine, _) = puppet();
    send(
        &machine,
        [run("fail", |_, _| {
            Step::Stop(ExitReason::other("out of luck"))
        })],
    );
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    assert!(
        matches!(&reports[..], [report] if report.contains("out of luck")),
        "{reports:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n58_after_the_last_handle_the_machine_handles_what_waits_and_ends() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let probe = trace.probe("task");
    send(
        &machine,
        [
            run("start", move |world, cx| {
                world.guards.push(cx.task(
                    async move {
                        std::future::pending::<()>().await;
                        drop(probe);
                    },
                    |()| Event::Note("never"),
                ));
                cx.timeout("t", ms(10), Event::Note("never"));
                Step::Keep
            }),
            Event::Hold {
                name: "postponed",
                reply: None,
                probe: None,
            },
            Event::Note("m1"),
        ],
    );
    let clone = machine.clone();
    drop(machine);
    drop(clone);
    assert!(matches!(driver.run().await, ExitReason::Normal));
    assert_eq!(trace.take(), "start m1 terminate drop task");
}

#[tokio::test(start_paused = true)]
async fn n58_each_way_to_lose_the_last_handle_ends_the_machine() {
    // In a task that ends, in one that is aborted, in a message of another machine, in a reply
    // nobody takes.
    let (machine, _) = puppet();
    let closed = machine.closed();
    tokio::spawn(async move { drop(machine) });
    assert!(matches!(closed.await, ExitReason::Normal));

    let (machine, _) = puppet();
    let closed = machine.closed();
    let task = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(machine);
    });
    tokio::task::yield_now().await;
    task.abort();
    assert!(matches!(closed.await, ExitReason::Normal));

    let (machine, _) = puppet();
    let closed = machine.closed();
    let (other, _) = puppet();
    let probe = Probe::new(move || drop(machine));
    send(
        &other,
        [Event::Hold {
            name: "with a handle",
            reply: None,
            probe: Some(probe),
        }],
    );
    rest(&other).await;
    send(&other, [go_busy()]);
    assert!(matches!(closed.await, ExitReason::Normal));

    // Before the machine has run at all.
    let (machine, driver, trace) = unpolled(Builder::new());
    drop(machine);
    assert!(matches!(driver.run().await, ExitReason::Normal));
    assert_eq!(trace.take(), "terminate");

    // While a thread panics.
    let (machine, _) = puppet();
    let closed = machine.closed();
    let thread = std::thread::spawn(move || {
        let _machine = machine;
        panic!("with a handle");
    });
    assert!(thread.join().is_err());
    assert!(matches!(closed.await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn n58_a_pending_call_holds_its_machine() {
    let (machine, trace) = puppet();
    let weak = machine.downgrade();
    let call = tokio::spawn(async move { machine.call(hold("c")).await });
    tokio::time::sleep(ms(10)).await;
    weak.try_cast(go_busy()).unwrap();
    assert_eq!(call.await.unwrap().unwrap(), 7);
    tokio::task::yield_now().await;
    assert!(weak.upgrade().is_none());
    assert_eq!(trace.take(), "go b:c terminate");
}

#[tokio::test(start_paused = true)]
async fn n58_a_detached_machine_lives_without_handles() {
    let (machine, trace) = puppet();
    let weak = machine.downgrade();
    machine.detach();
    tokio::time::sleep(ms(10)).await;
    weak.try_cast(Event::Note("m")).unwrap();
    let again = weak.upgrade().unwrap();
    rest(&again).await;
    drop(again);
    tokio::time::sleep(ms(10)).await;
    assert_eq!(trace.take(), "m");
    assert!(matches!(
        weak.upgrade().unwrap().stop().await,
        ExitReason::Normal
    ));
}

#[tokio::test(start_paused = true)]
async fn n58_a_weak_handle_does_not_keep_its_machine_and_gives_events_back() {
    let (machine, _) = puppet();
    let weak = machine.downgrade();
    let closed = machine.closed();
    drop(machine);
    assert!(weak.upgrade().is_none());
    closed.await;
    let error = weak.try_cast(Event::Note("mine")).unwrap_err();
    assert!(matches!(
        (error.event, error.kind),
        (Event::Note("mine"), CastErrorKind::Stopped(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn n58_a_weak_handle_looks_at_its_machine_waits_for_its_end_and_kills_it() {
    let (machine, _) = puppet();
    let weak = machine.downgrade();
    rest(&machine).await;
    machine.detach();
    assert!(matches!(weak.status(), Some(Status::Running("Idle"))));
    let closed = weak.closed().unwrap();
    weak.kill();
    assert!(matches!(closed.await, ExitReason::Killed));
    tokio::task::yield_now().await;
    // Nobody is left who remembers.
    assert!(weak.status().is_none() && weak.closed().is_none() && weak.upgrade().is_none());
    weak.kill();
}

/// Drains when it is told to shut down: it ends when its work is done.
#[derive(StateMachine)]
#[machine(event = Work, data = Arc<AtomicUsize>, shutdown = Work::Drain)]
enum Drainer {
    #[initial]
    #[to(Draining)]
    Working,
    #[to(Finished)]
    Draining,
    #[terminal]
    Finished,
}

enum Work {
    Drain,
    Finish,
    Count(Reply<usize>),
    Slow,
}

impl Handler for Drainer {
    fn enter(&mut self, _: &mut Arc<AtomicUsize>, cx: &mut EnterCx<Self>) {
        if matches!(self, Drainer::Draining) {
            cx.state_timeout(ms(100), Work::Finish);
        }
    }

    fn handle(
        state: DrainerAt<'_>,
        event: Work,
        done: &mut Arc<AtomicUsize>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (DrainerAt::Working(s), Work::Drain) => s.go(Draining),
            (DrainerAt::Draining(s), Work::Finish) => s.go(Finished),
            (_, Work::Count(reply)) => {
                let _ = reply.send(done.load(Ordering::Relaxed));
                keep()
            }
            (_, Work::Slow) => {
                spend(Duration::from_secs(1));
                done.fetch_add(1, Ordering::Relaxed);
                keep()
            }
            (_, event) => statem::unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n59_a_machine_with_a_shutdown_event_drains_by_its_own_states() {
    let machine = statem::spawn::<Drainer>(Working, Arc::default());
    let began = now();
    let other = machine.clone();
    let shutdown = tokio::spawn(async move { other.shutdown(ms(500)).await });
    tokio::time::sleep(ms(50)).await;
    assert!(matches!(machine.status(), Status::Running("Draining")));
    assert_eq!(machine.call(Work::Count).await.unwrap(), 0);
    assert!(matches!(shutdown.await.unwrap(), ExitReason::Normal));
    assert_eq!(now() - began, ms(100));
}

#[tokio::test(start_paused = true)]
async fn n59_n72_a_machine_that_is_suspended_hears_of_its_shutdown_once_when_it_goes_on() {
    let machine = statem::spawn::<Drainer>(Working, Arc::default());
    machine.inspect().await.unwrap();
    let mut suspend = Box::pin(machine.suspend());
    let mut first = Box::pin(machine.shutdown(Duration::from_secs(9)));
    assert!(poll_once(suspend.as_mut()).is_pending());
    assert!(poll_once(first.as_mut()).is_pending());
    suspend.await.unwrap();
    let mut second = Box::pin(machine.shutdown(Duration::from_secs(9)));
    assert!(poll_once(second.as_mut()).is_pending());
    machine.resume().await.unwrap();
    let seen = machine.inspect().await.unwrap();
    assert_eq!((seen.state, seen.counts.unexpected), ("Draining", 0));
    assert!(matches!(first.await, ExitReason::Normal));
    assert!(matches!(second.await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn n59_a_machine_that_does_not_drain_in_time_is_stopped() {
    let machine = statem::spawn::<Drainer>(Working, Arc::default());
    let began = now();
    assert!(matches!(
        machine.shutdown(ms(30)).await,
        ExitReason::Shutdown
    ));
    assert_eq!(now() - began, ms(30));
}

#[tokio::test(start_paused = true)]
async fn n59_the_deadline_is_ahead_of_the_mailbox() {
    let done = Arc::new(AtomicUsize::new(0));
    let machine = statem::spawn::<Drainer>(Working, done.clone());
    for _ in 0..200 {
        assert!(machine.try_cast(Work::Slow).is_ok());
    }
    // Each takes a second, and all stand before the request.
    assert!(matches!(
        machine.shutdown(Duration::from_secs(10)).await,
        ExitReason::Shutdown
    ));
    assert_eq!(done.load(Ordering::Relaxed), 10);
}

#[tokio::test(start_paused = true)]
async fn n59_without_a_shutdown_event_shutdown_is_stop() {
    let (machine, trace) = puppet();
    send(&machine, [Event::Note("m1")]);
    let mut shutdown = Box::pin(machine.shutdown(ms(10)));
    assert!(poll_once(shutdown.as_mut()).is_pending());
    send(&machine, [Event::Note("m2")]);
    assert!(matches!(shutdown.await, ExitReason::Shutdown));
    assert_eq!(trace.take(), "m1 terminate");
}

#[tokio::test(start_paused = true)]
async fn n59_without_a_shutdown_event_the_limit_is_ahead_of_the_mailbox_too() {
    let (machine, trace) = puppet();
    let slow = || {
        run("slow", |_, _| {
            spend(ms(20));
            Step::Keep
        })
    };
    send(&machine, [slow(), slow(), slow(), slow()]);
    let reason = machine.shutdown(ms(30)).await;
    assert!(matches!(reason, ExitReason::Shutdown));
    assert_eq!(trace.take(), "slow slow terminate");
}

#[tokio::test(start_paused = true)]
async fn n60_what_a_stopping_transition_asked_for_is_not_done() {
    let (machine, trace) = puppet();
    let probe = trace.probe("task");
    let call = tokio::spawn({
        let machine = machine.clone();
        async move {
            let answered = machine.call(answer(move |reply, _, cx| {
                cx.insert(Event::Note("inserted"));
                cx.state_timeout(Duration::ZERO, Event::Note("timeout"));
                cx.state_task(
                    async move {
                        let _probe = probe;
                    },
                    |()| Event::Note("task"),
                );
                let _ = reply.send(7);
                Step::Stop(ExitReason::Normal)
            }));
            answered.await
        }
    });
    let unanswered = tokio::spawn({
        let machine = machine.clone();
        async move { machine.call(keep_reply()).await }
    });
    // A reply that was given stays given.
    assert_eq!(call.await.unwrap().unwrap(), 7);
    machine.closed().await;
    assert_eq!(trace.take(), "terminate drop task");
    let unanswered = unanswered.await.unwrap();
    assert!(
        matches!(unanswered, Err(CallError::Stopped { begun: false, .. })),
        "{unanswered:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n60_the_consumed_call_of_a_stopping_handler_is_told() {
    let (machine, _) = puppet();
    let outcome = machine
        .call(answer(|_, _, _| Step::Stop(ExitReason::Normal)))
        .await;
    assert!(
        matches!(
            outcome,
            Err(CallError::Stopped {
                begun: true,
                reason: ExitReason::Normal,
                ..
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n60_enter_may_stop() {
    let (machine, trace) = puppet_with(Builder::new(), |world| {
        world.on_enter = Some(Box::new(|state, cx| {
            if state == "Busy" {
                cx.insert(Event::Note("inserted"));
                cx.stop(ExitReason::other("busy"));
            }
        }));
    });
    send(&machine, [go_busy()]);
    let reason = machine.closed().await;
    assert!(matches!(reason, ExitReason::Other(error) if error.to_string() == "busy"));
    assert_eq!(trace.take(), "go terminate");
}

#[tokio::test(start_paused = true)]
async fn n62_a_killed_machine_is_not_asked_to_terminate() {
    let (machine, trace) = puppet();
    let probe = trace.probe("data");
    send(
        &machine,
        [run("keep", move |world, _| {
            world.probe = Some(probe);
            Step::Keep
        })],
    );
    rest(&machine).await;
    machine.kill();
    assert!(matches!(machine.closed().await, ExitReason::Killed));
    assert_eq!(trace.take(), "keep drop data");
}
