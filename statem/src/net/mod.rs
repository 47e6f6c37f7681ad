//! Sockets of a machine (feature `net`), made of the public primitives of the core only.
//!
//! [`Link`] is a framed socket that a state owns: frames arrive as events, writes are synchronous
//! and leave together at the end of the turn.

mod error;
mod link;

pub use error::{CloseReason, SendError};
pub use link::{Io, Link, LinkConfig, LinkEvent, Mark};
