//! Looking at a running machine: inspect, status and watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use statem::{Builder, CallError, ExitReason, Status};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n70_inspect_shows_what_is_there() {
    let (machine, _) = puppet();
    send(
        &machine,
        [
            Event::Hold {
                name: "p1",
                reply: None,
                probe: None,
            },
            Event::Hold {
                name: "p2",
                reply: None,
                probe: None,
            },
            run("fill", |world, cx| {
                cx.timeout("g", ms(50), Event::Note("g"));
                cx.state_timeout(ms(20), Event::Note("st"));
                cx.timeout_at("never", Duration::MAX, Event::Note("never"));
                world
                    .guards
                    .push(cx.task(std::future::pending::<()>(), |()| Event::Note("never")));
                cx.state_task(std::future::pending::<()>(), |()| Event::Note("never"));
                Step::Keep
            }),
        ],
    );
    rest(&machine).await;
    tokio::time::sleep(ms(5)).await;
    let details = machine.inspect_values().await.unwrap();
    assert_eq!(
        (details.state.as_str(), details.data.as_str()),
        ("Idle", "world")
    );
    assert_eq!(details.postponed, ["p1", "p2"]);
    let seen = details.inspection;
    assert_eq!((seen.machine, seen.state), ("Puppet", "Idle"));
    assert_eq!(
        seen.timeouts,
        [
            ("state timeout".to_owned(), Some(ms(15))),
            ("timeout \"g\"".to_owned(), Some(ms(45))),
            ("timeout \"never\"".to_owned(), None),
        ]
    );
    let scopes: Vec<bool> = seen.sources.iter().map(|(_, of_state)| *of_state).collect();
    assert_eq!(scopes, [false, true]);
    let waiting = seen.waiting;
    assert_eq!(
        (
            waiting.mailbox,
            waiting.senders,
            waiting.queue,
            waiting.postponed
        ),
        (0, 0, 0, 2)
    );
    assert_eq!(
        (
            seen.counts.received,
            seen.counts.handled,
            seen.counts.consumed,
            seen.counts.postponed
        ),
        (3, 3, 1, 2)
    );
}

#[test]
fn n70_inspect_under_load_is_at_rest_and_keeps_its_counts() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet_with(Builder::new().mailbox(64), |_| {});
        let enough = Arc::new(AtomicBool::new(false));
        let load: Vec<_> = (0..4)
            .map(|_| {
                let (machine, enough) = (machine.clone(), enough.clone());
                tokio::spawn(async move {
                    while !enough.load(Ordering::Relaxed) {
                        let event = run("m", |_, cx| {
                            cx.insert(Event::Note("inserted"));
                            Step::Keep
                        });
                        machine.cast(event).await.unwrap();
                        let _ = machine.call(hold("c")).limit(ms(1)).await;
                        machine.call(Event::Ask).await.unwrap();
                    }
                })
            })
            .collect();
        let mut last = 0;
        for _ in 0..200 {
            let seen = rest(&machine).await;
            let counts = seen.counts;
            assert_eq!(seen.waiting.queue, 0);
            assert!(seen.waiting.mailbox <= 64);
            assert!(counts.received >= last);
            last = counts.received;
            // N48, with nothing waiting in the queue.
            let accounted = counts.consumed
                + seen.waiting.postponed as u64
                + counts.refused
                + counts.abandoned
                + counts.discarded
                + counts.dropped_at_end;
            assert_eq!(counts.received, accounted, "{seen:?}");
        }
        enough.store(true, Ordering::Relaxed);
        for task in load {
            task.await.unwrap();
        }
    });
}

