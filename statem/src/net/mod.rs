//! Connections of a machine (feature `net`), made of the public primitives of the core only.
//!
//! [`Link`] is a framed socket that a state owns: frames arrive as events, writes are synchronous
//! and leave together at the end of the turn. [`Connector`] makes the byte stream for it, and
//! [`Backoff`](crate::Backoff) says how long to wait when that has failed. A [`feed()`] is a bounded stream of items
//! from a machine to a subscriber.
//!
//! [`InOrder`] and [`ById`] keep the requests that were sent, [`Queue`] those that wait, and
//! [`RequestError`] says of each that fails whether it may have run. [`Client`] is all of it as a
//! ready machine, for which a user writes a [`Protocol`].

#![warn(missing_debug_implementations)]

// It quotes what was said, also by libraries below.
#[allow(clippy::doc_markdown, rustdoc::bare_urls)]
#[doc = include_str!("faults.md")]
pub mod faults {}

mod client;
mod codec;
mod connect;
mod error;
mod feed;
mod io;
mod link;
mod request;
mod server;

pub use client::{
    Client, ClientBuilder, ClientCall, ClientCounts, ClientMachine, Handshake, Notice, Protocol,
    Received,
};
pub use codec::{Exactly, Lines};
pub use connect::{
    Address, ConnectCause, ConnectError, ConnectFailure, Connection, Connector, Dial, Endpoint,
    InvalidEndpoint, IoFuture, Prefer, Resolve, SystemDialler, SystemResolver,
};
#[cfg(feature = "tls")]
pub use connect::{Tls, TlsAcceptor, TlsError};
pub use error::{CloseReason, SendError, UpgradeError};
pub use feed::{Feed, FeedError, FeedEvent, FeedStream, feed};
pub use io::Io;
pub use link::{Link, LinkConfig, LinkEvent, Mark};
pub use request::{
    Answered, ById, InOrder, Lost, NotSent, Policy, Queue, Queued, RequestError, Sent, Settled,
    Unknown,
};
pub use server::{Accept, Accepted, AtLimit, Server, ServerBuilder, ServerCounts, ServerMachine};
