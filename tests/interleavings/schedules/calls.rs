//! Calls against all that can end them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use interleaved::{CallError, ExitReason, Handle};
use tokio::task::JoinHandle;

use crate::checker::check;
use crate::desk::{Clerk, Event, Log, Note, Word, assert_true_outcome, polled, start};

type Outcome = Result<u32, CallError>;

/// A task that asks once, and lets its handle go.
fn asks(clerk: &Handle<Clerk>, number: u32, log: &Log) -> JoinHandle<Outcome> {
    let (clerk, log) = (clerk.clone(), log.clone());
    tokio::spawn(async move {
        clerk
            .call(|reply| Event::Ask(Note(number, log), reply))
            .await
    })
}

/// As [`asks`], with a limit of a second.
fn asks_within_a_second(clerk: &Handle<Clerk>, number: u32, log: &Log) -> JoinHandle<Outcome> {
    let (clerk, log) = (clerk.clone(), log.clone());
    tokio::spawn(async move {
        clerk
            .call(|reply| Event::Ask(Note(number, log), reply))
            .limit(Duration::from_secs(1))
            .await
    })
}

fn a_second_passes() -> JoinHandle<()> {
    tokio::spawn(async { tokio::time::advance(Duration::from_secs(1)) })
}

#[test]
fn n51_a_limit_that_passes_while_the_answer_comes_has_one_outcome() {
    check(|| async {
        let (clerk, log) = start(8);
        let calls = [1, 2].map(|number| asks_within_a_second(&clerk, number, &log));
        a_second_passes().await.unwrap();
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(call.await.unwrap());
        }
        clerk.stop().await;
        for (number, outcome) in (1..).zip(&outcomes) {
            assert!(matches!(outcome, Ok(_) | Err(CallError::TimedOut { .. })));
            assert_true_outcome(outcome, number, &log);
        }
    });
}

#[test]
fn n51_a_limit_that_passes_while_a_call_is_set_aside_and_taken_up_has_one_outcome() {
    check(|| async {
        let (clerk, log) = start(8);
        let calls = [1, 2].map(|number| {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                clerk
                    .call(|reply| Event::Queue(Note(number, log), reply))
                    .limit(Duration::from_secs(1))
                    .await
            })
        });
        let passes = a_second_passes();
        clerk.cast(Event::Work).await.unwrap();
        passes.await.unwrap();
        clerk.stop().await;
        for (number, call) in (1..).zip(calls) {
            match call.await.unwrap() {
                Ok(answer) => assert_eq!((answer, log.handled(number)), (number, 1)),
                // A caller may leave after the handler had its call, and before it is set aside.
                Err(error) if error.may_have_run() => assert!(log.handled(number) <= 1),
                Err(_) => assert_eq!(log.handled(number), 0, "{:?}", log.words()),
            }
            assert_eq!(log.count(Word::Dropped(number)), 1);
        }
    });
}

#[test]
fn n51_a_call_that_is_dropped_is_handled_once_or_never_and_harms_no_other() {
    check(|| async {
        let (clerk, log) = start(1);
        let leaver = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                polled(2, clerk.call(|reply| Event::Ask(Note(1, log), reply))).await
            })
        };
        let patient = asks(&clerk, 2, &log);
        if let Some(outcome) = leaver.await.unwrap() {
            assert_eq!(outcome.unwrap(), 1);
            assert_eq!(log.handled(1), 1);
        }
        assert_eq!(patient.await.unwrap().unwrap(), 2);
        // The room of the one that left is free again.
        let waiting = clerk.inspect().await.unwrap().waiting;
        assert_eq!((waiting.mailbox, waiting.senders), (0, 0));
        clerk.stop().await;
        assert!(log.handled(1) <= 1);
        assert_eq!(log.count(Word::Dropped(1)), 1);
    });
}

