//! Calls whose callers go: begun or never handled, and the room they make.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use statem::{Builder, CallError, Cx, Handler, Next, Reply, StateMachine, keep};

use crate::support::*;

#[test]
fn n51_a_call_that_is_given_up_was_either_begun_or_is_never_handled() {
    // 20,480 callers, each of which races with the machine once.
    const CALLERS: usize = 64;
    const ROUNDS: u32 = 320;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut begun, mut not_begun, mut taken_back) = (0, 0, 0);
        for round in 0..ROUNDS {
            let (machine, _) = puppet();
            let handled: Arc<Vec<AtomicUsize>> =
                Arc::new((0..CALLERS).map(|_| AtomicUsize::new(0)).collect());
            let calls: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let (machine, handled) = (machine.clone(), handled.clone());
                    tokio::spawn(async move {
                        let call = machine.call(answer(move |reply, world, _| {
                            handled[caller].fetch_add(1, Ordering::SeqCst);
                            world.replies.push(reply);
                            // The limits of the callers pass somewhere among these.
                            for _ in 0..(1_000 + 200 * (round % 10)) {
                                std::hint::spin_loop();
                            }
                            Step::Keep
                        }));
                        call.limit(ms(1)).await
                    })
                })
                .collect();
            let mut outcomes = Vec::new();
            for call in calls {
                outcomes.push(call.await.unwrap());
            }
            let seen = rest(&machine).await;
            let mut abandoned = 0;
            for (caller, outcome) in outcomes.iter().enumerate() {
                let handled = handled[caller].load(Ordering::SeqCst);
                match outcome {
                    Err(CallError::TimedOut { begun: true, .. }) => {
                        assert_eq!(handled, 1);
                        begun += 1;
                    }
                    Err(CallError::TimedOut { begun: false, .. }) => {
                        assert_eq!(handled, 0);
                        not_begun += 1;
                        abandoned += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
            // One whose limit had passed before it was ever polled was not even sent.
            assert!(seen.counts.abandoned <= abandoned);
            taken_back += seen.counts.abandoned;
        }
        // Both sides have won, and the callers not only before they had sent anything.
        assert!(
            begun > 0 && not_begun > 0 && taken_back > 0,
            "{begun} begun, {not_begun} not begun, {taken_back} of them sent"
        );
    });
}

#[test]
fn n51_a_call_that_is_dropped_at_any_moment_is_handled_at_most_once() {
    const ROUNDS: u32 = 20_000;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet();
        let handled = Arc::new(AtomicUsize::new(0));
        let mut answered = 0;
        for round in 0..ROUNDS {
            let counted = handled.clone();
            let mut call = Box::pin(machine.call(answer(move |reply, _, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = reply.send(round);
                Step::Keep
            })));
            let mut polled = poll_once(call.as_mut());
            for _ in 0..(round % 97) * 8 {
                std::hint::spin_loop();
            }
            if polled.is_pending() {
                polled = poll_once(call.as_mut());
            }
            if let std::task::Poll::Ready(outcome) = polled {
                assert_eq!(outcome.unwrap(), round);
                answered += 1;
            }
        }
        let seen = rest(&machine).await;
        let handled = handled.load(Ordering::SeqCst);
        assert!(handled >= answered);
        assert_eq!(handled as u64, seen.counts.handled);
        assert_eq!(
            seen.counts.abandoned + seen.counts.handled,
            u64::from(ROUNDS)
        );
    });
}

#[tokio::test(start_paused = true)]
async fn n52_a_postponed_call_whose_limit_passed_is_not_offered_again() {
    let (machine, trace) = puppet();
    let began = now();
    let outcome = machine.call(hold("c1")).limit(ms(10)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
        "{outcome:?}"
    );
    assert_eq!(now() - began, ms(10));

    send(
        &machine,
        [Event::Hold {
            name: "p",
            reply: None,
            probe: None,
        }],
    );
    send(&machine, [go_busy()]);
    let seen = rest(&machine).await;
    assert_eq!(trace.take(), "go b:p");
    assert_eq!(seen.counts.abandoned, 1);
}

#[tokio::test(start_paused = true)]
async fn n52_an_abandoned_message_does_not_disturb_the_event_timeout() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("arm", |_, cx| {
            cx.event_timeout(ms(10), Event::Note("et"));
            Step::Keep
        })],
    );
    rest(&machine).await;
    let mut call = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    tokio::time::sleep(ms(11)).await;
    assert_eq!(trace.take(), "arm et");
}

