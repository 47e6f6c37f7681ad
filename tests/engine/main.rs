//! The pure engine, rule by rule: each test is a scenario on a clock that is moved by hand.

mod bounds;
mod calls;
mod credits;
mod end;
mod entering;
mod identity;
mod origin;
mod panics;
mod payload;
mod per_state;
mod postponing;
mod random;
mod replies;
mod scripted;
mod shown;
mod sources;
mod timeouts;
mod timers;
mod transition;
mod unexpected;
mod witness;
