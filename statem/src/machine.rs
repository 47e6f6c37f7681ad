//! What a machine is, in types: the traits that the derive implements.
//!
//! `#[derive(StateMachine)]` writes [`Machine`] for the enum, [`Node`], [`Payload`], [`To`] and
//! [`Initial`] for the structs of its states.

use std::fmt;

use crate::graph::Graph;
use crate::slot::Slot;

/// A state machine: an enum of states with the types of its events, its data and the names of its
/// timeouts.
///
/// Implemented by `#[derive(StateMachine)]`; there is no reason to implement it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state machine",
    label = "this type has no `#[derive(StateMachine)]`",
    note = "put `#[derive(StateMachine)]` and `#[machine(event = ..)]` on the enum of its states"
)]
pub trait Machine: Sized {
    /// Everything that can happen to the machine.
    type Event;
    /// What the machine keeps in every state; `()` unless `#[machine(data = ..)]` says otherwise.
    type Data;
    /// The names of its named timeouts; `&'static str` unless `#[machine(timeout = ..)]` says
    /// otherwise.
    type Timeout: Copy + Eq + fmt::Debug + Send + 'static;
    /// The state a handler is in, as an enum with an [`At`](crate::At) for each state that is not
    /// terminal.
    type At<'a>
    where
        Self: 'a;

    /// The states and the declared transitions, in the order of the source.
    const GRAPH: Graph;
    /// What `unexpected(event)` does to the machine.
    const UNEXPECTED: Unexpected = Unexpected::Warn;
    /// Whether requests whose caller has gone are handled all the same, as OTP does (R112).
    const KEEP_ABANDONED: bool = false;

    /// The place of the state in [`Machine::GRAPH`].
    fn index(&self) -> usize;

    /// The view of the state in the slot that the handler is given.
    #[doc(hidden)]
    fn view(slot: Slot<'_, Self>) -> Self::At<'_>;

    /// The event that asks the machine to drain, from `#[machine(shutdown = ..)]` (N59).
    #[must_use]
    fn shutdown() -> Option<Self::Event> {
        None
    }
}

/// What a machine does with an event that its handler called [`unexpected`](crate::unexpected).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexpected {
    /// Warn once for each event, count it and go on. The default.
    Warn,
    /// Stop the machine with an [`ExitReason::Other`](crate::ExitReason::Other).
    Stop,
    /// Panic in the handler's place, which ends the machine with
    /// [`ExitReason::Panicked`](crate::ExitReason::Panicked).
    Panic,
}

/// The struct of one state of the machine `M`. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of this machine",
    label = "expected the struct of one of its states",
    note = "a state is given by its struct, as in `go(Closed)`, and not by its variant, as in `go({M}::Closed)`"
)]
pub trait Node<M>: Sized {
    /// Makes the enum of the struct.
    #[doc(hidden)]
    fn wrap(self) -> M;
    /// Takes the struct out of the enum, if the machine is in this state.
    #[doc(hidden)]
    fn unwrap(machine: M) -> Option<Self>;
}

/// A state that the machine handles events in: implemented by the derive, but not for states marked
/// `#[terminal]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state in which `{M}` handles events",
    label = "nothing would call this handler",
    note = "a handler is for the struct of a state, and not for a terminal one: the machine ends when it enters that"
)]
pub trait Living<M>: Node<M> {}

/// A state that keeps data of its own. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` has no data",
    label = "a state without a struct of its own has no fields",
    note = "give the variant a struct: `{Self}({Self})`"
)]
pub trait Payload<M>: Node<M> {
    /// The struct, if the machine is in this state.
    #[doc(hidden)]
    fn get(machine: &M) -> Option<&Self>;
    /// The struct, if the machine is in this state.
    #[doc(hidden)]
    fn get_mut(machine: &mut M) -> Option<&mut Self>;
}

/// A declared transition from the state `Self` to the state `Target` of the machine `M`.
/// Implemented by the derive, once for each edge: `go` has no other way (P1).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no transition to `{Target}`",
    label = "this transition is not declared",
    note = "add `{Target}` to the `#[to(..)]` of `{Self}`",
    note = "a target is a state of `{M}`, given by what its variant wraps"
)]
pub trait To<Target, M> {
    /// The machine in the target.
    #[doc(hidden)]
    fn machine(target: Target) -> M;
}

/// No state has this type. With a single impl in question rustc would infer the target of `go` from
/// it and report "mismatched types" in place of the undeclared transition; with the two below it
/// waits for the argument. The derive writes the same for the machine itself, whose view goes too.
#[doc(hidden)]
pub enum Nowhere {}

#[doc(hidden)]
#[diagnostic::do_not_recommend]
impl<S: Node<M>, M> To<Nowhere, M> for S {
    fn machine(target: Nowhere) -> M {
        match target {}
    }
}

#[doc(hidden)]
#[diagnostic::do_not_recommend]
impl<S: Node<M>, M> To<&Nowhere, M> for S {
    fn machine(target: &Nowhere) -> M {
        match *target {}
    }
}

/// Holds for no machine: a variant is not a state, and `go(Machine::Variant)` is told so by
/// [`Node`].
#[doc(hidden)]
impl<S: Node<M>, M: Machine + Node<M>> To<M, M> for S {
    fn machine(_: M) -> M {
        unreachable!("the enum of `{}` is none of its states", M::GRAPH.name)
    }
}

/// A state that the machine `M` may start in. Implemented by the derive for variants marked
/// `#[initial]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an initial state",
    label = "a machine cannot start here",
    note = "mark the variant with `#[initial]`, or start in the struct, and not the variant, of a state that is marked"
)]
pub trait Initial<M>: Node<M> {}

/// The event type `T` itself. Derived clients say by it whose event they send; it has the words for
/// a client of another machine.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the event of this machine",
    label = "its event is `{T}`",
    note = "name the machine that has `#[machine(event = {Self})]`"
)]
pub trait IsEvent<T> {
    fn into_event(self) -> T;
}

impl<T> IsEvent<T> for T {
    fn into_event(self) -> T {
        self
    }
}
