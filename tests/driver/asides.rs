//! What goes on beside the events of a machine and is none: questions, messages before the start, and
//! casts to machines that have ended.

use statem::{Builder, CastErrorKind};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn r9_a_question_is_no_event_and_leaves_the_event_timeout_as_it_is() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.event_timeout(ms(80), Event::Note("silence"));
            Step::Keep
        })],
    );
    tokio::time::sleep(ms(50)).await;
    let seen = rest(&machine).await;
    assert_eq!(seen.counts.received, 1);
    assert_eq!(seen.timeouts, [("event timeout".to_owned(), Some(ms(30)))]);
    tokio::time::sleep(ms(29)).await;
    assert_eq!(trace.take(), "start");
    tokio::time::sleep(ms(2)).await;
    assert_eq!(trace.take(), "silence");
}

#[tokio::test(start_paused = true)]
async fn r10_nothing_comes_between_a_handler_and_the_end_of_its_transition() {
    let (machine, trace) = puppet_with(Builder::new(), |world| {
        let log = world.trace.clone();
        world.on_enter = Some(Box::new(move |state, _| log.push(format!("enter {state}"))));
    });
    send(
        &machine,
        [run("start", |_, cx| {
            cx.timeout("g", ms(10), Event::Note("never"));
            Step::Keep
        })],
    );
    rest(&machine).await;
    trace.take();
    send(
        &machine,
        [run("go", |_, cx| {
            // A message waits and a timer is due before the handler returns.
            cx.handle().try_cast(Event::Note("m")).unwrap();
            cx.insert(Event::Note("n"));
            spend(ms(40));
            Step::Busy(Busy::default())
        })],
    );
    let mut stop = Box::pin(machine.stop());
    assert!(poll_once(stop.as_mut()).is_pending());
    stop.await;
    assert_eq!(trace.take(), "go enter Busy b:n terminate");
}

#[tokio::test(start_paused = true)]
async fn r84_what_is_sent_before_the_machine_has_started_waits_in_its_mailbox() {
    let (machine, driver, trace) =
        unpolled(Builder::new().init(|world: &mut World, _| world.trace.push("init")));
    send(&machine, [Event::Note("early")]);
    assert_eq!(trace.take(), "");
    tokio::spawn(driver.run());
    rest(&machine).await;
    assert_eq!(trace.take(), "init early");
}

#[tokio::test(start_paused = true)]
async fn r108_a_cast_to_a_machine_that_has_ended_gives_its_event_back() {
    let (machine, _) = puppet();
    machine.stop().await;
    let refused = machine.cast(Event::Number(7)).await.unwrap_err();
    assert!(matches!(refused.kind, CastErrorKind::Stopped(_)));
    assert!(matches!(refused.into_event(), Event::Number(7)));
}

#[tokio::test(start_paused = true)]
async fn r122_a_question_is_answered_between_two_transitions_and_after_the_queue() {
    let (machine, driver, trace) = unpolled(Builder::new());
    send(
        &machine,
        [run("insert", |_, cx| {
            cx.insert(Event::Note("n1"));
            cx.insert(Event::Note("n2"));
            Step::Keep
        })],
    );
    let mut asked = Box::pin(machine.inspect());
    assert!(poll_once(asked.as_mut()).is_pending());
    send(&machine, [Event::Note("m")]);
    tokio::spawn(driver.run());
    let seen = asked.await.unwrap();
    assert_eq!((seen.counts.handled, seen.waiting.queue), (3, 0));
    rest(&machine).await;
    assert_eq!(trace.take(), "insert n1 n2 m");
}
