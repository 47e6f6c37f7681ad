//! Every way a call can end, and that each caller gets exactly one.

use statem::{Bound, Builder, CallError, CastError, CastErrorKind, ExitReason, Handle};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n50_a_value() {
    let (machine, _) = puppet();
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
    assert_eq!(machine.try_call(Event::Ask).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn n50_failed_with_the_machines_own_error() {
    let (machine, _) = puppet();
    let failing = answer(|reply, _, _| {
        reply.fail(Oops).unwrap();
        Step::Keep
    });
    let error = machine.call(failing).await.unwrap_err();
    assert!(matches!(error, CallError::Failed(Oops)), "{error:?}");
    assert!(error.may_have_run());
    assert_eq!(error.to_string(), "oops");
}

#[tokio::test(start_paused = true)]
async fn n50_timed_out_with_and_without_having_begun() {
    let (machine, _) = puppet();
    let begun = machine.call(keep_reply()).limit(ms(10)).await.unwrap_err();
    assert!(
        matches!(
            begun,
            CallError::TimedOut {
                machine: "Puppet",
                begun: true
            }
        ) && begun.may_have_run()
    );
    assert_eq!(
        begun.to_string(),
        "`Puppet` did not answer within the limit; the request may have run"
    );

    let postponed = machine.call(hold("c")).limit(ms(10)).await.unwrap_err();
    assert!(
        matches!(postponed, CallError::TimedOut { begun: false, .. }) && !postponed.may_have_run()
    );
    assert_eq!(
        postponed.to_string(),
        "`Puppet` did not answer within the limit; the request has not run"
    );
}

#[tokio::test(start_paused = true)]
async fn n50_full_in_the_mailbox_and_among_the_postponed() {
    let (machine, driver, _) = unpolled(Builder::new().mailbox(1).postponed(1));
    send(
        &machine,
        [Event::Hold {
            name: "p",
            reply: None,
            probe: None,
        }],
    );
    let error = machine.try_call(Event::Ask).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Full {
                what: Bound::Mailbox,
                ..
            }
        ) && !error.may_have_run(),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "`Puppet` has reached its bound of messages in the mailbox; the request has not run, try again later"
    );

    tokio::spawn(driver.run());
    let error = machine.call(hold("c")).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Full {
                what: Bound::Postponed,
                ..
            }
        ) && !error.may_have_run(),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n50_not_answered() {
    let (machine, _) = puppet();
    let error = machine
        .call(answer(|_, _, _| Step::Keep))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            CallError::NotAnswered {
                state: Some("Idle"),
                ..
            }
        ) && error.may_have_run(),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "`Puppet` dropped the reply unanswered in state `Idle`"
    );
}

#[tokio::test(start_paused = true)]
async fn n50_unexpected() {
    let (machine, _) = puppet();
    let error = machine
        .call(|reply| Event::Odd(Some(reply)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CallError::Unexpected { state: "Idle", .. }) && error.may_have_run(),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "`Puppet` does not expect this request in state `Idle`"
    );
}

