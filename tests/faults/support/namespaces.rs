//! Two network namespaces with a cable between them, where packets can be made to vanish: the peer
//! acknowledges nothing, as when the cable is cut. They are nameless and go with their threads.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::mpsc as threads;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::server::Server;
use super::tasks::Tasks;

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PORT: u16 = 4000;

/// The far namespace, by who is in the near one.
#[derive(Clone)]
pub(crate) struct Far {
    orders: mpsc::Sender<Order>,
}

enum Order {
    /// Nothing passes any more on the connections that there are.
    BlackHole(oneshot::Sender<()>),
}

impl Far {
    pub(crate) const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(FAR), PORT);

    /// From here on packets of the connections that there are vanish, in both directions. New ones
    /// work.
    pub(crate) async fn black_hole_existing(&self) {
        let (done, is_done) = oneshot::channel();
        let sent = self.orders.send(Order::BlackHole(done)).await;
        assert!(
            sent.is_ok() && is_done.await.is_ok(),
            "the far namespace has failed"
        );
    }
}

/// Runs a test in the near namespace, with this server in the far one; or says why there are no
/// namespaces here. A panic of the test goes on here.
pub(crate) fn run<F>(
    server: Server,
    test: impl FnOnce(Far) -> F + Send + 'static,
) -> Result<(), String>
where
    F: Future<Output = ()>,
{
    let near = thread::spawn(move || -> Result<(), String> {
        let (made, is_made) = threads::channel();
        let (plugged, is_plugged) = threads::channel();
        let (ready, is_ready) = threads::channel();
        let (orders, received) = mpsc::channel(1);
        let far = thread::spawn(move || far(server, &made, &is_plugged, &ready, received));
        let cable = || -> Result<(), String> {
            let place = is_made
                .recv()
                .map_err(|_| "the far thread has failed".to_owned())??;
            namespace()?;
            ip("link set lo up")?;
            ip(&format!(
                "link add name near0 type veth peer name far0 netns {place}"
            ))?;
            ip(&format!("addr add {NEAR}/24 dev near0"))?;
            ip("link set near0 up")
        };
        let cable = cable();
        let _ = plugged.send(cable.is_ok());
        cable?;
        is_ready
            .recv()
            .map_err(|_| "the far thread has failed".to_owned())??;
        runtime().block_on(test(Far { orders }));
        match far.join() {
            Ok(()) => Ok(()),
            Err(panicked) => std::panic::resume_unwind(panicked),
        }
    });
    near.join()
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
}

/// The far thread.
fn far(
    server: Server,
    made: &threads::Sender<Result<String, String>>,
    is_plugged: &threads::Receiver<bool>,
    ready: &threads::Sender<Result<(), String>>,
    orders: mpsc::Receiver<Order>,
) {
    let place = namespace().and_then(|()| {
        let thread = std::fs::read_link("/proc/thread-self").map_err(|error| error.to_string())?;
        Ok(format!("/proc/{}/ns/net", thread.display()))
    });
    let is_there = place.is_ok();
    drop(made.send(place));
    if !is_there || is_plugged.recv() != Ok(true) {
        return;
    }
    let prepared = [
        "link set lo up".to_owned(),
        format!("addr add {FAR}/24 dev far0"),
        "link set far0 up".to_owned(),
        // Rules are asked before the table of local addresses, which is asked first otherwise, for
        // what comes in too.
        "rule add pref 1000 lookup local".to_owned(),
        "rule del pref 0".to_owned(),
    ];
    let prepared: Result<(), String> = prepared.iter().try_for_each(|command| ip(command));
    runtime().block_on(serve(server, prepared, ready, orders));
}

async fn serve(
    server: Server,
    prepared: Result<(), String>,
    ready: &threads::Sender<Result<(), String>>,
    mut orders: mpsc::Receiver<Order>,
) {
    let listener = match prepared {
        Ok(()) => TcpListener::bind(Far::ADDRESS)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return drop(ready.send(Err(error))),
    };
    drop(ready.send(Ok(())));
    let (tasks, mut clients) = (Tasks::default(), Vec::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (socket, client) = accepted.expect("it listens");
                clients.push(client.port());
                tasks.spawn(server.clone().serve(socket));
            }
            order = orders.recv() => match order {
                Some(Order::BlackHole(done)) => {
                    for client in clients.drain(..) {
                        for (from, to) in [(PORT, client), (client, PORT)] {
                            ip(&format!("rule add pref 10 ipproto tcp sport {from} dport {to} blackhole"))
                                .expect("a rule can be added");
                        }
                    }
                    let _ = done.send(());
                }
                None => return tasks.end().await,
            },
        }
    }
}

fn namespace() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("no namespace: {error}"))
}

/// Runs `ip` in the namespace of this thread.
fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("`ip` does not run: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`ip {arguments}`: {}", said.trim()))
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}
