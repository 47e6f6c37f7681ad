//! Those who look at a machine.

use interleaved::{CallError, ExitReason, Status};

use crate::checker::check;
use crate::desk::{Event, Note, polled, start};

#[test]
fn n9_who_has_an_answer_sees_the_state_it_came_from() {
    check(|| async {
        let (clerk, log) = start(8);
        let noise = {
            let (clerk, note) = (clerk.clone(), Note(1, log.clone()));
            tokio::spawn(async move { clerk.cast(Event::Note(note)).await.is_ok() })
        };
        for _ in 0..3 {
            let name = clerk.call(Event::Next).await.unwrap();
            let status = clerk.status();
            assert!(
                matches!(status, Status::Running(state) if state == name),
                "{name}, but {status:?}"
            );
        }
        assert!(noise.await.unwrap());
    });
}

#[test]
fn n71_a_watch_never_misses_the_last_state() {
    check(|| async {
        let (clerk, _) = start(8);
        let watchers = [(); 2].map(|()| {
            let mut watch = clerk.watch();
            tokio::spawn(async move {
                while !matches!(watch.status(), Status::Running("Third")) {
                    watch.changed().await;
                }
            })
        });
        let leaver = {
            let mut watch = clerk.watch();
            tokio::spawn(async move { drop(polled(1, watch.changed()).await) })
        };
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Second");
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Third");
        // Nothing is published from here on: who missed it is never woken.
        for watcher in watchers {
            watcher.await.unwrap();
        }
        leaver.await.unwrap();
    });
}

#[test]
fn n71_the_end_is_seen_by_all_who_watch_and_all_who_wait() {
    check(|| async {
        let (clerk, log) = start(8);
        let watcher = {
            let mut watch = clerk.watch();
            tokio::spawn(async move {
                loop {
                    if let Status::Stopped(reason) = watch.changed().await {
                        return reason;
                    }
                }
            })
        };
        let waits = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.closed().await })
        };
        let late = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.watch().changed().await })
        };
        assert!(clerk.cast(Event::End(1)).await.is_ok());
        drop(clerk);
        for reason in [watcher.await.unwrap(), waits.await.unwrap()] {
            assert!(matches!(reason, ExitReason::Normal));
        }
        assert!(matches!(
            late.await.unwrap(),
            Status::Running(_) | Status::Stopped(_)
        ));
        assert_eq!(log.handled(1), 1);
    });
}

#[test]
fn n70_a_question_against_a_stop_is_answered_or_told_the_reason() {
    check(|| async {
        let (clerk, _) = start(8);
        let askers = [(); 2].map(|()| {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.inspect().await })
        });
        let leaver = {
            let clerk = clerk.clone();
            tokio::spawn(async move { drop(polled(1, clerk.inspect()).await) })
        };
        clerk.stop().await;
        for asker in askers {
            match asker.await.unwrap() {
                Ok(inspection) => assert_eq!(inspection.state, "First"),
                Err(error) => assert!(matches!(
                    error,
                    CallError::Stopped {
                        reason: ExitReason::Normal,
                        ..
                    }
                )),
            }
        }
        leaver.await.unwrap();
    });
}

#[test]
fn n71_a_change_that_comes_as_its_watch_falls_asleep_wakes_it() {
    check(|| async {
        let (clerk, _) = start(8);
        clerk.inspect().await.unwrap();
        let mut watch = clerk.watch();
        let watcher = tokio::spawn(async move { watch.changed().await });
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Second");
        // Nothing else happens to the machine.
        assert!(matches!(watcher.await.unwrap(), Status::Running("Second")));
    });
}

#[test]
fn n70_an_answer_that_comes_as_its_asker_falls_asleep_wakes_it() {
    check(|| async {
        let (clerk, _) = start(8);
        for _ in 0..3 {
            clerk.inspect().await.unwrap();
        }
    });
}
