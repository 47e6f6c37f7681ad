//! The timers behind the limits of calls: kept, lent, and never early or late.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use statem::{Builder, CallError};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn calls_that_complete_at_once_take_no_time_of_a_paused_clock() {
    let (machine, _) = puppet();
    let began = now();
    for _ in 0..2_000 {
        machine.call(Event::Ask).await.unwrap();
    }
    assert_eq!(now(), began);
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_exact_whatever_limits_the_calls_before_had() {
    limits_after_limits().await;
    // In a task, which gets back the timers that it had before.
    let task = tokio::spawn(limits_after_limits());
    let in_time = tokio::time::timeout(Duration::from_secs(3_600), task).await;
    in_time.unwrap().unwrap();
}

async fn limits_after_limits() {
    let (machine, _) = puppet();
    let limits = [10, 500, 1, 30, 7_000, 20, 20, 3, 100];
    for before in limits {
        for after in limits {
            // Answered, so that their timers are kept.
            for limit in [before, after] {
                machine.call(Event::Ask).limit(ms(limit)).await.unwrap();
            }
            tokio::time::sleep(ms(2)).await;
            let began = now();
            let outcome = machine.call(keep_reply()).limit(ms(after)).await;
            assert!(
                matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
                "{outcome:?}"
            );
            assert_eq!(now() - began, ms(after), "after one of {before}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_limits_pass_in_their_order() {
    let (machine, _) = puppet();
    let began = now();
    let calls: Vec<_> = (0..50)
        .map(|call| {
            let machine = machine.clone();
            let limit = ms(1 + (call * 37) % 50);
            tokio::spawn(async move {
                let outcome = machine.call(keep_reply()).limit(limit).await;
                assert!(matches!(outcome, Err(CallError::TimedOut { .. })));
                (limit, now() - began)
            })
        })
        .collect();
    for call in calls {
        let (limit, took) = call.await.unwrap();
        assert_eq!(limit, took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_not_lost_when_its_task_has_used_up_its_budget() {
    let (machine, _) = puppet();
    let caller = tokio::spawn(async move {
        for used in [128, 127, 126, 0] {
            tokio::task::yield_now().await;
            for _ in 0..used {
                tokio::task::consume_budget().await;
            }
            // Its timer is kept, and lent to the next.
            machine.call(Event::Ask).limit(ms(20)).await.unwrap();
            tokio::time::sleep(ms(1)).await;
            let began = now();
            assert!(machine.call(keep_reply()).limit(ms(30)).await.is_err());
            assert_eq!(now() - began, ms(30), "after {used}");
        }
    });
    tokio::time::timeout(Duration::from_secs(60), caller)
        .await
        .unwrap()
        .unwrap();
}

#[test]
fn calls_work_on_one_runtime_after_another() {
    for round in 0..20 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (machine, _) = puppet();
            for _ in 0..20 {
                machine.call(Event::Ask).await.unwrap();
            }
            let calls: Vec<_> = (0..12)
                .map(|_| {
                    let machine = machine.clone();
                    tokio::spawn(async move { machine.call(Event::Ask).await.unwrap() })
                })
                .collect();
            for call in calls {
                assert_eq!(call.await.unwrap(), 7);
            }
            let began = now();
            assert!(machine.call(keep_reply()).limit(ms(40)).await.is_err());
            assert_eq!(now() - began, ms(40), "round {round}");
        });
    }
}

#[test]
fn calls_work_on_two_runtimes_in_turn_on_one_thread() {
    let runtimes = [(); 2].map(|()| {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    });
    let machines: Vec<_> = runtimes
        .iter()
        .map(|runtime| runtime.block_on(async { puppet().0 }))
        .collect();
    for _ in 0..20 {
        for (runtime, machine) in runtimes.iter().zip(&machines) {
            runtime.block_on(async {
                assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
                let began = now();
                assert!(machine.call(keep_reply()).limit(ms(10)).await.is_err());
                assert_eq!(now() - began, ms(10));
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_moves_to_another_task_is_told_there() {
    let (machine, _) = puppet();
    // (the limit passes, the answer comes)
    for answered in [false, true] {
        let moving = machine.clone();
        let mut call = Box::pin(async move { moving.call(hold("c")).limit(ms(50)).await });
        std::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::time::sleep(ms(10)).await;
        let began = now();
        let moved = tokio::spawn(call);
        tokio::time::sleep(ms(10)).await;
        if answered {
            send(&machine, [go_busy()]);
        }
        let outcome = moved.await.unwrap();
        if answered {
            assert_eq!(outcome.unwrap(), 7);
        } else {
            assert!(
                matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
                "{outcome:?}"
            );
            assert_eq!(now() - began, ms(40));
        }
    }
}

#[test]
fn a_call_that_moves_between_threads_keeps_its_limit() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet_with(Builder::new().call_limit(ms(20)), |_| {});
        for _ in 0..20 {
            let calls: Vec<_> = (0..20)
                .map(|call| {
                    let machine = machine.clone();
                    let mut future =
                        Box::pin(async move { machine.call(hold("c")).limit(ms(call % 5)).await });
                    let first = poll_once(future.as_mut());
                    tokio::spawn(async move {
                        // A limit may pass before the first poll ends.
                        if let Poll::Ready(outcome) = first {
                            return outcome;
                        }
                        for _ in 0..call {
                            tokio::task::yield_now().await;
                        }
                        future.await
                    })
                })
                .collect();
            for call in calls {
                let outcome = tokio::time::timeout(Duration::from_secs(10), call)
                    .await
                    .unwrap();
                assert!(matches!(
                    outcome.unwrap(),
                    Err(CallError::TimedOut { begun: false, .. })
                ));
            }
        }
    });
}

#[test]
fn a_timer_that_is_kept_keeps_no_runtime_from_ending() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet();
        machine.call(Event::Ask).await.unwrap();
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    let next = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    next.block_on(async {
        let (machine, _) = puppet();
        assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
    });
}

#[tokio::test(start_paused = true)]
async fn of_many_calls_at_once_few_timers_are_kept() {
    // The driver never runs.
    let (machine, _driver, _) = unpolled(Builder::new());
    let ask = |many: usize| {
        let mut asked: Vec<_> = (0..many).map(|_| Box::pin(machine.inspect())).collect();
        for asked in &mut asked {
            assert!(poll_once(asked.as_mut()).is_pending());
        }
    };
    ask(100);
    assert_eq!(allocation_counter::measure(|| ask(1_000)).bytes_current, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_allocates_its_reply_and_takes_the_timer_of_the_call_before() {
    let calls = || {
        let (machine, mut driver, _) = unpolled(Builder::new());
        let call = || {
            let mut call = pin!(machine.call(Event::Ask));
            assert!(poll_once(call.as_mut()).is_pending());
            // It may let others go first.
            for _ in 0..2 {
                assert!(poll_once(Pin::new(&mut driver)).is_pending());
            }
            assert!(matches!(poll_once(call.as_mut()), Poll::Ready(Ok(7))));
        };
        let mut calls = std::iter::repeat_with(call);
        calls.by_ref().take(100).for_each(drop);
        let measured = allocation_counter::measure(|| calls.by_ref().take(1_000).for_each(drop));
        assert_eq!(measured.count_total, 1_000);
    };
    calls();
    tokio::spawn(async move { calls() }).await.unwrap();
}
