//! The machine of the scenarios, and what it leaves for them to look at.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use interleaved::{
    Builder, CallError, Cx, EnterCx, ExitReason, Guard, Handle, Handler, Next, Reply, StateMachine,
    keep, postpone, stop,
};

#[derive(StateMachine)]
#[machine(crate = interleaved, event = Event, data = Desk)]
#[to(First, Second, Third)]
pub(crate) enum Clerk {
    #[initial]
    First,
    Second,
    Third,
}

pub(crate) enum Event {
    /// Leaves its number and is consumed.
    Note(Note),
    /// Leaves its number and is answered with it.
    Ask(Note, Reply<u32>),
    /// Leaves its number; the reply is kept.
    Keep(Note, Reply<u32>),
    /// Leaves its number; the reply is used by another task.
    Elsewhere(Note, Reply<u32>),
    /// Postponed until the state changes, and then as `Ask`.
    Later(Note, Reply<u32>),
    /// Is given to another clerk, who leaves its number and answers.
    Forward(Handle<Clerk>, Note, Reply<u32>),
    /// Set aside, in a queue of the machine's own.
    Queue(Note, Reply<u32>),
    /// Takes up all of the queue, each of which leaves its number and is answered with it.
    Work,
    /// Goes to the next state, and says its name.
    Next(Reply<&'static str>),
    /// Leaves its number and panics.
    Break(Note, Reply<u32>),
    /// Starts the task of the signal.
    Listen(Signal),
    /// Ends it.
    Deafen(Reply<()>),
    /// As `Listen`; the task holds the note, and who asked gets its guard.
    Lend(Signal, Note, Reply<Guard>),
    /// Starts a state timeout of a second, which notes the number.
    Wait(u32),
    /// Leaves its number and ends the machine.
    End(u32),
}

/// A number, and a word when it is dropped.
pub(crate) struct Note(pub(crate) u32, pub(crate) Log);

impl Drop for Note {
    fn drop(&mut self) {
        self.1.push(Word::Dropped(self.0));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Handled(u32),
    Dropped(u32),
    Entered(&'static str),
    Terminated,
    /// What became of a reply that was sent by another task.
    Sent(bool),
}

/// What happened. Its lock is std's: to write is one step with what is done around it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Word>>>);

impl Log {
    pub(crate) fn push(&self, word: Word) {
        self.lock().push(word);
    }

    pub(crate) fn words(&self) -> Vec<Word> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Word>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, word: Word) -> usize {
        self.words().iter().filter(|&&other| other == word).count()
    }

    pub(crate) fn handled(&self, number: u32) -> usize {
        self.count(Word::Handled(number))
    }

    /// The numbers that were handled, in order.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let handled = |word| match word {
            Word::Handled(number) => Some(number),
            _ => None,
        };
        self.words().into_iter().filter_map(handled).collect()
    }
}

#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) log: Log,
    kept: Vec<Reply<u32>>,
    queue: Vec<(Note, Reply<u32>)>,
    ear: Option<Guard>,
}

impl Desk {
    pub(crate) fn of(log: Log) -> Self {
        Desk {
            log,
            ..Desk::default()
        }
    }
}

impl Handler for Clerk {
    fn enter(&mut self, desk: &mut Desk, _: &mut EnterCx<Self>) {
        desk.log.push(Word::Entered(match self {
            Clerk::First => "First",
            Clerk::Second => "Second",
            Clerk::Third => "Third",
        }));
    }

