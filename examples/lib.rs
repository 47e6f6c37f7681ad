//! What the examples and their tests share: the Redis client of `cargo run --example redis_client`.
//!
//! A program of its own would copy `redis_client/machine.rs` and what it uses; nothing here is part
//! of statem.

#![forbid(unsafe_code)]

pub mod redis_client;
