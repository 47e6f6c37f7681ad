//! F08: TLS fails, in each of its ways.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use statem::net::{
    CloseReason, ConnectCause, Connector, Io, Lost, NotSent, RequestError, Tls, TlsAcceptor,
    TlsError, Unknown,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::caller::{FIRST, How, Rig, Told};
use crate::support::failed;
use crate::support::memory::{Fate, Network};
use crate::support::protocol::{Lines, Manners};
use crate::support::row::Row;
use crate::support::time::{millis, until, within};

/// How long a handshake may take that is waited for on a paused clock.
const SILENCE: Duration = millis(100);

/// A server's side of TLS, and a client's that trusts it.
pub(crate) fn pair() -> (TlsAcceptor, Tls) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate], key).unwrap();
    (
        TlsAcceptor::new(Arc::new(server)),
        Tls::new(Arc::new(client)),
    )
}

/// What the server does with its first connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    SpeaksPlain,
    CutsTheHandshake,
    IsSilent,
    IsAnother,
    /// Answers once and is gone without `close_notify`.
    IsGone,
    /// Answers once and says goodbye.
    SaysGoodbye,
}

/// One client whose first connection meets this peer: what a call is told that is in flight, or, if
/// there is no connection, one that fails fast. It must work in the end.
async fn meets(peer: Peer) -> Told {
    let mut rig = Rig::default();
    let (acceptor, tls) = pair();
    let (other, _) = pair();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    rig.watch_port(address.port());
    let server = rig.server(crate::support::server::Conduct::default());
    let (works, ledger) = (server.clone(), rig.ledger.clone());
    let tasks = rig.tasks.clone();
    rig.tasks.spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        misbehave(peer, first, &acceptor, &other, &ledger).await;
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, works) = (acceptor.clone(), works.clone());
            tasks.spawn(async move {
                if let Ok(io) = acceptor.accept(socket).await {
                    works.serve(io).await;
                }
            });
        }
    });
    let connector = Connector::new(address).tls(tls).tls_timeout(millis(100));
    // Only the first attempt is of interest, so the next one comes late enough to be seen.
    let backoff = statem::Backoff::default()
        .first(millis(400))
        .cap(millis(400));
    let caller = rig.start(Lines(Manners::default()), connector, |b| {
        b.backoff(backoff).seed(4)
    });
    let told = if matches!(peer, Peer::IsGone | Peer::SaysGoodbye) {
        caller.works().await;
        caller.ask(How::default()).await
    } else {
        until("the attempt has failed", || {
            caller.counts().connects_failed == 1
        })
        .await;
        caller.ask(How::fails_fast()).await
    };
    caller.works().await;
    rig.end(caller).await;
    told
}

async fn misbehave(
    peer: Peer,
    mut socket: TcpStream,
    acceptor: &TlsAcceptor,
    other: &TlsAcceptor,
    ledger: &crate::support::ledger::Ledger,
) {
    match peer {
        Peer::SpeaksPlain => {
            socket.write_all(b"-ERR no TLS here\r\n").await.unwrap();
            let _ = within(
                Duration::from_secs(5),
                "the client hangs up",
                rest(&mut socket),
            )
            .await;
        }
        Peer::CutsTheHandshake => {
            // All of the hello is read, so that closing is no reset.
            let mut hello = vec![0; 16 * 1024];
            assert!(socket.read(&mut hello).await.unwrap() > 5);
        }
        Peer::IsSilent => drop(
            within(
                Duration::from_secs(5),
                "the client hangs up",
                rest(&mut socket),
            )
            .await,
        ),
        Peer::IsAnother => drop(other.accept(socket).await),
        Peer::IsGone | Peer::SaysGoodbye => {
            let mut io: Box<dyn Io> = acceptor.accept(socket).await.unwrap();
            for answers in [true, false] {
                let mut line = Vec::new();
                while line.last() != Some(&b'\n') {
                    line.push(io.read_u8().await.unwrap());
                }
                let key = std::str::from_utf8(&line).unwrap().trim();
                ledger.execute(key.parse().unwrap());
                if answers {
                    io.write_all(format!("={key}\n").as_bytes()).await.unwrap();
                    io.flush().await.unwrap();
                }
            }
            if peer == Peer::SaysGoodbye {
                io.shutdown().await.unwrap();
            }
        }
    }
}

async fn rest(socket: &mut TcpStream) -> std::io::Result<usize> {
    socket.read_to_end(&mut Vec::new()).await
}

