//! Chains of the machine's own events, bounded in time.

use std::pin::Pin;

use statem::{Builder, CallError, Cx, ExitReason, Handler, Next, StateMachine, keep};

use crate::support::*;

/// Inserts itself for ever.
fn endless() -> Event {
    run("n", |_, cx| {
        cx.insert(endless());
        Step::Keep
    })
}

#[tokio::test(start_paused = true)]
async fn n30_a_stop_ends_an_endless_chain_after_256_of_its_events() {
    let (machine, driver, trace) = unpolled(Builder::new());
    send(&machine, [endless()]);
    let mut call = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(call.as_mut()).is_pending());
    let mut stop = Box::pin(machine.stop());
    assert!(poll_once(stop.as_mut()).is_pending());
    assert!(matches!(driver.run().await, ExitReason::Normal));

    let words = trace.words();
    // The message itself and a chain of 256; the message that waits in front of the stop is never
    // handled.
    assert_eq!(
        (words.len(), words.last().map(String::as_str)),
        (1 + 256 + 1, Some("terminate"))
    );
    let outcome = call.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n30_an_endless_chain_is_looked_at_and_killed() {
    let (machine, _) = puppet();
    send(&machine, [endless(), Event::Note("m")]);
    let seen = rest(&machine).await;
    assert_eq!((seen.waiting.queue, seen.waiting.mailbox), (1, 1));
    assert_eq!(seen.counts.handled % 256, 1, "{seen:?}");
    machine.kill();
    assert!(matches!(machine.closed().await, ExitReason::Killed));
}

#[tokio::test(start_paused = true)]
async fn n30_an_endless_chain_leaves_the_runtime_to_others() {
    let (machine, trace) = puppet();
    send(&machine, [endless()]);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(trace.len() > 5 * 256);
    machine.kill();
}

/// Inserts itself so many times, and says so when it is done.
pub(crate) fn chain(left: u32) -> Event {
    run("", move |world, cx| {
        if left == 0 {
            world.trace.push("chained");
        } else {
            cx.insert(chain(left - 1));
        }
        Step::Keep
    })
}

/// What happened but for the parts of the chain.
fn events(trace: &Trace) -> Vec<String> {
    let mut words = trace.words();
    words.retain(|word| !word.is_empty());
    words
}

#[tokio::test(start_paused = true)]
async fn n30_the_last_handle_keeps_its_place_behind_the_messages_however_long_a_chain_is() {
    for length in [0, 255, 256, 257, 1000] {
        let (machine, trace) = puppet();
        send(&machine, [chain(length)]);
        send(&machine, (1..4).map(Event::Number));
        let closed = machine.closed();
        drop(machine);
        assert!(matches!(closed.await, ExitReason::Normal));
        assert_eq!(
            events(&trace),
            ["chained", "1", "2", "3", "terminate"],
            "{length}"
        );
    }
}

/// Drains by a last word.
#[derive(StateMachine)]
#[machine(event = Word, data = Trace, shutdown = Word::Say(99))]
enum Speaker {
    #[initial]
    Speaking,
}

enum Word {
    Chain(u32),
    Say(u32),
}

