//! What the examples, their tests and their pictures share: the machines.
//!
//! A program of its own would copy `redis_client/machine.rs` and what it uses; nothing here is part
//! of statem.

#![forbid(unsafe_code)]

/// The door of `cargo run --example code_lock`.
pub mod code_lock {
    pub mod machine;
}
mod machines;
pub mod redis_client;

pub use machines::MACHINES;
