//! What becomes of all that waits when a machine is started again: it is kept, or answered.

use std::time::Duration;

use statem::supervisor::Queue;
use statem::{Builder, CallError, CastErrorKind, Waiting};
use tokio::time::advance;

use crate::support::{Event, Fixture, ask, now, panicked, settle};

fn hold(word: &'static str) -> Event {
    Event::Hold(word, None)
}

#[tokio::test(start_paused = true)]
async fn n76_what_waits_is_kept_for_the_next_life_in_its_order() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    let c1 = ask(&f.handle, |reply| Event::Hold("c1", Some(reply)));
    settle().await;
    f.handle.try_cast(hold("p2")).unwrap();
    settle().await;
    f.handle.try_cast(Event::Panic).unwrap();
    f.handle.try_cast(Event::Work).unwrap();
    let c2 = ask(&f.handle, |reply| Event::Hold("c2", Some(reply)));
    settle().await;
    assert!(panicked(&first.await.unwrap()));
    assert!(!c1.is_finished() && !c2.is_finished());
    f.begin();
    assert_eq!(c1.await.unwrap().unwrap(), 2);
    assert_eq!(c2.await.unwrap().unwrap(), 2);
    assert_eq!(
        f.trace.line(),
        "w1 idle, w1 end, w2 idle, w2 busy, w2 call c1, w2 cast p2, w2 call c2"
    );
}

#[tokio::test(start_paused = true)]
async fn n76_what_waits_is_answered_unless_it_is_to_be_kept() {
    let mut f = Fixture::new(Queue::Answer);
    let first = f.begin();
    let c1 = ask(&f.handle, |reply| Event::Hold("c1", Some(reply)));
    settle().await;
    f.handle.try_cast(Event::Panic).unwrap();
    f.handle.try_cast(Event::Note("dropped")).unwrap();
    let c2 = ask(&f.handle, Event::Ask);
    settle().await;
    first.await.unwrap();
    assert!(!c1.is_finished(), "nobody has decided yet");
    f.begin();
    for call in [c1, c2] {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Restarting { machine: "Worker" }));
        assert!(!error.may_have_run());
    }
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 2);
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle");
}

#[tokio::test(start_paused = true)]
async fn n76_the_event_that_failed_is_never_offered_again() {
    for queue in [Queue::Keep, Queue::Answer] {
        let mut f = Fixture::new(queue);
        let first = f.begin();
        let kept = ask(&f.handle, Event::Keep);
        settle().await;
        let failed = ask(&f.handle, |reply| {
            Event::Run(Box::new(move |_, _| {
                let _reply = reply;
                panic!("broken");
            }))
        });
        settle().await;
        first.await.unwrap();
        // Both had begun, and are told before anybody decides.
        for call in [kept, failed] {
            let error = call.await.unwrap().unwrap_err();
            assert!(error.may_have_run());
            assert!(matches!(error, CallError::Stopped { reason, .. } if panicked(&reason)));
        }
        f.begin();
        settle().await;
        assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle");
    }
}

#[tokio::test(start_paused = true)]
async fn n76_an_event_that_was_kept_through_three_restarts_is_answered() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    // One that each life has had, and one that none has.
    let had = ask(&f.handle, |reply| Event::Hold("had", Some(reply)));
    settle().await;
    f.handle.try_cast(Event::Panic).unwrap();
    settle().await;
    let waits = ask(&f.handle, Event::Ask);
    settle().await;
    first.await.unwrap();
    f.world.on_enter = Some(std::sync::Arc::new(Box::new(|_, _| panic!("broken"))));
    for restart in 1..=3 {
        assert!(panicked(&f.life().await));
        assert_eq!(f.handle.restarts(), restart);
        assert!(!had.is_finished() && !waits.is_finished());
    }
    let late = ask(&f.handle, Event::Ask);
    settle().await;
    f.world.on_enter = None;
    f.begin();
    for call in [had, waits] {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Restarting { .. }));
    }
    assert_eq!(late.await.unwrap().unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn n76_a_postponed_event_is_counted_through_the_lives_that_postponed_it() {
    let mut f = Fixture::new(Queue::Keep);
    let had = ask(&f.handle, |reply| Event::Hold("had", Some(reply)));
    let casted = f.handle.clone();
    settle().await;
    casted.try_cast(hold("cast")).unwrap();
    for _ in 1..=4 {
        let life = f.begin();
        settle().await;
        f.handle.try_cast(Event::Panic).unwrap();
        life.await.unwrap();
        assert!(!had.is_finished());
    }
    f.begin();
    let error = had.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Restarting { .. }));
    f.handle.try_cast(Event::Work).unwrap();
    settle().await;
    assert!(f.trace.line().ends_with("w5 idle, w5 busy"));
}

