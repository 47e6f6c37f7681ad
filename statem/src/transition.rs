//! What a handler answers: [`Next`], and the verbs that make one.

use std::fmt;

use crate::machine::Machine;
use crate::reason::ExitReason;
use crate::scope;

/// What comes next, as a handler answers it.
///
/// Only the verbs make one: [`At::go`](crate::At::go), [`At::go_with`](crate::At::go_with),
/// [`keep`], [`keep_and_retry`], [`repeat`], [`postpone`], [`unexpected`] and [`stop`]. It belongs
/// to the transition it was made in: kept and returned later it ends the machine with
/// [`ExitReason::StateLost`] (N12).
#[must_use = "a handler returns what comes next: a `Next` that is not returned, also by `let _ =`, has no effect"]
pub struct Next<M: Machine> {
    /// The transition it was made in.
    pub(crate) stamp: u64,
    pub(crate) verb: Verb<M>,
}

pub(crate) enum Verb<M: Machine> {
    Keep,
    Retry,
    Repeat,
    Go(M),
    Postpone(M::Event),
    Unexpected(M::Event),
    Stop(Box<ExitReason>),
}

impl<M: Machine> Next<M> {
    pub(crate) fn go(target: M) -> Self {
        Self::new(Verb::Go(target))
    }

    fn new(verb: Verb<M>) -> Self {
        Next {
            stamp: scope::stamp(),
            verb,
        }
    }
}

/// Stays in the state, without leaving it: no timeout but the event timeout ends, nothing is tried
/// again (R35).
///
/// This is also OTP's "next state equal to the current one" (R34): change the state's struct in
/// place and keep.
pub fn keep<M: Machine>() -> Next<M> {
    Next::new(Verb::Keep)
}

/// As [`keep`], and postponed events are tried again (N49): for "there is room again".
///
/// All of them, each time: a retry that changes nothing costs one handler call for each (N47). They
/// come after what the handler inserted and before everything else, and one that is postponed in
/// this transition comes with them, as the last.
///
/// ```
/// use statem::testing::Bench;
/// use statem::{Cx, Handler, Next, StateMachine, keep, keep_and_retry, postpone};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Vec<u32>)]
/// enum Shelf {
///     #[initial]
///     #[to()]
///     Open,
/// }
///
/// enum Event {
///     Put(u32),
///     Empty,
/// }
///
/// impl Handler for Shelf {
///     fn handle(_: ShelfAt<'_>, event: Event, shelf: &mut Vec<u32>, _: &mut Cx<Self>) -> Next<Self> {
///         match event {
///             // No room: it waits, and no state is needed to say so.
///             Event::Put(_) if shelf.len() == 2 => postpone(event),
///             Event::Put(book) => {
///                 shelf.push(book);
///                 keep()
///             }
///             Event::Empty => {
///                 shelf.clear();
///                 keep_and_retry()
///             }
///         }
///     }
/// }
///
/// let mut shelf = Bench::new(Open, Vec::new());
/// for book in 1..=5 {
///     shelf.send(Event::Put(book));
/// }
/// assert_eq!(shelf.data(), &[1, 2]);
/// shelf.send(Event::Empty);
/// assert_eq!(shelf.data(), &[3, 4]);
/// assert_eq!(shelf.postponed().count(), 1);
/// ```
pub fn keep_and_retry<M: Machine>() -> Next<M> {
    Next::new(Verb::Retry)
}

/// Stays in the state and enters it again (R37): what enter started for the state starts anew
/// (N14); the state timeout goes on unless enter restarts it, and postponed events stay postponed.
pub fn repeat<M: Machine>() -> Next<M> {
    Next::new(Verb::Repeat)
}

/// Gives the event back, to be handled after the next change of state (R21, N5), and stays.
///
/// Each change of state offers all postponed events again, whether they can be handled or not (N47).
/// It keeps its origin, its caller and its place among the postponed. To postpone and go, use
/// [`Cx::postpone`](crate::Cx::postpone) and then any `Next`. When the postponed queue is full
/// (1024 by default), a call gets [`CallError::Full`](crate::CallError::Full) and a cast goes to
/// `Handler::refused`; an event of the machine's own ends it with [`ExitReason::Overflow`] (N45).
///
/// Bind the whole event: `event @ Event::Say(_) => postpone(event)`, or build it again.
///
/// # Panics
///
/// The machine panics if the event was already postponed in this transition; in debug builds also if
/// it is of another variant than the one being handled.
///
/// ```
/// use statem::testing::Bench;
/// use statem::{Cx, Handler, Next, StateMachine, keep, postpone};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event, data = Vec<u32>)]
/// enum Line {
///     #[initial]
///     #[to(Up)]
///     Down,
///     #[to(Down)]
///     Up,
/// }
///
/// enum Event {
///     Connected,
///     Say(u32),
/// }
///
/// impl Handler for Line {
///     fn handle(state: LineAt<'_>, event: Event, said: &mut Vec<u32>, _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (LineAt::Down(_), event @ Event::Say(_)) => postpone(event),
///             (LineAt::Down(s), Event::Connected) => s.go(Up),
///             (LineAt::Up(_), Event::Say(word)) => {
///                 said.push(word);
///                 keep()
///             }
///             (LineAt::Up(_), event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// let mut line = Bench::new(Down, Vec::new());
/// line.send(Event::Say(1));
/// line.send(Event::Say(2));
/// assert!(line.data().is_empty());
/// line.send(Event::Connected);
/// assert_eq!(*line.data(), [1, 2]);
/// ```
pub fn postpone<M: Machine>(event: M::Event) -> Next<M> {
    Next::new(Verb::Postpone(event))
}

/// Says that the event should not happen in this state: it is consumed, counted and logged, its
/// caller gets [`CallError::Unexpected`](crate::CallError::Unexpected), and the machine stays (N5),
/// unless `#[machine(unexpected = ..)]` says otherwise.
pub fn unexpected<M: Machine>(event: M::Event) -> Next<M> {
    Next::new(Verb::Unexpected(event))
}

/// Stops the machine (R38): replies that were given stay given, everything else this transition
/// asked for is dropped, and every waiting caller gets
/// [`CallError::Stopped`](crate::CallError::Stopped) with the reason.
///
/// Any error can be the reason; for what is not itself a [`std::error::Error`], such as a text or
/// the error of the `anyhow` crate, say [`stop(ExitReason::other(error))`](ExitReason::other).
pub fn stop<M: Machine>(
    reason: impl Into<ExitReason>, // an error, or of anything else `ExitReason::other(text)`
) -> Next<M> {
    Next::new(Verb::Stop(Box::new(reason.into())))
}

impl<M: Machine> fmt::Debug for Next<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verb {
            Verb::Keep => "Keep",
            Verb::Retry => "KeepAndRetry",
            Verb::Repeat => "Repeat",
            Verb::Go(_) => "Go",
            Verb::Postpone(_) => "Postpone",
            Verb::Unexpected(_) => "Unexpected",
            Verb::Stop(_) => "Stop",
        })
    }
}
