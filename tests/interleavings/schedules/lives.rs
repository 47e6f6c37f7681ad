//! Calls, casts and ends against the restart of their machine.

use interleaved::supervisor::{Lives, Queue, Shutdown, Spec, Strategy, Supervisor};
use interleaved::{Builder, CallError, ExitReason, Handle, Status};
use tokio::task::JoinHandle;

use crate::checker::check;
use crate::desk::{Clerk, Desk, Event, First, Log, Note, Word, assert_true_outcome, polled};

/// A machine that is started again once it broke, and whoever does so: until it ends otherwise.
fn start(mailbox: usize, queue: Queue) -> (Handle<Clerk>, Log, JoinHandle<ExitReason>) {
    let mut lives = Lives::<Clerk>::new(&Builder::new().mailbox(mailbox), queue);
    let clerk = lives.handle();
    let log = Log::default();
    let of_desk = log.clone();
    let owner = tokio::spawn(async move {
        loop {
            let desk = Desk::of(of_desk.clone());
            let life = tokio::spawn(lives.begin(Builder::new(), First, desk));
            let reason = life.await.expect("no task of a scenario panics");
            if !matches!(reason, ExitReason::Panicked { .. }) {
                return reason;
            }
        }
    });
    (clerk, log, owner)
}

fn ask(clerk: &Handle<Clerk>, number: u32, log: &Log) -> JoinHandle<Result<u32, CallError>> {
    let (clerk, note) = (clerk.clone(), Note(number, log.clone()));
    tokio::spawn(async move { clerk.call(|reply| Event::Ask(note, reply)).await })
}

async fn has_one_outcome(queue: Queue) {
    let (clerk, log, owner) = start(1, queue);
    let closed = tokio::spawn(clerk.closed());
    let (one, two) = (ask(&clerk, 1, &log), ask(&clerk, 2, &log));
    let breaks = {
        let (clerk, note) = (clerk.clone(), Note(9, log.clone()));
        tokio::spawn(async move { clerk.call(|reply| Event::Break(note, reply)).await })
    };
    let broken = breaks.await.expect("no task of a scenario panics");
    assert!(matches!(
        broken,
        Err(CallError::Stopped { begun: true, .. })
    ));
    for (call, number) in [(one, 1), (two, 2)] {
        let outcome = call.await.expect("no task of a scenario panics");
        assert_true_outcome(&outcome, number, &log);
        match outcome {
            Ok(_) => {}
            Err(error) => assert!(
                queue == Queue::Answer && matches!(error, CallError::Restarting { .. }),
                "{error:?}"
            ),
        }
    }
    // The caller is told before the life has ended, which a stop may still come to.
    while matches!(clerk.stop().await, ExitReason::Panicked { .. }) {}
    assert!(matches!(
        owner.await.expect("no task of a scenario panics"),
        ExitReason::Normal
    ));
    assert!(matches!(
        closed.await.expect("no task of a scenario panics"),
        ExitReason::Normal
    ));
    assert_eq!(clerk.restarts(), 1);
    assert_eq!(log.count(Word::Terminated), 2);
    for number in [1, 2, 9] {
        assert_eq!(log.count(Word::Dropped(number)), 1);
    }
}

#[test]
fn n76_a_request_that_is_kept_is_answered_by_one_life_or_the_next() {
    check(|| has_one_outcome(Queue::Keep));
}

#[test]
fn n76_a_request_that_is_not_kept_has_run_or_is_told_of_the_restart() {
    check(|| has_one_outcome(Queue::Answer));
}

#[test]
fn n51_n76_a_caller_that_gives_up_during_a_restart_is_told_the_truth() {
    check(|| async {
        let (clerk, log, owner) = start(1, Queue::Keep);
        let gives_up = {
            let (clerk, note) = (clerk.clone(), Note(1, log.clone()));
            tokio::spawn(
                async move { polled(4, clerk.call(|reply| Event::Later(note, reply))).await },
            )
        };
        let note = Note(9, log.clone());
        let _ = clerk.call(|reply| Event::Break(note, reply)).await;
        let answered = gives_up.await.unwrap();
        // Whatever was kept is offered when the state changes.
        let _ = clerk.call(Event::Next).await;
        clerk.stop().await;
        owner.await.unwrap();
        assert!(log.handled(1) <= 1);
        if let Some(outcome) = answered {
            assert_true_outcome(&outcome, 1, &log);
        }
        assert_eq!(log.count(Word::Dropped(1)), 1);
    });
}

