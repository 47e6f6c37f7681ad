//! Names and sockets of the operating system.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::{Address, Io};

/// The future of a resolver or a dialler.
pub type IoFuture<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Gives the addresses of a name.
///
/// A connector has the system's, [`SystemResolver`], unless it is given another one.
///
/// ```
/// use std::net::SocketAddr;
/// use statem::net::{Connector, IoFuture, Resolve};
///
/// /// Every name is this machine.
/// struct Here;
///
/// impl Resolve for Here {
///     fn resolve(&self, _: &str, port: u16) -> IoFuture<Vec<SocketAddr>> {
///         Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]) })
///     }
/// }
///
/// let connector = Connector::new("db.example:6379").resolver(Here);
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, the best one first. Dropping the future gives up.
    fn resolve(&self, host: &str, port: u16) -> IoFuture<Vec<SocketAddr>>;
}

/// Connects to an address.
///
/// A connector has the system's, [`SystemDialler`], unless it is given another one: for other
/// sockets, for a proxy, for a network that a test simulates.
///
/// ```
/// use statem::net::{Address, Connector, Dial, Io, IoFuture};
///
/// /// Every address is a pipe in memory, the other end of which nobody has.
/// struct Nowhere;
///
/// impl Dial for Nowhere {
///     fn dial(&self, _: &Address) -> IoFuture<Box<dyn Io>> {
///         let (near, _) = tokio::io::duplex(64);
///         Box::pin(async move { Ok(Box::new(near) as Box<dyn Io>) })
///     }
/// }
///
/// let connector = Connector::new("127.0.0.1:4000").dialler(Nowhere);
/// ```
pub trait Dial: Send + Sync + 'static {
    /// Connects to an address. Dropping the future gives up, and closes what it has opened.
    fn dial(&self, address: &Address) -> IoFuture<Box<dyn Io>>;
}

/// Asks the operating system for the addresses of a name, by `getaddrinfo` on tokio's pool of
/// threads.
///
/// A question that is given up goes on in its thread until the system ends it, and its answer is
/// discarded; a runtime that is shut down waits for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> IoFuture<Vec<SocketAddr>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Connects TCP and Unix sockets of the operating system, with these options.
///
/// An option that the system refuses fails the attempt. Unix sockets have none of them.
///
/// ```
/// use std::time::Duration;
/// use statem::net::{Connector, SystemDialler};
///
/// let sockets = SystemDialler::default().keepalive(Duration::from_secs(30));
/// let connector = Connector::new("db.example:6379").dialler(sockets);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct SystemDialler {
    nodelay: bool,
    keepalive: Option<Duration>,
    #[cfg(any(target_os = "android", target_os = "linux"))]
    user_timeout: Option<Duration>,
}

impl SystemDialler {
    /// Whether small writes leave at once (`TCP_NODELAY`): yes by default, since a link writes once
    /// a turn.
    pub fn nodelay(mut self, on: bool) -> Self {
        self.nodelay = on;
        self
    }

    /// Has the system ask a peer that is silent for this long whether it is still there, and again
    /// after each tenth of it (`SO_KEEPALIVE`); off by default. In seconds: what is below one
    /// counts as one.
    ///
    /// It finds out nothing while something that was written is not acknowledged; that is what
    /// [`user_timeout`](Self::user_timeout) is for.
    pub fn keepalive(mut self, idle: Duration) -> Self {
        self.keepalive = Some(idle);
        self
    }

    /// Has the system end a connection where nothing that was written has been acknowledged for
    /// this long (`TCP_USER_TIMEOUT`, in milliseconds); off by default, which is about a quarter of
    /// an hour. Linux and Android have it.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn user_timeout(mut self, limit: Duration) -> Self {
        self.user_timeout = Some(limit);
        self
    }

    async fn tcp(self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        refuse_itself(&stream)?;
        self.set_options(&stream)?;
        Ok(stream)
    }

    fn set_options(self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(self.nodelay)?;
        let socket = SockRef::from(stream);
        if let Some(idle) = self.keepalive {
            let second = Duration::from_secs(1);
            let keepalive = TcpKeepalive::new().with_time(idle.max(second));
            socket.set_tcp_keepalive(&keepalive.with_interval((idle / 10).max(second)))?;
        }
        #[cfg(any(target_os = "android", target_os = "linux"))]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }
}

impl Default for SystemDialler {
    fn default() -> Self {
        SystemDialler {
            nodelay: true,
            keepalive: None,
            #[cfg(any(target_os = "android", target_os = "linux"))]
            user_timeout: None,
        }
    }
}

impl Dial for SystemDialler {
    fn dial(&self, address: &Address) -> IoFuture<Box<dyn Io>> {
        let (options, address) = (*self, address.clone());
        Box::pin(async move {
            match address {
                Address::Socket(address) => {
                    Ok(Box::new(options.tcp(address).await?) as Box<dyn Io>)
                }
                #[cfg(unix)]
                Address::Unix(path) => {
                    Ok(Box::new(tokio::net::UnixStream::connect(path).await?) as Box<dyn Io>)
                }
                #[cfg(not(unix))]
                Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        })
    }
}

/// Where nobody listens, a system that happens to choose the port dialled for the near end as well
/// connects the socket to itself. A machine that tries often meets this, and then keeps the server
/// from its own port.
fn refuse_itself(stream: &TcpStream) -> io::Result<()> {
    if stream.local_addr()? == stream.peer_addr()? {
        // Closed otherwise it would keep the port for another minute, as one that waits for late
        // packets.
        let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        return Err(io::Error::new(
            io::ErrorKind::ConnectionRefused,
            "nobody listens there: the socket was connected to itself",
        ));
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Whether small writes leave at once, when a silent peer is asked, and how long a silent one
    /// may acknowledge nothing, as the system has it.
    async fn options(
        dialler: SystemDialler,
    ) -> io::Result<(bool, Option<Duration>, Option<Duration>)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let stream = dialler.tcp(listener.local_addr()?).await?;
        let socket = SockRef::from(&stream);
        let idle = if socket.keepalive()? {
            Some(socket.tcp_keepalive_time()?)
        } else {
            None
        };
        Ok((stream.nodelay()?, idle, socket.tcp_user_timeout()?))
    }

    #[tokio::test]
    async fn a_socket_has_the_options_that_were_asked_for() -> io::Result<()> {
        let seconds = Duration::from_secs;
        let none = SystemDialler::default();
        assert_eq!(options(none).await?, (true, None, None));
        let all = none
            .nodelay(false)
            .keepalive(seconds(30))
            .user_timeout(seconds(10));
        let expected = (false, Some(seconds(30)), Some(seconds(10)));
        assert_eq!(options(all).await?, expected);
        let short = none.keepalive(Duration::from_millis(10));
        assert_eq!(options(short).await?.1, Some(seconds(1)));
        Ok(())
    }

    #[tokio::test]
    async fn a_socket_that_was_connected_to_itself_is_refused() -> io::Result<()> {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let address = socket.local_addr()?;
        let stream = socket.connect(address).await?;
        let error = refuse_itself(&stream).expect_err("both ends are one");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        refuse_itself(&TcpStream::connect(listener.local_addr()?).await?)
    }

    #[tokio::test]
    async fn a_socket_that_was_connected_to_itself_leaves_the_port_to_the_server() -> io::Result<()>
    {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let address = socket.local_addr()?;
        let stream = socket.connect(address).await?;
        refuse_itself(&stream).expect_err("both ends are one");
        drop(stream);
        tokio::net::TcpListener::bind(address).await?;
        Ok(())
    }
}
