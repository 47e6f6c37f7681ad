//! Both ways, while there is a server.

use std::io;
use std::time::Duration;

use statem::{Backoff, spawn};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{eager, patient};

/// A server of one connection that answers when it was asked twice; its address.
async fn slow_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await?;
        let (read, mut write) = socket.split();
        let mut lines = BufReader::new(read).lines();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let thing = lines.next_line().await?.unwrap_or_default();
            answers.push(format!("{thing} is 2 euros\n"));
        }
        write.write_all(answers.concat().as_bytes()).await?;
        // It stays until the client goes.
        lines.next_line().await?;
        io::Result::Ok(())
    });
    address
}

#[tokio::test]
async fn each_of_two_who_ask_at_once_gets_his_own_answer() {
    let address = slow_server().await;
    let backoff = Backoff::default().cap(Duration::from_millis(1));
    let client = patient::Client { address, backoff };
    let prices = spawn::<patient::Patient>(patient::Offline, client);
    let mut states = prices.watch();
    while !matches!(states.status(), statem::Status::Running("Online")) {
        states.changed().await;
    }
    let ask =
        |thing: &'static str| prices.call(|reply| patient::Event::Price(thing.to_owned(), reply));
    let (tea, coffee) = tokio::join!(ask("tea"), ask("coffee"));
    assert_eq!(tea.as_deref().ok(), Some("tea is 2 euros"));
    assert_eq!(coffee.as_deref().ok(), Some("coffee is 2 euros"));

    let prices = spawn::<eager::Eager>(eager::Dialling, slow_server().await);
    let ask =
        |thing: &'static str| prices.call(|reply| eager::Event::Price(thing.to_owned(), reply));
    let (tea, coffee) = tokio::join!(ask("tea"), ask("coffee"));
    assert_eq!(tea.as_deref().ok(), Some("tea is 2 euros"));
    assert_eq!(coffee.as_deref().ok(), Some("coffee is 2 euros"));
}
