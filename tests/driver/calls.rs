//! Calls: begun or not, given up, limits, forwarded replies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use statem::{Bound, Builder, CallError, ExitReason, Reply};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n54_a_call_waits_five_seconds_unless_told_otherwise() {
    let (machine, _) = puppet();
    let began = now();
    let outcome = machine.call(keep_reply()).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
        "{outcome:?}"
    );
    assert_eq!(now() - began, Duration::from_secs(5));

    let outcome = machine.call(keep_reply()).limit(ms(20)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
        "{outcome:?}"
    );
    assert_eq!(now() - began, ms(5_020));

    let outcome = machine.call(keep_reply()).deadline(began + ms(6_000)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
        "{outcome:?}"
    );
    assert_eq!(now() - began, ms(6_000));

    // A deadline that has passed sends nothing.
    let outcome = machine.call(keep_reply()).deadline(began).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
        "{outcome:?}"
    );
    assert_eq!(rest(&machine).await.counts.received, 3);

    let (machine, _) = puppet_with(Builder::new().call_limit(ms(30)), |_| {});
    let began = now();
    assert!(machine.call(keep_reply()).await.is_err());
    assert_eq!(now() - began, ms(30));
}

#[tokio::test(start_paused = true)]
async fn n54_the_limit_covers_waiting_for_room_in_the_mailbox() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Note("m")]);
    let began = now();
    let outcome = machine.call(Event::Ask).limit(ms(10)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
        "{outcome:?}"
    );
    assert_eq!(now() - began, ms(10));
    tokio::spawn(driver.run());
    let seen = rest(&machine).await;
    assert_eq!((trace.take().as_str(), seen.counts.received), ("m", 1));
}

#[tokio::test(start_paused = true)]
async fn n54_a_late_answer_is_given_back_and_known_to_be_late() {
    let (machine, _) = puppet();
    assert!(machine.call(keep_reply()).limit(ms(10)).await.is_err());
    let (told, late) = tokio::sync::oneshot::channel();
    send(
        &machine,
        [run("late", move |world, _| {
            let reply = world.replies.pop().unwrap();
            told.send((reply.is_closed(), reply.send(9))).unwrap();
            Step::Keep
        })],
    );
    assert_eq!(late.await.unwrap(), (true, Err(9)));
}

#[tokio::test(start_paused = true)]
async fn n54_a_handler_reads_the_deadline_of_its_call() {
    let (machine, _) = puppet();
    tokio::time::sleep(ms(100)).await;
    let (told, read) = tokio::sync::oneshot::channel();
    machine
        .call(answer(move |reply, _, cx| {
            told.send((cx.deadline(), reply.deadline())).unwrap();
            let _ = reply.send(1);
            Step::Keep
        }))
        .limit(ms(50))
        .await
        .unwrap();
    assert_eq!(read.await.unwrap(), (Some(ms(150)), Some(ms(150))));

    let (told, read) = tokio::sync::oneshot::channel();
    send(
        &machine,
        [run("cast", move |_, cx| {
            told.send(cx.deadline()).unwrap();
            Step::Keep
        })],
    );
    assert_eq!(read.await.unwrap(), None);
}