    fn handle(state: ClerkAt<'_>, event: Event, desk: &mut Desk, cx: &mut Cx<Self>) -> Next<Self> {
        let log = desk.log.clone();
        match event {
            Event::Note(note) => log.push(Word::Handled(note.0)),
            Event::Ask(note, reply) => {
                log.push(Word::Handled(note.0));
                let _ = reply.send(note.0);
            }
            Event::Keep(note, reply) => {
                log.push(Word::Handled(note.0));
                desk.kept.push(reply);
            }
            Event::Elsewhere(note, reply) => {
                log.push(Word::Handled(note.0));
                drop(tokio::spawn(async move {
                    let sent = reply.send(note.0).is_ok();
                    log.push(Word::Sent(sent));
                }));
            }
            Event::Later(note, reply) => match state {
                ClerkAt::First(_) => return postpone(Event::Later(note, reply)),
                ClerkAt::Second(_) | ClerkAt::Third(_) => {
                    log.push(Word::Handled(note.0));
                    let _ = reply.send(note.0);
                }
            },
            Event::Forward(other, note, reply) => {
                let _ = other.try_forward(reply, |reply| Event::Ask(note, reply));
            }
            Event::Queue(note, reply) => {
                reply.set_aside();
                desk.queue.push((note, reply));
            }
            Event::Work => {
                for (note, reply) in desk.queue.drain(..) {
                    if reply.take_up() {
                        log.push(Word::Handled(note.0));
                        let _ = reply.send(note.0);
                    }
                }
            }
            Event::Next(reply) => {
                return match state {
                    ClerkAt::First(s) => {
                        let _ = reply.send("Second");
                        s.go(Second)
                    }
                    ClerkAt::Second(s) => {
                        let _ = reply.send("Third");
                        s.go(Third)
                    }
                    ClerkAt::Third(s) => {
                        let _ = reply.send("First");
                        s.go(First)
                    }
                };
            }
            Event::Break(note, _reply) => {
                log.push(Word::Handled(note.0));
                // Not by `panic!`, whose hook reports a schedule that failed.
                std::panic::resume_unwind(Box::new("the clerk broke"));
            }
            Event::Listen(signal) => {
                desk.ear =
                    Some(cx.task(signal.heard(), move |number| Event::Note(Note(number, log))));
            }
            Event::Lend(signal, held, reply) => {
                let hears = async move {
                    let _held = held;
                    signal.heard().await
                };
                let guard = cx.task(hears, move |number| Event::Note(Note(number, log)));
                let _ = reply.send(guard);
            }
            Event::Deafen(reply) => {
                desk.ear = None;
                let _ = reply.send(());
            }
            Event::Wait(number) => {
                cx.state_timeout(Duration::from_secs(1), Event::Note(Note(number, log)));
            }
            Event::End(number) => {
                log.push(Word::Handled(number));
                return stop(ExitReason::Normal);
            }
        }
        keep()
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, desk: &mut Desk) {
        desk.log.push(Word::Terminated);
    }
}

/// A number that one task gives to another.
#[derive(Clone, Default)]
pub(crate) struct Signal(Arc<Mutex<(Option<u32>, Option<Waker>)>>);

impl Signal {
    pub(crate) fn give(&self, number: u32) {
        shuttle::thread::yield_now();
        let waker = {
            let mut inner = self.lock();
            inner.0 = Some(number);
            inner.1.take()
        };
        shuttle::thread::yield_now();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Option<u32>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn heard(self) -> u32 {
        poll_fn(|cx| {
            let mut inner = self.lock();
            if let Some(number) = inner.0.take() {
                return Poll::Ready(number);
            }
            inner.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// A machine that runs, with its log.
pub(crate) fn start(mailbox: usize) -> (Handle<Clerk>, Log) {
    let desk = Desk::default();
    let log = desk.log.clone();
    let clerk = Builder::new().mailbox(mailbox).spawn(First, desk);
    (clerk, log)
}

/// Polls a future at most so often, and drops it.
pub(crate) async fn polled<F: Future>(times: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        shuttle::future::yield_now().await;
    }
    None
}

/// What every caller is promised (N50, N51): one outcome, and it is the truth.
#[track_caller]
pub(crate) fn assert_true_outcome(outcome: &Result<u32, CallError>, number: u32, log: &Log) {
    let handled = log.handled(number);
    match outcome {
        Ok(answer) => {
            assert_eq!((*answer, handled), (number, 1), "{:?}", log.words());
        }
        Err(error) => {
            let may = usize::from(error.may_have_run());
            assert_eq!(handled, may, "{error}, but: {:?}", log.words());
        }
    }
    assert_eq!(log.count(Word::Dropped(number)), 1, "{:?}", log.words());
}
