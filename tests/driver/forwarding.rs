//! A call that one machine gives to another.

use statem::{
    Builder, CallError, CastErrorKind, Cx, ExitReason, Handle, Handler, Next, Origin, Reply,
    StateMachine, keep, postpone, unexpected,
};

use crate::support::*;

/// A call that the machine forwards, as the event that is made.
fn forward_to<F>(to: &Handle<Puppet>, event: F) -> impl FnOnce(Reply<u32, Oops>) -> Event + use<F>
where
    F: FnOnce(Reply<u32, Oops>) -> Event + Send + 'static,
{
    let to = to.downgrade();
    answer(move |reply, world, _| {
        if let Err(refused) = to.try_forward(reply, event) {
            world.trace.push(format!("{:?}", refused.kind));
            let Event::Ask(reply) = refused.into_event() else {
                panic!("another event");
            };
            let _ = reply.fail(Oops);
        }
        Step::Keep
    })
}

#[tokio::test(start_paused = true)]
async fn n54a_a_forwarded_call_is_a_call_with_what_is_left_of_its_limit() {
    let (first, _) = puppet();
    tokio::time::sleep(ms(100)).await;
    let (second, _) = puppet();
    let (third, trace) = puppet();
    // From the second to a third one, which began before it was called: each on its own clock.
    let onward = forward_to(
        &third,
        answer(|reply, world, cx| {
            let origin = cx.origin() == Origin::Call;
            let deadlines = (cx.deadline(), reply.deadline());
            world.trace.push(format!("call {origin} {deadlines:?}"));
            let _ = reply.send(7);
            Step::Keep
        }),
    );
    let call = first.call(forward_to(&second, onward)).limit(ms(50));
    assert_eq!(call.await.unwrap(), 7);
    assert_eq!(trace.take(), "call true (Some(50ms), Some(50ms))");
}

#[tokio::test(start_paused = true)]
async fn n51_n54a_a_forwarded_call_has_not_begun_until_its_handler_gets_it() {
    let (first, _) = puppet();
    // A machine that does not run yet.
    let (second, driver, trace) = unpolled(Builder::new());
    let outcome = first.call(forward_to(&second, Event::Ask)).limit(ms(50));
    let outcome = outcome.await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
        "{outcome:?}"
    );
    // And so it never does (N52).
    let note = answer(|_, world, _| {
        world.trace.push("handled");
        Step::Keep
    });
    let call = tokio::spawn({
        let (first, second) = (first.clone(), second.clone());
        async move { first.call(forward_to(&second, note)).limit(ms(50)).await }
    });
    assert!(!call.await.unwrap().unwrap_err().may_have_run());
    tokio::spawn(driver);
    assert_eq!(rest(&second).await.counts.abandoned, 2);
    assert_eq!(trace.take(), "");

    // Postponed there it waits again; consumed there it has begun.
    let held = first.call(forward_to(&second, hold("held"))).limit(ms(50));
    assert!(!held.await.unwrap_err().may_have_run());
    let kept = first
        .call(forward_to(&second, keep_reply()))
        .limit(ms(50))
        .await;
    assert!(kept.unwrap_err().may_have_run());
}

#[tokio::test(start_paused = true)]
async fn n54a_a_call_that_cannot_be_forwarded_comes_back_with_its_reply() {
    let (first, trace) = puppet();
    let (second, driver, _) = unpolled(Builder::new().mailbox(1));
    send(&second, [Event::Note("m")]);
    let full = first.call(forward_to(&second, Event::Ask)).await;
    assert!(matches!(full, Err(CallError::Failed(Oops))), "{full:?}");
    assert_eq!(trace.take(), "Full");

    drop(driver);
    let stopped = first.call(forward_to(&second, Event::Ask)).await;
    assert!(matches!(stopped, Err(CallError::Failed(Oops))));
    assert_eq!(trace.take(), "Stopped(Aborted)");

    let weak = second.downgrade();
    drop(second);
    let gone = first.call(answer(move |reply, _, _| {
        let refused = weak.try_forward(reply, Event::Ask).unwrap_err();
        assert!(matches!(refused.kind, CastErrorKind::Stopped(_)));
        Step::Keep
    }));
    assert!(matches!(gone.await, Err(CallError::NotAnswered { .. })));
}

