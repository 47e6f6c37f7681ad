//! The callbacks a user writes: [`Handler`] for the whole machine, or with `handlers = "per_state"`
//! one [`State`] for each state.

use crate::context::{Cx, EnterCx};
use crate::machine::{Living, Machine};
use crate::reason::ExitReason;
use crate::transition::Next;
use crate::view::At;

/// The callbacks of a machine with one handler for all its states.
///
/// A callback never waits, so none of them is an `async fn`: what takes time runs beside it, as a
/// task, a stream or a timeout asked for through the context, such as
/// [`state_task`](crate::Actions::state_task), and comes back as an event (P2).
#[diagnostic::on_unimplemented(
    message = "the machine `{Self}` has no handler",
    label = "`Handler` is not implemented for this machine",
    note = "write `impl Handler for {Self}`, or say `#[machine(handlers = \"per_state\")]` and implement `State` for the struct of each state"
)]
pub trait Handler: Machine {
    /// Called when a state is entered: at the start, after every `go`, and on `repeat` (R73).
    ///
    /// It may start timeouts and sources, reply, insert events and stop; it returns nothing, so it
    /// cannot change the state. Changing the variant through `*self` ends the machine with
    /// [`ExitReason::StateLost`] (N12).
    fn enter(&mut self, data: &mut Self::Data, cx: &mut EnterCx<Self>) {
        let _ = (data, cx);
    }

    /// Handles one event in one state and answers what comes next.
    fn handle(
        state: Self::At<'_>,
        event: Self::Event,
        data: &mut Self::Data,
        cx: &mut Cx<Self>,
    ) -> Next<Self>;

    /// Called once when the machine ends, but not when it is killed or its runtime goes away (R94,
    /// N62).
    ///
    /// `state` is `None` only if the state was lost (N12). Timeouts and sources are still there;
    /// they end after this call. A panic here replaces the reason (R95).
    fn terminate(reason: &ExitReason, state: Option<&mut Self>, data: &mut Self::Data) {
        let _ = (reason, state, data);
    }

    /// Called with a cast that could not be postponed because the postponed queue is full (N45). Its
    /// sender is not told. A panic here ends the machine (N65).
    fn refused(&self, event: Self::Event, data: &mut Self::Data) {
        let _ = (event, data);
    }
}

/// The callbacks of one state, for machines with `#[machine(handlers = "per_state")]`.
///
/// The derive joins them into the machine's [`Handler`]; each method is the one of [`Handler`] for
/// this state alone.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` has no handler",
    label = "this state has no `impl State<{M}> for {Self}`",
    note = "the machine says `handlers = \"per_state\"`: write `impl State<{M}> for {Self}` with its `handle`"
)]
pub trait State<M: Machine>: Living<M> {
    /// Called when this state is entered; see [`Handler::enter`].
    fn enter(&mut self, data: &mut M::Data, cx: &mut EnterCx<M>) {
        let _ = (data, cx);
    }

    /// Handles one event in this state and answers what comes next.
    fn handle(at: At<'_, M, Self>, event: M::Event, data: &mut M::Data, cx: &mut Cx<M>) -> Next<M>;

    /// Called when the machine ends in this state; see [`Handler::terminate`].
    fn terminate(&mut self, reason: &ExitReason, data: &mut M::Data) {
        let _ = (reason, data);
    }

    /// Called with a cast that could not be postponed; see [`Handler::refused`].
    fn refused(&self, event: M::Event, data: &mut M::Data) {
        let _ = (event, data);
    }
}

/// The callbacks of a state, for the derive to join: what is asked of a state is asked here, once.
#[doc(hidden)]
pub struct Callbacks<M: Machine, S> {
    pub enter: fn(&mut S, &mut M::Data, &mut EnterCx<M>),
    #[expect(clippy::type_complexity, reason = "it is that of `State::handle`")]
    pub handle: fn(At<'_, M, S>, M::Event, &mut M::Data, &mut Cx<M>) -> Next<M>,
    pub terminate: fn(&mut S, &ExitReason, &mut M::Data),
    pub refused: fn(&S, M::Event, &mut M::Data),
}

impl<M: Machine, S: State<M>> Callbacks<M, S> {
    #[expect(
        clippy::new_without_default,
        reason = "derived code writes it into a constant"
    )]
    #[must_use]
    pub const fn new() -> Self {
        Callbacks {
            enter: S::enter,
            handle: S::handle,
            terminate: S::terminate,
            refused: S::refused,
        }
    }
}
