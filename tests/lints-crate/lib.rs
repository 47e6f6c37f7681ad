//! A crate of a user's: derived code under the lints that people deny in theirs, with statem under
//! another name, and with and without its default features. `tests/lints.rs` of the workspace is the
//! same in one that has it under its own.

#![deny(warnings, missing_docs, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

pub mod counter;
pub mod door;
pub mod lamp;
#[cfg(feature = "full")]
pub mod mixer;
pub mod pictures;
pub mod safe;

#[cfg(test)]
mod tests;
