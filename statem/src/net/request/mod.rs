//! Requests of a client machine: what becomes of each, the tables of those that were sent, and the
//! queue of those that wait.

mod by_id;
mod error;
mod in_order;
mod lost;
mod queue;
mod sent;

pub use by_id::ById;
pub use error::{NotSent, RequestError, Unknown};
pub use in_order::InOrder;
pub use lost::Lost;
pub use queue::{Policy, Queue, Queued};
pub use sent::{Answered, Sent, Settled};
