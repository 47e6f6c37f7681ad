//! The guide: pages that build up, beside the reference of each type.
//!
//! | page | what it answers |
//! |---|---|
//! | the [front page](crate) | what a machine is, how it is written, what the compiler checks; a line client by hand and ready-made; a table for those who come from Erlang |
//! | [`supervision`] | what a restart is worth, how a tree is built so that it stands, what it does when a part fails |
//! | [`servers`] | one machine a connection: limits, hostile peers, shutting down, testing without a network |
//! | [`compiler`] | what rustc says in words of its own of what beginners forget, and what to do |
//! | [`net::faults`](crate::net::faults) | what a user of a client sees in each of 44 faults of the network |
//! | [`net`](crate::net) | links, connectors, requests, the ready client |
//! | [`engine`](crate::engine) | the pure core, for those who drive a machine by hand |
//! | `testing`, feature `test-util` | a machine on a clock that the test moves; which edges the tests have taken |
//! | `snapshot`, feature `serde` | a machine written down, and started again from what was written |
//!
//! What is shown here as code is run as a test.

#[doc = include_str!("compiler.md")]
pub mod compiler {}

#[doc = include_str!("servers.md")]
pub mod servers {}

#[doc = include_str!("supervision.md")]
pub mod supervision {}
