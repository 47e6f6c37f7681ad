//! Endpoints as text.

use std::net::SocketAddr;
use std::path::PathBuf;

use statem::net::{Connector, Endpoint};

use crate::support::Network;

#[test]
fn an_endpoint_is_displayed_as_it_was_written() {
    let name = |host: &str, port| Endpoint::Name {
        host: host.to_owned(),
        port,
    };
    let socket = |text: &str| Endpoint::Socket(text.parse().expect("an address"));
    for (text, endpoint) in [
        ("localhost:1", name("localhost", 1)),
        ("db-1.example.:65535", name("db-1.example.", 65535)),
        ("127.0.0.1:4000", socket("127.0.0.1:4000")),
        ("[::1]:4000", socket("[::1]:4000")),
        ("[fe80::1%2]:4000", socket("[fe80::1%2]:4000")),
        (
            "unix:/run/db.sock",
            Endpoint::Unix(PathBuf::from("/run/db.sock")),
        ),
        ("unix:db.sock", Endpoint::Unix(PathBuf::from("db.sock"))),
    ] {
        assert_eq!(text.parse(), Ok(endpoint.clone()), "{text}");
        assert_eq!(endpoint.to_string(), text);
    }
}

#[test]
fn text_that_is_no_endpoint_is_refused_with_what_to_write() {
    for (text, problem) in [
        ("", "has no port: write `host:port`"),
        ("db", "has no port: write `host:port`"),
        (":1", "has no host: write `host:port`"),
        ("d b:1", "has no host: write `host:port`"),
        ("db:", "has no port from 1 to 65535: write `host:port`"),
        ("db:+1", "has no port from 1 to 65535: write `host:port`"),
        ("db:65536", "has no port from 1 to 65535: write `host:port`"),
        ("db:http", "has no port from 1 to 65535: write `host:port`"),
        ("db:0", "has port 0, where nobody listens"),
        ("127.0.0.1:0", "has port 0, where nobody listens"),
        (
            "::1",
            "is no address: an IPv6 address and its port are written `[::1]:port`",
        ),
        (
            "::1:4000",
            "is no address: an IPv6 address and its port are written `[::1]:port`",
        ),
        (
            "[::1]",
            "is no address: an IPv6 address and its port are written `[::1]:port`",
        ),
        ("redis://db:1", "is a URL: write `host:port`"),
        ("unix:", "has no path: write `unix:/path`"),
    ] {
        let error = text.parse::<Endpoint>().expect_err(text);
        assert_eq!(error.to_string(), format!("`{text}` {problem}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connector_is_made_of_whatever_says_where_to() {
    async fn first(into: impl Into<Connector>) -> String {
        let network = Network::new("10.0.0.1:1 accepts");
        let connector: Connector = into.into();
        let mut connector = connector.resolver(network.clone()).dialler(network.clone());
        let connection = network.connect(&mut connector).await;
        connection.expect("it accepts").endpoint.to_string()
    }
    let text = "10.0.0.1:1";
    let address: SocketAddr = text.parse().expect("an address");
    assert_eq!(first(text).await, text);
    assert_eq!(first(text.to_owned()).await, text);
    assert_eq!(first(&text.to_owned()).await, text);
    assert_eq!(first(address).await, text);
    assert_eq!(first(Endpoint::from(address)).await, text);
    assert_eq!(first(Connector::new(text)).await, text);
}

#[tokio::test(start_paused = true)]
async fn text_that_is_no_endpoint_fails_in_the_attempt_and_the_next_one_is_tried() {
    let network = Network::new("10.0.0.1:1 accepts");
    let mut connector = network.connector("db");
    let error = network.connect(&mut connector).await;
    assert_eq!(
        error.expect_err("it is none").to_string(),
        "not connected: `db` has no port: write `host:port`"
    );
    let mut connector = connector.or("10.0.0.1:1");
    network.connect(&mut connector).await.expect("it accepts");
}

#[tokio::test]
async fn a_password_in_a_text_that_is_no_endpoint_is_not_repeated() {
    for (text, shown) in [
        (
            "redis://:hunter2@db.example:6379",
            "`..@db.example:6379` is a URL: write `host:port`",
        ),
        (
            "ada:hunter2@db:1",
            "`..@db:1` has no host: write `host:port`",
        ),
        (
            "ada:hunt@er2@db",
            "`..@db` has no port from 1 to 65535: write `host:port`",
        ),
    ] {
        let error = text.parse::<Endpoint>().expect_err(text);
        assert_eq!(error.to_string(), shown);
        let failed = Connector::new(text).connect().await.expect_err(text);
        let told = format!("{error:?} {failed} {failed:?}");
        assert!(!told.contains("hunt"), "{told}");
    }
}
