//! Casts, and the handles they are sent through.

use std::future::poll_fn;
use std::task::Poll;

use interleaved::ExitReason;

use crate::checker::check;
use crate::desk::{Event, Note, Signal, Word, polled, start};

#[test]
fn r121_messages_of_one_sender_keep_their_order_when_all_wait_for_room() {
    check(|| async {
        let (clerk, log) = start(1);
        let senders = [10, 20, 30].map(|first| {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move {
                for number in first..first + 3 {
                    let note = Event::Note(Note(number, log.clone()));
                    assert!(clerk.cast(note).await.is_ok());
                }
            })
        });
        for sender in senders {
            sender.await.unwrap();
        }
        clerk.stop().await;
        let numbers = log.numbers();
        assert_eq!(numbers.len(), 9);
        for first in [10, 20, 30] {
            let of_sender = numbers.iter().filter(|n| (first..first + 3).contains(*n));
            assert!(of_sender.copied().eq(first..first + 3), "{numbers:?}");
        }
    });
}

#[test]
fn n56_a_cast_that_is_dropped_while_it_waits_is_handled_once_or_never() {
    check(|| async {
        let (clerk, log) = start(1);
        let leavers = [1, 2].map(|number| {
            let (clerk, note) = (clerk.clone(), Note(number, log.clone()));
            tokio::spawn(async move {
                let sent = polled(2, clerk.cast(Event::Note(note))).await;
                sent.is_some_and(|sent| sent.is_ok())
            })
        });
        let patient = {
            let (clerk, note) = (clerk.clone(), Note(3, log.clone()));
            tokio::spawn(async move { clerk.cast(Event::Note(note)).await.is_ok() })
        };
        assert!(patient.await.unwrap());
        let mut sent = Vec::new();
        for leaver in leavers {
            sent.push(leaver.await.unwrap());
        }
        let waiting = clerk.inspect().await.unwrap().waiting;
        assert_eq!((waiting.mailbox, waiting.senders), (0, 0));
        assert!(clerk.cast(Event::Note(Note(4, log.clone()))).await.is_ok());
        clerk.stop().await;
        for (number, sent) in (1..).zip(sent) {
            // What its sender knows to be sent is handled; what was let in as it was dropped may be.
            assert!(log.handled(number) >= usize::from(sent));
            assert!(log.handled(number) <= 1);
            assert_eq!(log.count(Word::Dropped(number)), 1);
        }
        assert_eq!((log.handled(3), log.handled(4)), (1, 1));
    });
}

#[test]
fn n61_a_cast_that_waits_for_room_at_the_end_is_sent_or_given_back() {
    check(|| async {
        let (clerk, log) = start(1);
        let senders = [1, 2, 3].map(|number| {
            let (clerk, note) = (clerk.clone(), Note(number, log.clone()));
            tokio::spawn(async move { clerk.cast(Event::Note(note)).await.map_err(drop) })
        });
        clerk.stop().await;
        for (number, sender) in (1..).zip(senders) {
            let sent = sender.await.unwrap();
            assert!(log.handled(number) <= usize::from(sent.is_ok()));
            assert_eq!(log.count(Word::Dropped(number)), 1);
        }
    });
}

#[test]
fn n58_what_was_sent_before_the_last_handle_was_dropped_is_handled() {
    check(|| async {
        let (clerk, log) = start(1);
        let closed = clerk.closed();
        let caller = {
            let (clerk, log) = (clerk.clone(), log.clone());
            tokio::spawn(async move { clerk.call(|reply| Event::Ask(Note(1, log), reply)).await })
        };
        let sender = {
            let (clerk, note) = (clerk.clone(), Note(2, log.clone()));
            tokio::spawn(async move { clerk.cast(Event::Note(note)).await.is_ok() })
        };
        drop(clerk);
        assert!(matches!(closed.await, ExitReason::Normal));
        assert_eq!(caller.await.unwrap().unwrap(), 1);
        assert!(sender.await.unwrap());
        assert_eq!((log.handled(1), log.handled(2)), (1, 1));
        assert_eq!(log.count(Word::Terminated), 1);
    });
}

#[test]
fn n58_a_handle_made_of_a_weak_one_keeps_the_machine_alive_or_is_none() {
    check(|| async {
        let (clerk, log) = start(8);
        let closed = clerk.closed();
        let upgraders = [1, 2].map(|number| {
            let (weak, log) = (clerk.downgrade(), log.clone());
            tokio::spawn(async move {
                let Some(clerk) = weak.upgrade() else {
                    return false;
                };
                let answer = clerk.call(|reply| Event::Ask(Note(number, log), reply));
                assert_eq!(answer.await.unwrap(), number);
                true
            })
        });
        drop(clerk);
        for (number, upgrader) in (1..).zip(upgraders) {
            let upgraded = upgrader.await.unwrap();
            assert_eq!(log.handled(number), usize::from(upgraded));
        }
        assert!(matches!(closed.await, ExitReason::Normal));
    });
}

