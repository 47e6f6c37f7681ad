//! Why nothing was connected.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use super::{Address, Endpoint, InvalidEndpoint};

/// Why an attempt connected nothing: what failed at each address of each endpoint, in the order in
/// which it failed.
#[derive(Debug)]
pub struct ConnectError {
    failures: Vec<ConnectFailure>,
}

/// What failed at one endpoint or one of its addresses.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectFailure {
    /// The endpoint; `None` where its text was not one.
    pub endpoint: Option<Endpoint>,
    /// The address that was dialled; `None` where there was none yet.
    pub address: Option<Address>,
    /// Which step failed, and how.
    pub cause: ConnectCause,
}

/// Which step of connecting failed, and how.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectCause {
    /// The text of the endpoint is not one.
    Invalid(InvalidEndpoint),
    /// The name was not resolved.
    Resolve(io::Error),
    /// The name was not resolved within the limit.
    ResolveTimedOut(Duration),
    /// The name has no address.
    NoAddress,
    /// The address did not accept the connection.
    Connect(io::Error),
    /// The address did not accept the connection within the limit.
    ConnectTimedOut(Duration),
    /// The address accepted the connection, and TLS failed.
    #[cfg(feature = "tls")]
    Tls(super::TlsError),
    /// The address accepted the connection, and TLS was not done within the limit.
    #[cfg(feature = "tls")]
    TlsTimedOut(Duration),
}

impl ConnectError {
    pub(super) fn new(failures: Vec<ConnectFailure>) -> Self {
        ConnectError { failures }
    }

    /// What failed, in the order in which it failed: one at least.
    #[must_use]
    pub fn failures(&self) -> &[ConnectFailure] {
        &self.failures
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not connected: ")?;
        for (index, failure) in self.failures.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            failure.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for ConnectError {}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(endpoint) = &self.endpoint {
            write!(f, "{endpoint}")?;
            match (endpoint, &self.address) {
                (Endpoint::Name { .. }, Some(address)) => write!(f, " ({address}): ")?,
                _ => f.write_str(": ")?,
            }
        }
        self.cause.fmt(f)
    }
}

impl Error for ConnectFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

impl fmt::Display for ConnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectCause::Invalid(error) => error.fmt(f),
            ConnectCause::Resolve(error) => write!(f, "the name was not resolved: {error}"),
            ConnectCause::ResolveTimedOut(limit) => {
                write!(f, "the name was not resolved within {limit:?}")
            }
            ConnectCause::NoAddress => f.write_str("the name has no address"),
            ConnectCause::Connect(error) => write!(f, "connecting failed: {error}"),
            ConnectCause::ConnectTimedOut(limit) => {
                write!(f, "no connection within {limit:?}")
            }
            #[cfg(feature = "tls")]
            ConnectCause::Tls(error) => write!(f, "TLS failed: {error}"),
            #[cfg(feature = "tls")]
            ConnectCause::TlsTimedOut(limit) => write!(f, "TLS was not done within {limit:?}"),
        }
    }
}

impl Error for ConnectCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ConnectCause::Invalid(error) => Some(error),
            ConnectCause::Resolve(error) | ConnectCause::Connect(error) => Some(error),
            #[cfg(feature = "tls")]
            ConnectCause::Tls(error) => Some(error),
            _ => None,
        }
    }
}
