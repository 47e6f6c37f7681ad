//! The budgets of a turn: nobody starves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use statem::{Builder, Cx, Handle};

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
async fn n20_a_turn_handles_128_messages_and_then_a_timer_that_is_due() {
    let (machine, trace) = puppet();
    send(&machine, [named_timeout(ms(10), Event::Note("g"))]);
    rest(&machine).await;
    trace.take();

    send(
        &machine,
        [run("slow", |_, _| {
            spend(ms(40));
            Step::Keep
        })],
    );
    send(&machine, (1..200).map(Event::Number));
    rest(&machine).await;

    let words = trace.words();
    assert_eq!(
        words.iter().position(|word| word == "g"),
        Some(128),
        "{words:?}"
    );
    assert_eq!(words.len(), 201);
}

#[tokio::test(start_paused = true)]
async fn n20_a_source_gives_32_outputs_in_a_turn_and_then_messages_are_handled() {
    let (machine, trace) = puppet();
    let faucet = with_faucet(&machine).await;
    trace.take();

    faucet.give(70);
    send(&machine, (0..3).map(Event::Number));
    rest(&machine).await;
    rest(&machine).await;
    rest(&machine).await;

    let words = trace.words();
    assert_eq!(
        words.iter().position(|word| word == "0"),
        Some(32),
        "{words:?}"
    );
    assert_eq!(words.iter().filter(|word| *word == "f").count(), 70);
}

#[tokio::test(start_paused = true)]
async fn n20_all_sources_give_128_outputs_in_a_turn_and_then_messages_are_handled() {
    let (machine, trace) = puppet();
    let mut faucets = Vec::new();
    for _ in 0..5 {
        faucets.push(with_faucet(&machine).await);
    }
    trace.take();

    for faucet in &faucets {
        faucet.give(31);
    }
    send(&machine, [Event::Number(0)]);
    rest(&machine).await;
    rest(&machine).await;

    let words = trace.words();
    assert_eq!(
        words.iter().position(|word| word == "0"),
        Some(128),
        "{words:?}"
    );
    assert_eq!(words.len(), 5 * 31 + 1);
}

#[tokio::test(start_paused = true)]
async fn n20_sources_that_never_rest_all_get_their_turn() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |world, cx| {
            for name in ["s0", "s1", "s2", "s3", "s4", "s5", "s6"] {
                let busy = FromFn(move |_: &mut std::task::Context<'_>| Poll::Ready(Some(())));
                world
                    .guards
                    .push(cx.stream(busy, move |_| Event::Note(name)));
            }
            Step::Keep
        })],
    );
    for _ in 0..4 {
        rest(&machine).await;
    }

    let words = trace.words();
    for name in ["s0", "s1", "s2", "s3", "s4", "s5", "s6"] {
        let outputs = words.iter().filter(|word| *word == name).count();
        assert!(
            outputs >= 32,
            "{name} got {outputs} of {} outputs",
            words.len()
        );
    }
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

#[tokio::test(start_paused = true)]
async fn a_busy_mailbox_does_not_starve_a_timeout() {
    fn next(left: u32, cx: &mut Cx<Puppet>) -> Step {
        if left == 9_900 {
            spend(ms(20));
        }
        if left > 0 {
            cx.handle()
                .try_cast(run("m", move |_, cx| next(left - 1, cx)))
                .unwrap();
        }
        Step::Keep
    }
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.state_timeout(ms(10), Event::Note("timeout"));
            next(10_000, cx)
        })],
    );
    while trace.len() < 10_002 {
        tokio::task::yield_now().await;
    }
    let words = trace.words();
    // The deadline passes in the handling of message 100.
    let place = words.iter().position(|word| word == "timeout").unwrap();
    assert!((100..=100 + 65).contains(&place), "{place}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_casts_by_others_does_not_starve_a_timeout() {
    let (machine, trace) = puppet_with(Builder::new().mailbox(8), |_| {});
    let sender = machine.clone();
    let flood = tokio::spawn(async move {
        loop {
            if sender.cast(Event::Note("m")).await.is_err() {
                return;
            }
        }
    });
    send(
        &machine,
        [run("arm", |_, cx| {
            cx.state_timeout(ms(10), run("timeout", |_, _| Step::Done));
            spend(ms(20));
            Step::Keep
        })],
    );
    // `spend` came before the timeout was started, so it takes another ten.
    rest(&machine).await;
    spend(ms(20));
    machine.closed().await;
    flood.await.unwrap();
    assert!(trace.words().contains(&"timeout".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_not_lost_when_a_source_has_used_up_the_budget_of_the_task() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.timeout("t", ms(10), Event::Note("timeout"));
            let hungry = async {
                // As many as tokio lets a task do in one poll.
                for _ in 0..128 {
                    tokio::task::consume_budget().await;
                }
                std::future::pending::<()>().await;
            };
            cx.state_task(hungry, |()| Event::Note("never"));
            Step::Keep
        })],
    );
    tokio::time::sleep(ms(20)).await;
    assert_eq!(trace.take(), "start timeout");
}
