//! Deterministic interleavings of calls, stops, drops, timeouts and panics: each scenario runs on
//! statem's own sources under many schedules, which a checker chooses at each lock and atomic.
//!
//! `SCHEDULES=20000 cargo test --release -p statem-interleavings` is the long form. A schedule that
//! fails is printed with the command that runs it again.

mod calls;
mod checker;
mod desk;
mod ending;
mod lives;
mod observers;
mod others;
mod senders;
