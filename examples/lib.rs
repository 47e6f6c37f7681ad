//! What the examples, their tests and their pictures share: the machines.
//!
//! A program of its own would copy `redis_client/client.rs` and what it uses; nothing here is part of
//! statem.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod chat_server;
/// The door of `cargo run --example code_lock`.
pub mod code_lock {
    pub mod machine;
}
pub mod dns_client;
pub mod gateway;
pub mod line_server;
/// The two clients of `cargo run --example guarantees`.
pub mod guarantees {
    /// The wrong way.
    pub mod eager;
    /// The right way.
    pub mod patient;
    #[cfg(test)]
    mod tests;
}
mod machines;
pub mod redis_client;
pub mod smtp_session;
pub mod two_nodes;

pub use machines::MACHINES;
