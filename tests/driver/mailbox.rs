//! The mailbox: its bound, who waits for room and in what order, control requests, and what a
//! dropped future leaves.

use std::pin::Pin;
use std::task::Poll;

use statem::{Builder, CastErrorKind, ExitReason, Handle};

use crate::support::*;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn boxed<'a, T>(future: impl Future<Output = T> + 'a) -> Work<'a> {
    Box::pin(async move { drop(future.await) })
}

#[tokio::test(start_paused = true)]
async fn n55_a_stop_needs_no_room_in_a_full_mailbox_and_comes_at_its_turn() {
    let (machine, driver, trace) = unpolled(Builder::new());
    send(&machine, (0..1024).map(Event::Number));
    let full = machine.try_cast(Event::Note("too many")).unwrap_err();
    assert!(matches!(
        (full.event, full.kind),
        (Event::Note("too many"), CastErrorKind::Full)
    ));

    let mut stop = boxed(machine.stop());
    assert!(poll_once(stop.as_mut()).is_pending());
    let reason = driver.run().await;
    assert!(matches!(reason, ExitReason::Normal));
    assert_eq!(poll_once(stop.as_mut()), Poll::Ready(()));
    let words = trace.words();
    assert_eq!(
        (words.len(), words.last().map(String::as_str)),
        (1025, Some("terminate"))
    );
}

#[tokio::test(start_paused = true)]
async fn n55_a_kill_lets_at_most_the_running_handler_finish() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let killer = machine.clone();
    send(
        &machine,
        [
            Event::Note("m1"),
            run("m2", move |_, cx| {
                killer.kill();
                cx.insert(Event::Note("inserted"));
                Step::Keep
            }),
            Event::Note("m3"),
        ],
    );
    assert!(matches!(driver.run().await, ExitReason::Killed));
    assert_eq!(trace.take(), "m1 m2");
}

#[tokio::test(start_paused = true)]
async fn n55_more_than_64_control_requests_wait_at_their_askers() {
    let (machine, driver, _) = unpolled(Builder::new());
    let mut asked: Vec<_> = (0..200).map(|_| Box::pin(machine.inspect())).collect();
    assert!(
        asked
            .iter_mut()
            .all(|asked| poll_once(asked.as_mut()).is_pending())
    );
    tokio::spawn(driver.run());
    for asked in asked {
        asked.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn n55_control_is_handled_in_order_with_the_messages() {
    let (machine, driver, trace) = unpolled(Builder::new());
    send(&machine, [Event::Note("m1")]);
    let mut seen = Box::pin(machine.inspect());
    assert!(poll_once(seen.as_mut()).is_pending());
    send(&machine, [Event::Note("m2")]);
    tokio::spawn(driver.run());
    let seen = seen.await.unwrap();
    assert_eq!((seen.counts.handled, seen.waiting.mailbox), (1, 1));
    rest(&machine).await;
    assert_eq!(trace.take(), "m1 m2");
}

#[tokio::test(start_paused = true)]
async fn n56_those_who_wait_for_room_come_first_come_first_served() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Number(0)]);
    let mut waiting: Vec<Work<'_>> = (1..5)
        .map(|number| boxed(machine.cast(Event::Number(number))))
        .collect();
    waiting.insert(2, boxed(machine.call(hold("c"))));
    assert!(
        waiting
            .iter_mut()
            .all(|waiting| poll_once(waiting.as_mut()).is_pending())
    );
    // Nobody overtakes them, but a control request does.
    let overtaking = machine.try_cast(Event::Note("overtaking")).unwrap_err();
    assert!(matches!(overtaking.kind, CastErrorKind::Full));
    let mut seen = Box::pin(machine.inspect());
    assert!(poll_once(seen.as_mut()).is_pending());

    tokio::spawn(driver.run());
    let seen = seen.await.unwrap();
    assert_eq!((seen.counts.handled, seen.waiting.senders), (1, 5));
    for waiting in waiting
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place != 2)
    {
        waiting.1.await;
    }
    send(&machine, [go_busy()]);
    rest(&machine).await;
    assert_eq!(trace.take(), "0 1 2 3 4 go");
}

