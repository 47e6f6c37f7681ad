//! A driver that was woken by a message lets the other tasks that are ready go first.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use statem::{Builder, Driver, ExitReason, Handle};
use tokio::task::JoinSet;

use crate::support::*;

/// Counts how often a driver is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A driver that is polled by hand, when it was woken.
struct ByHand {
    machine: Handle<Puppet>,
    driver: Driver<Puppet>,
    trace: Trace,
    wakes: Arc<Wakes>,
}

impl ByHand {
    /// A machine that sleeps.
    fn asleep() -> Self {
        let (machine, driver, trace) = unpolled(Builder::new());
        let mut by_hand = ByHand {
            machine,
            driver,
            trace,
            wakes: Arc::default(),
        };
        by_hand.poll();
        by_hand.polls();
        by_hand
    }

    fn poll(&mut self) {
        let waker = self.wakes.clone().into();
        let polled = Pin::new(&mut self.driver).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }

    fn is_woken(&self) -> bool {
        self.wakes.0.swap(0, Ordering::Relaxed) > 0
    }

    /// Polls until it sleeps. How often.
    fn polls(&mut self) -> usize {
        let mut polls = 0;
        while self.is_woken() {
            self.poll();
            polls += 1;
        }
        polls
    }

    /// Sends one message, and polls until it sleeps; whether it has waited for others before.
    fn waits_with(&mut self, name: &'static str) -> bool {
        send(&self.machine, [Event::Note(name)]);
        let polls = self.polls();
        assert!((1..=2).contains(&polls), "{polls}");
        polls == 2
    }
}

#[tokio::test(start_paused = true)]
async fn n20_a_driver_that_a_message_wakes_handles_it_with_those_that_others_send_meanwhile() {
    let mut by_hand = ByHand::asleep();
    send(&by_hand.machine, [Event::Note("first")]);
    assert!(by_hand.is_woken());
    by_hand.poll();
    // It waits, and wakes itself.
    assert_eq!(by_hand.trace.take(), "");
    assert!(by_hand.is_woken());
    send(&by_hand.machine, [Event::Note("second")]);
    by_hand.poll();
    assert_eq!(by_hand.trace.take(), "first second");
    assert_eq!(by_hand.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn n20_a_driver_that_waits_in_vain_waits_more_and_more_seldom() {
    let mut by_hand = ByHand::asleep();
    let waits = |by_hand: &mut ByHand, messages: usize| -> Vec<_> {
        let mut sent = 1..=messages;
        let waited = std::iter::from_fn(|| {
            let number = sent.next()?;
            Some((number, by_hand.waits_with("alone")))
        });
        let waited: Vec<_> = waited.collect();
        let numbers = waited.iter().filter(|(_, waited)| *waited);
        numbers.map(|(number, _)| *number).collect()
    };
    assert_eq!(
        waits(&mut by_hand, 300),
        [1, 3, 7, 15, 31, 63, 127, 191, 255]
    );
    // When there was company it waits again.
    send(&by_hand.machine, [Event::Note("one"), Event::Note("two")]);
    by_hand.polls();
    assert_eq!(waits(&mut by_hand, 10), [1, 3, 7]);
}

#[tokio::test(start_paused = true)]
async fn n20_a_driver_that_a_source_wakes_does_not_wait() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let mut receiver = Some(receiver);
    let mut by_hand = ByHand::asleep();
    let start = run("start", move |_, cx| {
        let mut receiver = receiver.take().expect("it starts once");
        let stream = FromFn(move |cx: &mut Context<'_>| receiver.poll_recv(cx));
        cx.state_stream(stream, |item| Event::Number(item.unwrap_or(0)));
        Step::Keep
    });
    send(&by_hand.machine, [start]);
    by_hand.polls();
    by_hand.trace.take();
    for number in 1..=20 {
        sender.try_send(number).unwrap();
        assert_eq!(by_hand.polls(), 1);
        assert_eq!(by_hand.trace.take(), number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn n20_a_driver_does_not_wait_with_a_timer_or_with_its_end() {
    let mut by_hand = ByHand::asleep();
    for _ in 0..3 {
        let start = run("start", |_, cx| {
            cx.state_timeout(ms(10), Event::Note("late"));
            Step::Keep
        });
        send(&by_hand.machine, [start, Event::Note("with it")]);
        by_hand.polls();
        by_hand.trace.take();
        tokio::time::sleep(ms(10)).await;
        assert_eq!(by_hand.polls(), 1);
        assert_eq!(by_hand.trace.take(), "late");
    }
    by_hand.machine.kill();
    let mut driver = Pin::new(&mut by_hand.driver);
    let polled = driver
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(ExitReason::Killed)));
}

#[test]
fn n20_callers_on_a_runtime_of_threads_share_a_turn() {
    const CALLERS: usize = 100;
    const CALLS: usize = 10;
    // One thread, so that nothing else decides who goes first.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let (machine, mut driver, _) = unpolled(Builder::new());
    let work = async move {
        tokio::spawn(std::future::poll_fn(move |cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut driver).poll(cx)
        }));
        assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
        turns.store(0, Ordering::Relaxed);
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let machine = machine.clone();
            callers.spawn(async move {
                for _ in 0..CALLS {
                    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
                }
            });
        }
        callers.join_all().await;
        turns.load(Ordering::Relaxed)
    };
    let polls = runtime.block_on(async { tokio::spawn(work).await.unwrap() });
    // Each time one to wait, and one for a call of everybody.
    assert!(polls <= 2 * CALLS, "{polls} polls");
}