impl Handler for Speaker {
    fn handle(_: SpeakerAt<'_>, word: Word, trace: &mut Trace, cx: &mut Cx<Self>) -> Next<Self> {
        match word {
            Word::Chain(0) => trace.push("chained"),
            Word::Chain(left) => cx.insert(Word::Chain(left - 1)),
            Word::Say(number) => trace.push(number.to_string()),
        }
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn n59_the_shutdown_event_keeps_its_place_behind_the_messages_however_long_a_chain_is() {
    for length in [0, 255, 256, 257, 1000] {
        let trace = Trace::default();
        let machine = statem::spawn::<Speaker>(Speaking, trace.clone());
        for word in [Word::Chain(length), Word::Say(1), Word::Say(2)] {
            assert!(machine.try_cast(word).is_ok());
        }
        assert!(matches!(
            machine.shutdown(ms(50)).await,
            ExitReason::Shutdown
        ));
        assert_eq!(trace.words(), ["chained", "1", "2", "99"], "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn n30_a_shutdown_without_an_event_ends_an_endless_chain() {
    let (machine, trace) = puppet();
    send(&machine, [endless(), Event::Note("m")]);
    let reason = machine.shutdown(ms(50)).await;
    assert!(matches!(reason, ExitReason::Shutdown));
    assert!(trace.take().ends_with("n terminate"));
}

#[tokio::test(start_paused = true)]
async fn n30_an_endless_chain_without_handles_can_be_killed() {
    let (machine, trace) = puppet();
    let (closed, weak) = (machine.closed(), machine.downgrade());
    send(&machine, [endless()]);
    drop(machine);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(trace.len() > 5 * 256);
    weak.kill();
    assert!(matches!(closed.await, ExitReason::Killed));
}

/// Gives every event back and goes to its other state, where it is offered at once.
#[derive(StateMachine)]
#[machine(event = ())]
enum Undecided {
    #[initial]
    #[to(Fro)]
    To,
    #[to(To)]
    Fro,
}

impl Handler for Undecided {
    fn handle(state: UndecidedAt<'_>, (): (), (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        cx.postpone(());
        match state {
            UndecidedAt::To(s) => s.go(Fro),
            UndecidedAt::Fro(s) => s.go(To),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n30_r26_two_states_that_both_postpone_and_go_can_be_stopped() {
    let machine = statem::spawn::<Undecided>(To, ());
    machine.cast(()).await.unwrap();
    let seen = machine.inspect().await.unwrap();
    assert_eq!((seen.counts.received, seen.waiting.queue), (1, 1));
    assert!(seen.counts.handled > 256, "{seen:?}");
    assert!(matches!(machine.stop().await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn n30_what_is_asked_during_a_chain_goes_ahead_of_messages_that_came_before_it() {
    let (machine, mut driver, trace) = unpolled(Builder::new());
    send(&machine, [endless(), Event::Note("m1")]);
    // The messages of this turn are taken out of the mailbox, and the chain does not end.
    assert!(poll_once(Pin::new(&mut driver)).is_pending());
    send(&machine, [Event::Note("m2")]);
    let mut asked = Box::pin(machine.inspect());
    assert!(poll_once(asked.as_mut()).is_pending());
    assert!(poll_once(Pin::new(&mut driver)).is_pending());
    let seen = asked.await.unwrap();
    assert_eq!((seen.waiting.queue, seen.waiting.mailbox), (1, 2));
    let mut stop = Box::pin(machine.stop());
    assert!(poll_once(stop.as_mut()).is_pending());
    assert!(poll_once(Pin::new(&mut driver)).is_ready());
    assert!(matches!(stop.await, ExitReason::Normal));
    let handled = trace.words();
    assert!(
        handled
            .iter()
            .all(|word| ["n", "terminate"].contains(&&**word))
    );
}

#[tokio::test(start_paused = true)]
async fn n30_who_asks_behind_the_stop_of_a_chain_is_told_of_the_end() {
    let (machine, mut driver, _) = unpolled(Builder::new());
    send(&machine, [endless()]);
    assert!(poll_once(Pin::new(&mut driver)).is_pending());
    let mut stop = Box::pin(machine.stop());
    let mut asked = Box::pin(machine.inspect());
    assert!(poll_once(stop.as_mut()).is_pending());
    assert!(poll_once(asked.as_mut()).is_pending());
    assert!(poll_once(Pin::new(&mut driver)).is_ready());
    let outcome = asked.await;
    assert!(
        matches!(outcome, Err(CallError::Stopped { begun: false, .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n30_a_timeout_waits_for_the_chain_of_a_message_that_went_before_the_event_timeout() {
    let (machine, trace) = puppet();
    let start = run("start", |_, cx| {
        cx.event_timeout(ms(10), Event::Note("silence"));
        cx.state_timeout(ms(20), Event::Note("late"));
        Step::Keep
    });
    send(&machine, [start]);
    rest(&machine).await;
    // Both are due, and it was not silent.
    spend(ms(30));
    send(&machine, [chain(300)]);
    machine.call(Event::Ask).await.unwrap();
    assert_eq!(events(&trace), ["start", "chained", "late"]);
}
