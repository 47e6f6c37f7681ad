//! TLS between this machine and itself, with certificates of the test's own (F08).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use statem::net::{
    ConnectCause, ConnectError, Connector, Endpoint, Io, Tls, TlsAcceptor, TlsError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Network, ms};

/// A server that proves to be `names`, and a client that trusts it.
pub(crate) fn pair(names: &[&str]) -> (TlsAcceptor, Tls) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let certificate = CertificateDer::from(made.cert);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone()).expect("a certificate");
    let client = ClientConfig::builder().with_root_certificates(trusted);
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate], key);
    (
        TlsAcceptor::new(Arc::new(server.expect("the key fits"))),
        Tls::new(Arc::new(client.with_no_client_auth())),
    )
}

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.expect("a connection").0
}

/// A stream that the client has after the handshake, and the server's.
pub(crate) async fn secured(
    address: SocketAddr,
    listener: &TcpListener,
) -> (Box<dyn Io>, Box<dyn Io>) {
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address).tls(tls);
    let server = async { acceptor.accept(accept(listener).await).await };
    let (near, far) = tokio::join!(connector.connect(), server);
    (near.expect("it connects").io, far.expect("the two agree"))
}

fn tls_error(error: &ConnectError) -> &TlsError {
    match &error.failures()[0].cause {
        ConnectCause::Tls(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_written_arrives_at_the_other_end_of_tls() {
    let (listener, address) = listener().await;
    let (mut near, mut far) = secured(address, &listener).await;
    let exchange = async {
        near.write_all(b"ping").await.expect("it is written");
        near.flush().await.expect("it is written");
        let mut bytes = [0; 4];
        near.read_exact(&mut bytes).await.expect("four bytes");
        bytes
    };
    let echo = async {
        let mut bytes = [0; 4];
        far.read_exact(&mut bytes).await.expect("four bytes");
        far.write_all(&bytes).await.expect("it is written");
        far.flush().await.expect("it is written");
    };
    let (bytes, ()) = tokio::join!(exchange, echo);
    assert_eq!(&bytes, b"ping");
}

#[tokio::test]
async fn the_peer_has_to_prove_the_host_of_its_endpoint_or_the_name_that_was_set() {
    let (listener, address) = listener().await;
    let (acceptor, tls) = pair(&["db.example"]);
    let server = || async { acceptor.accept(accept(&listener).await).await };

    let mut connector = Connector::new(address).tls(tls.clone());
    let (result, refused) = tokio::join!(connector.connect(), server());
    let error = result.expect_err("it is not that address");
    assert!(matches!(tls_error(&error), TlsError::Refused(_)), "{error}");
    assert!(
        matches!(refused, Err(TlsError::Refused(_))),
        "the client says why"
    );

    let mut connector = Connector::new(address).tls(tls.clone().name("db.example"));
    let (result, accepted) = tokio::join!(connector.connect(), server());
    assert!(result.is_ok() && accepted.is_ok());

    let network = Network::new(&format!("db.example gives {address}"));
    let mut connector = Connector::new("db.example:1").resolver(network).tls(tls);
    let (result, accepted) = tokio::join!(connector.connect(), server());
    assert!(result.is_ok() && accepted.is_ok());
}

#[tokio::test]
async fn f08_a_peer_that_is_not_trusted_is_refused() {
    let (listener, address) = listener().await;
    let (acceptor, _) = pair(&["127.0.0.1"]);
    let (_, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address).tls(tls);
    let server = async { acceptor.accept(accept(&listener).await).await };
    let (result, _) = tokio::join!(connector.connect(), server);
    let error = result.expect_err("nobody trusts it");
    assert!(matches!(tls_error(&error), TlsError::Refused(_)), "{error}");
}

#[tokio::test]
async fn f08_plain_bytes_in_place_of_tls_are_an_error_of_their_own() {
    let (listener, address) = listener().await;
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address).tls(tls);
    let server = async {
        let mut plain = accept(&listener).await;
        plain
            .write_all(b"-ERR no TLS here\r\n")
            .await
            .expect("it is written");
        plain
    };
    let (result, _plain) = tokio::join!(connector.connect(), server);
    let error = result.expect_err("it is not TLS");
    assert!(matches!(tls_error(&error), TlsError::NotTls(_)), "{error}");

    // And of a client that speaks in plain text to a server.
    let client = async {
        let mut plain = TcpStream::connect(address).await.expect("it listens");
        plain.write_all(b"PING\r\n").await.expect("it is written");
        plain
    };
    let server = async { acceptor.accept(accept(&listener).await).await };
    let (_plain, result) = tokio::join!(client, server);
    assert!(matches!(result, Err(TlsError::NotTls(_))));
}

#[tokio::test]
async fn f08_a_peer_that_closes_within_the_handshake_is_an_error_of_its_own() {
    let (listener, address) = listener().await;
    let (_, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address).tls(tls);
    let server = async {
        let mut plain = accept(&listener).await;
        // All of the hello, so that closing is no reset.
        let read = plain.read(&mut [0; 16 * 1024]).await;
        assert!(read.expect("a hello") > 5);
    };
    let (result, ()) = tokio::join!(connector.connect(), server);
    let error = result.expect_err("there is no TLS");
    assert!(matches!(tls_error(&error), TlsError::Cut), "{error}");
}

#[tokio::test]
async fn f08_a_peer_that_is_silent_in_the_handshake_ends_at_its_limit() {
    let (listener, address) = listener().await;
    let (_, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address)
        .tls(tls)
        .tls_timeout(ms(50))
        .connect_timeout(Duration::from_secs(3_600));
    let attempt = timeout(Duration::from_secs(20), connector.connect());
    let (result, _silent) = tokio::join!(attempt, accept(&listener));
    let result = result.expect("it ends");
    let error = result.expect_err("it says nothing");
    assert_eq!(
        error.to_string(),
        format!("not connected: {address}: TLS was not done within 50ms")
    );
}

#[tokio::test]
async fn f08_an_end_without_close_notify_is_an_error_and_one_with_it_is_an_end() {
    let (listener, address) = listener().await;
    let (mut near, mut far) = secured(address, &listener).await;
    far.write_all(b"half").await.expect("it is written");
    far.flush().await.expect("it is written");
    drop(far);
    let mut bytes = [0; 4];
    near.read_exact(&mut bytes).await.expect("what was sent");
    let error = near.read(&mut bytes).await.expect_err("it was cut off");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);

    let (mut near, mut far) = secured(address, &listener).await;
    far.shutdown().await.expect("it says goodbye");
    assert_eq!(near.read(&mut bytes).await.expect("a proper end"), 0);
}

#[tokio::test]
async fn f08_plain_bytes_after_the_handshake_are_an_error() {
    let (listener, address) = listener().await;
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(address).tls(tls);
    let server = async {
        let plain = accept(&listener).await.into_std().expect("a socket");
        let below = plain.try_clone().expect("a socket");
        let plain = TcpStream::from_std(plain).expect("a socket");
        let secured = acceptor.accept(plain).await.expect("the two agree");
        (secured, TcpStream::from_std(below).expect("a socket"))
    };
    let (result, (_secured, mut below)) = tokio::join!(connector.connect(), server);
    let mut near = result.expect("it connects").io;
    below.write_all(b"+PONG\r\n").await.expect("it is written");
    let error = near.read(&mut [0; 4]).await.expect_err("it is not TLS");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn an_attempt_that_is_dropped_within_the_handshake_closes_its_socket() {
    let (listener, address) = listener().await;
    let (_, tls) = pair(&["127.0.0.1"]);
    let mut attempt = Box::pin(Connector::new(address).tls(tls).connect());
    let mut far = tokio::select! {
        far = accept(&listener) => far,
        result = &mut attempt => panic!("{result:?}"),
    };
    let mut bytes = [0; 16 * 1024];
    let hello = tokio::select! {
        hello = far.read(&mut bytes) => hello,
        result = &mut attempt => panic!("{result:?}"),
    };
    assert!(hello.expect("a hello") > 5);
    drop(attempt);
    let end = timeout(Duration::from_secs(20), far.read(&mut bytes)).await;
    assert_eq!(end.expect("it ends").expect("the socket is closed"), 0);
}

#[tokio::test]
async fn where_tls_fails_the_attempt_goes_on_with_what_is_left() {
    let (plain, first) = listener().await;
    let (listener, second) = listener().await;
    let (acceptor, tls) = pair(&["127.0.0.1"]);
    let mut connector = Connector::new(first).or(second).tls(tls);
    let servers = async {
        let mut plain = accept(&plain).await;
        plain
            .write_all(b"-ERR no TLS here\r\n")
            .await
            .expect("it is written");
        (plain, acceptor.accept(accept(&listener).await).await)
    };
    let (result, (_plain, accepted)) = tokio::join!(connector.connect(), servers);
    assert_eq!(
        result.expect("it connects").endpoint,
        Endpoint::from(second)
    );
    assert!(accepted.is_ok());

    // The first endpoint has failed, so the second one comes first.
    let server = async { acceptor.accept(accept(&listener).await).await };
    let (result, accepted) = tokio::join!(connector.connect(), server);
    assert_eq!(
        result.expect("it connects").endpoint,
        Endpoint::from(second)
    );
    assert!(accepted.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_losers_of_the_race_are_tried_again_where_tls_fails_with_the_winner() {
    // Nobody is at the other end of any, so TLS is cut.
    let network = Network::new(
        "db gives 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1 10.0.0.4:1
        10.0.0.1:1 accepts in 700
        10.0.0.2:1 accepts in 600
        10.0.0.3:1 accepts in 10
        10.0.0.4:1 accepts in 10",
    );
    let (_, tls) = pair(&["db"]);
    let mut connector = network.connector("db:1").tls(tls);
    let error = network.connect(&mut connector).await;
    assert_eq!(error.expect_err("there is no TLS").failures().len(), 4);
    let trace = network.trace();
    let dials: Vec<_> = trace.iter().take(7).collect();
    let expected = [
        "0 resolve db",
        "0 dial 10.0.0.1:1",
        "250 dial 10.0.0.2:1",
        "500 dial 10.0.0.3:1",
        "510 dial 10.0.0.1:1",
        "760 dial 10.0.0.2:1",
        "1010 dial 10.0.0.4:1",
    ];
    assert_eq!(dials, expected);
    assert_eq!(network.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_unix_socket_has_no_name_to_prove_unless_one_is_set() {
    let network = Network::new("unix:/run/db accepts");
    let (_, tls) = pair(&["db"]);
    for (tls, expected) in [
        (
            tls.clone(),
            "there is no name for the peer to prove: set one by `Tls::name`",
        ),
        (tls.name("d b"), "`d b` is no name that a peer can prove"),
    ] {
        let mut connector = network.connector("unix:/run/db").tls(tls);
        let error = network.connect(&mut connector).await.expect_err("no name");
        assert_eq!(
            error.to_string(),
            format!("not connected: unix:/run/db: TLS failed: {expected}")
        );
    }
    assert_eq!(network.open(), 0);
}

#[tokio::test]
async fn a_conversation_in_plain_text_goes_on_in_tls() {
    let (listener, address) = listener().await;
    let (acceptor, tls) = pair(&["mail.example"]);
    let server = async {
        let mut plain = accept(&listener).await;
        plain.write_all(b"220 go").await.expect("it is written");
        let mut far = acceptor.accept(plain).await.expect("the two agree");
        let mut bytes = [0; 4];
        far.read_exact(&mut bytes).await.expect("four bytes");
        bytes
    };
    let client = async {
        let mut plain = TcpStream::connect(address).await.expect("it listens");
        plain.read_exact(&mut [0; 6]).await.expect("six bytes");
        let near = tls.connect(plain, "mail.example").await;
        let mut near = near.expect("the two agree");
        near.write_all(b"EHLO").await.expect("it is written");
        near.flush().await.expect("it is written");
        near
    };
    let (bytes, _near) = tokio::join!(server, client);
    assert_eq!(&bytes, b"EHLO");
}
