//! [`statem::net::Link`]: on a wire in memory, where the test decides every byte, and on real sockets.

mod defaults;
mod elsewhere;
mod liveness;
mod loopback;
mod reading;
mod support;
mod writing;
