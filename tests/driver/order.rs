//! Order among timers, outputs and messages, and among the events of one sender.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use statem::{Builder, Cx, Status};

use crate::support::*;

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
