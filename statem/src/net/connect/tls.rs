//! TLS over any byte stream.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, ServerConfig};

use crate::net::Io;
use crate::net::io::Counted;

/// The client's side of TLS: a configuration of rustls, and the name the peer has to prove.
///
/// Given to a [`Connector`](super::Connector) it is done as the last step of connecting. For a
/// protocol that starts in plain text, call [`connect`](Tls::connect) with the stream itself.
///
/// The configuration says who is trusted, with which cryptography (rustls' `ring` or another one)
/// and which versions of TLS; those are features of rustls, which statem leaves to its user.
///
/// ```
/// use std::sync::Arc;
/// use rustls::{ClientConfig, RootCertStore};
/// use statem::net::{Connector, Tls};
///
/// let trusted = RootCertStore::empty(); // and what to trust
/// let config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
/// let connector = Connector::new("db.example:6380").tls(Tls::new(Arc::new(config)));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: Option<String>,
}

/// The server's side of TLS.
///
/// ```
/// # async fn f(listener: tokio::net::TcpListener, config: rustls::ServerConfig) -> std::io::Result<()> {
/// use std::sync::Arc;
/// use statem::net::TlsAcceptor;
///
/// let acceptor = TlsAcceptor::new(Arc::new(config));
/// let (plain, _) = listener.accept().await?;
/// match acceptor.accept(plain).await {
///     Ok(io) => { /* Link::open(io, ..) */ }
///     Err(error) => eprintln!("{error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
}

/// Why there is no TLS on a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no name that the peer could prove, or it is none that TLS knows.
    Name(String),
    /// The peer sent what is not TLS, such as plain text.
    NotTls(rustls::Error),
    /// The peer ended the connection within the handshake.
    Cut,
    /// The two do not agree: a certificate that is not trusted, no version in common, ..
    Refused(rustls::Error),
    /// Reading or writing failed.
    Io(io::Error),
}

impl Tls {
    /// TLS with this configuration; the peer has to prove the host of its endpoint.
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Tls { config, name: None }
    }

    /// The name the peer has to prove, and is asked for, in place of the host of its endpoint. A
    /// Unix socket has no other one. What is not a name is an error when it is used.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Does the handshake on a stream with a peer that has to prove to be `host`, or the
    /// [`name`](Self::name) that was set. For a [`Link`](crate::net::Link) that was plain until
    /// here, as after STARTTLS.
    ///
    /// It has no deadline. Dropping the future closes the stream.
    ///
    /// # Errors
    ///
    /// See [`TlsError`]; the stream is closed.
    pub fn connect<S: Io + 'static>(
        &self,
        io: S,
        host: &str,
    ) -> impl Future<Output = Result<Box<dyn Io>, TlsError>> + Send + 'static + use<S> {
        let name = self.name.clone().unwrap_or_else(|| host.to_owned());
        let config = self.config.clone();
        async move {
            let Ok(server) = ServerName::try_from(name.clone()) else {
                return Err(TlsError::Name(name));
            };
            let connector = tokio_rustls::TlsConnector::from(config);
            let below = Counted::new(Box::new(io));
            let stream = connector
                .connect(server, below)
                .await
                .map_err(TlsError::of)?;
            Ok(Box::new(stream) as Box<dyn Io>)
        }
    }
}

impl TlsAcceptor {
    /// TLS with this configuration.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        TlsAcceptor { config }
    }

    /// Does the handshake on a stream that a client has begun.
    ///
    /// It has no deadline: give it one, since a client may stay silent. Dropping the future closes
    /// the stream.
    ///
    /// # Errors
    ///
    /// See [`TlsError`]; the stream is closed.
    pub fn accept<S: Io + 'static>(
        &self,
        io: S,
    ) -> impl Future<Output = Result<Box<dyn Io>, TlsError>> + Send + 'static + use<S> {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.config.clone());
        async move {
            let below = Counted::new(Box::new(io));
            let stream = acceptor.accept(below).await.map_err(TlsError::of)?;
            Ok(Box::new(stream) as Box<dyn Io>)
        }
    }
}

impl TlsError {
    fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return TlsError::Cut;
        }
        match error.downcast::<rustls::Error>() {
            Ok(error @ rustls::Error::InvalidMessage(_)) => TlsError::NotTls(error),
            Ok(error) => TlsError::Refused(error),
            Err(error) => TlsError::Io(error),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Name(name) if name.is_empty() => {
                f.write_str("there is no name for the peer to prove: set one by `Tls::name`")
            }
            TlsError::Name(name) => write!(f, "`{name}` is no name that a peer can prove"),
            TlsError::NotTls(error) => write!(f, "the peer sent what is not TLS: {error}"),
            TlsError::Cut => f.write_str("the peer closed the connection within the handshake"),
            TlsError::Refused(error) => error.fmt(f),
            TlsError::Io(error) => error.fmt(f),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsError::NotTls(error) | TlsError::Refused(error) => Some(error),
            TlsError::Io(error) => Some(error),
            _ => None,
        }
    }
}