#[tokio::test(start_paused = true)]
async fn n54a_a_call_that_was_not_taken_has_still_begun_with_the_machine_that_keeps_it() {
    let (first, _) = puppet();
    let (second, _driver, _) = unpolled(Builder::new().mailbox(1));
    send(&second, [Event::Note("m")]);
    let kept = first.call(answer(move |reply, world, cx| {
        let refused = second.try_forward(reply, |reply| Event::Odd(Some(reply)));
        let Event::Odd(Some(reply)) = refused.unwrap_err().into_event() else {
            panic!("another event");
        };
        // The deadline counts on this machine's clock as before.
        assert_eq!(cx.deadline(), reply.deadline());
        world.replies.push(reply);
        Step::Keep
    }));
    let outcome = kept.limit(ms(50)).await;
    assert!(matches!(
        outcome,
        Err(CallError::TimedOut { begun: true, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn n54a_the_end_of_the_machine_that_has_it_ends_a_forwarded_call() {
    let (first, _) = puppet();
    let (second, driver, _) = unpolled(Builder::new());
    let call = tokio::spawn({
        let (first, second) = (first.clone(), second.clone());
        async move { first.call(forward_to(&second, Event::Ask)).await }
    });
    rest(&first).await;
    // Not the end of the one that was called.
    first.kill();
    first.closed().await;
    tokio::task::yield_now().await;
    assert!(!call.is_finished());
    second.kill();
    driver.await;
    let outcome = call.await.unwrap();
    assert!(
        matches!(
            outcome,
            Err(CallError::Stopped {
                reason: ExitReason::Killed,
                begun: false,
                ..
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n53_n54a_forwarded_calls_whose_callers_have_gone_make_room() {
    let (first, _) = puppet();
    let (second, driver, _) = unpolled(Builder::new().mailbox(2));
    for _ in 0..3 {
        for _ in 0..2 {
            let gone = first.call(forward_to(&second, Event::Ask)).limit(ms(10));
            assert!(matches!(gone.await, Err(CallError::TimedOut { .. })));
        }
        // Both have gone, and the third finds room.
        let third = tokio::spawn({
            let (first, second) = (first.clone(), second.clone());
            async move {
                let call = first.call(forward_to(&second, Event::Ask));
                call.limit(ms(10)).await
            }
        });
        let outcome = third.await.unwrap();
        assert!(
            matches!(outcome, Err(CallError::TimedOut { begun: false, .. })),
            "{outcome:?}"
        );
    }
    drop(driver);
}

#[tokio::test(start_paused = true)]
async fn n45_n54a_a_forwarded_call_that_cannot_be_postponed_is_told_so() {
    let (first, _) = puppet();
    let (second, trace) = puppet_with(Builder::new().postponed(0), |_| {});
    let outcome = first.call(forward_to(&second, hold("held"))).await;
    assert!(
        matches!(outcome, Err(CallError::Full { .. })),
        "{outcome:?}"
    );
    assert_eq!(trace.take(), "");
}

/// Handles every request that it was given.
#[derive(StateMachine)]
#[machine(event = Reply<u32, Oops>, data = Trace, keep_abandoned)]
enum Faithful {
    #[initial]
    #[to()]
    Working,
}

impl Handler for Faithful {
    fn handle(
        _: FaithfulAt<'_>,
        reply: Reply<u32, Oops>,
        trace: &mut Trace,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        trace.push(format!("handled {:?}", reply.send(7)));
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn n51_n54a_a_machine_that_keeps_abandoned_requests_may_run_a_forwarded_one() {
    let (first, trace) = puppet();
    let (second, driver) = Builder::new().build(Working, trace.clone());
    let to = second.downgrade();
    let call = first.call(answer(move |reply, _, _| {
        to.try_forward(reply, |reply| reply).unwrap();
        Step::Keep
    }));
    let outcome = call.limit(ms(50)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
        "{outcome:?}"
    );
    let running = tokio::spawn(driver);
    rest(&first).await;
    drop(second);
    running.await.unwrap();
    assert_eq!(trace.take(), "handled Err(7)");
}

/// Keeps abandoned requests, and postpones all as long as it is closed.
#[derive(StateMachine)]
#[machine(event = AtGate, data = Trace, keep_abandoned)]
enum Gate {
    #[initial]
    #[to(Open)]
    Closed,
    #[to()]
    Open,
}

enum AtGate {
    Enter(Reply<u32, Oops>),
    Open,
}

impl Handler for Gate {
    fn handle(state: GateAt<'_>, event: AtGate, trace: &mut Trace, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (GateAt::Closed(_), event @ AtGate::Enter(_)) => postpone(event),
            (GateAt::Closed(state), AtGate::Open) => state.go(Open),
            (GateAt::Open(_), AtGate::Enter(reply)) => {
                trace.push(format!("handled {:?}", reply.send(7)));
                keep()
            }
            (GateAt::Open(_), event @ AtGate::Open) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n51_n54a_a_forwarded_call_that_a_machine_keeps_and_postpones_may_run() {
    let (first, trace) = puppet();
    let gate = Builder::<Gate>::new().spawn(Closed, trace.clone());
    let to = gate.clone();
    let call = first.call(answer(move |reply, _, _| {
        to.try_forward(reply, AtGate::Enter).unwrap();
        Step::Keep
    }));
    let outcome = call.limit(ms(50)).await;
    assert!(
        matches!(outcome, Err(CallError::TimedOut { begun: true, .. })),
        "{outcome:?}"
    );
    gate.cast(AtGate::Open).await.unwrap();
    gate.inspect().await.unwrap();
    assert_eq!(trace.take(), "handled Err(7)");
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_a_machine_keeps_and_postpones_has_not_run_when_the_machine_ends() {
    let gate = Builder::<Gate>::new().spawn(Closed, Trace::default());
    let mut call = Box::pin(gate.call(AtGate::Enter));
    assert!(poll_once(call.as_mut()).is_pending());
    gate.stop().await;
    let outcome = call.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
        "{outcome:?}"
    );
}
