//! A network in memory, for the tests of the whole client.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use statem::net::{Address, Connector, Dial, Io, IoFuture};
use tokio::io::ReadBuf;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::machine::{Dns, Settings};
use super::outcome::Over;
use super::responder::{Zone, connection};
use super::udp::{Datagrams, Network};

/// Servers with what they know, and what becomes of what is sent to them. A clone is the same one.
#[derive(Clone, Default)]
pub(super) struct Memory {
    pub(super) servers: Vec<(SocketAddr, Zone)>,
    /// How long a server keeps a connection on which nothing is asked.
    pub(super) server_idle: Duration,
    /// No socket can be had.
    pub(super) broken: bool,
    /// Nobody listens at the first server.
    pub(super) first_is_down: bool,
    /// Of the datagrams that were sent.
    pub(super) ids: Arc<Mutex<Vec<u16>>>,
}

/// A socket in memory.
struct Socket {
    network: Memory,
    server: SocketAddr,
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
    receiver: Mutex<mpsc::Receiver<io::Result<Vec<u8>>>>,
    /// What is under way goes with the socket.
    tasks: Mutex<JoinSet<()>>,
}

/// Connections in memory; they are served as long as there is anybody who may connect.
struct Dialler {
    network: Memory,
    tasks: Mutex<JoinSet<io::Result<()>>>,
}

impl Memory {
    pub(super) fn of(zones: &[&Zone]) -> Self {
        let servers = zones.iter().zip(1..);
        let address = |n: u8| SocketAddr::from(([192, 0, 2, n], 53));
        Memory {
            servers: servers
                .map(|(zone, n)| (address(n), (*zone).clone()))
                .collect(),
            server_idle: Duration::from_secs(60),
            ..Memory::default()
        }
    }

    pub(super) fn settings(&self) -> Settings {
        let servers = self.servers.iter().map(|(address, _)| *address);
        Settings {
            seed: Some(1),
            ..Settings::new(servers.collect())
        }
    }

    pub(super) fn start(&self) -> Dns {
        Dns::start(self.settings(), self.clone())
    }

    fn is_down(&self, server: SocketAddr) -> bool {
        self.first_is_down && self.servers[0].0 == server
    }

    fn zone(&self, server: SocketAddr) -> Zone {
        let found = self.servers.iter().find(|(address, _)| *address == server);
        found.expect("only these are asked").1.clone()
    }
}

impl Network for Memory {
    fn datagrams(&self, server: SocketAddr) -> IoFuture<Arc<dyn Datagrams>> {
        let (sender, receiver) = mpsc::channel(1024);
        let socket = Socket {
            network: self.clone(),
            server,
            sender,
            receiver: Mutex::new(receiver),
            tasks: Mutex::default(),
        };
        let opened = if self.broken {
            Err(io::ErrorKind::PermissionDenied.into())
        } else {
            Ok(Arc::new(socket) as Arc<dyn Datagrams>)
        };
        Box::pin(async { opened })
    }

    fn connector(&self, server: SocketAddr) -> Connector {
        Connector::new(server).dialler(Dialler {
            network: self.clone(),
            tasks: Mutex::default(),
        })
    }
}

impl Datagrams for Socket {
    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let id = u16::from_be_bytes([datagram[0], datagram[1]]);
        self.network.ids.lock().unwrap().push(id);
        if self.network.is_down(self.server) {
            self.sender
                .try_send(Err(io::ErrorKind::ConnectionRefused.into()))
                .unwrap();
            return Ok(());
        }
        for reaction in self.network.zone(self.server).react(datagram, Over::Udp) {
            let (after, bytes) = reaction.datagram();
            if after.is_zero() {
                self.sender.try_send(Ok(bytes)).unwrap();
            } else {
                let sender = self.sender.clone();
                self.tasks.lock().unwrap().spawn(async move {
                    sleep(after).await;
                    drop(sender.send(Ok(bytes)).await);
                });
            }
        }
        Ok(())
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let received = self.receiver.lock().unwrap().poll_recv(cx);
        received.map(|item| {
            buffer.put_slice(&item.expect("the socket has a sender")?);
            Ok(())
        })
    }
}

impl Dial for Dialler {
    fn dial(&self, address: &Address) -> IoFuture<Box<dyn Io>> {
        let Address::Socket(server) = *address else {
            panic!("{address} is no address of a server")
        };
        if self.network.is_down(server) {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (near, far) = tokio::io::duplex(64 * 1024);
        let serve = connection(far, self.network.zone(server), self.network.server_idle);
        self.tasks.lock().unwrap().spawn(serve);
        Box::pin(async { Ok(Box::new(near) as Box<dyn Io>) })
    }
}