#[tokio::test(start_paused = true)]
async fn n53_abandoned_calls_make_room_among_the_postponed() {
    let (machine, trace) = puppet_with(Builder::new().postponed(4), |_| {});
    for _ in 0..4 {
        let outcome = machine.call(hold("gone")).limit(ms(10)).await;
        assert!(matches!(
            outcome,
            Err(CallError::TimedOut { begun: false, .. })
        ));
    }
    let fifth = tokio::spawn({
        let machine = machine.clone();
        async move { machine.call(hold("c5")).await }
    });
    tokio::task::yield_now().await;
    rest(&machine).await;
    send(&machine, [go_busy()]);
    assert_eq!(fifth.await.unwrap().unwrap(), 7);
    assert_eq!(trace.take(), "go b:c5");
}

#[tokio::test(start_paused = true)]
async fn n53_abandoned_calls_make_room_in_the_mailbox() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(4));
    for _ in 0..4 {
        let mut call = Box::pin(machine.call(Event::Ask));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    send(&machine, (0..4).map(Event::Number));
    assert!(machine.try_cast(Event::Note("too many")).is_err());
    tokio::spawn(driver.run());
    let seen = rest(&machine).await;
    assert_eq!(trace.take(), "0 1 2 3");
    // They count although the machine never saw them.
    assert_eq!(
        (
            seen.counts.abandoned,
            seen.counts.received,
            seen.counts.consumed
        ),
        (4, 8, 4)
    );
}

#[tokio::test(start_paused = true)]
async fn n53_n72_abandoned_calls_make_room_in_the_mailbox_of_a_suspended_machine() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(4));
    tokio::spawn(driver.run());
    rest(&machine).await;
    // The driver takes all that is here at once.
    let mut suspend = Box::pin(machine.suspend());
    assert!(poll_once(suspend.as_mut()).is_pending());
    let mut calls: Vec<_> = (0..4).map(|_| Box::pin(machine.call(Event::Ask))).collect();
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    suspend.await.unwrap();
    machine.inspect().await.unwrap();
    drop(calls);
    send(&machine, (0..4).map(Event::Number));
    assert!(machine.try_cast(Event::Note("too many")).is_err());
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "0 1 2 3");
}

#[tokio::test(start_paused = true)]
async fn n53_n72_they_do_so_also_if_they_were_given_up_while_the_driver_had_them() {
    let (machine, mut driver, trace) = unpolled(Builder::new().mailbox(4));
    let mut poll = || assert!(poll_once(Pin::new(&mut driver)).is_pending());
    poll();
    let mut suspend = Box::pin(machine.suspend());
    assert!(poll_once(suspend.as_mut()).is_pending());
    let mut calls: Vec<_> = (0..4).map(|_| Box::pin(machine.call(Event::Ask))).collect();
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    while poll_once(suspend.as_mut()).is_pending() {
        poll();
    }
    drop(calls);
    assert!(machine.try_cast(Event::Number(0)).is_err());
    let mut waits = Box::pin(machine.cast(Event::Number(1)));
    assert!(poll_once(waits.as_mut()).is_pending());
    poll();
    assert!(matches!(poll_once(waits.as_mut()), Poll::Ready(Ok(()))));
    send(&machine, (2..5).map(Event::Number));
    tokio::spawn(driver.run());
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "1 2 3 4");
}

#[tokio::test(start_paused = true)]
async fn n53_only_abandoned_calls_make_room_and_the_others_keep_their_order() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(4));
    let mut calls = [(); 2].map(|()| Box::pin(machine.call(Event::Ask)));
    send(&machine, [Event::Note("one")]);
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    send(&machine, [Event::Note("two")]);
    let [gone, waits] = calls;
    drop(gone);
    send(&machine, [Event::Note("three")]);
    assert!(machine.try_cast(Event::Note("too many")).is_err());
    tokio::spawn(driver.run());
    assert_eq!(waits.await.unwrap(), 7);
    assert_eq!(trace.take(), "one two three");
}

#[tokio::test(start_paused = true)]
async fn n53_room_made_by_abandoned_calls_goes_to_those_who_wait_first() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(2));
    let mut gone: Vec<_> = (0..2).map(|_| Box::pin(machine.call(Event::Ask))).collect();
    assert!(
        gone.iter_mut()
            .all(|call| poll_once(call.as_mut()).is_pending())
    );
    let mut waiting = Box::pin(machine.cast(Event::Note("first")));
    assert!(poll_once(waiting.as_mut()).is_pending());
    drop(gone);
    machine.try_cast(Event::Note("second")).unwrap();
    assert!(machine.try_cast(Event::Note("third")).is_err());
    tokio::spawn(driver.run());
    waiting.await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "first second");
}

