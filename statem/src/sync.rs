//! What is shared between threads is made of these: std's, or, for the package
//! `tests/interleavings`, those of a checker that chooses which thread goes on at each of them.

#[cfg(not(statem_shuttle))]
pub(crate) use std::{
    sync::{Mutex, MutexGuard, atomic},
    thread_local,
};

// There `tokio` is a stand-in, which has these too.
#[cfg(statem_shuttle)]
pub(crate) use tokio::threads::{Mutex, MutexGuard, atomic, shared, thread_local};

/// A static of one of them.
#[cfg(not(statem_shuttle))]
macro_rules! shared {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $(#[$meta])*
        static $name: $type = $init;
    };
}

#[cfg(not(statem_shuttle))]
pub(crate) use shared;
