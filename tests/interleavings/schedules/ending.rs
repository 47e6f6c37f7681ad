//! Timeouts and ends against each other.

use std::time::Duration;

use interleaved::ExitReason;

use crate::checker::check;
use crate::desk::{Event, Note, Word, start};

#[test]
fn r57_a_state_timeout_against_the_change_of_state_comes_before_it_or_never() {
    check(|| async {
        let (clerk, log) = start(8);
        assert!(clerk.cast(Event::Wait(1)).await.is_ok());
        let passes = tokio::spawn(async { tokio::time::advance(Duration::from_secs(1)) });
        assert_eq!(clerk.call(Event::Next).await.unwrap(), "Second");
        passes.await.unwrap();
        clerk.stop().await;
        let words = log.words();
        let went = words
            .iter()
            .position(|&word| word == Word::Entered("Second"));
        let fired = words.iter().position(|&word| word == Word::Handled(1));
        assert!(fired.is_none_or(|fired| Some(fired) < went), "{words:?}");
    });
}

#[test]
fn n24_a_timeout_that_is_due_while_the_driver_falls_asleep_fires() {
    check(|| async {
        let (clerk, log) = start(8);
        assert!(clerk.cast(Event::Wait(1)).await.is_ok());
        let passes = tokio::spawn(async {
            // Twice, for the timeout may begin after the first one.
            for _ in 0..2 {
                tokio::time::advance(Duration::from_secs(1));
                shuttle::future::yield_now().await;
            }
        });
        clerk.inspect().await.unwrap();
        passes.await.unwrap();
        // The timeout began before the inspection was answered.
        tokio::time::advance(Duration::from_secs(1));
        while log.handled(1) == 0 {
            shuttle::future::yield_now().await;
        }
        clerk.stop().await;
        assert_eq!(log.handled(1), 1);
    });
}

#[test]
fn n66_ends_of_many_kinds_at_once_give_all_the_same_reason() {
    check(|| async {
        let (clerk, log) = start(1);
        let stops = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.stop().await })
        };
        let shuts_down = {
            let clerk = clerk.clone();
            tokio::spawn(async move { clerk.shutdown(Duration::from_secs(1)).await })
        };
        let kills = {
            let clerk = clerk.clone();
            tokio::spawn(async move {
                clerk.kill();
                clerk.closed().await
            })
        };
        let sends = {
            let (clerk, note) = (clerk.clone(), Note(1, log.clone()));
            tokio::spawn(async move { drop(clerk.cast(Event::Note(note)).await) })
        };
        let reason = clerk.closed().await;
        for end in [stops, shuts_down, kills] {
            let other = end.await.unwrap();
            assert_eq!(format!("{other:?}"), format!("{reason:?}"));
        }
        sends.await.unwrap();
        let terminated = usize::from(!matches!(reason, ExitReason::Killed));
        assert_eq!(log.count(Word::Terminated), terminated);
        assert_eq!(log.count(Word::Dropped(1)), 1);
    });
}
