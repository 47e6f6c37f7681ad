//! Driving a machine by hand in a test (feature `test-util`): no runtime, no sleeping, a clock that
//! the test moves.
//!
//! [`Bench`] runs a machine; [`wire`] gives it a connection whose other end is the test.
//! [`EdgeCoverage`] says which declared edges no machine of the tests has taken, [`ReactionTable`]
//! how a machine reacts to each event in each state.

mod bench;
mod coverage;
mod reactions;
#[cfg(feature = "serde")]
mod snapshot;
#[cfg(feature = "net")]
mod wire;

pub use bench::Bench;
pub use coverage::{EdgeCount, EdgeCoverage};
pub use reactions::ReactionTable;
#[cfg(feature = "net")]
pub use wire::{Wire, WireEnd, wire};
