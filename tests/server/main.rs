//! [`statem::net::Server`]: mostly on a paused clock, with a listener that the test scripts; and over
//! real sockets.

mod accept_errors;
mod bad_input;
mod cancelled;
mod coverage;
mod cut_off;
mod drain;
#[path = "../dropped.rs"]
mod dropped;
mod handshake;
mod harm;
mod idle;
mod limit;
#[path = "../log.rs"]
mod log;
mod loopback;
mod support;
mod telemetry;
