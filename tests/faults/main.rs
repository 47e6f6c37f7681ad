//! The fault matrix, F01 to F44: what [`statem::net::Client`] does when the network fails. Each row
//! is a test named after it; the page `net::faults` is what their users see. Linux alone counts sockets and has
//! namespaces.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    reason = "the rows measure how long things take"
)]
#![allow(
    clippy::unwrap_used,
    clippy::unchecked_time_subtraction,
    reason = "all of this is tests, what they call included"
)]

mod account;
mod bounds;
mod change;
mod drop;
mod flap;
mod half_open;
mod harness;
mod requests;
mod served;
mod simulation;
mod slow;
mod start;
mod stop;
mod support;
mod sweeps;
mod tls;

#[path = "../dropped.rs"]
mod dropped;
#[path = "../near.rs"]
mod near;
#[path = "../redis_server.rs"]
mod redis_server;
