//! A call without the names of its machine and its event.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::Instant;

use super::call::Call;
use crate::error::CallError;
use crate::machine::Machine;

/// A call of a typed client ([`Client`](derive@crate::Client)): a future of its one outcome (N50).
///
/// It is a [`Call`] that names neither the machine nor its event, so that both may be private to the
/// module of the client. What holds of a `Call` holds of it: it is sent when it is first polled, its
/// limit counts from there, and dropping it gives it up.
///
/// A caller who sets a limit brings the trait into scope, `use statem::Request;`. It is sealed.
#[must_use = "a request is sent when it is awaited"]
pub trait Request<T, E = Infallible>:
    Future<Output = Result<T, CallError<E>>> + Sized + sealed::Sealed
{
    /// How long to wait for the answer, in place of the limit of the client's method or the
    /// machine's own.
    #[must_use = "a request is sent when it is awaited"]
    fn limit(self, limit: Duration) -> Self;

    /// Until when to wait for the answer, in place of the limit of the client's method or the
    /// machine's own.
    #[must_use = "a request is sent when it is awaited"]
    fn deadline(self, deadline: Instant) -> Self;
}

impl<M, T, E, F> Request<T, E> for Call<'_, M, T, E, F>
where
    M: Machine,
    T: Send + 'static,
    E: Send + 'static,
{
    fn limit(self, limit: Duration) -> Self {
        Call::limit(self, limit)
    }

    fn deadline(self, deadline: Instant) -> Self {
        Call::deadline(self, deadline)
    }
}

mod sealed {
    pub trait Sealed {}

    impl<M, T, E, F> Sealed for super::Call<'_, M, T, E, F>
    where
        M: crate::machine::Machine,
        T: Send + 'static,
        E: Send + 'static,
    {
    }
}
