//! How many restarts are too many, and how long each is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use statem::supervisor::{Queue, Spec, Strategy, Supervisor};
use statem::{Backoff, CallError, ExitReason, Status};
use tokio::time::{advance, sleep};

use crate::support::{
    Event, Idle, Trace, Worker, World, child, fail, gave_up, now, settle, state, tasks, worker,
};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test(start_paused = true)]
async fn the_intensity_trips_exactly_and_its_period_slides() {
    // Failures at these times, of which two within five seconds are allowed.
    for (times, survives) in [
        (&[0, 1000, 2000][..], false),
        (&[0, 1000, 5000], false),
        (&[0, 1000, 5001], true),
        (&[0, 4000, 5001, 9000], false),
        (&[0, 4000, 5001, 9001, 10_002, 14_002], true),
    ] {
        let trace = Trace::default();
        let mut supervisor = Supervisor::new("top", Strategy::OneForOne).intensity(2, ms(5000));
        let a = supervisor.child(worker("a", &trace));
        let b = supervisor.child(worker("b", &trace));
        let tree = supervisor.spawn();
        settle().await;
        let mut now = 0;
        for (failure, at) in times.iter().enumerate() {
            advance(ms(at - now)).await;
            now = *at;
            assert!(matches!(tree.status(), Status::Running(_)), "{times:?}");
            // It does not matter whose failure it is.
            fail(if failure % 2 == 0 { &a } else { &b }).await;
        }
        if survives {
            assert_eq!(state(&a), "Idle", "{times:?}");
            tree.stop().await;
        } else {
            let reason = tree.closed().await;
            let error = gave_up(&reason);
            assert_eq!(error.intensity, 2);
            assert!(error.to_string().contains("more than 2 restarts within 5s"));
            assert!(matches!(error.reason, ExitReason::Panicked { .. }));
            assert_eq!((state(&a), state(&b)), ("stopped", "stopped"));
        }
        assert_eq!(tasks(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn one_restart_in_five_seconds_is_the_default() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    fail(&a).await;
    advance(ms(5001)).await;
    fail(&a).await;
    assert_eq!(state(&a), "Idle");
    fail(&a).await;
    assert_eq!(&*gave_up(&tree.closed().await).child, "a");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_start_takes_the_tree_down_after_exactly_so_many_lives() {
    let trace = Trace::default();
    for intensity in [0, 1, 5] {
        let mut supervisor =
            Supervisor::new("top", Strategy::OneForOne).intensity(intensity, ms(1000));
        supervisor.child(worker("a", &trace));
        let mut world = World::new("b", &trace);
        world.on_enter = Some(Arc::new(Box::new(|_, _| panic!("no network"))));
        let b = supervisor.child(child(world));
        let waits = b.clone();
        let waits = tokio::spawn(async move { waits.call(Event::Ask).await });
        let tree = supervisor.spawn();
        let reason = tree.closed().await;
        assert!(gave_up(&reason).to_string().ends_with("no network"));
        let lives = trace
            .take()
            .iter()
            .filter(|word| word.ends_with("idle") && word.starts_with('b'))
            .count();
        assert_eq!(lives, intensity as usize + 1);
        // Whoever decides that there is no restart does not say that there is one.
        let error = waits.await.unwrap().unwrap_err();
        match intensity {
            0 => assert!(matches!(error, CallError::Stopped { begun: false, .. })),
            _ => assert!(matches!(error, CallError::Restarting { .. })),
        }
        assert_eq!(tasks(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_panics_is_a_failure_of_the_child() {
    let trace = Trace::default();
    let starts = Arc::new(AtomicU32::new(0));
    let counted = starts.clone();
    let mut world = World::new("w", &trace);
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).intensity(2, ms(1000));
    let w = supervisor.child(
        Spec::<Worker>::new("w", move || {
            assert!(counted.fetch_add(1, Ordering::Relaxed) >= 2, "no memory");
            (Idle, world.next())
        })
        .queue(Queue::Keep),
    );
    let tree = supervisor.spawn();
    // What was sent waits for the start that succeeds.
    assert_eq!(w.call(Event::Ask).await.unwrap(), 1);
    assert_eq!(starts.load(Ordering::Relaxed), 3);
    assert_eq!(tree.children().await.unwrap()[0].restarts, 2);
    fail(&w).await;
    assert_eq!(&*gave_up(&tree.closed().await).child, "w");
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restart_waits_with_its_backoff() {
    let trace = Trace::default();
    let backoff = Backoff::default().first(ms(1000)).cap(ms(4000)).seed(7);
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne)
        .intensity(100, ms(60_000))
        .backoff(backoff.clone());
    let a = supervisor.child(worker("a", &trace).queue(Queue::Keep));
    let b = supervisor.child(worker("b", &trace));
    let tree = supervisor.spawn();
    settle().await;
    let mut expected = backoff;
    for life in 2..8 {
        let start = now();
        let delay = expected.delay();
        fail(&a).await;
        assert_eq!((state(&a), state(&b)), ("restarting", "Idle"));
        assert!(!tree.children().await.unwrap()[0].ready);
        assert_eq!(a.call(Event::Ask).await.unwrap(), life);
        // Timers have a grain of a millisecond, and are never early (N24).
        let waited = start.elapsed();
        assert!(
            waited >= delay && waited <= delay + ms(2),
            "{waited:?} {delay:?}"
        );
    }
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_backoff_starts_over_after_a_long_life() {
    let trace = Trace::default();
    let backoff = Backoff::default().first(ms(100)).cap(ms(100_000)).seed(7);
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).intensity(100, ms(5000));
    let a = supervisor.child(worker("a", &trace).queue(Queue::Keep).backoff(backoff));
    let tree = supervisor.spawn();
    settle().await;
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        let start = now();
        fail(&a).await;
        a.call(Event::Ask).limit(ms(1_000_000)).await.unwrap();
        longest = longest.max(start.elapsed());
    }
    assert!(longest > ms(1000), "{longest:?}");
    for _ in 0..12 {
        sleep(ms(5001)).await;
        let start = now();
        fail(&a).await;
        a.call(Event::Ask).await.unwrap();
        assert!(start.elapsed() <= ms(102));
    }
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_waits_with_the_child_that_failed() {
    let trace = Trace::default();
    let backoff = Backoff::default().first(ms(1000)).seed(1);
    let delay = backoff.clone().delay();
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne).intensity(9, ms(5000));
    let a = supervisor.child(worker("a", &trace));
    let b = supervisor.child(worker("b", &trace).backoff(backoff));
    let c = supervisor.child(worker("c", &trace));
    let tree = supervisor.spawn();
    settle().await;
    trace.take();
    fail(&b).await;
    assert_eq!(
        [&a, &b, &c].map(state),
        ["Idle", "restarting", "restarting"]
    );
    assert_eq!(trace.line(), "b1 end, c1 drain, c1 end");
    // One that is restarted at once takes the waiting ones with it, and their time is forgotten.
    fail(&a).await;
    assert_eq!(trace.line(), "a1 end, a2 idle, b2 idle, c2 idle");
    sleep(delay + ms(10)).await;
    assert_eq!(trace.line(), "");
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_waits_is_not_forgotten_when_a_later_child_fails() {
    let trace = Trace::default();
    let backoff = Backoff::default().first(ms(1000)).seed(1);
    let delay = backoff.clone().delay();
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne).intensity(9, ms(5000));
    let a = supervisor.child(worker("a", &trace).backoff(backoff));
    supervisor.child(worker("b", &trace));
    let tree = supervisor.spawn();
    settle().await;
    fail(&a).await;
    let c = tree.start(worker("c", &trace)).await.unwrap();
    settle().await;
    trace.take();
    fail(&c).await;
    assert_eq!(trace.line(), "c1 end, c2 idle");
    sleep(delay + ms(10)).await;
    assert_eq!(trace.line(), "a2 idle, b2 idle");
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_of_a_group_that_fails_again_waits_for_its_own_time() {
    let trace = Trace::default();
    let short = Backoff::default().first(ms(1000)).seed(1);
    let long = Backoff::default().first(ms(90_000)).cap(ms(90_000)).seed(1);
    let (first, then) = (short.clone().delay(), long.clone().delay());
    assert!(first + ms(100) < then);
    let mut supervisor = Supervisor::new("top", Strategy::RestForOne).intensity(9, ms(5000));
    let a = supervisor.child(worker("a", &trace).backoff(short));
    let b = supervisor.child(worker("b", &trace).backoff(long));
    let tree = supervisor.spawn();
    settle().await;
    fail(&a).await;
    tree.restart("b").await.unwrap();
    settle().await;
    trace.take();
    fail(&b).await;
    sleep(first + ms(10)).await;
    assert_eq!(trace.line(), "b2 end, a2 idle");
    sleep(then).await;
    assert_eq!(trace.line(), "b3 idle");
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_can_be_started_at_once_ended_and_stopped() {
    let trace = Trace::default();
    let backoff = Backoff::default()
        .first(ms(1_000_000))
        .cap(ms(1_000_000))
        .seed(1);
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne)
        .intensity(9, ms(5000))
        .backoff(backoff);
    let a = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    fail(&a).await;
    assert_eq!(state(&a), "restarting");
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 2);
    fail(&a).await;
    tree.terminate("a").await.unwrap();
    assert_eq!(state(&a), "stopped");
    assert!(matches!(
        a.call(Event::Ask).await.unwrap_err(),
        CallError::Stopped { begun: false, .. }
    ));
    tree.restart("a").await.unwrap();
    assert_eq!(a.call(Event::Ask).await.unwrap(), 3);
    fail(&a).await;
    assert_eq!(state(&a), "restarting");
    assert!(matches!(tree.stop().await, ExitReason::Shutdown));
    assert_eq!((state(&a), tasks()), ("stopped", 0));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_restarts_passes_and_leaves_nothing_behind() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne)
        .intensity(10_000, ms(60_000))
        .backoff(Backoff::default().seed(3));
    let mut handles = Vec::new();
    for number in 0..200 {
        let mut world = World::new("w", &trace);
        handles.push(
            supervisor.child(
                Spec::<Worker>::new(format!("w{number}"), move || (Idle, world.next()))
                    .queue(Queue::Keep),
            ),
        );
    }
    let tree = supervisor.spawn();
    for _ in 0..10 {
        for handle in &handles {
            let _ = handle.try_cast(Event::Panic);
        }
        sleep(ms(1000)).await;
    }
    for handle in &handles {
        assert!(handle.call(Event::Ask).limit(ms(1_000_000)).await.unwrap() > 5);
    }
    tree.ready().await.unwrap();
    assert_eq!(tasks(), 201);
    let restarts: u64 = tree
        .children()
        .await
        .unwrap()
        .iter()
        .map(|child| child.restarts)
        .sum();
    let told: u64 = handles.iter().map(statem::Handle::restarts).sum();
    assert_eq!(restarts, told);
    tree.stop().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn n76_a_supervisor_keeps_or_answers_what_waits() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).intensity(9, ms(5000));
    let keeps = supervisor.child(worker("k", &trace).queue(Queue::Keep));
    let answers = supervisor.child(worker("a", &trace));
    let tree = supervisor.spawn();
    settle().await;
    for (handle, kept) in [(&keeps, true), (&answers, false)] {
        handle.try_cast(Event::Panic).unwrap();
        let outcome = handle.call(Event::Ask).await;
        match outcome {
            Ok(life) => assert!(kept && life == 2),
            Err(error) => assert!(!kept && matches!(error, CallError::Restarting { .. })),
        }
    }
    tree.stop().await;
}

#[tokio::test(start_paused = true)]
async fn n76_what_waits_is_kept_when_a_permanent_child_ends_normally() {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::OneForOne).intensity(9, ms(5000));
    let keeps = supervisor.child(worker("k", &trace).queue(Queue::Keep));
    let tree = supervisor.spawn();
    settle().await;
    keeps.try_cast(Event::Stop(ExitReason::Normal)).unwrap();
    keeps.try_cast(Event::Note("first")).unwrap();
    keeps.try_cast(Event::Note("second")).unwrap();
    assert_eq!(keeps.call(Event::Ask).await.unwrap(), 2);
    assert_eq!(
        trace.line(),
        "k1 idle, k1 end, k2 idle, k2 first, k2 second"
    );
    tree.stop().await;
}

/// How many milliseconds there are in which children come back that failed at once.
async fn moments(backoff: Backoff) -> (usize, Vec<String>) {
    let trace = Trace::default();
    let mut supervisor = Supervisor::new("top", Strategy::Dynamic)
        .intensity(1000, ms(5000))
        .backoff(backoff.first(ms(10_000)));
    let children: Vec<_> = (0..50)
        .map(|number| {
            let mut world = World::new("w", &trace);
            let spec = Spec::<Worker>::new(format!("{number}"), move || (Idle, world.next()));
            supervisor.child(spec)
        })
        .collect();
    let tree = supervisor.spawn();
    settle().await;
    for child in &children {
        child.try_cast(Event::Panic).unwrap();
    }
    settle().await;
    let (mut moments, mut up, mut order) = (0, 0, Vec::new());
    for _ in 0..10_100 {
        sleep(ms(1)).await;
        let mut now = 0;
        for (number, child) in children.iter().enumerate() {
            if state(child) == "Idle" {
                now += 1;
                if !order.contains(&number.to_string()) {
                    order.push(number.to_string());
                }
            }
        }
        moments += usize::from(now > up);
        up = now;
    }
    assert_eq!(up, children.len());
    tree.stop().await;
    (moments, order)
}

#[tokio::test(start_paused = true)]
async fn children_that_fail_at_once_come_back_one_by_one_by_a_back_off_of_their_supervisor() {
    let (moments_without_seed, one) = moments(Backoff::default()).await;
    assert!(moments_without_seed > 40, "{moments_without_seed}");
    let (_, other) = moments(Backoff::default()).await;
    assert_ne!(one, other);
    // Also by a seed, with which it is the same each time.
    let (moments_with_seed, one) = moments(Backoff::default().seed(7)).await;
    assert!(moments_with_seed > 40, "{moments_with_seed}");
    let (_, other) = moments(Backoff::default().seed(7)).await;
    assert_eq!(one, other);
}
