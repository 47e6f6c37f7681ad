//! Driving a machine by hand in a test (feature `test-util`): no runtime, no sleeping, a clock that
//! the test moves.
//!
//! [`Bench`] runs a machine; [`wire`] gives it a connection whose other end is the test.

mod bench;
#[cfg(feature = "net")]
mod wire;

pub use bench::Bench;
#[cfg(feature = "net")]
pub use wire::{Wire, WireEnd, wire};
