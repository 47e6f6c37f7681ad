//! Real sockets of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use statem::net::{Address, ConnectCause, Connector, Endpoint, Prefer, SystemDialler};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio::time::timeout;

use crate::support::{Network, ms, now};

/// Long enough for anything that happens at all.
const LONG: Duration = Duration::from_secs(20);

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

/// Holds a port where nobody listens.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a free port");
    let address = socket.local_addr().expect("it has an address");
    (socket, address)
}

/// Listens and does not answer: its queue is full of connections nobody accepts.
async fn hanging() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let (socket, address) = refusing();
    let listener = socket.listen(0).expect("it listens");
    let mut filling = Vec::new();
    while let Ok(stream) = timeout(ms(200), TcpStream::connect(address)).await {
        filling.push(stream.expect("the queue takes it"));
    }
    (listener, filling, address)
}

/// What the peer says in four bytes, each way.
async fn talk(connector: &mut Connector, listener: &TcpListener) -> Endpoint {
    let (connection, accepted) = tokio::join!(connector.connect(), listener.accept());
    let mut near = connection.expect("it connects");
    let (mut far, _) = accepted.expect("a connection");
    near.io.write_all(b"ping").await.expect("it is written");
    let mut bytes = [0; 4];
    far.read_exact(&mut bytes).await.expect("four bytes");
    assert_eq!(&bytes, b"ping");
    far.write_all(b"pong").await.expect("it is written");
    near.io.read_exact(&mut bytes).await.expect("four bytes");
    assert_eq!(&bytes, b"pong");
    near.endpoint
}

#[tokio::test]
async fn an_address_and_a_name_of_this_machine_are_connected_to() {
    let (listener, address) = listener().await;
    let mut connector = Connector::new(address);
    assert_eq!(
        talk(&mut connector, &listener).await,
        Endpoint::from(address)
    );
    // The system may know an IPv6 address for it, where nobody listens.
    let mut connector = Connector::new(format!("localhost:{}", address.port()));
    let endpoint = talk(&mut connector, &listener).await;
    assert!(matches!(endpoint, Endpoint::Name { .. }));
}

#[tokio::test]
async fn a_connection_with_every_option_set_works() {
    let (listener, address) = listener().await;
    let sockets = SystemDialler::default()
        .nodelay(false)
        .keepalive(Duration::from_millis(10));
    #[cfg(target_os = "linux")]
    let sockets = sockets.user_timeout(Duration::from_secs(10));
    let mut connector = Connector::new(address).dialler(sockets);
    talk(&mut connector, &listener).await;
}

#[tokio::test]
async fn a_unix_socket_is_connected_to() {
    let folder = std::env::temp_dir().join(format!("statem-connect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut connector = Connector::new(format!("unix:{}", path.display()));
    let (connection, accepted) = tokio::join!(connector.connect(), listener.accept());
    let mut connection = connection.expect("it connects");
    let (mut far, _) = accepted.expect("a connection");
    assert_eq!(connection.address, Address::Unix(path));
    connection
        .io
        .write_all(b"ping")
        .await
        .expect("it is written");
    let mut bytes = [0; 4];
    far.read_exact(&mut bytes).await.expect("four bytes");
    drop(listener);
    std::fs::remove_dir_all(&folder).expect("the folder is there");

    let error = connector.connect().await.expect_err("it is gone");
    let cause = &error.failures()[0].cause;
    assert!(
        matches!(cause, ConnectCause::Connect(error) if error.kind() == io::ErrorKind::NotFound)
    );
}

#[tokio::test]
async fn f01_f02_nobody_listens_and_then_somebody_does() {
    let (socket, address) = refusing();
    let mut connector = Connector::new(address);
    let error = connector.connect().await.expect_err("nobody listens");
    let cause = &error.failures()[0].cause;
    assert!(
        matches!(cause, ConnectCause::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused),
        "{cause:?}"
    );
    let listener = socket.listen(16).expect("it listens");
    talk(&mut connector, &listener).await;
}

#[tokio::test]
async fn f04_the_second_address_is_connected_to_while_the_first_one_hangs() {
    let (_hanging, _filling, dead) = hanging().await;
    let (listener, live) = listener().await;
    let network = Network::new(&format!("db gives {dead} {live}"));
    let mut connector = Connector::new("db:1").resolver(network);
    let start = now();
    let (connection, accepted) = tokio::join!(connector.connect(), listener.accept());
    accepted.expect("a connection");
    let connection = connection.expect("it connects");
    assert_eq!(connection.address, Address::from(live));
    // How much less than the limit of 5 s, the paused clock says.
    let took = now() - start;
    assert!(took >= ms(250) && took < ms(5_000), "{took:?}");
}

#[tokio::test]
async fn f05_a_connect_that_hangs_ends_at_its_limit() {
    let (_hanging, _filling, dead) = hanging().await;
    let mut connector = Connector::new(dead).connect_timeout(ms(100));
    let error = timeout(LONG, connector.connect()).await;
    let error = error.expect("it ends").expect_err("it hangs");
    assert_eq!(
        error.to_string(),
        format!("not connected: {dead}: no connection within 100ms")
    );
}

#[tokio::test]
async fn f41_an_endpoint_that_is_dead_and_comes_back() {
    let (socket, dead) = refusing();
    let (other, live) = listener().await;
    let mut connector = Connector::new(dead).or(live).penalty(Duration::ZERO);
    assert_eq!(talk(&mut connector, &other).await, Endpoint::from(live));
    let back = socket.listen(16).expect("it listens");
    assert_eq!(talk(&mut connector, &back).await, Endpoint::from(dead));

    let mut connector = Connector::new(dead).or(live).prefer(Prefer::Working);
    connector.failed(&Endpoint::from(dead));
    assert_eq!(talk(&mut connector, &other).await, Endpoint::from(live));
}
