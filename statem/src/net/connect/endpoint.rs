//! [`Endpoint`]: where to connect to, as a user writes it; [`Address`]: where that is.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to connect to.
///
/// Read from text: `host:port`, an address as `127.0.0.1:4000` or `[::1]:4000`, or `unix:` and a
/// path. What was read is displayed as it was written, but for the shape of an IPv6 address.
///
/// ```
/// use statem::net::Endpoint;
///
/// let endpoint: Endpoint = "db.example:6379".parse()?;
/// assert_eq!(endpoint, Endpoint::Name { host: "db.example".to_owned(), port: 6379 });
/// assert_eq!("unix:/run/db.sock".parse::<Endpoint>()?.to_string(), "unix:/run/db.sock");
///
/// let error = "db.example".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.to_string(), "`db.example` has no port: write `host:port`");
/// # Ok::<(), statem::net::InvalidEndpoint>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A name, resolved anew by each attempt, and a port.
    Name {
        /// The name of a host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The address of a socket.
    Socket(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Where an endpoint is: what is dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// The address of a socket.
    Socket(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text that is not an endpoint. It is shown without what stands before an `@`, which may be a
/// password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEndpoint {
    text: String,
    problem: &'static str,
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        // What stands before an `@` may be a password, and an error is printed.
        let invalid = |problem| InvalidEndpoint {
            text: match text.rsplit_once('@') {
                Some((_, rest)) => format!("..@{rest}"),
                None => text.to_owned(),
            },
            problem,
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err(invalid("has no path: write `unix:/path`"))
            } else {
                Ok(Endpoint::Unix(PathBuf::from(path)))
            };
        }
        if text.contains("://") {
            return Err(invalid("is a URL: write `host:port`"));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return if address.port() == 0 {
                Err(invalid("has port 0, where nobody listens"))
            } else {
                Ok(Endpoint::Socket(address))
            };
        }
        let Some((host, port_text)) = text.rsplit_once(':') else {
            return Err(invalid("has no port: write `host:port`"));
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@?#".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err(invalid("has no host: write `host:port`"));
        }
        if host.contains([':', '[', ']']) {
            return Err(invalid(
                "is no address: an IPv6 address and its port are written `[::1]:port`",
            ));
        }
        match port_text.parse() {
            Ok(0) => Err(invalid("has port 0, where nobody listens")),
            Ok(port) if port_text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Endpoint::Name {
                host: host.to_owned(),
                port,
            }),
            _ => Err(invalid("has no port from 1 to 65535: write `host:port`")),
        }
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = InvalidEndpoint;

    fn try_from(text: &str) -> Result<Self, InvalidEndpoint> {
        text.parse()
    }
}

impl TryFrom<&String> for Endpoint {
    type Error = InvalidEndpoint;

    fn try_from(text: &String) -> Result<Self, InvalidEndpoint> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = InvalidEndpoint;

    fn try_from(text: String) -> Result<Self, InvalidEndpoint> {
        text.parse()
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Endpoint::Socket(address)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Name { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Socket(address) => address.fmt(f),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address::Socket(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Socket(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<Infallible> for InvalidEndpoint {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.text, self.problem)
    }
}

impl Error for InvalidEndpoint {}