#[tokio::test(start_paused = true)]
async fn n76_senders_that_wait_for_room_keep_their_places() {
    let mut f = Fixture::with(&Builder::new().mailbox(1), Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let second = f.handle.clone();
    let second = tokio::spawn(async move { second.cast(Event::Note("cast")).await });
    settle().await;
    let third = ask(&f.handle, Event::Ask);
    settle().await;
    f.life().await;
    assert!(!second.is_finished() && !third.is_finished());
    f.begin();
    second.await.unwrap().unwrap();
    assert_eq!(third.await.unwrap().unwrap(), 2);
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle, w2 cast");
}

#[tokio::test(start_paused = true)]
async fn n76_senders_that_wait_for_room_are_told_unless_they_are_kept() {
    let mut f = Fixture::with(&Builder::new().mailbox(1), Queue::Answer);
    f.handle.try_cast(Event::Panic).unwrap();
    let second = f.handle.clone();
    let second = tokio::spawn(async move { second.cast(Event::Note("cast")).await });
    let third = ask(&f.handle, Event::Ask);
    settle().await;
    f.life().await;
    f.lives.restart();
    let error = second.await.unwrap().unwrap_err();
    assert!(matches!(error.kind, CastErrorKind::Restarting));
    assert!(matches!(error.event, Event::Note("cast")));
    let error = third.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Restarting { .. }));
}

#[tokio::test(start_paused = true)]
async fn n76_room_is_counted_right_in_the_next_life() {
    let mut f = Fixture::with(&Builder::new().mailbox(3), Queue::Keep);
    let life = f.begin();
    settle().await;
    // Postponed events take no room, until the restart gives them back to the mailbox.
    f.handle.try_cast(hold("p1")).unwrap();
    f.handle.try_cast(hold("p2")).unwrap();
    settle().await;
    f.handle.try_cast(Event::Panic).unwrap();
    f.handle.try_cast(Event::Note("m")).unwrap();
    life.await.unwrap();
    let full = f.handle.try_cast(Event::Work).unwrap_err();
    assert!(matches!(full.kind, CastErrorKind::Full));
    f.begin();
    settle().await;
    f.handle.try_cast(Event::Work).unwrap();
    settle().await;
    let waiting = f.handle.inspect().await.unwrap().waiting;
    assert_eq!(waiting, Waiting::default());
    f.handle.try_cast(Event::Note("1")).unwrap();
    f.handle.try_cast(Event::Note("2")).unwrap();
    f.handle.try_cast(Event::Note("3")).unwrap();
    assert!(f.handle.try_cast(Event::Note("4")).is_err());
}

#[tokio::test(start_paused = true)]
async fn n76_what_the_machine_made_itself_is_gone() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    let script: crate::support::Script = Box::new(|_, cx| {
        cx.timeout("t", Duration::from_secs(1), Event::Note("timer"));
        cx.state_task(async {}, |()| Event::Note("output"));
        cx.insert(Event::Panic);
        cx.insert(Event::Note("inserted"));
    });
    f.handle.try_cast(Event::Run(script)).unwrap();
    first.await.unwrap();
    f.begin();
    settle().await;
    advance(Duration::from_secs(2)).await;
    settle().await;
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle");
}

#[tokio::test(start_paused = true)]
async fn n76_limits_run_on_between_two_lives() {
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let start = now();
    let handle = f.handle.clone();
    let limit = Duration::from_secs(10);
    let call = tokio::spawn(async move { handle.call(Event::Ask).limit(limit).await });
    settle().await;
    f.life().await;
    f.lives.restart();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::TimedOut { begun: false, .. }));
    assert_eq!(start.elapsed(), limit);
    // It has gone, so the next life never has it (N52).
    f.begin();
    settle().await;
    assert_eq!(f.handle.inspect().await.unwrap().counts.abandoned, 1);
}

#[tokio::test(start_paused = true)]
async fn n76_a_request_of_whom_nobody_waits_any_more_makes_room_after_a_restart_too() {
    let mut f = Fixture::with(&Builder::new().mailbox(1), Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let life = f.life();
    let call = ask(&f.handle, Event::Ask);
    settle().await;
    life.await;
    f.lives.restart();
    settle().await;
    assert!(f.handle.try_cast(Event::Note("no room")).is_err());
    call.abort();
    settle().await;
    f.handle.try_cast(Event::Note("room")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn n77_questions_that_wait_at_a_restart_are_told_of_it() {
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let asked: Vec<_> = (0..70)
        .map(|_| {
            let handle = f.handle.clone();
            tokio::spawn(async move { handle.inspect().await })
        })
        .collect();
    settle().await;
    f.life().await;
    f.lives.restart();
    for asked in asked {
        let error = asked.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Restarting { .. }));
    }
    f.begin();
    settle().await;
    f.handle.inspect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn n76_more_events_than_a_life_takes_at_once_keep_their_order() {
    const WORDS: [&str; 3] = ["1", "2", "3"];
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    for number in 0..300 {
        f.handle.try_cast(Event::Note(WORDS[number / 100])).unwrap();
    }
    f.life().await;
    f.begin();
    settle().await;
    let mut expected = vec!["w1 idle".to_owned(), "w1 end".into(), "w2 idle".into()];
    expected.extend((0..300).map(|number| format!("w2 {}", WORDS[number / 100])));
    assert_eq!(f.trace.take(), expected);
}