#[test]
fn n28_a_source_that_wakes_while_the_driver_falls_asleep_is_heard() {
    check(|| async {
        let (clerk, log) = start(8);
        let signal = Signal::default();
        let giver = {
            let signal = signal.clone();
            tokio::spawn(async move { signal.give(1) })
        };
        assert!(clerk.cast(Event::Listen(signal)).await.is_ok());
        giver.await.unwrap();
        // Nothing but the source wakes the machine from here on.
        while log.handled(1) == 0 {
            shuttle::future::yield_now().await;
        }
        clerk.stop().await;
        assert_eq!(log.handled(1), 1);
    });
}

#[test]
fn n36_no_output_is_handled_after_the_drop_of_its_guard_whenever_it_comes() {
    check(|| async {
        let (clerk, log) = start(8);
        let signal = Signal::default();
        assert!(clerk.cast(Event::Listen(signal.clone())).await.is_ok());
        let giver = tokio::spawn(async move { signal.give(1) });
        clerk.call(Event::Deafen).await.unwrap();
        let heard = log.handled(1);
        giver.await.unwrap();
        clerk.inspect().await.unwrap();
        clerk.stop().await;
        assert_eq!(log.handled(1), heard);
    });
}

#[test]
fn n37_a_guard_dropped_on_another_thread_ends_its_source_as_the_driver_falls_asleep() {
    check(|| async {
        let (clerk, log) = start(8);
        let held = Note(2, log.clone());
        let lent = clerk.call(|reply| Event::Lend(Signal::default(), held, reply));
        let guard = lent.await.unwrap();
        tokio::spawn(async move { drop(guard) }).await.unwrap();
        // Nothing but the guard wakes the machine from here on.
        while log.count(Word::Dropped(2)) == 0 {
            shuttle::future::yield_now().await;
        }
        clerk.stop().await;
        assert_eq!(log.count(Word::Dropped(2)), 1);
    });
}

#[test]
fn n36_n37_a_guard_dropped_on_another_thread_as_its_source_gives_an_output_takes_it_along_or_not() {
    check(|| async {
        let (clerk, log) = start(8);
        let (signal, held) = (Signal::default(), Note(2, log.clone()));
        let lent = clerk.call(|reply| Event::Lend(signal.clone(), held, reply));
        let guard = lent.await.unwrap();
        let giver = tokio::spawn(async move { signal.give(1) });
        let dropper = tokio::spawn(async move { drop(guard) });
        giver.await.unwrap();
        dropper.await.unwrap();
        while log.count(Word::Dropped(2)) == 0 {
            shuttle::future::yield_now().await;
        }
        // Whether it was handled is settled by then.
        clerk.inspect().await.unwrap();
        let heard = log.handled(1);
        clerk.stop().await;
        assert_eq!(log.handled(1), heard);
        // What was given and not handled is dropped.
        let gone = log.count(Word::Dropped(1));
        assert!((heard..=1).contains(&gone), "{:?}", log.words());
        assert_eq!(log.count(Word::Dropped(2)), 1);
    });
}

#[test]
fn n56_a_cast_that_finds_no_room_as_room_is_made_is_let_in() {
    check(|| async {
        let (clerk, log) = start(1);
        let senders = [1, 2].map(|number| {
            let (clerk, note) = (clerk.clone(), Note(number, log.clone()));
            tokio::spawn(async move { clerk.cast(Event::Note(note)).await.is_ok() })
        });
        // Nothing else wakes the machine.
        for sender in senders {
            assert!(sender.await.unwrap());
        }
        clerk.stop().await;
        assert_eq!((log.handled(1), log.handled(2)), (1, 1));
    });
}

#[test]
fn n56_a_sender_that_does_not_wait_does_not_overtake_one_that_waits() {
    check(|| async {
        let (clerk, log) = start(1);
        let (weak, note) = (clerk.downgrade(), Note(1, log.clone()));
        assert!(clerk.try_cast(Event::Note(note)).is_ok());
        let mut waits = Box::pin(clerk.cast(Event::Note(Note(2, log.clone()))));
        let sent = poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await;
        let log_of_other = log.clone();
        let other = tokio::spawn(async move {
            let note = Note(3, log_of_other);
            weak.try_cast(Event::Note(note)).is_ok()
        });
        if sent.is_pending() {
            assert!(waits.await.is_ok());
        }
        let other = other.await.unwrap();
        clerk.stop().await;
        let numbers = log.numbers();
        assert_eq!(numbers[..2], [1, 2], "{numbers:?}");
        assert_eq!(log.handled(3), usize::from(other));
    });
}
