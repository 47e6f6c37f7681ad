//! Names, forwarded calls, and machines that are suspended.

use std::time::Duration;

use interleaved::{
    Builder, Cx, Handle, Handler, Next, Registry, Reply, StateMachine, keep, postpone, running,
    unexpected,
};

use crate::checker::check;
use crate::desk::{Clerk, Desk, Event, First, Log, Note, Word, polled, start};

#[test]
fn r83_of_two_who_start_a_machine_of_a_name_one_has_started_it() {
    check(|| async {
        let clerks = Registry::<u32, Clerk>::new();
        let start = |clerks: Registry<u32, Clerk>| {
            tokio::spawn(async move {
                let desk = Desk::default();
                match clerks.spawn(1, Builder::new(), First, desk) {
                    Ok(clerk) => (true, clerk.call(Event::Next).await.is_ok()),
                    Err(taken) => {
                        let found = taken.holder.upgrade();
                        // It may have ended with the handle of the other one.
                        let uses = found.map(|clerk| async move { clerk.call(Event::Next).await });
                        if let Some(answer) = uses {
                            let _ = answer.await;
                        }
                        (false, true)
                    }
                }
            })
        };
        let (one, two) = (start(clerks.clone()), start(clerks.clone()));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(one.0 || two.0);
        assert!(one.1 && two.1);
    });
}

#[test]
fn n61_a_name_is_free_for_whoever_has_seen_the_end() {
    check(|| async {
        let clerks = Registry::<u32, Clerk>::new();
        let clerk = clerks
            .spawn(1, Builder::new(), First, Desk::default())
            .unwrap();
        let watcher = {
            let (clerks, closed) = (clerks.clone(), clerk.closed());
            tokio::spawn(async move {
                closed.await;
                clerks
                    .spawn(1, Builder::new(), First, Desk::default())
                    .is_ok()
            })
        };
        let looks = {
            let clerks = clerks.clone();
            tokio::spawn(async move { drop(clerks.get(&1)) })
        };
        clerk.kill();
        drop(clerk);
        assert!(watcher.await.unwrap());
        looks.await.unwrap();
    });
}

#[test]
fn n54a_a_forwarded_call_against_its_limit_and_the_end_of_both_has_one_true_outcome() {
    check(|| async {
        let (first, _) = start(2);
        let (second, log) = start(1);
        let caller = {
            let (first, second, log) = (first.clone(), second.clone(), log.clone());
            tokio::spawn(async move {
                first
                    .call(|reply| Event::Forward(second, Note(1, log), reply))
                    .limit(Duration::from_secs(1))
                    .await
            })
        };
        let other = {
            let (second, log) = (second.clone(), log.clone());
            tokio::spawn(async move { second.call(|reply| Event::Ask(Note(2, log), reply)).await })
        };
        let time = tokio::spawn(async { tokio::time::advance(Duration::from_secs(2)) });
        first.stop().await;
        drop(second);
        let outcome = caller.await.unwrap();
        drop(other.await.unwrap());
        time.await.unwrap();
        let handled = log.handled(1);
        match outcome {
            Ok(answer) => assert_eq!((answer, handled), (1, 1)),
            Err(error) if error.may_have_run() => assert!(handled <= 1),
            Err(error) => assert_eq!(handled, 0, "{error}"),
        }
    });
}

/// Keeps abandoned requests, and postpones all of them until it opens.
#[derive(StateMachine)]
#[machine(crate = interleaved, event = Errand, data = Log, keep_abandoned)]
enum Archive {
    #[initial]
    #[to(Open)]
    Closed,
    #[to()]
    Open,
}

enum Errand {
    Fetch(Note, Reply<u32>),
    Open,
}

impl Handler for Archive {
    fn handle(state: ArchiveAt<'_>, event: Errand, log: &mut Log, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (ArchiveAt::Closed(_), event @ Errand::Fetch(..)) => postpone(event),
            (ArchiveAt::Closed(state), Errand::Open) => state.go(Open),
            (ArchiveAt::Open(_), Errand::Fetch(note, reply)) => {
                log.push(Word::Handled(note.0));
                let _ = reply.send(note.0);
                keep()
            }
            (ArchiveAt::Open(_), event @ Errand::Open) => unexpected(event),
        }
    }
}

/// Lets the call of another machine through to an archive.
#[derive(StateMachine)]
#[machine(crate = interleaved, event = (Note, Reply<u32>), data = Handle<Archive>)]
enum Porter {
    #[initial]
    #[to()]
    Walking,
}