#[tokio::test(start_paused = true)]
async fn n56_room_that_becomes_free_is_not_taken_by_one_who_did_not_wait() {
    let (machine, trace) = puppet_with(Builder::new().mailbox(1), |_| {});
    let sender = machine.clone();
    let waits = tokio::spawn(async move {
        for number in 0..20 {
            sender.cast(Event::Number(number)).await.unwrap();
        }
    });
    let mut overtook = 0;
    while !waits.is_finished() {
        overtook += usize::from(machine.try_cast(Event::Note("other")).is_ok());
        tokio::task::yield_now().await;
    }
    rest(&machine).await;
    let words = trace.words();
    assert_eq!(words.len(), 20 + overtook);
    let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn n56_a_cast_dropped_while_it_waits_has_sent_nothing() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Number(0)]);
    let mut first = Box::pin(machine.cast(Event::Note("first")));
    let mut second = Box::pin(machine.cast(Event::Note("second")));
    let mut third = Box::pin(machine.cast(Event::Note("third")));
    for cast in [&mut first, &mut second, &mut third] {
        assert!(poll_once(cast.as_mut()).is_pending());
    }
    drop(second);
    tokio::spawn(driver.run());
    first.await.unwrap();
    third.await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "0 first third");
}

#[tokio::test(start_paused = true)]
async fn n56_a_waiting_cast_gets_its_event_back_when_the_machine_ends() {
    let (machine, driver, _) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Number(0)]);
    let mut cast = Box::pin(machine.cast(Event::Note("mine")));
    assert!(poll_once(cast.as_mut()).is_pending());
    machine.kill();
    driver.run().await;
    let error = cast.await.unwrap_err();
    assert!(matches!(
        (error.event, error.kind),
        (
            Event::Note("mine"),
            CastErrorKind::Stopped(ExitReason::Killed)
        )
    ));
}

