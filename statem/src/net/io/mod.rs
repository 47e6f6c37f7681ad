//! [`Io`]: what connections and links are made of.

#[cfg(feature = "tls")]
mod below;

use std::any::Any;
use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "tls")]
pub(super) use below::Counted;

/// A byte stream: whatever can be read, written and sent to another thread.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {
    /// How many bytes the stream below has accepted, if this one takes more at once than that.
    #[doc(hidden)]
    fn accepted(&self) -> Option<u64>;
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {
    fn accepted(&self) -> Option<u64> {
        let io: &dyn Any = self;
        if let Some(io) = io.downcast_ref::<Box<dyn Io>>() {
            return (**io).accepted();
        }
        #[cfg(feature = "tls")]
        return below::accepted_below(io);
        #[cfg(not(feature = "tls"))]
        None
    }
}

impl fmt::Debug for dyn Io + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Io")
    }
}
