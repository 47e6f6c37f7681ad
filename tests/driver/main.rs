//! What only the driver can break: order among mailbox, timers and sources, calls, control, and the
//! end.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod asides;
mod budgets;
mod calls;
mod chains;
mod children;
mod control;
mod ending;
mod forwarding;
mod given_up;
mod hostile;
mod limits;
#[path = "../log.rs"]
mod log;
mod looking;
mod mailbox;
mod order;
mod outcomes;
mod panics;
mod patience;
mod questions;
mod records;
mod registry;
mod set_aside;
mod sources;
mod starting;
mod support;
mod suspended;
mod warnings;
