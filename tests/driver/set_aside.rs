//! Calls that a machine keeps in a queue of its own: set aside, and taken up (N51).

use statem::{CallError, ExitReason, Handle};

use crate::support::*;

/// Has the reply kept, set aside.
fn queued() -> impl FnOnce(statem::Reply<u32, Oops>) -> Event {
    answer(|reply, world, _| {
        reply.set_aside();
        world.replies.push(reply);
        Step::Keep
    })
}

/// Takes the oldest up and answers it; whether its caller was there.
async fn work(machine: &Handle<Puppet>) -> bool {
    let worked = machine.call(answer(|reply, world, _| {
        let oldest = world.replies.remove(0);
        let there = oldest.take_up();
        assert_eq!(oldest.is_closed(), !there);
        if there {
            oldest.send(5).unwrap();
        }
        reply.send(u32::from(there)).unwrap();
        Step::Keep
    }));
    worked.await.unwrap() == 1
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_is_set_aside_is_not_begun_when_its_limit_passes() {
    let (machine, _) = puppet();
    let outcome = machine.call(queued()).limit(ms(5)).await;
    assert!(matches!(
        outcome,
        Err(CallError::TimedOut { begun: false, .. })
    ));
    assert!(!work(&machine).await);
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_is_set_aside_and_dropped_is_not_taken_up() {
    let (machine, _) = puppet();
    let mut call = Box::pin(machine.call(queued()));
    assert!(poll_once(call.as_mut()).is_pending());
    rest(&machine).await;
    drop(call);
    assert!(!work(&machine).await);
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_was_taken_up_is_begun_until_it_is_set_aside_again() {
    for again in [false, true] {
        let (machine, _) = puppet();
        let mut call = Box::pin(machine.call(queued()).limit(ms(5)));
        assert!(poll_once(call.as_mut()).is_pending());
        let taken_up = machine.call(answer(move |reply, world, _| {
            assert!(world.replies[0].take_up());
            if again {
                world.replies[0].set_aside();
            }
            reply.send(0).unwrap();
            Step::Keep
        }));
        taken_up.await.unwrap();
        match call.await {
            Err(CallError::TimedOut { begun, .. }) => assert_eq!(begun, !again),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_was_never_set_aside_is_taken_up_while_its_caller_is_there() {
    let (machine, _) = puppet();
    let mut call = Box::pin(machine.call(answer(|reply, world, _| {
        world.replies.push(reply);
        Step::Keep
    })));
    assert!(poll_once(call.as_mut()).is_pending());
    assert!(work(&machine).await);
    assert_eq!(call.await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn n51_a_call_that_is_set_aside_when_its_machine_ends_has_not_begun() {
    for panics in [false, true] {
        let (machine, _) = puppet();
        let mut call = Box::pin(machine.call(queued()));
        assert!(poll_once(call.as_mut()).is_pending());
        rest(&machine).await;
        let end = answer(move |_, _, _| {
            assert!(!panics, "the puppet broke");
            Step::Stop(ExitReason::Normal)
        });
        assert!(machine.call(end).await.unwrap_err().may_have_run());
        match call.await {
            Err(error @ CallError::Stopped { begun: false, .. }) => assert!(!error.may_have_run()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_set_aside_can_be_answered() {
    let (machine, _) = puppet();
    let mut call = Box::pin(machine.call(queued()));
    assert!(poll_once(call.as_mut()).is_pending());
    let refuse = machine.call(answer(|reply, world, _| {
        world.replies.remove(0).fail(Oops).unwrap();
        reply.send(0).unwrap();
        Step::Keep
    }));
    refuse.await.unwrap();
    assert!(matches!(call.await, Err(CallError::Failed(Oops))));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_set_aside_may_also_be_postponed() {
    let (machine, _) = puppet();
    let mut call = Box::pin(machine.call(|reply| {
        reply.set_aside();
        Event::Hold {
            name: "held",
            reply: Some(reply),
            probe: None,
        }
    }));
    assert!(poll_once(call.as_mut()).is_pending());
    rest(&machine).await;
    let leave = machine.call(answer(|reply, _, _| {
        reply.send(0).unwrap();
        Step::Busy(Busy::default())
    }));
    leave.await.unwrap();
    assert_eq!(call.await.unwrap(), 7);
}
