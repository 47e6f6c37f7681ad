//! Machines that are started again: what outlives a restart, what a supervisor decides, and that
//! nothing of them is left behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod at_once;
mod between;
mod cancelled;
#[path = "../dropped.rs"]
mod dropped;
mod ends;
mod intensity;
mod kept;
mod lives;
#[path = "../log.rs"]
mod log;

mod names;
mod nested;
mod panics;
mod random;
mod ready;
mod requests;
mod strategies;
mod support;
