//! The DNS client against a real server, and against the example's own over real sockets.

use std::net::UdpSocket;
use std::time::Duration;

use dns_server::Server;
use statem_examples::dns_client::machine::{Dns, Settings};
use statem_examples::dns_client::message::{Code, Data, Kind, Question};
use statem_examples::dns_client::outcome::Over;
use statem_examples::dns_client::responder::{Fault, Responder, Zone};
use statem_examples::dns_client::udp::System;
use tokio::task::JoinSet;

#[path = "../../tests/dns_server.rs"]
mod dns_server;

fn question(name: &str, kind: Kind) -> Question {
    Question::new(name.parse().expect("a name"), kind)
}

#[tokio::test]
async fn a_real_server_is_asked_many_questions_at_once_over_both_ways() {
    let server = Server::start();
    let dns = Dns::start(Settings::new(vec![server.address()]), System);
    let mut callers = JoinSet::new();
    for n in 0..40 {
        let dns = dns.clone();
        callers.spawn(async move {
            let (name, kind) = match n % 4 {
                0 => ("example.test", Kind::A),
                1 => ("www.example.test", Kind::A),
                2 => ("big.example.test", Kind::TXT),
                _ => ("none.example.test", Kind::A),
            };
            let answered = dns.ask(question(name, kind)).await.expect("an answer");
            let answers = &answered.message.answers;
            match n % 4 {
                0 => assert_eq!(answers[0].data, Data::A([192, 0, 2, 1].into())),
                1 => assert!(matches!(answers[0].data, Data::Cname(_))),
                2 => assert_eq!((answers.len(), answered.over), (40, Over::Tcp)),
                _ => assert_eq!(answered.message.flags.code, Code::NO_SUCH_NAME),
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("its answer is right");
    }
    let counts = dns.counts().await.expect("the client is there");
    assert_eq!((counts.answered, counts.mismatched), (40, 0));
    assert!(counts.truncated >= 10, "{counts:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_left_for_a_real_one() {
    let server = Server::start();
    // Nobody reads what is sent here, and nobody listens for connections.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let servers = vec![silent.local_addr().expect("it has one"), server.address()];
    let settings = Settings {
        timeout: Duration::from_millis(100),
        ..Settings::new(servers)
    };
    let dns = Dns::start(settings, System);
    let answered = dns.ask(question("example.test", Kind::MX)).await;
    let answered = answered.expect("an answer");
    assert_eq!(answered.server, server.address());
    assert!(answered.attempts >= 2);
}

#[tokio::test]
async fn what_is_lost_forged_and_cut_over_real_sockets_is_answered_all_the_same() {
    let zone = Zone::example();
    for fault in [Fault::Lose, Fault::WrongId, Fault::Garbage, Fault::Twice] {
        zone.fault("example.test", Over::Udp, fault);
    }
    let responder = Responder::start(zone.clone())
        .await
        .expect("a port is free");
    let settings = Settings {
        timeout: Duration::from_millis(200),
        rounds: 5,
        ..Settings::new(vec![responder.address()])
    };
    let dns = Dns::start(settings, System);
    for question in Zone::tour().into_iter().cycle().take(18) {
        let answered = dns.ask(question.clone()).await;
        let answered = answered.unwrap_or_else(|error| panic!("{question}: {error}"));
        assert!(answered.message.answers(&question));
    }
    let counts = dns.counts().await.expect("the client is there");
    assert_eq!((counts.answered, counts.failed), (18, 0));
    assert!(
        counts.stray >= 1 && counts.malformed >= 1 && counts.mismatched >= 1,
        "{counts:?}"
    );
    assert!(counts.sent > 18 && zone.connections() >= 2, "{counts:?}");
}
