//! What derived code names besides the public items; nothing in here is for people.

pub use crate::slot::Slot;

/// A hidden second target of every state. With a single `To` impl in scope rustc would infer the
/// target of `go` from it and report "mismatched types" in place of the undeclared transition.
pub struct Nowhere;
