//! The budgets of a turn for timers and for sources that give nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use statem::{Cx, Handle};

use crate::support::*;

/// The most that happened between two turns of another task, until nothing happens any more.
async fn most_in_a_turn(handled: &Arc<AtomicUsize>, all: usize) -> usize {
    let handled = handled.clone();
    let looks = tokio::spawn(async move {
        let mut before = handled.load(Ordering::Relaxed);
        let mut most = before;
        while before < all {
            others_turn().await;
            let now = handled.load(Ordering::Relaxed);
            most = most.max(now - before);
            before = now;
        }
        most
    });
    looks.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn n20_a_turn_fires_256_timers_that_are_due_and_then_messages_are_handled() {
    const TIMERS: usize = 1_000;
    let (machine, trace) = puppet();
    let fired = Arc::new(AtomicUsize::new(0));
    let counted = fired.clone();
    let start = run("start", move |world, cx| {
        for _ in 0..TIMERS {
            let fired = counted.clone();
            let event = run("fires", move |_, _| {
                fired.fetch_add(1, Ordering::Relaxed);
                Step::Keep
            });
            world.timers.push(cx.timer(ms(10), event));
        }
        Step::Keep
    });
    send(&machine, [start]);
    rest(&machine).await;
    spend(ms(10));
    let seen = fired.clone();
    let message = run("message", move |world, _| {
        world
            .trace
            .push(format!("after {}", seen.load(Ordering::Relaxed)));
        Step::Keep
    });
    send(&machine, [message]);
    assert_eq!(most_in_a_turn(&fired, TIMERS).await, 256);
    assert!(trace.words().iter().any(|word| word == "after 256"));
}

#[tokio::test(start_paused = true)]
async fn n20_timers_that_begin_again_in_the_past_starve_none_that_was_due_before() {
    fn again(left: u32, world: &mut World, cx: &mut Cx<Puppet>) -> Step {
        if left > 0 {
            let event = run("again", move |world, cx| again(left - 1, world, cx));
            world.timers.push(cx.timer_at(Duration::ZERO, event));
        }
        Step::Keep
    }
    let (machine, _) = puppet();
    let fired = Arc::new(AtomicUsize::new(0));
    let counted = fired.clone();
    let start = run("start", move |world, cx| {
        let due = run("due", move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Step::Keep
        });
        world.timers.push(cx.timer(ms(10), due));
        for _ in 0..300 {
            again(100, world, cx);
        }
        Step::Keep
    });
    send(&machine, [start]);
    rest(&machine).await;
    spend(ms(10));
    let turns = tokio::spawn(async move {
        for turns in 0..100 {
            if fired.load(Ordering::Relaxed) > 0 {
                return turns;
            }
            others_turn().await;
        }
        100
    });
    let turns = turns.await.unwrap();
    assert!(turns < 10, "{turns} turns");
}

/// Has sources that take long and give nothing, as children may; how often they were polled.
fn busy_sources(machine: &Handle<Puppet>, sources: usize) -> Arc<AtomicUsize> {
    let polled = Arc::new(AtomicUsize::new(0));
    let counted = polled.clone();
    let start = run("start", move |world, cx| {
        for _ in 0..sources {
            let polled = counted.clone();
            let busy = std::future::poll_fn(move |_| {
                polled.fetch_add(1, Ordering::Relaxed);
                Poll::Pending::<()>
            });
            world.guards.push(cx.task(busy, |()| Event::Note("never")));
        }
        Step::Keep
    });
    send(machine, [start]);
    polled
}

#[tokio::test(start_paused = true)]
async fn n20_a_turn_polls_128_sources_that_were_woken() {
    let (machine, _) = puppet();
    let polled = busy_sources(&machine, 500);
    assert_eq!(most_in_a_turn(&polled, 500).await, 128);
}

#[tokio::test(start_paused = true)]
async fn n20_a_suspended_machine_polls_128_sources_a_turn() {
    let (machine, _) = puppet();
    let polled = busy_sources(&machine, 500);
    let mut suspended = Box::pin(machine.suspend());
    assert!(poll_once(suspended.as_mut()).is_pending());
    assert_eq!(most_in_a_turn(&polled, 500).await, 128);
    suspended.await.unwrap();
}
