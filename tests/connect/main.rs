//! [`statem::net::Connector`] and [`statem::Backoff`]: on names and addresses that a test makes
//! up, with a paused clock, and on real sockets.

mod backoff;
mod endpoints;
mod loopback;
mod machine;
mod order;
mod racing;
mod support;
mod tls;
mod tls_link;

#[path = "../near.rs"]
mod near;