/// A peer that meets every attempt so, on a paused clock: the time between two attempts, without what
/// the attempt itself took.
async fn delays(peer: Peer) -> Vec<Duration> {
    let mut rig = Rig::default();
    let (_, tls) = pair();
    let (other, _) = pair();
    let tasks = rig.tasks.clone();
    let network = Network::new(&rig.tasks, move |_| {
        let (near, mut far) = tokio::io::duplex(16 * 1024);
        let other = other.clone();
        tasks.spawn(async move {
            match peer {
                Peer::SpeaksPlain => far.write_all(b"-ERR no TLS here\r\n").await.unwrap(),
                Peer::IsAnother => drop(other.accept(far).await),
                Peer::IsSilent => drop(far.read_to_end(&mut Vec::new()).await),
                _ => {}
            }
        });
        Fate::Wired(Box::new(near))
    });
    rig.watch(&network);
    let connector = network.connector().tls(tls).tls_timeout(SILENCE);
    let caller = rig.start(Lines(Manners::default()), connector, |b| b);
    until("it was tried ten times", || network.attempts() == 10).await;
    let took = match peer {
        Peer::IsSilent => SILENCE,
        _ => Duration::ZERO,
    };
    let dialled = network.dialled();
    rig.end(caller).await;
    let pairs = dialled.windows(2);
    pairs.map(|pair| pair[1].at - pair[0].at - took).collect()
}

#[tokio::test(start_paused = true)]
async fn f08_after_each_failure_of_tls_the_next_delay_may_be_longer() {
    // The same seed as those of the client whose attempts are refused.
    let refused = {
        let mut rig = Rig::default();
        let network = Network::new(&rig.tasks, |_| Fate::Refused);
        rig.watch(&network);
        let caller = rig.start(Lines(Manners::default()), network.connector(), |b| b);
        until("it was tried ten times", || network.attempts() == 10).await;
        let dialled = network.dialled();
        rig.end(caller).await;
        let pairs = dialled.windows(2);
        pairs
            .map(|pair| pair[1].at - pair[0].at)
            .collect::<Vec<_>>()
    };
    assert!(
        refused.iter().any(|delay| *delay > 4 * FIRST),
        "{refused:?}"
    );
    for peer in [
        Peer::SpeaksPlain,
        Peer::CutsTheHandshake,
        Peer::IsSilent,
        Peer::IsAnother,
    ] {
        assert_eq!(delays(peer).await, refused, "{peer:?}");
    }
}

/// Why the attempt has failed.
fn cause(told: &Told) -> &ConnectCause {
    let Err(RequestError::NotSent(NotSent::Disconnected(lost))) = told else {
        panic!("{told:?}")
    };
    let Lost::Connect(error) = &**lost else {
        panic!("{lost:?}")
    };
    &error.failures()[0].cause
}

#[tokio::test]
async fn f08_tls_fails() {
    let mut row = Row::new(
        "F08",
        "TLS fails: plain bytes, an abrupt end, silence, a stranger",
        "loopback",
    );
    let told = meets(Peer::SpeaksPlain).await;
    assert!(
        matches!(cause(&told), ConnectCause::Tls(TlsError::NotTls(_))),
        "{told:?}"
    );
    row.told("plain bytes, to fail fast", told.as_ref().unwrap_err());
    let told = meets(Peer::CutsTheHandshake).await;
    assert!(
        matches!(cause(&told), ConnectCause::Tls(TlsError::Cut)),
        "{told:?}"
    );
    row.told("an end within the handshake", told.as_ref().unwrap_err());
    let told = meets(Peer::IsSilent).await;
    assert!(
        matches!(cause(&told), ConnectCause::TlsTimedOut(_)),
        "{told:?}"
    );
    row.told("silence", told.as_ref().unwrap_err());
    let told = meets(Peer::IsAnother).await;
    assert!(
        matches!(cause(&told), ConnectCause::Tls(TlsError::Refused(_))),
        "{told:?}"
    );
    let told = meets(Peer::IsGone).await;
    let error = failed!(told, RequestError::Unknown(Unknown::Lost(_)));
    assert!(!is_end(error), "no close_notify: {error:?}");
    row.told("an end without close_notify, in flight", error);
    let told = meets(Peer::SaysGoodbye).await;
    let error = failed!(told, RequestError::Unknown(Unknown::Lost(_)));
    assert!(is_end(error), "close_notify: {error:?}");
    row.told("and with it", error);
    row.end();
}

fn is_end(error: &RequestError) -> bool {
    let RequestError::Unknown(Unknown::Lost(lost)) = error else {
        return false;
    };
    matches!(**lost, Lost::Closed(CloseReason::End))
}
