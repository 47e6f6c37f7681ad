//! The server's side of a mail session, made with statem: a socket that moves from state to state
//! and changes what is talked on it, plain text to TLS and commands to a message and back.
//!
//! Read [`machine`] first. [`codec`] is how bytes become commands and lines of a message; [`dialogue`]
//! and [`certificate`] are the example around them: a client that shows what the two say.

pub mod certificate;
pub mod codec;
pub mod dialogue;
pub mod machine;

#[cfg(test)]
mod tests;