#[test]
fn n54_a_limit_that_passes_while_a_call_waits_for_room_has_one_outcome() {
    check(|| async {
        let (clerk, log) = start(1);
        let calls = [1, 2, 3].map(|number| asks_within_a_second(&clerk, number, &log));
        let passes = a_second_passes();
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(call.await.unwrap());
        }
        passes.await.unwrap();
        // Whatever became of them, there is room for another one.
        assert_eq!(asks(&clerk, 4, &log).await.unwrap().unwrap(), 4);
        clerk.stop().await;
        for (number, outcome) in (1..).zip(&outcomes) {
            assert_true_outcome(outcome, number, &log);
        }
    });
}

#[test]
fn n53_requests_that_were_given_up_make_room() {
    check(|| async {
        let (clerk, log) = start(1);
        let leaver = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                drop(polled(1, clerk.call(|reply| Event::Ask(Note(1, log), reply))).await);
            })
        };
        let others = [2, 3].map(|number| asks(&clerk, number, &log));
        for (number, call) in (2..).zip(others) {
            assert_eq!(call.await.unwrap().unwrap(), number);
        }
        leaver.await.unwrap();
        let counts = clerk.inspect().await.unwrap().counts;
        clerk.stop().await;
        // It may also have gone before it was sent at all.
        assert!(log.handled(1) + usize::try_from(counts.abandoned).unwrap() <= 1);
        assert_eq!(log.count(Word::Dropped(1)), 1);
    });
}

#[test]
fn n61_a_call_against_a_stop_is_answered_or_told_the_reason() {
    check(|| async {
        let (clerk, log) = start(1);
        let calls = [1, 2].map(|number| asks(&clerk, number, &log));
        let keeps = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move { clerk.call(|reply| Event::Keep(Note(3, log), reply)).await })
        };
        assert!(matches!(clerk.stop().await, ExitReason::Normal));
        for (number, call) in (1..).zip(calls) {
            let outcome = call.await.unwrap();
            assert!(matches!(
                outcome,
                Ok(_)
                    | Err(CallError::Stopped {
                        reason: ExitReason::Normal,
                        begun: false,
                        ..
                    })
            ));
            assert_true_outcome(&outcome, number, &log);
        }
        let kept = keeps.await.unwrap();
        assert!(matches!(kept, Err(CallError::Stopped { .. })));
        assert_true_outcome(&kept, 3, &log);
    });
}

#[test]
fn n62_a_call_against_a_kill_is_answered_or_told_so() {
    check(|| async {
        let (clerk, log) = start(1);
        let calls = [1, 2].map(|number| asks(&clerk, number, &log));
        let killer = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.kill() })
        };
        assert!(matches!(clerk.closed().await, ExitReason::Killed));
        for (number, call) in (1..).zip(calls) {
            let outcome = call.await.unwrap();
            assert!(matches!(
                outcome,
                Ok(_)
                    | Err(CallError::Stopped {
                        reason: ExitReason::Killed,
                        begun: false,
                        ..
                    })
            ));
            assert_true_outcome(&outcome, number, &log);
        }
        killer.await.unwrap();
        assert_eq!(log.count(Word::Terminated), 0);
    });
}

#[test]
fn n63_a_call_against_a_driver_that_is_dropped_is_told_so() {
    check(|| async {
        let desk = crate::desk::Desk::default();
        let log = desk.log.clone();
        let (clerk, driver) = interleaved::Builder::new()
            .mailbox(1)
            .build(crate::desk::First, desk);
        let task = tokio::spawn(driver);
        let calls = [1, 2].map(|number| asks(&clerk, number, &log));
        task.abort();
        assert!(matches!(clerk.closed().await, ExitReason::Aborted));
        for (number, call) in (1..).zip(calls) {
            let outcome = call.await.unwrap();
            assert!(matches!(
                outcome,
                Ok(_)
                    | Err(CallError::Stopped {
                        reason: ExitReason::Aborted,
                        begun: false,
                        ..
                    })
            ));
            assert_true_outcome(&outcome, number, &log);
        }
    });
}

