//! A real Redis server, for the tests that talk to one.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use statem_examples::redis_client::traffic::now;
use tokio::time::Instant;

/// A Redis of this test's own, ended with this value, whatever becomes of the test.
pub(crate) struct Server {
    port: u16,
    /// `None` while it is down.
    pub(crate) process: Option<Child>,
    folder: Folder,
    options: Vec<String>,
}

/// A folder that goes with this value.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Server {
    /// Starts one on a free port; ready when this returns.
    pub(crate) fn start(name: &str) -> Self {
        Server::start_with(name, |_, _| Vec::new())
    }

    /// The same with more options, which may name its folder and another free port.
    pub(crate) fn start_with(name: &str, options: impl FnOnce(&Path, u16) -> Vec<String>) -> Self {
        let folder = std::env::temp_dir().join(format!("statem-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder of the server can be made");
        let folder = Folder(folder);
        let options = options(&folder.0, free_port());
        let mut server = Server {
            port: free_port(),
            process: None,
            folder,
            options,
        };
        server.launch();
        server
    }

    /// Starts it, empty, when it is down, and gives the time from which on it accepted.
    pub(crate) fn launch(&mut self) -> Instant {
        self.process = Some(launch(self.port, &self.folder.0, &self.options));
        self.wait_until_up()
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn wait_until_up(&mut self) -> Instant {
        for _ in 0..1000 {
            let began = now();
            if self.ping().is_ok() {
                return began;
            }
            let process = self.process.as_mut().expect("it was launched");
            if let Some(status) = process.try_wait().expect("it can be asked for") {
                panic!("redis-server ended at once: {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    fn ping(&self) -> std::io::Result<()> {
        let mut socket = TcpStream::connect(self.address())?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        socket.read_exact(&mut answer)?;
        // One that wants a password says so.
        assert!(&answer == b"+PONG\r\n" || &answer == b"-NOAUTH");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn launch(port: u16, folder: &Path, options: &[String]) -> Child {
    let port = port.to_string();
    let arguments = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--dir",
    ];
    let started = Command::new("redis-server")
        .args(arguments)
        .arg(folder)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    started.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!(
            "`redis-server` is not installed, and this test talks to a real one: `apt-get install redis-server`, \
             or run `bash .ci/test`, which does it"
        ),
        _ => panic!("redis-server does not start: {error}"),
    })
}

/// A port that nobody uses, below those that the system gives to clients: one of them dialling the
/// server while it is down could be given its port.
fn free_port() -> u16 {
    // Tests of one program run at the same time, so none is given a port that another was.
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).expect("it is small");
    let next = || first + GIVEN.fetch_add(1, Ordering::Relaxed);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let mut ports = std::iter::repeat_with(next).take(2_000);
    ports.find(free).expect("a port is free")
}