#[tokio::test(start_paused = true)]
async fn n53_what_an_abandoned_event_does_when_it_is_dropped_may_use_the_mailbox() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(2));
    for _ in 0..2 {
        let sender = machine.downgrade();
        let probe = Probe::new(move || drop(sender.try_cast(Event::Note("of the drop"))));
        let mut call = Box::pin(machine.call(move |reply| Event::Hold {
            name: "gone",
            reply: Some(reply),
            probe: Some(probe),
        }));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    machine.try_cast(Event::Note("m")).unwrap();
    tokio::spawn(driver.run());
    rest(&machine).await;
    assert_eq!(trace.take(), "m of the drop");
}

#[tokio::test(start_paused = true)]
async fn n53_an_abandoned_event_that_panics_when_it_is_dropped_is_not_the_next_senders_fault() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    let probe = Probe::new(|| panic!("a drop"));
    let mut call = Box::pin(machine.call(move |reply| Event::Hold {
        name: "gone",
        reply: Some(reply),
        probe: Some(probe),
    }));
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    machine.try_cast(Event::Note("m")).unwrap();
    assert!(machine.try_cast(Event::Note("too many")).is_err());
    tokio::spawn(driver.run());
    rest(&machine).await;
    assert_eq!(trace.take(), "m");
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_told_that_it_has_not_begun_is_never_handled_wherever_its_event_is() {
    // The reply is not in the event: another machine has it, and ends with it while the event
    // waits.
    let (machine, driver, trace) = unpolled(Builder::new());
    let (other, _) = puppet();
    let mut call = Box::pin(machine.call(|reply| {
        send(
            &other,
            [run("take", move |world, _| {
                world.replies.push(reply);
                Step::Keep
            })],
        );
        Event::Note("the event")
    }));
    assert!(poll_once(call.as_mut()).is_pending());
    rest(&other).await;
    other.kill();
    let outcome = call.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
        "{outcome:?}"
    );
    tokio::spawn(driver.run());
    let seen = rest(&machine).await;
    assert_eq!((trace.take().as_str(), seen.counts.abandoned), ("", 1));
}

/// As OTP: a request whose caller has gone is handled all the same.
#[derive(StateMachine)]
#[machine(event = Reply<u32>, data = Arc<AtomicUsize>, keep_abandoned)]
enum Dutiful {
    #[initial]
    Serving,
}

impl Handler for Dutiful {
    fn handle(
        DutifulAt::Serving(_): DutifulAt<'_>,
        reply: Reply<u32>,
        handled: &mut Arc<AtomicUsize>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        handled.fetch_add(1, Ordering::Relaxed);
        assert_eq!(reply.is_closed(), reply.send(1).is_err());
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn n52_a_machine_may_keep_to_otp_and_handle_abandoned_calls() {
    let handled = Arc::new(AtomicUsize::new(0));
    let (machine, driver) = Builder::<Dutiful>::new()
        .mailbox(2)
        .build(Serving, handled.clone());
    for _ in 0..2 {
        let mut call = Box::pin(machine.call(|reply| reply));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    let full = machine.try_call(|reply| reply).await;
    assert!(matches!(full, Err(CallError::Full { .. })), "{full:?}");
    tokio::spawn(driver.run());
    assert_eq!(machine.call(|reply| reply).await.unwrap(), 1);
    assert_eq!(handled.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn n51_a_machine_that_keeps_abandoned_calls_never_says_that_one_has_not_begun() {
    let handled = Arc::new(AtomicUsize::new(0));
    let (machine, driver) = Builder::<Dutiful>::new()
        .mailbox(1)
        .build(Serving, handled.clone());
    let inside = machine.call(|reply| reply).limit(ms(10)).await.unwrap_err();
    // It stands in the mailbox and will be handled.
    assert!(inside.may_have_run(), "{inside}");
    // This one waits for room, and is taken back.
    let outside = machine.call(|reply| reply).limit(ms(10)).await.unwrap_err();
    assert!(!outside.may_have_run(), "{outside}");
    tokio::spawn(driver.run());
    assert_eq!(machine.call(|reply| reply).await.unwrap(), 1);
    assert_eq!(handled.load(Ordering::Relaxed), 2);
}
