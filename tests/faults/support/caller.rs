//! Callers of a client, whose every call is in the ledger, and the end of every row.

use std::future::IntoFuture;
use std::time::Duration;

use statem::Backoff;
use statem::Status;
use statem::net::{Client, ClientBuilder, ClientCounts, Connector, Policy, Protocol, RequestError};
use tokio::task::JoinHandle;

use super::count::{no_socket_is_left, no_task_is_left};
use super::ledger::{Ledger, Outcome};
use super::memory::Network;
use super::protocol::Ask;
use super::row::tell;
use super::server::{Conduct, Server};
use super::tasks::Tasks;
use super::time::{millis, until, within};

/// The first delay, and the longest, of the clients of the rows.
pub(crate) const FIRST: Duration = millis(50);
pub(crate) const CAP: Duration = millis(1000);

/// What all rows have.
#[derive(Default)]
pub(crate) struct Rig {
    pub(crate) ledger: Ledger,
    pub(crate) tasks: Tasks,
    networks: Vec<Network>,
    ports: Vec<u16>,
    _says_how: SaysHow,
}

/// Says how a row that fails is run again.
#[derive(Default)]
struct SaysHow;

impl Drop for SaysHow {
    fn drop(&mut self) {
        let thread = std::thread::current();
        if let (true, Some(test)) = (std::thread::panicking(), thread.name()) {
            let command = format!("cargo test -p statem-tests --test faults {test} -- --exact");
            tell(test, format!("failed: `{command}` makes it again"));
        }
    }
}

impl Rig {
    /// Another one whose calls are in the same ledger, for another runtime.
    pub(crate) fn beside(ledger: &Ledger) -> Self {
        Rig {
            ledger: ledger.clone(),
            ..Rig::default()
        }
    }

    pub(crate) fn server(&self, conduct: Conduct) -> Server {
        Server::new(&self.ledger, conduct)
    }

    /// A network whose connections must be closed in the end.
    pub(crate) fn watch(&mut self, network: &Network) {
        self.networks.push(network.clone());
    }

    /// A port whose sockets must be closed in the end.
    pub(crate) fn watch_port(&mut self, port: u16) {
        self.ports.push(port);
    }

    /// A client with the short delays of the tests; `change` says what else differs.
    pub(crate) fn start<P: Speaks>(
        &self,
        protocol: P,
        peer: impl Into<Connector>,
        change: impl FnOnce(ClientBuilder<P>) -> ClientBuilder<P>,
    ) -> Caller<P> {
        let backoff = Backoff::default().first(FIRST).cap(CAP);
        let builder = Client::builder(protocol, peer).backoff(backoff).seed(1);
        Caller {
            client: change(builder).start(),
            ledger: self.ledger.clone(),
        }
    }

    /// Ends the client and the servers, and checks what every row must hold: one outcome a call, no
    /// answer of another's, nothing executed that was not sent, counters that balance, and neither
    /// a task nor a socket left.
    pub(crate) async fn end<P: Speaks>(self, caller: Caller<P>) -> ClientCounts {
        within(millis(5_000), "the client stops", caller.client.stop()).await;
        until("every call has its outcome", || self.ledger.open() == 0).await;
        let counts = caller.client.counts();
        balanced(&counts);
        assert_eq!(counts.ups, counts.downs, "each up has its down: {counts:?}");
        assert_eq!(
            counts.ok,
            self.ledger.count(Outcome::Ok) as u64,
            "the callers had what was counted: {counts:?}"
        );
        drop(caller);
        self.end_without().await;
        counts
    }

    /// As [`Rig::end`], in a simulated network, which owns the sockets and the other tasks.
    pub(crate) async fn end_in_simulation<P: Speaks>(self, caller: Caller<P>) {
        within(millis(5_000), "the client stops", caller.client.stop()).await;
        until("every call has its outcome", || self.ledger.open() == 0).await;
        balanced(&caller.counts());
        let established = || turmoil::established_tcp_stream_count_on("client");
        until("the client's connections are closed", || established() == 0).await;
    }

    /// As [`Rig::end`], for a test that has dropped its client.
    pub(crate) async fn end_without(self) {
        for network in &self.networks {
            until("the client's connections are closed", || {
                network.open() == 0
            })
            .await;
        }
        self.tasks.end().await;
        no_task_is_left().await;
        for port in self.ports {
            no_socket_is_left(port).await;
        }
        self.ledger.check();
    }
}