#[test]
fn n54_a_limit_passes_while_the_thread_of_the_machine_is_blocked() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (machine, trace) = runtime.block_on(async { puppet() });
    let (release, blocked) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel::<()>();
    let (first, second) = other.block_on(async {
        let first = machine.call(answer(move |reply, world, _| {
            entered.send(()).unwrap();
            blocked.recv().unwrap();
            world.replies.push(reply);
            Step::Keep
        }));
        let mut first = Box::pin(first.limit(ms(50)));
        assert!(poll_once(first.as_mut()).is_pending());
        inside.recv().unwrap();
        let second = machine.call(Event::Ask).limit(ms(50)).await;
        (first.await, second)
    });
    assert!(
        matches!(first, Err(CallError::TimedOut { begun: true, .. })),
        "{first:?}"
    );
    assert!(
        matches!(second, Err(CallError::TimedOut { begun: false, .. })),
        "{second:?}"
    );
    release.send(()).unwrap();
    let seen = runtime.block_on(rest(&machine));
    assert_eq!((seen.counts.handled, seen.counts.abandoned), (1, 1));
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n54a_a_forwarded_reply_outlives_the_machine_it_was_sent_to() {
    let (first, _) = puppet();
    let (second, _) = puppet();
    let forward = second.downgrade();
    let call = tokio::spawn({
        let first = first.clone();
        async move {
            first
                .call(answer(move |reply, _, _| {
                    let later = run("later", |world, _| {
                        let _ = world.replies.pop().unwrap().send(7);
                        Step::Keep
                    });
                    forward
                        .try_cast(run("take", move |world, cx| {
                            world.replies.push(reply);
                            cx.state_timeout(ms(100), later);
                            Step::Keep
                        }))
                        .unwrap();
                    Step::Stop(ExitReason::Normal)
                }))
                .await
        }
    });
    assert!(matches!(first.closed().await, ExitReason::Normal));
    assert_eq!(call.await.unwrap().unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn n54a_the_last_holder_of_a_forwarded_reply_may_drop_it() {
    let (machine, _) = puppet();
    let mut kept: Option<Reply<u32, Oops>> = None;
    let (taken, reply) = tokio::sync::oneshot::channel();
    let mut call = Box::pin(machine.call(answer(|reply, _, _| {
        drop(taken.send(reply));
        Step::Keep
    })));
    assert!(poll_once(call.as_mut()).is_pending());
    kept.replace(reply.await.unwrap());
    machine.stop().await;
    assert!(poll_once(call.as_mut()).is_pending());
    drop(kept);
    let outcome = call.await;
    assert!(
        matches!(
            outcome,
            Err(CallError::NotAnswered {
                machine: "Puppet",
                state: None
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n54b_a_reply_dropped_by_a_handler_names_the_state() {
    let (machine, _) = puppet();
    let outcome = machine.call(answer(|_, _, _| Step::Keep)).await;
    assert!(
        matches!(
            outcome,
            Err(CallError::NotAnswered {
                state: Some("Idle"),
                ..
            })
        ),
        "{outcome:?}"
    );

    // Kept in the struct of a state and dropped with it: still the state that let it go.
    let held = tokio::spawn({
        let machine = machine.clone();
        async move {
            machine
                .call(answer(|reply, _, _| {
                    Step::Busy(Busy {
                        replies: vec![reply],
                        ..Busy::default()
                    })
                }))
                .await
        }
    });
    tokio::task::yield_now().await;
    rest(&machine).await;
    send(&machine, [run("leave", |_, _| Step::Idle)]);
    let outcome = held.await.unwrap();
    assert!(
        matches!(
            outcome,
            Err(CallError::NotAnswered {
                state: Some("Busy"),
                ..
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n54b_a_reply_dropped_because_its_machine_ends_says_so() {
    let (machine, _) = puppet();
    let in_data = machine.call(keep_reply());
    let in_state = machine.call(answer(|reply, _, _| {
        Step::Busy(Busy {
            replies: vec![reply],
            ..Busy::default()
        })
    }));
    let (mut in_data, mut in_state) = (Box::pin(in_data), Box::pin(in_state));
    assert!(poll_once(in_data.as_mut()).is_pending());
    assert!(poll_once(in_state.as_mut()).is_pending());
    machine.stop().await;
    for outcome in [in_data.await, in_state.await] {
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
}

#[tokio::test(start_paused = true)]
async fn n45_a_call_that_cannot_be_postponed_is_told_so() {
    let (machine, _) = puppet_with(Builder::new().postponed(1), |_| {});
    send(
        &machine,
        [Event::Hold {
            name: "p",
            reply: None,
            probe: None,
        }],
    );
    let outcome = machine.call(hold("c")).await;
    assert!(
        matches!(
            outcome,
            Err(CallError::Full {
                what: Bound::Postponed,
                ..
            })
        ),
        "{outcome:?}"
    );
}

/// Counts its wakes.
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn n54_a_limit_wakes_its_own_caller_and_not_one_that_the_task_had_before() {
    let (machine, _) = puppet();
    // Timers are kept for a task.
    let task = tokio::spawn(async move {
        let hold = |reply| Event::Hold {
            name: "held",
            reply: Some(reply),
            probe: None,
        };
        let wakers = [(), ()].map(|()| Arc::new(Woken(0.into())));
        let begin = |woken: &Arc<Woken>| {
            let waker = Waker::from(woken.clone());
            let mut call = Box::pin(machine.call(hold));
            let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            call
        };
        drop(begin(&wakers[0]));
        let call = begin(&wakers[1]);
        tokio::time::advance(Duration::from_secs(5)).await;
        let woken = wakers.map(|woken| woken.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1]);
        let outcome = call.await;
        assert!(
            matches!(outcome, Err(CallError::TimedOut { .. })),
            "{outcome:?}"
        );
    });
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_woken_by_the_waker_it_was_polled_with_last() {
    let (machine, _) = puppet();
    let wakers = [(), ()].map(|()| Arc::new(Woken(0.into())));
    let mut call = Box::pin(machine.call(Event::Ask));
    for place in [0, 1, 0] {
        let waker = Waker::from(wakers[place].clone());
        let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    rest(&machine).await;
    let woken = wakers.map(|woken| woken.0.load(Ordering::Relaxed));
    assert_eq!(woken, [1, 0]);
    assert!(matches!(call.await, Ok(7)));
}

#[test]
fn an_answer_given_while_the_handler_is_about_to_get_the_event_reaches_its_caller() {
    // The reply is not in the event, so another thread answers while the machine begins with it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let (machine, _) = runtime.block_on(async { puppet() });
    let (give, replies) = mpsc::channel::<Reply<u32, Oops>>();
    let answering = std::thread::spawn(move || {
        for reply in replies {
            let _ = reply.send(7);
        }
    });
    let caller = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    caller.block_on(async {
        for _ in 0..20_000 {
            let outcome = machine
                .call(|reply| {
                    give.send(reply).unwrap();
                    Event::Number(0)
                })
                .limit(Duration::from_secs(2))
                .await;
            assert_eq!(outcome.unwrap(), 7);
        }
    });
    drop(give);
    answering.join().unwrap();
}

#[test]
fn a_call_that_finds_no_runtime_is_not_sent() {
    let (machine, driver, trace) = unpolled(Builder::new());
    for timer in [false, true] {
        let mut call = Box::pin(machine.call(Event::Ask));
        let mut question = Box::pin(machine.suspend());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _entered = timer.then(|| runtime.enter());
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut())));
        assert!(polled.is_err(), "a runtime without timer: {timer}");
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(question.as_mut())));
        assert!(polled.is_err(), "a runtime without timer: {timer}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::spawn(driver.run());
        let seen = rest(&machine).await;
        assert_eq!((seen.counts.received, seen.suspended), (0, false));
    });
    assert_eq!(trace.take(), "");
}
