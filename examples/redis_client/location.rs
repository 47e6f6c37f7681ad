//! Where a Redis is and how it is spoken to, as a URL says it.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use statem::net::{Connector, Endpoint, Tls};
use url::Url;

/// Where a Redis is and how it is spoken to.
///
/// | URL | |
/// |---|---|
/// | `redis://user:password@host:6379/0` | user, password, port and database may be left out |
/// | `rediss://host` | with TLS |
/// | `unix:///path?user=..&password=..&db=0` | a Unix socket |
///
/// `?protocol=resp2` speaks version 2 of the protocol. Otherwise it is version 3, and version 2 with
/// a server that knows no other.
#[derive(Clone)]
pub struct Location {
    connector: Connector,
    tls: bool,
    trusted: Vec<CertificateDer<'static>>,
    pub(super) credentials: Option<Credentials>,
    pub(super) database: u32,
    pub(super) version: Version,
}

/// Who logs in.
#[derive(Clone)]
pub(super) struct Credentials {
    /// The default user, if there is none.
    pub(super) user: Option<String>,
    pub(super) password: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Two,
    Three,
}

/// A text that is not the URL of a Redis. It does not repeat the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl(String);

impl Location {
    /// Trusts these certificates, in the format PEM, in place of those that the operating system
    /// trusts.
    ///
    /// # Errors
    ///
    /// If it is none or is no certificate.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        self.trusted.extend(certificates?);
        if self.trusted.is_empty() {
            return Err("there is no certificate".into());
        }
        Ok(self)
    }

    /// Connects otherwise: with other limits, to other servers if this one is away, through a proxy.
    #[must_use]
    pub fn connect_by(mut self, change: impl FnOnce(Connector) -> Connector) -> Self {
        self.connector = change(self.connector);
        self
    }

    /// What connects to it.
    pub(super) fn connector(&self) -> Result<Connector, Box<dyn Error + Send + Sync>> {
        let connector = self.connector.clone();
        if !self.tls {
            return Ok(connector);
        }
        let mut roots = RootCertStore::empty();
        if self.trusted.is_empty() {
            // A computer has some that are of no use, which is no reason to do without the others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for certificate in &self.trusted {
            roots.add(certificate.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(connector.tls(Tls::new(Arc::new(config))))
    }
}

impl FromStr for Location {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let url = Url::parse(text).map_err(|error| InvalidUrl(error.to_string()))?;
        let mut location = match url.scheme() {
            "redis" | "rediss" => Location::of_host(&url)?,
            "unix" | "redis+unix" => Location::of_path(&url)?,
            other => {
                let text = format!("`{other}` is none of `redis`, `rediss` and `unix`");
                return Err(InvalidUrl(text));
            }
        };
        let mut user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
        let mut password = url.password().map(decoded).transpose()?;
        for (name, value) in url.query_pairs() {
            match &*name {
                "db" => location.database = database(&value)?,
                "user" => user = Some(value.into_owned()),
                "password" | "pass" => password = Some(value.into_owned()),
                "protocol" => location.version = version(&value)?,
                _ => return Err(InvalidUrl(format!("`{name}` is no option"))),
            }
        }
        location.credentials = match (user, password) {
            (user, Some(password)) => Some(Credentials { user, password }),
            (Some(_), None) => return Err(InvalidUrl("there is a user and no password".into())),
            (None, None) => None,
        };
        Ok(location)
    }
}

