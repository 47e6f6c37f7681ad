//! A panic in a callback, a source or a drop ends its machine only, and every caller gets the
//! reason.

use std::task::{Context, Poll};

use statem::{Builder, CallError, ExitReason, Handle};
use tracing::Level;

use crate::log::listen;
use crate::support::*;

/// Each place that can panic, what the reason calls it, and the machine that panics there when it
/// gets `cause`.
type Case = (&'static str, fn() -> (Handle<Puppet>, Trace), fn() -> Event);

fn cases() -> Vec<Case> {
    let plain: fn() -> (Handle<Puppet>, Trace) = puppet;
    vec![
        ("handle", plain, || run("cause", |_, _| panic!("boo"))),
        (
            "enter",
            || {
                puppet_with(Builder::new(), |world| {
                    world.on_enter = Some(Box::new(|state, _| assert!(state != "Busy", "boo")));
                })
            },
            go_busy,
        ),
        (
            "refused",
            || {
                puppet_with(Builder::new().postponed(1), |world| {
                    world.on_refused = Some(Box::new(|| panic!("boo")));
                })
            },
            || Event::Hold {
                name: "second",
                reply: None,
                probe: None,
            },
        ),
        (
            "terminate",
            || {
                puppet_with(Builder::new(), |world| {
                    world.on_terminate = Some(Box::new(|| panic!("boo")));
                })
            },
            || run("stop", |_, _| Step::Stop(ExitReason::Normal)),
        ),
        ("panics::cases", plain, || {
            run("cause", |_, cx| {
                cx.state_task(async { panic!("boo") }, |()| Event::Note("never"));
                Step::Keep
            })
        }),
        ("panics::cases", plain, || {
            run("cause", |_, cx| {
                // In the mapping of its output.
                cx.state_task(async {}, |()| panic!("boo"));
                Step::Keep
            })
        }),
        ("the drop of a state", plain, || {
            run("cause", |_, cx| {
                cx.insert(run("leave", |_, _| Step::Idle));
                Step::Busy(Busy {
                    probe: Some(Probe::new(|| panic!("boo"))),
                    ..Busy::default()
                })
            })
        }),
        ("the drop of a source", plain, || {
            run("cause", |_, cx| {
                let probe = Probe::new(|| panic!("boo"));
                let stream = FromFn(move |_: &mut Context<'_>| {
                    let _ = &probe;
                    Poll::<Option<()>>::Pending
                });
                cx.state_stream(stream, |_| Event::Note("never"));
                cx.insert(run("leave", |_, _| Step::Idle));
                Step::Keep
            })
        }),
        ("the drop of an event", plain, || {
            run("cause", |_, cx| {
                let probe = Probe::new(|| panic!("boo"));
                cx.timeout(
                    "t",
                    ms(10),
                    Event::Hold {
                        name: "t",
                        reply: None,
                        probe: Some(probe),
                    },
                );
                cx.insert(run("cancel", |_, cx| {
                    cx.cancel_timeout("t");
                    Step::Keep
                }));
                Step::Keep
            })
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn n65_a_panic_anywhere_is_the_reason_that_every_caller_gets() {
    let (bystander, _) = puppet();
    for (place, (callback, machine, cause)) in cases().into_iter().enumerate() {
        let (machine, trace) = machine();
        let mut in_flight = Box::pin(machine.call(keep_reply()));
        let mut postponed = Box::pin(machine.call(hold("c")));
        assert!(poll_once(in_flight.as_mut()).is_pending());
        assert!(poll_once(postponed.as_mut()).is_pending());
        rest(&machine).await;
        send(&machine, [cause()]);
        // In the mailbox when it ends, or soon after.
        let mut in_mailbox = Box::pin(machine.call(keep_reply()));
        assert!(poll_once(in_mailbox.as_mut()).is_pending());

        let reason = machine.closed().await;
        let ExitReason::Panicked {
            message,
            callback: at,
            ..
        } = &reason
        else {
            panic!("{place} {callback}: {reason}")
        };
        // A source is named by its type.
        assert!(at.contains(callback), "case {place}: {at}");
        assert_eq!(&**message, "boo", "case {place}");
        for outcome in [in_flight.await, in_mailbox.await] {
            let Err(CallError::Stopped { reason, .. }) = &outcome else {
                panic!("{place} {callback}: {outcome:?}")
            };
            assert!(
                matches!(reason, ExitReason::Panicked { .. }),
                "{place} {callback}: {reason}"
            );
        }
        let outcome = postponed.await;
        let answered_before = outcome.as_ref().is_ok_and(|value| *value == 7);
        assert!(
            answered_before
                || matches!(
                    outcome,
                    Err(CallError::Stopped {
                        reason: ExitReason::Panicked { .. },
                        ..
                    })
                ),
            "{place} {callback}: {outcome:?}"
        );
        // Whoever comes later is told the same reason.
        let late = machine.call(Event::Ask).await;
        assert!(
            matches!(
                late,
                Err(CallError::Stopped {
                    reason: ExitReason::Panicked { .. },
                    begun: false,
                    ..
                })
            ),
            "{place} {callback}: {late:?}"
        );
        assert_eq!(
            trace.take().matches("terminate").count(),
            1,
            "{place} {callback}"
        );
        assert_eq!(bystander.call(Event::Ask).await.unwrap(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn n65_a_reply_dropped_while_its_handler_unwinds_reports_the_panic() {
    let (machine, _) = puppet();
    let outcome = machine.call(answer(|reply, _, _| {
        let _reply = reply;
        panic!("with the reply in its hands");
    }));
    let outcome = outcome.await;
    let Err(CallError::Stopped {
        reason: ExitReason::Panicked { message, .. },
        begun: true,
        ..
    }) = &outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(&**message, "with the reply in its hands");
}

#[tokio::test(start_paused = true)]
async fn n65_a_reply_given_before_the_panic_is_delivered() {
    let (machine, _) = puppet();
    let outcome = machine.call(answer(|reply, _, _| {
        let _ = reply.send(3);
        panic!("after the answer");
    }));
    assert_eq!(outcome.await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn n65_drops_that_panic_during_the_end_are_warned_of_and_change_nothing() {
    let (log, _guard) = listen();
    let (machine, trace) = puppet();
    let panics = || Some(Probe::new(|| panic!("one of many")));
    let task = panics();
    send(
        &machine,
        [Event::Hold {
            name: "postponed",
            reply: None,
            probe: panics(),
        }],
    );
    send(
        &machine,
        [run("fill", move |world, cx| {
            world.probe = panics();
            let stream = FromFn(move |_: &mut Context<'_>| {
                let _ = &task;
                Poll::<Option<()>>::Pending
            });
            cx.state_stream(stream, |_| Event::Note("never"));
            Step::Keep
        })],
    );
    let mut call = Box::pin(machine.call(keep_reply()));
    assert!(poll_once(call.as_mut()).is_pending());
    assert!(matches!(machine.stop().await, ExitReason::Normal));
    assert!(matches!(
        call.await,
        Err(CallError::Stopped {
            reason: ExitReason::Normal,
            begun: true,
            ..
        })
    ));
    assert_eq!(trace.take(), "fill terminate");
    let warnings = of_level(&log, Level::WARN);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for warning in warnings {
        for words in ["`Drop` panicked", "machine=\"Puppet\"", "\"one of many\""] {
            assert!(warning.contains(words), "no {words} in {warning}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n10_n65_a_panic_in_init_ends_the_machine_that_spawn_has_returned() {
    let (machine, trace) = puppet_with(Builder::new().init(|_, _| panic!("in init")), |_| {});
    let outcome = machine.call(Event::Ask).await;
    let Err(CallError::Stopped {
        reason: ExitReason::Panicked { callback, .. },
        begun: false,
        ..
    }) = &outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(*callback, "init");
    assert_eq!(trace.take(), "terminate");
}
