//! A Redis client that outlives the outages of its server, made with statem.
//!
//! Read [`machine`] first: its four states and one `match` are the whole client. [`backoff`],
//! [`request`] and [`codec`] are what it uses; [`server`] is a small server to talk to, so that the
//! example needs nothing installed; [`arguments`], [`traffic`], [`verify`] and [`timeline`] are the
//! example around them.

pub mod arguments;
pub mod backoff;
/// How bytes become frames.
pub mod codec {
    pub mod resp;
}
pub mod machine;
pub mod request;
pub mod server;
pub mod timeline;
pub mod traffic;
pub mod verify;

#[cfg(test)]
mod tests;
