//! A real DNS server, for the tests that talk to one.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A dnsmasq of this test's own, ended with this value, whatever becomes of the test.
///
/// It knows `example.test`, with an address and where its mail goes; `www.example.test`, an alias;
/// and `big.example.test`, with forty texts that do not fit into a datagram. No other name of `test`
/// is there.
pub(crate) struct Server {
    port: u16,
    process: Child,
}

impl Server {
    /// Starts one on a free port; ready when this returns.
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut server = Server {
            port,
            process: launch(port),
        };
        server.wait_until_up();
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn wait_until_up(&mut self) {
        // It listens for datagrams before it listens for connections.
        for _ in 0..1000 {
            if TcpStream::connect(self.address()).is_ok() {
                return;
            }
            if let Some(status) = self.process.try_wait().expect("it can be asked for") {
                panic!("dnsmasq ended at once: {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("dnsmasq does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(port: u16) -> Child {
    let mut arguments: Vec<String> = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--log-facility=-",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        "--local=/test/",
        "--host-record=example.test,192.0.2.1",
        "--mx-host=example.test,mail.example.test,10",
        "--cname=www.example.test,example.test",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--port={port}"));
    arguments.extend((0..40).map(|n| format!("--txt-record=big.example.test,text number {n}")));
    let started = Command::new("dnsmasq")
        .args(arguments)
        .env("PATH", path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!(
            "`dnsmasq` is not installed, and this test talks to a real one: `apt-get install dnsmasq-base`, \
             or run `bash .ci/test`, which does it"
        ),
        _ => panic!("dnsmasq does not start: {error}"),
    })
}

/// With the folder of servers, which is not in everybody's path.
fn path() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    )
}

/// A port that nobody uses, for datagrams and for connections.
fn free_port() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free for both");
}
