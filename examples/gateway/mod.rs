//! A gateway: one machine for each of thousands of devices, and one that starts them and routes.
//!
//! Read [`device`] first, then [`router`]. [`field`] is what the two do not see: devices that speak,
//! fall silent and answer, and those who ask them, all from a seed.
//!
//! The router starts a [`device::Device`] with [`cx.start`](statem::Actions::start) when it hears of
//! a device that has none, and owns it. The end of one comes to it as an event, whatever its reason
//! was: it forgets the device, and starts another machine when the device speaks again. A bug in one
//! machine ends that machine.
//!
//! *When a [supervisor](statem::supervisor) is the better parent.* Children of `cx.start` are polled
//! in the task of their parent: thousands that do little are cheap so, and their parent knows of an
//! end in the turn it happens, but all of them share one thread and end with it. Take
//! [`Strategy::Dynamic`](statem::supervisor::Strategy::Dynamic) for children that compute or that
//! are to use all processors, that are started again by a rule and not by the next message (with
//! back-off, and an end to it), whose handles and queues are to outlive that, or that should survive
//! who routes to them.

pub mod arguments;
pub mod counts;
pub mod device;
pub mod field;
pub mod router;

#[cfg(test)]
mod tests;
