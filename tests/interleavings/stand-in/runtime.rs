//! `tokio::runtime`: there is one.

/// The runtime.
#[derive(Clone, Copy, Debug)]
pub struct Handle;

/// Its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id;

impl Handle {
    /// The runtime one is in.
    #[must_use]
    pub fn current() -> Self {
        Handle
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> Id {
        Id
    }
}
