//! What statem uses of std and tokio, under the checker `shuttle`: a thread is one of its tasks, a
//! lock and an atomic are places where it may let another one run, and time moves only when a
//! scenario moves it.
//!
//! In the sources of statem this is `tokio`; see `statem/src/sync.rs`.

pub mod runtime;
pub mod task;
pub mod threads;
pub mod time;

pub use task::spawn;