#[test]
fn n77_whoever_comes_as_a_machine_ends_for_good_is_told() {
    check(|| async {
        let (clerk, log, owner) = start(1, Queue::Keep);
        let (one, two) = (ask(&clerk, 1, &log), ask(&clerk, 2, &log));
        let kills = {
            let clerk = clerk.clone();
            tokio::spawn(async move {
                clerk.kill();
                clerk.closed().await
            })
        };
        for (call, number) in [(one, 1), (two, 2)] {
            assert_true_outcome(&call.await.unwrap(), number, &log);
        }
        assert!(matches!(kills.await.unwrap(), ExitReason::Killed));
        assert!(matches!(owner.await.unwrap(), ExitReason::Killed));
    });
}

async fn restarts_once(shutdown: Shutdown) {
    let log = Log::default();
    // One restart is allowed.
    let mut supervisor = Supervisor::new("desks", Strategy::OneForAll);
    let clerks = ["one", "two"].map(|name| {
        let log = log.clone();
        let spec = Spec::<Clerk>::new(name, move || (First, Desk::of(log.clone())));
        supervisor.child(spec.shutdown(shutdown))
    });
    // Both end in their first lives, whatever else is asked of them meanwhile.
    for (clerk, number) in clerks.iter().zip(1..) {
        assert!(clerk.try_cast(Event::End(number)).is_ok());
    }
    let tree = supervisor.spawn();
    for clerk in &clerks {
        let mut watch = clerk.watch();
        while clerk.restarts() == 0 || !matches!(watch.status(), Status::Running(_)) {
            assert!(!matches!(watch.changed().await, Status::Stopped(_)));
        }
    }
    for (clerk, number) in clerks.iter().zip(3..) {
        let note = Note(number, log.clone());
        let answer = clerk.call(|reply| Event::Ask(note, reply)).await;
        assert_eq!(answer.expect("it is answered"), number);
        assert_eq!(clerk.restarts(), 1);
    }
    tree.stop().await;
}

#[test]
fn n76_children_that_end_at_once_are_restarted_once_and_not_stopped_again() {
    check(|| restarts_once(Shutdown::Forever));
}

#[test]
fn n76_a_kill_for_a_life_that_ends_by_itself_finds_no_later_one() {
    check(|| restarts_once(Shutdown::Kill));
}

#[test]
fn n76_a_life_that_is_shut_down_as_it_begins_or_ends_is_the_only_one() {
    check(|| async {
        let mut lives = Lives::<Clerk>::new(&Builder::new(), Queue::Keep);
        let (clerk, log) = (lives.handle(), Log::default());
        let first = tokio::spawn(lives.begin(Builder::new(), First, Desk::of(log.clone())));
        let ends = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.cast(Event::End(1)).await.is_ok() })
        };
        lives.shut_down();
        let reason = first.await.unwrap();
        assert!(matches!(reason, ExitReason::Normal | ExitReason::Shutdown));
        lives.shut_down();
        let was_first = log.handled(1) == 1;
        assert!(ends.await.unwrap());
        let second = tokio::spawn(lives.begin(Builder::new(), First, Desk::of(log.clone())));
        if was_first {
            let note = Note(2, log.clone());
            let answer = clerk.call(|reply| Event::Ask(note, reply)).await;
            assert_eq!(answer.unwrap(), 2);
            lives.shut_down();
            assert!(matches!(second.await.unwrap(), ExitReason::Shutdown));
        } else {
            // It was not stopped before it had what the first one has left.
            assert!(matches!(second.await.unwrap(), ExitReason::Normal));
        }
    });
}