#[tokio::test(start_paused = true)]
async fn n50_stopped_for_every_reason_an_end_can_have() {
    type End = fn(&Handle<Puppet>);
    type Expected = fn(&ExitReason) -> bool;
    let by_script = |reason: fn() -> ExitReason| run("stop", move |_, _| Step::Stop(reason()));
    let table: [(&str, End, Expected); 4] = [
        (
            "killed",
            |machine| machine.kill(),
            |reason| matches!(reason, ExitReason::Killed),
        ),
        (
            "panicked",
            |machine| send(machine, [run("panic", |_, _| panic!("boo"))]),
            |reason| matches!(reason, ExitReason::Panicked { message, .. } if &**message == "boo"),
        ),
        (
            "terminal",
            |machine| send(machine, [run("end", |_, _| Step::Done)]),
            |reason| matches!(reason, ExitReason::Normal),
        ),
        (
            "overflow",
            |machine| {
                send(
                    machine,
                    [run("insert", |_, cx| {
                        for _ in 0..2_000 {
                            cx.insert(Event::Number(0));
                        }
                        Step::Keep
                    })],
                );
            },
            |reason| {
                matches!(
                    reason,
                    ExitReason::Overflow {
                        what: Bound::Inserted
                    }
                )
            },
        ),
    ];
    for (name, end, expected) in table {
        let (machine, _) = puppet();
        let outcomes = two_callers(&machine, || end(&machine)).await;
        for (outcome, was_begun) in outcomes.iter().zip([true, false]) {
            match outcome {
                Err(CallError::Stopped {
                    machine: "Puppet",
                    reason,
                    begun,
                }) => {
                    assert!(expected(reason), "{name}: {reason}");
                    assert_eq!(*begun, was_begun, "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        // Who comes later is told the same.
        let late = machine.call(Event::Ask).await.unwrap_err();
        assert!(
            matches!(&late, CallError::Stopped { reason, begun: false, .. } if expected(reason)),
            "{name}: {late:?}"
        );
        let cast = machine.cast(Event::Note("late")).await.unwrap_err();
        assert!(matches!(cast.event, Event::Note("late")), "{name}");
        assert!(
            matches!(&cast.kind, CastErrorKind::Stopped(reason) if expected(reason)),
            "{name}"
        );
    }

    let (machine, _) = puppet();
    let reason = || ExitReason::other("out of luck");
    let outcomes = two_callers(&machine, || send(&machine, [by_script(reason)])).await;
    for outcome in outcomes {
        let text = told(&outcome);
        assert!(
            text.starts_with(
                "`Puppet` has stopped: it stopped with an error: out of luck; the request "
            ),
            "{text}"
        );
    }
}

/// A call in flight and a postponed one, and what they get when the machine ends.
async fn two_callers(
    machine: &Handle<Puppet>,
    end: impl FnOnce(),
) -> [Result<u32, CallError<Oops>>; 2] {
    let mut in_flight = Box::pin(machine.call(keep_reply()));
    let mut waiting = Box::pin(machine.call(hold("c")));
    assert!(poll_once(in_flight.as_mut()).is_pending());
    assert!(poll_once(waiting.as_mut()).is_pending());
    rest(machine).await;
    end();
    [in_flight.await, waiting.await]
}

#[test]
fn n50_every_caller_gets_one_outcome_whatever_happens_to_the_machine() {
    const CALLERS: u32 = 200;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for round in 0..40 {
            let (machine, _) = puppet_with(
                Builder::new().mailbox(8).postponed(4).call_limit(ms(300)),
                |_| {},
            );
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let machine = machine.clone();
                    tokio::spawn(async move {
                        match caller % 10 {
                            0 => machine.call(hold("c")).limit(ms(5)).await,
                            1 => machine.call(keep_reply()).limit(ms(20)).await,
                            2 => {
                                machine
                                    .call(answer(|_, _, _| Step::Busy(Busy::default())))
                                    .await
                            }
                            3 => machine.call(answer(|_, _, _| Step::Idle)).await,
                            4 => machine.try_call(Event::Ask).await,
                            5 => machine.call(|reply| Event::Odd(Some(reply))).await,
                            6 if caller == 106 && round % 2 == 0 => {
                                machine
                                    .call(answer(|_, _, _| panic!("in the middle")))
                                    .await
                            }
                            7 => {
                                // In flight in the struct of a state.
                                machine
                                    .call(answer(|reply, _, _| {
                                        Step::Busy(Busy {
                                            replies: vec![reply],
                                            ..Busy::default()
                                        })
                                    }))
                                    .await
                            }
                            _ => machine.call(Event::Ask).await,
                        }
                    })
                })
                .collect();
            if round % 4 == 1 {
                tokio::task::yield_now().await;
                machine.kill();
            } else if round % 4 == 3 {
                machine.stop().await;
            }
            let outcomes = async {
                let mut outcomes = 0;
                for caller in callers {
                    drop(caller.await.unwrap());
                    outcomes += 1;
                }
                outcomes
            };
            let outcomes = tokio::time::timeout(std::time::Duration::from_secs(20), outcomes).await;
            assert_eq!(outcomes, Ok(CALLERS), "round {round}");
        }
    });
}

#[test]
fn an_error_names_its_machine_and_its_cause() {
    type Error = CallError<CastErrorKind>;
    let broken = || ExitReason::other("the disk is gone");
    let machine = "Client";
    let cause = |error: &dyn std::error::Error| error.source().map(ToString::to_string);

    let stopped = Error::Stopped {
        machine,
        reason: broken(),
        begun: false,
    };
    assert_eq!(cause(&stopped).as_deref(), Some("the disk is gone"));
    // The machine's own error speaks for itself, and so does its cause.
    let failed = Error::Failed(CastErrorKind::Stopped(broken()));
    assert_eq!(
        failed.to_string(),
        "the machine has stopped: it stopped with an error: the disk is gone; the event was not sent"
    );
    assert_eq!(cause(&failed).as_deref(), Some("the disk is gone"));
    let restarting = Error::Restarting { machine };
    assert_eq!(
        restarting.to_string(),
        "`Client` has failed and is being restarted; the request has not run, try again later"
    );
    let without = [
        Error::Failed(CastErrorKind::Full),
        restarting,
        Error::Stopped {
            machine,
            reason: ExitReason::Killed,
            begun: true,
        },
    ];
    for error in without {
        assert_eq!(cause(&error), None, "{error}");
    }

    let refused = [
        (
            CastErrorKind::Full,
            "the mailbox is full; the event was not sent",
            None,
        ),
        (
            CastErrorKind::Restarting,
            "the machine is being restarted; the event was not sent",
            None,
        ),
        (
            CastErrorKind::Stopped(broken()),
            "the machine has stopped: it stopped with an error: the disk is gone; the event was not sent",
            Some("the disk is gone"),
        ),
    ];
    for (kind, text, of) in refused {
        let error = CastError { event: (), kind };
        assert_eq!((&*error.to_string(), cause(&error).as_deref()), (text, of));
    }
}

#[test]
fn a_cast_that_was_not_sent_shows_why_and_not_its_event() {
    let error = CastError {
        event: "secret",
        kind: CastErrorKind::Full,
    };
    assert_eq!(format!("{error:?}"), "CastError { kind: Full, .. }");
    assert_eq!(error.into_event(), "secret");
}
