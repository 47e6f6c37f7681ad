//! The end of a machine, in its order, however it comes.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use statem::supervisor::{Lives, Queue};
use statem::{Builder, CallError, ExitReason, Reply};

use crate::support::*;

/// A machine with a probe in each place where a value can be when it ends.
fn filled(trace: &Trace) -> [Event; 4] {
    let [task, state, waiting, timer, data, kept, mailbox] = [
        trace.probe("task"),
        trace.probe("state"),
        trace.probe("postponed"),
        trace.probe("timer"),
        trace.probe("data"),
        trace.probe("guarded"),
        trace.probe("mailbox"),
    ];
    let pending = |probe: Probe| async move {
        std::future::pending::<()>().await;
        drop(probe);
    };
    [
        Event::Hold {
            name: "postponed",
            reply: None,
            probe: Some(waiting),
        },
        run("fill", move |world, cx| {
            world
                .guards
                .push(cx.task(pending(kept), |()| Event::Note("never")));
            cx.state_task(pending(task), |()| Event::Note("never"));
            cx.timeout(
                "t",
                ms(1_000),
                Event::Hold {
                    name: "timer",
                    reply: None,
                    probe: Some(timer),
                },
            );
            world.probe = Some(data);
            world.on_enter = None;
            let _ = &state;
            Step::Keep
        }),
        run("stop", |_, _| Step::Stop(ExitReason::Normal)),
        Event::Hold {
            name: "mailbox",
            reply: None,
            probe: Some(mailbox),
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn n61_the_end_has_an_order() {
    let (machine, trace) = puppet();
    let [
        state,
        in_state,
        task,
        guarded,
        timer,
        waiting,
        data,
        mailbox,
        later,
    ] = [
        "state",
        "old",
        "task",
        "guarded",
        "timer",
        "postponed",
        "data",
        "mailbox",
        "later",
    ]
    .map(|name| trace.probe(name));
    let pending = |probe: Probe| async move {
        std::future::pending::<()>().await;
        drop(probe);
    };
    // In flight in the state's struct, postponed, and in the mailbox: a call each.
    let mut in_flight = Box::pin(machine.call(answer(move |reply, world, cx| {
        world
            .guards
            .push(cx.task(pending(guarded), |()| Event::Note("never")));
        cx.state_task(pending(task), |()| Event::Note("never"));
        cx.timeout(
            "t",
            ms(1_000),
            Event::Hold {
                name: "timer",
                reply: None,
                probe: Some(timer),
            },
        );
        world.probe = Some(data);
        drop(in_state);
        Step::Busy(Busy {
            replies: vec![reply],
            probe: Some(state),
        })
    })));
    assert!(poll_once(in_flight.as_mut()).is_pending());
    rest(&machine).await;
    assert_eq!(trace.take(), "drop old");

    // The puppet postpones while it is idle only, so the postponed one is an event of the queue
    // here: it is inserted by the transition before the stop, and the stop is inserted in front
    // of it.
    send(
        &machine,
        [
            run("queue", move |_, cx| {
                cx.insert(run("stop", move |_, cx| {
                    let event = Event::Hold {
                        name: "later",
                        reply: None,
                        probe: Some(later),
                    };
                    cx.handle().try_cast(event).unwrap();
                    Step::Stop(ExitReason::Normal)
                }));
                cx.insert(Event::Hold {
                    name: "queued",
                    reply: None,
                    probe: Some(waiting),
                });
                Step::Keep
            }),
            Event::Hold {
                name: "mailbox",
                reply: None,
                probe: Some(mailbox),
            },
        ],
    );
    let mut in_mailbox = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(in_mailbox.as_mut()).is_pending());
    let reason = machine.closed().await;
    trace.push("closed");

    assert!(matches!(reason, ExitReason::Normal));
    assert_eq!(
        trace.take(),
        "b:queue b:stop terminate drop task drop guarded drop state drop postponed drop timer drop mailbox drop later \
         drop data closed"
    );
    assert!(matches!(
        in_flight.await,
        Err(CallError::Stopped { begun: true, .. })
    ));
    assert!(matches!(
        in_mailbox.await,
        Err(CallError::Stopped { begun: false, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn n61_postponed_events_go_before_timers_and_those_before_the_mailbox() {
    let (machine, trace) = puppet();
    send(&machine, filled(&trace));
    machine.closed().await;
    trace.push("closed");
    assert_eq!(
        trace.take(),
        "fill drop state stop terminate drop task drop guarded drop postponed drop timer drop mailbox drop data closed"
    );
}

#[tokio::test(start_paused = true)]
async fn n61_n62_a_kill_has_the_same_order_without_terminate() {
    let (machine, trace) = puppet();
    let [waiting, fill, _, mailbox] = filled(&trace);
    let killer = machine.clone();
    let kill = run("kill", move |_, _| {
        killer.kill();
        Step::Keep
    });
    trace.take();
    send(&machine, [waiting, fill, kill, mailbox]);
    assert!(matches!(machine.closed().await, ExitReason::Killed));
    assert_eq!(
        trace.take(),
        "fill drop state kill drop task drop guarded drop postponed drop timer drop mailbox drop data"
    );
}

#[tokio::test(start_paused = true)]
async fn n61_terminate_may_reply_and_its_machine_takes_nothing_more() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let sender = machine.downgrade();
    let mut call = Box::pin(machine.call(answer(move |reply, world, _| {
        let log = world.trace.clone();
        world.on_terminate = Some(Box::new(move || {
            let refused = sender.try_cast(Event::Note("late")).is_err();
            log.push(format!("refused {refused}"));
            let _ = reply.send(9);
        }));
        Step::Stop(ExitReason::Normal)
    })));
    assert!(poll_once(call.as_mut()).is_pending());
    driver.run().await;
    assert_eq!(call.await.unwrap(), 9);
    assert_eq!(trace.take(), "terminate refused true");
}

#[tokio::test(start_paused = true)]
async fn n61_a_waiting_call_whose_event_never_got_in_is_told_in_its_turn() {
    let (machine, driver, _) = unpolled(Builder::new().mailbox(1));
    send(
        &machine,
        [run("stop", |_, _| Step::Stop(ExitReason::Normal))],
    );
    let mut waiting = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(waiting.as_mut()).is_pending());
    driver.run().await;
    let outcome = waiting.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
        "{outcome:?}"
    );
}

#[test]
fn n63_callers_on_another_runtime_are_told_when_the_machines_runtime_is_dropped() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (machine, trace) = runtime.block_on(async { puppet() });
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    other.block_on(async {
        let mut in_flight = Box::pin(machine.call(keep_reply()));
        let mut postponed = Box::pin(machine.call(hold("c")));
        assert!(poll_once(in_flight.as_mut()).is_pending());
        assert!(poll_once(postponed.as_mut()).is_pending());
        rest(&machine).await;
        let closed = machine.closed();
        std::thread::spawn(move || drop(runtime));
        let outcome = in_flight.await;
        assert!(
            matches!(
                outcome,
                Err(CallError::Stopped {
                    reason: ExitReason::Aborted,
                    begun: true,
                    ..
                })
            ),
            "{outcome:?}"
        );
        let outcome = postponed.await;
        assert!(
            matches!(
                outcome,
                Err(CallError::Stopped {
                    reason: ExitReason::Aborted,
                    begun: false,
                    ..
                })
            ),
            "{outcome:?}"
        );
        assert!(matches!(closed.await, ExitReason::Aborted));
    });
    // As a kill: nobody is asked to terminate.
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n63_an_aborted_task_tells_everybody() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let task = tokio::spawn(driver.run());
    let mut call = Box::pin(machine.call(keep_reply()));
    assert!(poll_once(call.as_mut()).is_pending());
    let probe = trace.probe("postponed");
    send(
        &machine,
        [Event::Hold {
            name: "p",
            reply: None,
            probe: Some(probe),
        }],
    );
    rest(&machine).await;
    task.abort();
    assert!(matches!(machine.closed().await, ExitReason::Aborted));
    assert!(matches!(
        call.await,
        Err(CallError::Stopped {
            reason: ExitReason::Aborted,
            begun: true,
            ..
        })
    ));
    assert_eq!(trace.take(), "drop postponed");
}

#[tokio::test(start_paused = true)]
async fn n63_a_driver_that_is_dropped_unpolled_tells_everybody() {
    let (machine, driver, trace) = unpolled(
        Builder::new()
            .mailbox(1)
            .init(|world: &mut World, _| world.trace.push("init")),
    );
    let mut call = Box::pin(machine.call(Event::Ask));
    let mut waiting = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(call.as_mut()).is_pending());
    assert!(poll_once(waiting.as_mut()).is_pending());
    let mut closed = Box::pin(machine.closed());
    assert!(poll_once(closed.as_mut()).is_pending());
    drop(driver);
    for outcome in [call.await, waiting.await] {
        assert!(
            matches!(
                outcome,
                Err(CallError::Stopped {
                    reason: ExitReason::Aborted,
                    begun: false,
                    ..
                })
            ),
            "{outcome:?}"
        );
    }
    assert!(matches!(closed.await, ExitReason::Aborted));
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n66_an_ended_machine_gives_the_same_reason_to_all_who_come() {
    let (machine, driver, _) = unpolled(Builder::new());
    send(
        &machine,
        [run("fail", |_, _| Step::Stop(ExitReason::other("once")))],
    );
    driver.run().await;
    for _ in 0..3 {
        assert_eq!(
            machine.closed().await.to_string(),
            "it stopped with an error: once"
        );
        assert_eq!(
            machine.stop().await.to_string(),
            "it stopped with an error: once"
        );
        assert_eq!(
            machine.shutdown(ms(1)).await.to_string(),
            "it stopped with an error: once"
        );
        assert!(matches!(
            machine.inspect().await,
            Err(CallError::Stopped { begun: false, .. })
        ));
        machine.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn n61_a_reply_dropped_with_the_data_says_stopped_too() {
    struct Keeper(Option<Reply<u32, Oops>>);
    let (machine, _) = puppet();
    let call = machine.call(answer(|reply, world, _| {
        let mut keeper = Keeper(Some(reply));
        world.probe = Some(Probe::new(move || drop(keeper.0.take())));
        Step::Keep
    }));
    let mut call = Box::pin(call);
    assert!(poll_once(call.as_mut()).is_pending());
    machine.stop().await;
    let outcome = call.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: true, .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn r120_a_machine_can_be_stopped_with_a_reason_in_its_turn() {
    let (machine, trace) = puppet();
    let (linked, _) = puppet();
    send(&linked, [crate::children::link(machine.closed())]);
    send(&machine, [Event::Note("before")]);
    let error = std::io::Error::other("the disk is full");
    let reason = machine.stop_with(error).await;
    let ExitReason::Other(told) = &reason else {
        panic!("{reason}")
    };
    assert!(told.is::<std::io::Error>());
    assert_eq!(trace.take(), "before terminate");
    assert_eq!(
        linked.closed().await.to_string(),
        "it ended with `Puppet`, which it is linked to: \
         it stopped with an error: the disk is full"
    );
    // One that has ended keeps its own.
    let again = machine.stop_with(ExitReason::Shutdown).await;
    assert!(matches!(again, ExitReason::Other(_)));
}

#[tokio::test(start_paused = true)]
async fn n63_n76_a_life_that_is_dropped_ends_in_the_order_of_every_end() {
    let mut lives = Lives::<Puppet>::new(&Builder::new(), Queue::Keep);
    let (world, trace) = world(|_| {});
    // Who waits for the end is told when all is dropped.
    let waits = Arc::new(Mutex::new(None));
    let probe = |name| {
        let (trace, waits) = (trace.clone(), waits.clone());
        Probe::new(move || {
            let mut waits = waits.lock().unwrap();
            let waits: &mut Pin<Box<dyn Future<Output = ExitReason> + Send>> =
                waits.as_mut().unwrap();
            let told = poll_once(waits.as_mut()).is_ready();
            trace.push(format!("drop {name}, told: {told}"));
        })
    };
    let (state, data) = (probe("state"), probe("data"));
    let fill = run("fill", move |world, _| {
        world.probe = Some(data);
        Step::Busy(Busy {
            probe: Some(state),
            ..Busy::default()
        })
    });
    send(&lives.handle(), [fill]);
    let mut life = Box::pin(lives.begin(Builder::new(), Idle, world));
    assert!(poll_once(life.as_mut()).is_pending());
    let handle = lives.handle();
    let mut stop: Pin<Box<dyn Future<Output = ExitReason> + Send>> =
        Box::pin(async move { handle.stop().await });
    assert!(poll_once(stop.as_mut()).is_pending());
    *waits.lock().unwrap() = Some(stop);
    drop(life);
    assert_eq!(
        trace.take(),
        "fill drop state, told: false drop data, told: false"
    );
    let stopped = waits.lock().unwrap().take().unwrap();
    assert!(matches!(stopped.await, ExitReason::Aborted));
}

#[tokio::test(start_paused = true)]
async fn r38_a_stop_with_the_reason_of_another_machine_is_a_stop() {
    for reason in [ExitReason::Killed, ExitReason::Aborted] {
        let passed = reason.clone();
        let (machine, trace) = puppet();
        send(&machine, [run("down", move |_, _| Step::Stop(passed))]);
        assert_eq!(
            format!("{:?}", machine.closed().await),
            format!("{reason:?}")
        );
        assert_eq!(trace.take(), "down terminate");

        let (machine, trace) = puppet();
        rest(&machine).await;
        machine.stop_with(reason).await;
        assert_eq!(trace.take(), "terminate");
    }
}

#[tokio::test(start_paused = true)]
async fn n62_a_kill_after_a_stop_was_served_changes_nothing() {
    let (machine, trace) = puppet();
    let own = machine.clone();
    send(
        &machine,
        [run("down", move |_, _| {
            own.kill();
            Step::Stop(ExitReason::Normal)
        })],
    );
    assert!(matches!(machine.closed().await, ExitReason::Normal));
    assert_eq!(trace.take(), "down terminate");
}

#[tokio::test(start_paused = true)]
async fn n61_senders_that_wait_at_the_end_are_each_told_their_own() {
    let (machine, driver, _) = unpolled(Builder::new().mailbox(1));
    let (mut casts, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        let mut cast = Box::pin(machine.cast(Event::Note("waits")));
        let mut call = Box::pin(machine.call(Event::Ask));
        let _ = poll_once(cast.as_mut());
        assert!(poll_once(call.as_mut()).is_pending());
        casts.push(cast);
        calls.push(call);
    }
    drop(driver);
    let gone = casts
        .into_iter()
        .skip(1)
        .all(|mut cast| matches!(poll_once(cast.as_mut()), Poll::Ready(Err(_))));
    assert!(gone);
    for call in calls {
        let outcome = call.await;
        assert!(
            matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
            "{outcome:?}"
        );
    }
}
