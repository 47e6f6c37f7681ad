//! Order among timers, outputs and messages, and the budgets of a turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use statem::{Builder, Cx, Handle, Status};

use crate::support::*;

/// A stream that gives one item for each time it is told to.
#[derive(Clone, Default)]
struct Faucet(Arc<Mutex<(usize, Option<Waker>)>>);

impl Faucet {
    fn give(&self, items: usize) {
        let mut inner = self.0.lock().unwrap();
        inner.0 += items;
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }

    fn stream(
        &self,
    ) -> FromFn<impl FnMut(&mut std::task::Context<'_>) -> Poll<Option<()>> + Send + use<>> {
        let faucet = self.clone();
        FromFn(move |cx: &mut std::task::Context<'_>| {
            let mut inner = faucet.0.lock().unwrap();
            if inner.0 > 0 {
                inner.0 -= 1;
                return Poll::Ready(Some(()));
            }
            inner.1 = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

async fn with_faucet(machine: &Handle<Puppet>) -> Faucet {
    let faucet = Faucet::default();
    let stream = faucet.stream();
    send(
        machine,
        [run("start", move |world, cx| {
            world.guards.push(cx.stream(stream, |_| Event::Note("f")));
            Step::Keep
        })],
    );
    rest(machine).await;
    faucet
}

fn named_timeout(after: Duration, event: Event) -> Event {
    run("arm", move |_, cx| {
        cx.timeout("g", after, event);
        Step::Keep
    })
}

#[tokio::test(start_paused = true)]
async fn n20_a_turn_is_timers_then_outputs_then_messages() {
    let (machine, trace) = puppet();
    let faucet = with_faucet(&machine).await;
    send(&machine, [named_timeout(ms(10), Event::Note("g"))]);
    rest(&machine).await;
    trace.take();

    // All three become ready while a handler runs, the messages first.
    let waiting = faucet.clone();
    send(
        &machine,
        [run("slow", move |_, cx| {
            cx.handle().try_cast(Event::Note("m1")).unwrap();
            cx.handle().try_cast(Event::Note("m2")).unwrap();
            waiting.give(1);
            spend(ms(40));
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;

    assert_eq!(trace.take(), "slow g f m1 m2");
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
async fn n21_a_timer_that_restarts_itself_in_the_past_starves_no_message() {
    fn restart(left: u32, cx: &mut Cx<Puppet>) -> Step {
        cx.handle().try_cast(Event::Note("m")).unwrap();
        if left > 0 {
            cx.timeout_at(
                "g",
                Duration::ZERO,
                run("g", move |_, cx| restart(left - 1, cx)),
            );
        }
        Step::Keep
    }
    let (machine, trace) = puppet();
    spend(ms(10));
    send(&machine, [run("start", |_, cx| restart(3, cx))]);
    for _ in 0..5 {
        rest(&machine).await;
    }
    assert_eq!(trace.take(), "start g m g m g m m");
}

#[tokio::test(start_paused = true)]
async fn n22_a_message_of_this_turn_goes_before_a_timer_that_becomes_due_in_it() {
    let (machine, trace) = puppet();
    send(&machine, [named_timeout(ms(10), Event::Note("g"))]);
    rest(&machine).await;
    trace.take();

    send(
        &machine,
        [
            run("slow", |_, cx| {
                spend(ms(5));
                cx.handle().try_cast(Event::Note("m2")).unwrap();
                spend(ms(35));
                Step::Keep
            }),
            Event::Note("m1"),
        ],
    );
    rest(&machine).await;
    rest(&machine).await;

    assert_eq!(trace.take(), "slow m1 g m2");
}

#[tokio::test(start_paused = true)]
async fn n23_the_event_timeout_means_silence() {
    let arm = || {
        run("arm", |_, cx| {
            cx.timeout("g", ms(20), Event::Note("g"));
            cx.event_timeout(ms(10), Event::Note("et"));
            Step::Keep
        })
    };
    let first = || {
        run("arm", |_, cx| {
            cx.timeout("g", ms(5), Event::Note("g"));
            cx.event_timeout(ms(10), Event::Note("et"));
            Step::Keep
        })
    };
    // (what is armed, whether a message waits too, what is handled)
    let table: [(&dyn Fn() -> Event, bool, &str); 4] = [
        (&arm, false, "arm et g"),
        (&arm, true, "arm m g"),
        (&first, false, "arm g"),
        (&first, true, "arm g m"),
    ];
    for (armed, message, expected) in table {
        let (machine, trace) = puppet();
        send(&machine, [armed()]);
        rest(&machine).await;
        // Nobody runs while these 40 pass, and at their end everything is due at once.
        spend(ms(40));
        send(&machine, message.then(|| Event::Note("m")));
        rest(&machine).await;
        rest(&machine).await;
        assert_eq!(trace.take(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn n24_a_relative_timeout_counts_from_the_end_of_its_transition() {
    let (machine, trace) = puppet();
    let began = now();
    let (fired, at) = tokio::sync::oneshot::channel();
    send(
        &machine,
        [run("slow", move |_, cx| {
            spend(ms(40));
            cx.state_timeout(
                ms(30),
                run("st", move |_, _| {
                    fired.send(now()).unwrap();
                    Step::Keep
                }),
            );
            Step::Keep
        })],
    );
    let at = at.await.unwrap();
    assert_eq!(trace.take(), "slow st");
    assert!(
        (ms(70)..=ms(72)).contains(&(at - began)),
        "{:?}",
        at - began
    );
}

#[tokio::test(start_paused = true)]
async fn n26_equal_deadlines_fire_in_start_order_and_the_last_request_of_a_transition_first() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [
            run("one", |_, cx| {
                cx.timeout_at("p", ms(10), Event::Note("p"));
                Step::Keep
            }),
            run("two", |_, cx| {
                cx.timeout_at("q", ms(10), Event::Note("q"));
                cx.timeout_at("r", ms(10), Event::Note("r"));
                Step::Keep
            }),
        ],
    );
    rest(&machine).await;
    tokio::time::sleep(ms(20)).await;
    assert_eq!(trace.take(), "one two p r q");
}

#[tokio::test(start_paused = true)]
async fn n26_timers_that_are_due_together_fire_by_deadline() {
    let (machine, trace) = puppet();
    let arm = |name: &'static str, after| {
        run("arm", move |world, cx| {
            let timer = cx.timer(ms(after), Event::Note(name));
            world.timers.push(timer);
            Step::Keep
        })
    };
    let timers = [
        ("10", 10),
        ("40", 40),
        ("20", 20),
        ("60", 60),
        ("50", 50),
        ("30", 30),
        ("25", 25),
    ];
    send(&machine, timers.map(|(name, after)| arm(name, after)));
    rest(&machine).await;
    trace.take();
    tokio::time::advance(ms(100)).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "10 20 25 30 40 50 60");
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

#[test]
fn n9_a_caller_that_has_its_answer_sees_the_state_of_that_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet();
        for _ in 0..20_000 {
            machine
                .call(answer(|reply, _, _| {
                    let _ = reply.send(1);
                    Step::Busy(Busy::default())
                }))
                .await
                .unwrap();
            assert!(matches!(machine.status(), Status::Running("Busy")));
            machine
                .call(answer(|reply, _, _| {
                    let _ = reply.send(1);
                    Step::Idle
                }))
                .await
                .unwrap();
            assert!(matches!(machine.status(), Status::Running("Idle")));
        }
    });
}

#[test]
fn r121_the_order_of_one_sender_is_kept_when_the_mailbox_is_full() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, trace) = puppet_with(Builder::new().mailbox(4), |_| {});
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let machine = machine.clone();
                tokio::spawn(async move {
                    for number in 0..500 {
                        let event = Event::Number(sender * 1000 + number);
                        // Whichever way it is sent.
                        if number % 3 == 0 {
                            if let Err(error) = machine.try_cast(event) {
                                machine.cast(error.event).await.unwrap();
                            }
                        } else {
                            machine.cast(event).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
        rest(&machine).await;
        let numbers: Vec<u32> = trace
            .words()
            .iter()
            .map(|word| word.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), 2_000);
        for sender in 0..4 {
            let of_sender: Vec<u32> = numbers
                .iter()
                .copied()
                .filter(|number| number / 1000 == sender)
                .collect();
            assert!(
                of_sender.is_sorted() && of_sender.len() == 500,
                "sender {sender}"
            );
        }
    });
}

#[tokio::test(start_paused = true)]
async fn n21_a_timer_started_in_a_turn_waits_for_the_next_one_even_if_it_is_due() {
    let (machine, trace) = puppet();
    let done = Arc::new(AtomicBool::new(false));
    let told = done.clone();
    spend(ms(10));
    send(
        &machine,
        [
            run("start", |_, cx| {
                cx.timeout_at("g", ms(1), Event::Note("g"));
                Step::Keep
            }),
            run("m1", move |_, _| {
                told.store(true, Ordering::Relaxed);
                Step::Keep
            }),
        ],
    );
    rest(&machine).await;
    rest(&machine).await;
    assert!(done.load(Ordering::Relaxed));
    assert_eq!(trace.take(), "start m1 g");
}
