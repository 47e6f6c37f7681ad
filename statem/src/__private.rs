//! What derived code names besides the public items; nothing in here is for people.

pub use crate::machine::Nowhere;
pub use crate::slot::Slot;
