//! How lives of a machine begin and end, whoever decides that there is another one.

use std::time::Duration;

use statem::supervisor::{Lives, Queue};
use statem::{Builder, CallError, CastErrorKind, ExitReason, Status};

use crate::support::{
    Busy, Event, Fixture, Trace, Worker, World, ask, panicked, settle, soon, tasks,
};

#[tokio::test(start_paused = true)]
async fn n77_between_two_lives_a_machine_says_so() {
    for queue in [Queue::Keep, Queue::Answer] {
        let mut f = Fixture::new(queue);
        let mut watch = f.handle.watch();
        f.handle.try_cast(Event::Panic).unwrap();
        f.life().await;
        f.lives.restart();
        assert!(matches!(f.handle.status(), Status::Restarting));
        assert!(matches!(watch.changed().await, Status::Restarting));
        assert_eq!(f.handle.restarts(), 1);
        let looked = f.handle.inspect().await.unwrap_err();
        assert!(matches!(looked, CallError::Restarting { .. }));
        let call = ask(&f.handle, Event::Ask);
        settle().await;
        if queue == Queue::Keep {
            assert!(!call.is_finished());
            f.handle.cast(Event::Note("later")).await.unwrap();
        } else {
            let error = call.await.unwrap().unwrap_err();
            assert!(matches!(error, CallError::Restarting { .. }));
            let error = f.handle.cast(Event::Note("later")).await.unwrap_err();
            assert!(matches!(error.kind, CastErrorKind::Restarting));
            assert!(f.handle.try_cast(Event::Note("later")).is_err());
        }
        f.begin();
        settle().await;
        assert!(matches!(f.handle.status(), Status::Running("Idle")));
    }
}

#[tokio::test(start_paused = true)]
async fn n77_the_end_is_told_once_and_only_the_last_one() {
    let mut f = Fixture::new(Queue::Keep);
    let closed = tokio::spawn(f.handle.closed());
    for _ in 0..3 {
        let life = f.begin();
        f.handle.try_cast(Event::Panic).unwrap();
        life.await.unwrap();
        settle().await;
        assert!(!closed.is_finished());
    }
    let waits = ask(&f.handle, Event::Ask);
    settle().await;
    drop(f.lives);
    assert!(panicked(&closed.await.unwrap()));
    let error = waits.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Stopped { begun: false, reason, .. } if panicked(&reason)));
    let error = f.handle.try_cast(Event::Work).unwrap_err();
    assert!(matches!(error.kind, CastErrorKind::Stopped(_)));
    assert!(matches!(f.handle.status(), Status::Stopped(_)));
}

#[tokio::test(start_paused = true)]
async fn n76_a_stop_ends_the_life_it_was_sent_to() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    assert!(matches!(f.handle.stop().await, ExitReason::Normal));
    first.await.unwrap();
    f.lives.restart();
    // Sent between two lives it ends the next one.
    let handle = f.handle.clone();
    let stop = tokio::spawn(async move { handle.stop().await });
    settle().await;
    assert!(!stop.is_finished());
    assert!(matches!(soon(f.life()).await, ExitReason::Normal));
    soon(stop).await.unwrap();
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle, w2 end");
    let third = f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 3);
    let shutdown = f.handle.shutdown(Duration::from_secs(1)).await;
    assert!(matches!(shutdown, ExitReason::Shutdown));
    third.await.unwrap();
    f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn n76_a_kill_ends_the_life_that_runs_and_no_other() {
    let mut f = Fixture::new(Queue::Keep);
    // Before its first life the machine has not begun: that one is killed.
    f.handle.kill();
    assert!(matches!(soon(f.life()).await, ExitReason::Killed));
    f.handle.kill();
    f.lives.restart();
    f.handle.kill();
    let second = f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 2);
    f.handle.kill();
    assert!(matches!(soon(second).await.unwrap(), ExitReason::Killed));
    assert_eq!(f.trace.line(), "w2 idle");
}