#[tokio::test(start_paused = true)]
async fn n70_a_debug_that_panics_is_the_askers_affair_alone() {
    let (machine, _) = puppet_with(Builder::new(), |world| world.shown = "");
    let error = machine.inspect_values().await.unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(panic)
            if panic.to_string() == "a `Debug` of `Puppet` panicked"),
        "{error:?}"
    );
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn n70_an_asker_waits_no_longer_than_the_limit_of_a_call() {
    // The driver never runs: some of these are in the mailbox, some wait for room.
    let (machine, driver, _) = unpolled(Builder::new().call_limit(ms(30)));
    let mut inside: Vec<_> = (0..64).map(|_| Box::pin(machine.inspect())).collect();
    assert!(
        inside
            .iter_mut()
            .all(|asked| poll_once(asked.as_mut()).is_pending())
    );
    let began = now();
    for _ in 0..3 {
        let outcome = machine.inspect().await;
        assert!(
            matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(now() - began, ms(90));
    drop(inside);
    tokio::spawn(driver.run());
    rest(&machine).await;
}

#[tokio::test(start_paused = true)]
async fn n70_askers_that_have_gone_leave_nothing_behind() {
    // The driver never runs, and the room for control requests is taken.
    let (machine, _driver, _) = unpolled(Builder::new());
    let mut inside: Vec<_> = (0..64).map(|_| Box::pin(machine.inspect())).collect();
    assert!(
        inside
            .iter_mut()
            .all(|asked| poll_once(asked.as_mut()).is_pending())
    );
    let ask = || {
        for _ in 0..1_000 {
            let mut asked = Box::pin(machine.inspect());
            assert!(poll_once(asked.as_mut()).is_pending());
        }
    };
    ask();
    assert_eq!(allocation_counter::measure(ask).bytes_current, 0);
}

#[tokio::test(start_paused = true)]
async fn n71_a_watch_skips_what_was_short_and_never_the_last() {
    let (machine, _) = puppet();
    let mut watch = machine.watch();
    assert!(matches!(watch.status(), Status::Starting));
    rest(&machine).await;
    assert!(matches!(watch.changed().await, Status::Running("Idle")));
    send(
        &machine,
        [go_busy(), run("back", |_, _| Step::Idle), go_busy()],
    );
    rest(&machine).await;
    assert!(matches!(watch.changed().await, Status::Running("Busy")));
    let mut next = Box::pin(watch.changed());
    assert!(poll_once(next.as_mut()).is_pending());
    drop(next);
    machine.stop().await;
    assert!(matches!(
        watch.changed().await,
        Status::Stopped(ExitReason::Normal)
    ));
    let mut never = Box::pin(watch.changed());
    assert!(poll_once(never.as_mut()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn n71_a_watch_made_after_the_end_says_stopped_at_once() {
    let (machine, _) = puppet();
    machine.stop().await;
    let mut watch = machine.watch();
    assert!(matches!(
        watch.status(),
        Status::Stopped(ExitReason::Normal)
    ));
    let status = tokio::time::timeout(ms(10), watch.changed()).await;
    assert!(
        matches!(status, Ok(Status::Stopped(ExitReason::Normal))),
        "{status:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n71_a_state_is_not_shown_before_its_enter_call_has_finished() {
    let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = shown.clone();
    let (machine, driver, _) = unpolled(Builder::new());
    let watch = machine.watch();
    send(
        &machine,
        [run("look", move |world, _| {
            world.on_enter = Some(Box::new(move |_, _| {
                seen.lock().unwrap().push(format!("{:?}", watch.status()));
            }));
            Step::Keep
        })],
    );
    send(&machine, [go_busy()]);
    tokio::spawn(driver.run());
    rest(&machine).await;
    assert_eq!(*shown.lock().unwrap(), ["Running(\"Idle\")"]);
    assert!(matches!(machine.status(), Status::Running("Busy")));
}

#[test]
fn n71_a_slow_reader_on_another_thread_sees_states_in_order_and_the_last() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..300 {
            let (machine, driver, _) = unpolled(Builder::new());
            let mut watch = machine.watch();
            let reader = tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    match watch.changed().await {
                        Status::Running(state) => seen.push(state),
                        Status::Stopped(_) => return seen,
                        other => panic!("{other:?}"),
                    }
                }
            });
            send(&machine, [go_busy(), run("end", |_, _| Step::Done)]);
            tokio::spawn(driver.run());
            let seen = tokio::time::timeout(Duration::from_secs(10), reader)
                .await
                .unwrap()
                .unwrap();
            let order = ["Idle", "Busy", "Done"];
            let places: Vec<_> = seen
                .iter()
                .map(|state| order.iter().position(|known| known == state))
                .collect();
            assert!(places.is_sorted(), "{seen:?}");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn n71_watchers_that_have_gone_leave_nothing_behind() {
    let (machine, _) = puppet();
    rest(&machine).await;
    for _ in 0..1_000 {
        let mut watch = machine.watch();
        let mut changed = Box::pin(watch.changed());
        assert!(poll_once(changed.as_mut()).is_pending());
    }
    let measured = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            let mut watch = machine.watch();
            let mut changed = Box::pin(watch.changed());
            assert!(poll_once(changed.as_mut()).is_pending());
        }
    });
    assert_eq!(measured.bytes_current, 0);
}

#[tokio::test(start_paused = true)]
async fn n71_each_of_many_watchers_is_told_also_when_another_has_gone() {
    let (machine, _) = puppet();
    rest(&machine).await;
    let mut gone = machine.watch();
    let watchers = [(); 3].map(|()| {
        let mut watch = machine.watch();
        tokio::spawn(async move { format!("{:?}", watch.changed().await) })
    });
    let mut waiting = Box::pin(gone.changed());
    assert!(poll_once(waiting.as_mut()).is_pending());
    tokio::task::yield_now().await;
    drop(waiting);
    drop(gone);
    send(&machine, [go_busy()]);
    for watcher in watchers {
        let told = tokio::time::timeout(ms(10), watcher).await;
        assert_eq!(told.unwrap().unwrap(), "Running(\"Busy\")");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_and_an_end_show_what_they_wait_for() {
    let (machine, _) = puppet();
    rest(&machine).await;
    let (watch, closed) = (machine.watch(), machine.closed());
    assert_eq!(format!("{watch:?}"), "Watch(Running(\"Idle\"))");
    assert_eq!(
        format!("{closed:?}"),
        "Closed { machine: \"Puppet\", reason: None }"
    );
    machine.stop().await;
    assert_eq!(format!("{watch:?}"), "Watch(Stopped(Normal))");
    assert_eq!(
        format!("{closed:?}"),
        "Closed { machine: \"Puppet\", reason: Some(Normal) }"
    );
}