/// What is counted of a client that has nothing waiting and nothing in flight (F44).
#[track_caller]
pub(crate) fn balanced(counts: &ClientCounts) {
    assert_eq!(counts.accepted, counts.sent + counts.not_sent, "{counts:?}");
    let ended = counts.ok + counts.unknown + counts.protocol + counts.stopped;
    assert_eq!(counts.sent, ended, "{counts:?}");
    let attempts = counts.connects_succeeded + counts.connects_failed + counts.connects_abandoned;
    assert_eq!(counts.connects, attempts, "{counts:?}");
}

/// The protocols of the tests.
pub(crate) trait Speaks: Protocol<Request = Ask, Response = u64> {}

impl<P: Protocol<Request = Ask, Response = u64>> Speaks for P {}

/// A client, and the ledger of its calls.
pub(crate) struct Caller<P: Speaks> {
    pub(crate) client: Client<P>,
    pub(crate) ledger: Ledger,
}

impl<P: Speaks> Clone for Caller<P> {
    fn clone(&self) -> Self {
        Caller {
            client: self.client.clone(),
            ledger: self.ledger.clone(),
        }
    }
}

/// How a call is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub(crate) policy: Option<Policy>,
    pub(crate) limit: Option<Duration>,
    pub(crate) padding: usize,
    pub(crate) long: bool,
    pub(crate) again: bool,
    pub(crate) bad: bool,
}

impl How {
    pub(crate) fn fails_fast() -> Self {
        How {
            policy: Some(Policy::FailFast),
            ..How::default()
        }
    }

    pub(crate) fn within(limit: Duration) -> Self {
        How {
            limit: Some(limit),
            ..How::default()
        }
    }
}

pub(crate) type Told = Result<u64, RequestError>;

impl<P: Speaks> Caller<P> {
    /// One call. Its key is taken here, so calls are numbered as they are made.
    pub(crate) fn ask(&self, how: How) -> impl Future<Output = Told> + Send + use<P> {
        let begun = self.ledger.begin();
        if how.again {
            self.ledger.may_run_twice(begun.key);
        }
        let client = self.client.clone();
        async move {
            let ask = Ask {
                padding: how.padding,
                long: how.long,
                again: how.again,
                bad: how.bad,
                ..Ask::run(begun.key)
            };
            let mut call = client.call(ask);
            if let Some(policy) = how.policy {
                call = call.policy(policy);
            }
            if let Some(limit) = how.limit {
                call = call.limit(limit);
            }
            let told = call.into_future().await;
            begun.end(&told);
            told
        }
    }

    /// One call in a task of its own.
    pub(crate) fn spawn(&self, how: How) -> JoinHandle<Told> {
        tokio::spawn(self.ask(how))
    }

    /// Many calls, each in a task of its own.
    pub(crate) fn spawn_many(&self, count: usize, how: How) -> Vec<JoinHandle<Told>> {
        (0..count).map(|_| self.spawn(how)).collect()
    }

    /// Waits for the first connection.
    pub(crate) async fn ready(&self) {
        within(
            millis(20_000),
            "the client is connected",
            self.client.ready(),
        )
        .await
        .expect("the client runs");
    }

    /// One call that must be answered, soon.
    pub(crate) async fn works(&self) {
        let told = within(
            millis(20_000),
            "a call is answered",
            self.ask(How::default()),
        )
        .await;
        assert!(told.is_ok(), "{told:?}");
    }

    pub(crate) fn counts(&self) -> ClientCounts {
        self.client.counts()
    }

    /// Whether it is in this state.
    pub(crate) fn is(&self, state: &str) -> bool {
        matches!(self.client.status(), Status::Running(name) if name == state)
    }

    pub(crate) async fn until_in(&self, state: &str) {
        until(format!("the client is {state}"), || self.is(state)).await;
    }
}

/// What the tasks of calls were told, in their order.
pub(crate) async fn all(calls: Vec<JoinHandle<Told>>) -> Vec<Told> {
    let mut told = Vec::with_capacity(calls.len());
    for call in calls {
        told.push(
            within(millis(60_000), "a call ends", call)
                .await
                .expect("no call panics"),
        );
    }
    told
}