#[tokio::test(start_paused = true)]
async fn n76_a_life_is_shut_down_before_its_first_poll_and_not_after_its_end() {
    for queue in [Queue::Keep, Queue::Answer] {
        let mut f = Fixture::new(queue);
        // Nobody is there to be shut down.
        f.lives.shut_down();
        let first = f.life();
        f.lives.shut_down();
        f.handle.try_cast(Event::Note("waits")).unwrap();
        assert!(matches!(soon(first).await, ExitReason::Shutdown));
        f.lives.shut_down();
        f.lives.restart();
        f.lives.shut_down();
        let second = f.life();
        f.lives.shut_down();
        // It goes with the life that was never polled.
        drop(second);
        let third = f.begin();
        settle().await;
        assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 3);
        f.lives.shut_down();
        assert!(matches!(soon(third).await.unwrap(), ExitReason::Shutdown));
        assert_eq!(
            f.trace.line(),
            "w1 idle, w1 waits, w1 drain, w1 end, w3 idle, w3 drain, w3 end"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn n76_a_life_that_was_left_before_its_first_poll_takes_no_other_with_it() {
    let mut f = Fixture::new(Queue::Keep);
    f.lives.let_go();
    let mut first = Box::pin(f.life().spawned());
    let spawned = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx))).await;
    assert!(spawned.is_pending());
    drop(first);
    settle().await;
    f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 2);
    assert_eq!(f.trace.line(), "w2 idle");
}

#[tokio::test(start_paused = true)]
async fn n76_a_life_waits_for_the_end_of_the_one_before() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    settle().await;
    let second = f.begin();
    settle().await;
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 1);
    // One that is dropped before it began leaves no trace.
    drop(f.life());
    f.lives.let_go();
    assert!(matches!(first.await.unwrap(), ExitReason::Shutdown));
    f.lives.restart();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 2);
    second.abort();
    settle().await;
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle");
    assert!(matches!(
        f.handle.status(),
        Status::Running("Idle") | Status::Restarting
    ));
    f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn n63_a_machine_that_never_lived_tells_who_waits() {
    let f = Fixture::new(Queue::Keep);
    let waits = ask(&f.handle, Event::Ask);
    settle().await;
    drop(f.lives);
    let error = waits.await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        CallError::Stopped {
            begun: false,
            reason: ExitReason::Aborted,
            ..
        }
    ));
}

#[tokio::test(start_paused = true)]
async fn n76_a_machine_in_the_list_is_there_once() {
    let trace = Trace::default();
    let mut lives = Lives::<Worker>::new(&Builder::new(), Queue::Keep);
    let handle = lives.handle();
    let mut world = World::new("w", &trace);
    for _ in 0..3 {
        let builder = Builder::new().list("n76 listed once");
        handle.try_cast(Event::Panic).unwrap();
        lives.begin(builder, Busy, world.next()).await;
    }
    let listed = statem::running();
    let listed = listed.iter().filter(|one| &*one.name == "n76 listed once");
    assert_eq!(listed.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn n77_a_machine_that_has_ended_may_live_again_behind_its_handles() {
    let mut f = Fixture::new(Queue::Keep);
    for life in 1..=3 {
        f.begin();
        assert_eq!(f.handle.call(Event::Ask).await.unwrap(), life);
        let closed = f.handle.closed();
        f.handle.stop().await;
        let waits = ask(&f.handle, Event::Ask);
        settle().await;
        assert!(!waits.is_finished());
        f.lives.end();
        assert!(matches!(closed.await, ExitReason::Normal));
        let error = waits.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Stopped { begun: false, .. }));
        assert!(matches!(f.handle.status(), Status::Stopped(_)));
        assert!(f.handle.try_cast(Event::Work).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn n76_a_life_whose_owner_has_left_does_not_begin() {
    let mut f = Fixture::new(Queue::Keep);
    let first = tokio::spawn(f.life());
    settle().await;
    // It waits for the end of the first one, in a task of its own.
    let second = tokio::spawn(f.life().spawned());
    settle().await;
    assert_eq!(tasks(), 3);
    second.abort();
    settle().await;
    assert_eq!(f.trace.line(), "w1 idle, w1 end");
    assert!(matches!(first.await.unwrap(), ExitReason::Shutdown));
    assert_eq!(tasks(), 0);
    f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn n76_a_stop_that_comes_before_the_decision_is_for_the_next_life() {
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    soon(f.life()).await;
    let handle = f.handle.clone();
    let stop = tokio::spawn(async move { handle.stop().await });
    settle().await;
    assert!(!stop.is_finished());
    assert!(matches!(soon(f.life()).await, ExitReason::Normal));
    assert!(matches!(soon(stop).await.unwrap(), ExitReason::Normal));
    // One that the life did not come to goes with it.
    f.handle.try_cast(Event::Panic).unwrap();
    let handle = f.handle.clone();
    let stop = tokio::spawn(async move { handle.stop().await });
    settle().await;
    assert!(panicked(&soon(f.life()).await));
    assert!(panicked(&soon(stop).await.unwrap()));
    f.begin();
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 4);
}
