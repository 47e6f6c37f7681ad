//! The tables of requests that were sent, and the queue of those that wait: [`statem::net::InOrder`],
//! [`statem::net::ById`], [`statem::net::Queue`], without a client.

mod outcomes;
mod queue;
mod support;
mod tables;
