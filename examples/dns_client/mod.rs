//! A DNS client over UDP and TCP, made with statem.
//!
//! Read [`machine`] first, its states and one `match`, and then [`servers`], what is done in the
//! state `Open`. [`message`] is the protocol, its header declared bit by bit in
//! [`message::layout`]; [`udp`] and [`tcp`] are the two ways to a server, and `ids` keeps a late
//! answer from being taken for that of another question. [`responder`] is a small server that
//! misbehaves as it is told, so that the example needs nothing installed.
//!
//! A resolver for production would also keep answers as long as they may be kept, say how long a
//! datagram it takes (EDNS), and take its random numbers from a generator that nobody can follow.

pub mod arguments;
mod ids;
pub mod machine;
#[cfg(test)]
mod memory;
pub mod message;
pub mod outcome;
pub mod responder;
pub mod servers;
pub mod tcp;
pub mod udp;

#[cfg(test)]
mod tests;
