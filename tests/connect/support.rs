//! Names and addresses that do what a test says, and the trace of what was asked of them.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statem::net::{Address, ConnectError, Connection, Connector, Dial, Io, IoFuture, Resolve};
use tokio::time::{Instant, sleep};

use crate::near::Near;

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks at the paused clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What a name or an address does, after a time: `gives` addresses, `accepts`, `refuses` or `hangs`.
#[derive(Clone)]
enum Does {
    Gives(Vec<SocketAddr>, Duration),
    Accepts(Duration),
    Refuses(Duration),
    Hangs,
}

/// A network, shared with the connectors that use it.
#[derive(Clone)]
pub(crate) struct Network {
    start: Instant,
    does: Arc<Mutex<BTreeMap<String, Does>>>,
    trace: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
}

impl Network {
    /// One line for each name or address: `db gives 10.0.0.1:1 [::1]:1 in 20`,
    /// `10.0.0.1:1 accepts in 5`, `refuses` or `hangs`; times in milliseconds, 0 where there is none.
    /// What is not named refuses at once.
    pub(crate) fn new(lines: &str) -> Self {
        let network = Network {
            start: now(),
            does: Arc::default(),
            trace: Arc::default(),
            open: Arc::default(),
        };
        network.change(lines);
        network
    }

    /// From here on.
    pub(crate) fn change(&self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (what, delay) = line.split_once(" in ").unwrap_or((line, "0"));
            let delay = ms(delay.parse().expect("milliseconds"));
            let mut words = what.split(' ');
            let name = words.next().expect("a name");
            let does = match words.next().expect("what it does") {
                "gives" => {
                    let addresses = words.map(|word| word.parse().expect("an address"));
                    Does::Gives(addresses.collect(), delay)
                }
                "accepts" => Does::Accepts(delay),
                "refuses" => Does::Refuses(delay),
                "hangs" => Does::Hangs,
                other => panic!("nothing does `{other}`"),
            };
            let mut all = self.does.lock().expect("nothing panics");
            all.insert(name.to_owned(), does);
        }
    }

    pub(crate) fn connector(&self, endpoint: &str) -> Connector {
        Connector::new(endpoint)
            .resolver(self.clone())
            .dialler(self.clone())
    }

    /// What was asked since the last look, each with its time in milliseconds.
    pub(crate) fn trace(&self) -> Vec<String> {
        std::mem::take(&mut *self.trace.lock().expect("nothing panics"))
    }

    /// Dials that run, and connections that are held.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// An attempt, and its end in the trace.
    pub(crate) async fn connect(
        &self,
        connector: &mut Connector,
    ) -> Result<Connection, ConnectError> {
        let result = connector.connect().await;
        match &result {
            Ok(connection) => self.note(&format!(
                "connected {} {}",
                connection.endpoint, connection.address
            )),
            Err(error) => self.note(&error.to_string()),
        }
        result
    }

    fn note(&self, what: &str) {
        let at = (now() - self.start).as_millis();
        let mut trace = self.trace.lock().expect("nothing panics");
        trace.push(format!("{at} {what}"));
    }

    fn does(&self, name: &str) -> Does {
        let all = self.does.lock().expect("nothing panics");
        all.get(name).cloned().unwrap_or(Does::Refuses(ms(0)))
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "refused")
}

impl Resolve for Network {
    fn resolve(&self, host: &str, _: u16) -> IoFuture<Vec<SocketAddr>> {
        self.note(&format!("resolve {host}"));
        let does = self.does(host);
        Box::pin(async move {
            match does {
                Does::Gives(addresses, delay) => {
                    sleep(delay).await;
                    Ok(addresses)
                }
                Does::Accepts(delay) | Does::Refuses(delay) => {
                    sleep(delay).await;
                    Err(refused())
                }
                Does::Hangs => pending().await,
            }
        })
    }
}

impl Dial for Network {
    fn dial(&self, address: &Address) -> IoFuture<Box<dyn Io>> {
        let address = address.to_string();
        self.note(&format!("dial {address}"));
        let does = self.does(&address);
        let held = Held::new(&self.open);
        Box::pin(async move {
            match does {
                Does::Accepts(delay) => {
                    sleep(delay).await;
                    let (near, _) = tokio::io::duplex(64);
                    Ok(Box::new(Near::new(near, held)) as Box<dyn Io>)
                }
                Does::Refuses(delay) => {
                    sleep(delay).await;
                    Err(refused())
                }
                Does::Hangs => pending().await,
                Does::Gives(..) => panic!("{address} is no name"),
            }
        })
    }
}

/// Counts what is open.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Held(open.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
