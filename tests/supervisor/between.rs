//! What is seen of a machine from one life to the next.

use std::sync::Arc;
use std::time::Duration;

use statem::supervisor::Queue;
use statem::{Bound, Builder, CallError};
use tracing::Level;

use crate::log::listen;
use crate::support::{Drains, Event, Fixture, Idle, Script, ask, settle};

#[tokio::test(start_paused = true)]
async fn n76_casts_that_a_restart_drops_are_warned_of() {
    let (log, _guard) = listen();
    let warnings = || {
        let mut said = log.take();
        said.retain(|(level, _)| *level == Level::WARN);
        said
    };
    let mut f = Fixture::new(Queue::Answer);
    let mut life = f.begin();
    for (casts, warned) in [(2, true), (0, false), (1, true)] {
        f.handle.try_cast(Event::Panic).unwrap();
        for _ in 0..casts {
            f.handle.try_cast(Event::Note("dropped")).unwrap();
        }
        let call = ask(&f.handle, Event::Ask);
        settle().await;
        life.await.unwrap();
        life = f.begin();
        // Its caller is told.
        assert!(call.await.unwrap().is_err());
        let warnings = warnings();
        assert_eq!(warnings.len(), usize::from(warned), "{warnings:?}");
        for (_, warning) in warnings {
            assert!(warning.contains("machine=\"Worker\""), "{warning}");
            assert!(warning.contains(&format!("casts={casts}")), "{warning}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lives_and_a_life_show_their_machine() {
    let mut f = Fixture::new(Queue::Keep);
    let life = f.life();
    let handle = format!("{:?}", f.handle);
    assert_eq!(format!("{:?}", f.lives), format!("Lives({handle})"));
    assert_eq!(format!("{life:?}"), format!("Life({handle})"));
}

#[tokio::test(start_paused = true)]
async fn n77_each_life_starts_until_its_first_enter_call_has_finished() {
    let mut f = Fixture::new(Queue::Keep);
    let (handle, trace) = (f.handle.downgrade(), f.trace.clone());
    f.world.on_enter = Some(Arc::new(Box::new(move |_, _| {
        trace.say(format!("{:?}", handle.status().unwrap()));
    })));
    for _ in 0..2 {
        let life = f.begin();
        f.handle.try_cast(Event::Panic).unwrap();
        life.await.unwrap();
    }
    assert_eq!(
        f.trace.line(),
        "w1 idle, Starting, w1 end, w2 idle, Starting, w2 end"
    );
}

#[tokio::test(start_paused = true)]
async fn n76_a_shutdown_between_two_lives_takes_no_room() {
    let mut f = Fixture::with(&Builder::new().mailbox(1), Queue::Keep);
    f.world.drains = Drains::Never;
    let first = f.begin();
    f.handle.try_cast(Event::Panic).unwrap();
    first.await.unwrap();
    let handle = f.handle.clone();
    tokio::spawn(async move { handle.shutdown(Duration::from_secs(100)).await });
    settle().await;
    f.begin();
    settle().await;
    assert_eq!(f.trace.line(), "w1 idle, w1 end, w2 idle, w2 drain");
    assert_eq!(f.handle.call(Event::Ask).await.unwrap(), 2);
    f.handle.try_cast(Event::Note("one")).unwrap();
    assert!(f.handle.try_cast(Event::Note("two")).is_err());
}

#[tokio::test(start_paused = true)]
async fn n76_what_is_kept_takes_no_room_of_questions() {
    let mut f = Fixture::new(Queue::Keep);
    let first = f.begin();
    f.handle.try_cast(Event::Panic).unwrap();
    for _ in 0..64 {
        f.handle.try_cast(Event::Note("kept")).unwrap();
    }
    first.await.unwrap();
    f.begin();
    settle().await;
    let asked = tokio::time::timeout(Duration::from_secs(1), f.handle.inspect());
    assert_eq!(asked.await.unwrap().unwrap().counts.handled, 64);
}

#[tokio::test(start_paused = true)]
async fn n53_n76_of_what_is_kept_only_requests_of_whom_nobody_waits_make_room() {
    let mut f = Fixture::with(&Builder::new().mailbox(4), Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let life = f.life();
    f.handle.try_cast(Event::Note("one")).unwrap();
    let [gone, waits] = [(); 2].map(|()| ask(&f.handle, Event::Ask));
    settle().await;
    life.await;
    f.lives.restart();
    // The event that failed has left its room.
    f.handle.try_cast(Event::Note("two")).unwrap();
    assert!(f.handle.try_cast(Event::Note("no room")).is_err());
    gone.abort();
    settle().await;
    f.handle.try_cast(Event::Note("three")).unwrap();
    assert!(f.handle.try_cast(Event::Note("no room")).is_err());
    f.begin();
    assert_eq!(waits.await.unwrap().unwrap(), 2);
    assert_eq!(
        f.trace.line(),
        "w1 idle, w1 end, w2 idle, w2 one, w2 two, w2 three"
    );
}

#[tokio::test(start_paused = true)]
async fn n54_n76_a_call_that_is_kept_has_its_deadline() {
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    tokio::time::advance(Duration::from_secs(7)).await;
    let call = ask(&f.handle, |reply| {
        let script: Script = Box::new(move |_, cx| {
            assert_eq!(cx.deadline(), reply.deadline());
            let deadline = cx.deadline().unwrap().as_secs();
            reply.send(deadline.try_into().unwrap()).unwrap();
        });
        Event::Run(script)
    });
    settle().await;
    f.life().await;
    f.begin();
    // Its limit is 100 seconds, and the clock is that of all lives.
    assert_eq!(call.await.unwrap().unwrap(), 107);
}

#[tokio::test(start_paused = true)]
async fn n45_n76_the_caller_of_a_call_that_is_kept_and_then_refused_is_told_at_once() {
    let mut f = Fixture::new(Queue::Keep);
    f.handle.try_cast(Event::Panic).unwrap();
    let call = ask(&f.handle, |reply| Event::Hold("h", Some(reply)));
    settle().await;
    f.life().await;
    let no_room = Builder::new().postponed(0);
    let life = f.lives.begin(no_room, Idle, f.world.next());
    tokio::spawn(life);
    let error = call.await.unwrap().unwrap_err();
    let what = Bound::Postponed;
    assert!(
        matches!(error, CallError::Full { machine: "Worker", what: told } if told == what),
        "{error:?}"
    );
}
