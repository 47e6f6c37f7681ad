//! Where a handler is: [`At`], the right to read, change and leave the state the machine is in.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::machine::{Machine, Node, Payload, To};
use crate::slot::{IN_STATE, Slot};
use crate::transition::Next;

/// "The machine is in `S`": the state as its handler sees it.
///
/// It derefs to the state's struct and carries the right to leave it. Only the engine makes one,
/// for the duration of one event; the state itself stays where it is until [`At::go`].
///
/// The derive's view of a machine `Connection` is `ConnectionAt`, an enum with one `At` for each
/// state.
pub struct At<'a, M, S> {
    slot: &'a mut Option<M>,
    state: PhantomData<fn() -> S>,
}

impl<'a, M: Machine, S: Node<M>> At<'a, M, S> {
    /// Leaves this state and enters `target`; `S` must declare the transition (P1).
    ///
    /// Always leaves and enters, also to the state's own variant, which then needs a declared
    /// self-edge: the old struct is dropped, the state timeout and everything started for the
    /// state ends, postponed events are tried again and enter is called (N13). To stay, change
    /// the struct in place and answer [`keep`](crate::keep).
    ///
    /// The `Next` must be returned: dropped, the machine stays where it is. `target` cannot read
    /// the state that is being left; use [`At::go_with`] for `Down { attempt: old.attempt + 1 }`.
    pub fn go<T>(self, target: T) -> Next<M>
    where
        S: To<T, M>,
    {
        Next::go(S::machine(target))
    }

    /// As [`At::go`], with the old state's struct by value: what the new state needs of it moves on
    /// (P3).
    ///
    /// If `target` panics the old struct is gone and the machine ends without a state (N12). The
    /// `Next` must be returned: dropping it and answering something else ends the machine with
    /// `StateLost`.
    ///
    /// # Panics
    ///
    /// Never by itself: the engine makes an `At` only for the state it is in.
    pub fn go_with<T>(self, target: impl FnOnce(S) -> T) -> Next<M>
    where
        S: To<T, M>,
    {
        let old = self.slot.take().and_then(S::unwrap).expect(IN_STATE);
        Next::go(S::machine(target(old)))
    }

    /// Leaves this state by an edge that is declared on the enum, for every state. Used by the
    /// derived view.
    #[doc(hidden)]
    pub fn go_from_any<T>(self, target: T) -> Next<M>
    where
        M: To<T, M>,
    {
        Next::go(M::machine(target))
    }

    /// Takes the slot for a state. Only the derived view has one.
    #[doc(hidden)]
    #[must_use]
    pub fn new(slot: Slot<'a, M>) -> Self {
        At {
            slot: slot.into_inner(),
            state: PhantomData,
        }
    }
}

impl<M: Machine, S: Payload<M>> Deref for At<'_, M, S> {
    type Target = S; // a field that moves on is taken by `go_with(|old| ..)`

    fn deref(&self) -> &S {
        self.slot.as_ref().and_then(S::get).expect(IN_STATE)
    }
}

impl<M: Machine, S: Payload<M>> DerefMut for At<'_, M, S> {
    fn deref_mut(&mut self) -> &mut S {
        self.slot.as_mut().and_then(S::get_mut).expect(IN_STATE)
    }
}

impl<M: Machine, S: Payload<M> + fmt::Debug> fmt::Debug for At<'_, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("At").field(&**self).finish()
    }
}
