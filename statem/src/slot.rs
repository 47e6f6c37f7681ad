//! Where the engine keeps the state: what the view of a state is made of.

/// The engine makes an `At` for the variant that it found in the slot, and the slot is borrowed as
/// long as it lives.
pub(crate) const IN_STATE: &str = "the machine is in the state its view names";

/// The place where the engine keeps the state. Nobody else can make one, so nobody else can make an
/// [`At`](crate::At).
#[doc(hidden)]
pub struct Slot<'a, M>(&'a mut Option<M>);

impl<'a, M> Slot<'a, M> {
    /// The engine calls this with its own state, which is there.
    pub(crate) fn new(slot: &'a mut Option<M>) -> Self {
        Slot(slot)
    }

    pub(crate) fn into_inner(self) -> &'a mut Option<M> {
        self.0
    }

    /// The state, for the derived view to look at.
    ///
    /// # Panics
    ///
    /// Never: the engine makes a slot only while it has a state.
    #[must_use]
    pub fn state(&self) -> &M {
        self.0.as_ref().expect(IN_STATE)
    }
}