impl Handler for Porter {
    fn handle(
        _: PorterAt<'_>,
        (note, reply): (Note, Reply<u32>),
        archive: &mut Handle<Archive>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let _ = archive.try_forward(reply, |reply| Errand::Fetch(note, reply));
        keep()
    }
}

#[test]
fn n51_a_forwarded_call_that_its_machine_keeps_and_postpones_is_told_the_truth() {
    check(|| async {
        let log = Log::default();
        let archive = Builder::new().spawn(Closed, log.clone());
        let porter = Builder::<Porter>::new().spawn(Walking, archive.clone());
        let caller = {
            let (porter, log) = (porter.clone(), log.clone());
            tokio::spawn(async move {
                let call = porter.call(|reply| (Note(1, log), reply));
                call.limit(Duration::from_secs(1)).await
            })
        };
        let time = tokio::spawn(async { tokio::time::advance(Duration::from_secs(2)) });
        archive.cast(Errand::Open).await.ok().unwrap();
        let outcome = caller.await.unwrap();
        time.await.unwrap();
        porter.stop().await;
        archive.stop().await;
        let handled = log.handled(1);
        match outcome {
            Ok(answer) => assert_eq!((answer, handled), (1, 1)),
            Err(error) if error.may_have_run() => assert!(handled <= 1),
            Err(error) => assert_eq!(handled, 0, "{error}"),
        }
    });
}

#[test]
fn n51_a_question_against_its_limit_is_served_or_told_that_it_was_not() {
    check(|| async {
        let log = Log::default();
        let builder = Builder::new().call_limit(Duration::from_secs(1));
        let clerk = builder.spawn(First, Desk::of(log.clone()));
        let asker = {
            let clerk = clerk.clone();
            tokio::spawn(async move {
                let replaced = clerk.replace(|_, desk| {
                    desk.log.push(Word::Handled(1));
                    None
                });
                replaced.await
            })
        };
        let time = tokio::spawn(async { tokio::time::advance(Duration::from_secs(2)) });
        let outcome = asker.await.unwrap();
        time.await.unwrap();
        clerk.stop().await;
        match outcome {
            Ok(()) => assert_eq!(log.handled(1), 1),
            Err(error) if error.may_have_run() => assert!(log.handled(1) <= 1),
            Err(error) => assert_eq!(log.handled(1), 0, "{error}"),
        }
    });
}

#[test]
fn n53_a_forwarded_call_that_was_given_up_makes_room_for_one_that_waits() {
    check(|| async {
        let (first, _) = start(2);
        let (second, log) = start(1);
        second.suspend().await.unwrap();
        let gives_up = {
            let (first, second, log) = (first.clone(), second.clone(), log.clone());
            tokio::spawn(async move {
                let call = first.call(|reply| Event::Forward(second, Note(1, log), reply));
                drop(polled(3, call).await);
            })
        };
        gives_up.await.unwrap();
        // Behind it, so that it has forwarded or dropped the call.
        first.inspect().await.unwrap();
        assert!(second.cast(Event::Note(Note(2, log.clone()))).await.is_ok());
        second.resume().await.unwrap();
        second.inspect().await.unwrap();
        assert_eq!(log.numbers(), [2]);
    });
}

#[test]
fn n72_a_machine_that_is_suspended_and_resumed_misses_no_message_and_no_request() {
    check(|| async {
        let (clerk, log) = start(1);
        let casts = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                for number in [1, 2] {
                    assert!(
                        clerk
                            .cast(Event::Note(Note(number, log.clone())))
                            .await
                            .is_ok()
                    );
                }
            })
        };
        let suspends = {
            let clerk = clerk.clone();
            tokio::spawn(async move {
                clerk.suspend().await.unwrap();
                clerk.resume().await.unwrap();
            })
        };
        suspends.await.unwrap();
        casts.await.unwrap();
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Second");
        assert_eq!(log.numbers(), [1, 2]);
    });
}

#[test]
fn n72_a_stop_is_heard_by_a_machine_that_is_about_to_be_suspended() {
    check(|| async {
        let (clerk, _) = start(1);
        let suspends = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.suspend().await.is_ok() })
        };
        clerk.stop().await;
        suspends.await.unwrap();
    });
}

#[test]
fn a_machine_is_listed_until_its_end_is_seen() {
    check(|| async {
        let listed = || running().iter().filter(|it| &*it.name == "listed").count();
        let clerk = Builder::new().list("listed").spawn(First, Desk::default());
        assert_eq!(listed(), 1);
        let looks = tokio::spawn(async move { drop(running()) });
        clerk.stop().await;
        assert_eq!(listed(), 0);
        looks.await.unwrap();
    });
}
