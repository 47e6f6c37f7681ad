//! Machines that are written down and started again from what was written (N74, N75).

mod driver;
mod migrate;
mod random;
mod restore;
mod save;
mod scribe;
