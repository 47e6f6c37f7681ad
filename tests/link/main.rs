//! [`statem::net::Link`] and feeds: on a wire in memory, where the test decides every byte, and on real sockets.

mod changing;
mod defaults;
mod elsewhere;
mod feed;
mod flow;
mod goodbye;
mod lines;
mod liveness;
mod loopback;
mod owner;
mod panics;
mod reading;
mod support;
mod writing;