impl Location {
    fn of_host(url: &Url) -> Result<Self, InvalidUrl> {
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| InvalidUrl("there is no host".into()))?;
        let endpoint = format!("{host}:{}", url.port().unwrap_or(6379));
        let endpoint = endpoint.parse::<Endpoint>();
        let mut location = Location::at(endpoint.map_err(|error| InvalidUrl(error.to_string()))?);
        location.tls = url.scheme() == "rediss";
        let path = url.path().trim_start_matches('/');
        if !path.is_empty() {
            location.database = database(path)?;
        }
        Ok(location)
    }

    fn of_path(url: &Url) -> Result<Self, InvalidUrl> {
        if url.host_str().is_some_and(|host| !host.is_empty()) {
            return Err(InvalidUrl(
                "a path begins with a slash: `unix:///path`".into(),
            ));
        }
        let path = decoded(url.path())?;
        if path.trim_start_matches('/').is_empty() {
            return Err(InvalidUrl("there is no path".into()));
        }
        Ok(Location::at(Endpoint::Unix(path.into())))
    }

    fn at(endpoint: Endpoint) -> Self {
        Location {
            connector: Connector::new(endpoint),
            tls: false,
            trusted: Vec::new(),
            credentials: None,
            database: 0,
            version: Version::Three,
        }
    }
}

fn decoded(text: &str) -> Result<String, InvalidUrl> {
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(InvalidUrl("what is escaped by `%` is not UTF-8".into())),
    }
}

fn database(text: &str) -> Result<u32, InvalidUrl> {
    text.parse()
        .map_err(|_| InvalidUrl(format!("`{text}` is no number of a database")))
}

fn version(text: &str) -> Result<Version, InvalidUrl> {
    match text {
        "resp2" | "2" => Ok(Version::Two),
        "resp3" | "3" => Ok(Version::Three),
        _ => Err(InvalidUrl(format!(
            "`{text}` is neither `resp2` nor `resp3`"
        ))),
    }
}

/// Without the password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self
            .credentials
            .as_ref()
            .map(|credentials| &credentials.user);
        f.debug_struct("Location")
            .field("connector", &self.connector)
            .field("tls", &self.tls)
            .field("user", &user)
            .field("database", &self.database)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the URL of a Redis server: {}", self.0)
    }
}

impl Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Location {
        url.parse().expect(url)
    }

    #[test]
    fn a_url_says_where_and_how() {
        for (url, endpoint, tls, database) in [
            ("redis://localhost", "localhost:6379", false, 0),
            ("redis://10.0.0.1:7000/3", "10.0.0.1:7000", false, 3),
            ("rediss://[::1]:7000/", "[::1]:7000", true, 0),
            (
                "unix:///run/my%20redis.sock?db=2",
                "unix:/run/my redis.sock",
                false,
                2,
            ),
            (
                "redis+unix:///run/redis.sock",
                "unix:/run/redis.sock",
                false,
                0,
            ),
        ] {
            let location = read(url);
            let connector = format!("{:?}", Connector::new(endpoint));
            assert_eq!(format!("{:?}", location.connector), connector, "{url}");
            assert_eq!((location.tls, location.database), (tls, database), "{url}");
            assert!(location.credentials.is_none(), "{url}");
            assert_eq!(location.version, Version::Three, "{url}");
        }
        assert_eq!(read("redis://a?protocol=resp2").version, Version::Two);
    }

    #[test]
    fn who_logs_in_is_never_shown() {
        for (url, user) in [
            ("redis://me:p%40ss%2F@a", Some("me")),
            ("redis://:p%40ss%2F@a", None),
            ("unix:///a?user=me&password=p%40ss%2F", Some("me")),
        ] {
            let location = read(url);
            assert!(!format!("{location:?}").contains("p@ss"), "{location:?}");
            let credentials = location.credentials.expect(url);
            assert_eq!(credentials.password, "p@ss/", "{url}");
            assert_eq!(credentials.user.as_deref(), user, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_redis_is_named_and_the_password_is_not() {
        for (url, why) in [
            ("localhost:6379", "`localhost` is none of"),
            ("http://a", "`http` is none of"),
            ("redis://me:secret@", "host"),
            ("redis://:secret@a:99999", "port"),
            ("redis://:secret@a/x", "`x` is no number of a database"),
            ("redis://:secret@a?x=1", "`x` is no option"),
            ("redis://:secret@a?protocol=4", "neither"),
            ("redis://me@a", "no password"),
            ("unix://run/redis.sock", "slash"),
            ("unix://", "no path"),
        ] {
            let error = url.parse::<Location>().expect_err(url).to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        assert!(read("rediss://a").trust(b"no certificate").is_err());
    }
}