#[test]
fn n65_a_panic_in_the_handler_is_told_to_every_caller_once() {
    check(|| async {
        let (clerk, log) = start(1);
        let calls = [1, 2].map(|number| asks(&clerk, number, &log));
        let breaks = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move { clerk.call(|reply| Event::Break(Note(3, log), reply)).await })
        };
        assert!(matches!(clerk.closed().await, ExitReason::Panicked { .. }));
        for (number, call) in (1..).zip(calls) {
            let outcome = call.await.unwrap();
            assert!(matches!(
                outcome,
                Ok(_)
                    | Err(CallError::Stopped {
                        reason: ExitReason::Panicked { .. },
                        begun: false,
                        ..
                    })
            ));
            assert_true_outcome(&outcome, number, &log);
        }
        let broke = breaks.await.unwrap();
        assert!(matches!(
            broke,
            Err(CallError::Stopped {
                reason: ExitReason::Panicked { .. },
                begun: true,
                ..
            })
        ));
        assert_true_outcome(&broke, 3, &log);
    });
}

#[test]
fn n52_a_postponed_call_against_its_limit_and_the_change_of_state_has_one_outcome() {
    check(|| async {
        let (clerk, log) = start(8);
        let later = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                clerk
                    .call(|reply| Event::Later(Note(1, log), reply))
                    .limit(Duration::from_secs(1))
                    .await
            })
        };
        let passes = a_second_passes();
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Second");
        let outcome = later.await.unwrap();
        passes.await.unwrap();
        clerk.stop().await;
        // Who gave up while a handler had it does not know that it was postponed.
        match outcome {
            Ok(answer) => assert_eq!((answer, log.handled(1)), (1, 1)),
            Err(error) => assert!(log.handled(1) <= usize::from(error.may_have_run())),
        }
        assert_eq!(log.count(Word::Dropped(1)), 1);
    });
}

#[test]
fn n50_a_reply_of_another_task_against_the_limit_and_a_stop_is_given_once() {
    check(|| async {
        let (clerk, log) = start(8);
        let call = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                clerk
                    .call(|reply| Event::Elsewhere(Note(1, log), reply))
                    .limit(Duration::from_secs(1))
                    .await
            })
        };
        let passes = a_second_passes();
        clerk.stop().await;
        let outcome = call.await.unwrap();
        passes.await.unwrap();
        assert_true_outcome(&outcome, 1, &log);
        // Who is told that the value was given back is right: it reached nobody.
        assert!(outcome.is_err() || log.count(Word::Sent(false)) == 0);
    });
}

#[test]
fn n50_an_answer_that_comes_as_its_caller_falls_asleep_under_another_waker_wakes_it() {
    check(|| async {
        let (clerk, log) = start(8);
        let mut call = pin!(clerk.call(|reply| Event::Ask(Note(1, log.clone()), reply)));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let answer = match polled {
            Poll::Ready(answer) => answer,
            Poll::Pending => call.await,
        };
        assert_eq!(answer.unwrap(), 1);
    });
}

#[test]
fn n54_a_limit_that_passes_as_its_caller_falls_asleep_wakes_it() {
    check(|| async {
        let (clerk, log) = start(8);
        let caller = tokio::spawn(async move {
            let note = Note(1, log.clone());
            let asked = clerk
                .call(|reply| Event::Ask(note, reply))
                .limit(Duration::from_secs(1));
            let outcome = asked.await;
            assert!(matches!(outcome, Ok(_) | Err(CallError::TimedOut { .. })));
            // It may be lent the timer of the first one, which fires too early for it.
            let kept = clerk
                .call(|reply| Event::Keep(Note(2, log), reply))
                .limit(Duration::from_secs(3));
            assert!(matches!(kept.await, Err(CallError::TimedOut { .. })));
        });
        while !caller.is_finished() {
            tokio::time::advance(Duration::from_secs(1));
        }
        caller.await.unwrap();
    });
}
