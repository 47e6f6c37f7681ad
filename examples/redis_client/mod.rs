//! A Redis client that outlives the outages of its server, made with [`statem::net::Client`].
//!
//! Read [`protocol`] first: what a frame is; what is said when a connection is made is beside it.
//! That, the codec [`resp`] and the URL of a [`location`] are all that is written for Redis; what
//! makes it survive is the client's. [`client`] and [`subscription`] are what a program uses,
//! [`value`] and [`channels`] what it asks and gets.
//!
//! [`server`] is a small server to talk to, so that the example needs nothing installed;
//! [`arguments`], [`traffic`], [`verify`] and [`timeline`] are the example around them.

pub mod arguments;
pub mod channels;
pub mod client;
mod greeting;
pub mod location;
pub mod protocol;
pub mod resp;
pub mod server;
pub mod subscription;
pub mod timeline;
pub mod traffic;
pub mod value;
pub mod verify;

#[cfg(test)]
mod tests;