/// Everything of a handle that is a future, each with the word it leaves if it is handled.
fn futures(machine: &Handle<Puppet>) -> Vec<(&'static str, Work<'_>)> {
    vec![
        ("cast", boxed(machine.cast(Event::Note("cast")))),
        (
            "call",
            boxed(machine.call(answer(|reply, world, _| {
                world.trace.push("call");
                let _ = reply.send(1);
                Step::Keep
            }))),
        ),
        (
            "try_call",
            boxed(machine.try_call(answer(|reply, world, _| {
                world.trace.push("try_call");
                let _ = reply.send(1);
                Step::Keep
            }))),
        ),
        ("inspect", boxed(machine.inspect())),
        ("inspect_values", boxed(machine.inspect_values())),
        ("closed", boxed(machine.closed())),
        (
            "watch",
            boxed(async {
                machine.watch().changed().await;
            }),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn n56_a_future_dropped_after_any_poll_loses_nothing_and_doubles_nothing() {
    let count = {
        let (machine, _, _) = unpolled(Builder::new());
        futures(&machine).len()
    };
    // `busy` messages wait already; the future is polled `polls` times, with the machine running
    // between two polls.
    for (place, busy, polls) in (0..count).flat_map(|place| {
        (0..3).flat_map(move |busy| (0..5).map(move |polls| (place, busy, polls)))
    }) {
        let (machine, mut driver, trace) = unpolled(Builder::new().mailbox(1));
        let mut waiting: Vec<_> = (0..busy)
            .map(|number| Box::pin(machine.cast(Event::Number(number))))
            .collect();
        let (name, mut future) = futures(&machine).swap_remove(place);
        let case = format!("{name} behind {busy}, dropped after {polls} polls");
        for cast in &mut waiting {
            drop(poll_once(cast.as_mut()));
        }
        let mut done = false;
        for poll in 0..polls {
            if !done {
                done = poll_once(future.as_mut()).is_ready();
            }
            if poll % 2 == 1 {
                assert!(poll_once(Pin::new(&mut driver)).is_pending());
            }
        }
        drop(future);
        tokio::spawn(driver.run());
        drop(waiting);
        let seen = rest(&machine).await;
        let seen = if seen.waiting.mailbox > 0 {
            rest(&machine).await
        } else {
            seen
        };
        let words = trace.words();
        let handled = words.iter().filter(|word| *word == name).count();
        assert!(handled <= 1, "{case}: {words:?}");
        if polls == 0 {
            assert_eq!(handled, 0, "{case}: {words:?}");
        }
        if done && matches!(name, "cast" | "call") {
            assert_eq!(handled, 1, "{case}: {words:?}");
        }
        assert_eq!(
            (seen.waiting.mailbox, seen.waiting.senders),
            (0, 0),
            "{case}"
        );
        // The room that was taken has been given back: the mailbox of one takes one.
        machine
            .try_cast(Event::Note("after"))
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        rest(&machine).await;
        assert_eq!(trace.take(), "after", "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn n56_a_stop_or_shutdown_that_was_polled_stays_in_force() {
    for polls in 0..3 {
        for shutdown in [false, true] {
            let (machine, mut driver, _) = unpolled(Builder::new());
            let mut future = if shutdown {
                boxed(machine.shutdown(ms(50)))
            } else {
                boxed(machine.stop())
            };
            for _ in 0..polls {
                assert!(poll_once(future.as_mut()).is_pending());
            }
            drop(future);
            assert_eq!(poll_once(Pin::new(&mut driver)).is_ready(), polls > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n55_a_stop_or_shutdown_that_was_polled_once_stays_in_force_behind_64_questions() {
    for shutdown in [false, true] {
        let (machine, driver, _) = unpolled(Builder::new());
        let mut asked: Vec<_> = (0..64).map(|_| Box::pin(machine.inspect())).collect();
        assert!(
            asked
                .iter_mut()
                .all(|asked| poll_once(asked.as_mut()).is_pending())
        );
        let mut future = if shutdown {
            boxed(machine.shutdown(ms(50)))
        } else {
            boxed(machine.stop())
        };
        assert!(poll_once(future.as_mut()).is_pending());
        drop(future);
        let reason = driver.run().await;
        assert_eq!(matches!(reason, ExitReason::Shutdown), shutdown, "{reason}");
        for asked in asked {
            asked.await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n55_of_many_stops_the_first_counts() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let mut stops = vec![boxed(machine.shutdown(ms(50)))];
    stops.extend((0..200).map(|_| boxed(machine.stop())));
    for stop in &mut stops {
        assert!(poll_once(stop.as_mut()).is_pending());
        send(&machine, [Event::Note("m")]);
    }
    assert!(matches!(driver.run().await, ExitReason::Shutdown));
    assert_eq!(trace.take(), "terminate");
}

#[tokio::test(start_paused = true)]
async fn n56_a_cast_that_was_let_in_is_sent_even_if_its_sender_goes() {
    let (machine, driver, trace) = unpolled(Builder::new().mailbox(1));
    send(&machine, [Event::Number(0)]);
    let mut cast = Box::pin(machine.cast(Event::Number(1)));
    assert!(poll_once(cast.as_mut()).is_pending());
    tokio::spawn(driver.run());
    rest(&machine).await;
    drop(cast);
    rest(&machine).await;
    assert_eq!(trace.take(), "0 1");
}

#[test]
fn the_mailbox_gives_back_the_memory_of_a_burst() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let live_after = |burst: u32| {
        let mut kept = None;
        let measured = allocation_counter::measure(|| {
            kept = Some(runtime.block_on(async {
                let (machine, trace) = puppet_with(Builder::new().mailbox(100_000), |_| {});
                send(&machine, (0..burst).map(Event::Number));
                rest(&machine).await;
                assert_eq!(trace.words().len(), burst as usize);
                (machine, trace)
            }));
        });
        measured.bytes_current
    };
    live_after(10);
    let (small, large) = (live_after(10), live_after(50_000));
    assert!(
        large < small + 16 * 1024,
        "{small} bytes after 10 messages, {large} after 50,000"
    );
}
