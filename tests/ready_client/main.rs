//! [`statem::net::Client`]: its machine on a paused clock, with a network that the test scripts. What
//! only real sockets can show is in `faults`.

mod attempts;
mod bounds;
mod change;
mod coverage;
mod liveness;
#[path = "../log.rs"]
mod log;
mod readiness;
mod requests;
mod shown;
mod start;
mod subscribers;
mod support;
mod telemetry;
mod together;
mod unwritable;
