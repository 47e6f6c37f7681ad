//! TLS, and peers that do not set it up.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use statem::net::{Io, Tls, TlsAcceptor};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{Client, Door, Marks, balanced, hear, ms, now, rest, server};

pub(crate) fn pair() -> (TlsAcceptor, Tls) {
    let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("a certificate");
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

async fn secured(client: Client, tls: &Tls) -> Box<dyn Io> {
    let secured = tls.connect(client.0, "a.example").await;
    secured.expect("the two agree")
}

async fn is_served(io: &mut Box<dyn Io>) -> bool {
    let asked = io.write_all(b"hello\n").await.and(io.flush().await);
    asked.is_ok() && timeout(ms(1), hear(io)).await == Ok(Some("hello".to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_machine_gets_its_bytes_out_of_tls() {
    let (acceptor, tls) = pair();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).tls(acceptor).start();
    let mut client = secured(door.knock(), &tls).await;
    assert!(is_served(&mut client).await);
    let ended = tokio::spawn(async move { server.shutdown(ms(500)).await });
    assert_eq!(hear(&mut client).await.as_deref(), Some("goodbye"));
    drop(client);
    ended.await.expect("it ends");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_a_limit_that_no_byte_prolongs_and_holds_up_nobody() {
    let (acceptor, tls) = pair();
    let (door, marks) = (Door::default(), Marks::default());
    let builder = server(&door, &marks).tls(acceptor);
    let server = builder.handshake_timeout(Duration::from_secs(5)).start();
    let mut slow: Vec<_> = (0..50).map(|_| door.knock()).collect();
    let before = now();
    // The head of a record of 256 bytes, and then one of them a second.
    for client in &mut slow {
        let head = client.0.write_all(&[22, 3, 1, 1, 0]).await;
        head.expect("it is there");
    }
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for client in &mut slow {
            client.0.write_all(&[1]).await.expect("it is there");
        }
        let mut quick = secured(door.knock(), &tls).await;
        assert!(is_served(&mut quick).await);
    }
    for client in &mut slow {
        assert_eq!(client.hear().await, None);
    }
    assert_eq!((now() - before).as_secs(), 5);
    assert_eq!(server.counts().unsecured, 50);
    let counts = balanced(&server).await;
    assert_eq!((counts.accepted, counts.started), (54, 4));
}

#[tokio::test(start_paused = true)]
async fn plain_text_in_place_of_tls_ends_the_connection() {
    let (acceptor, tls) = pair();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).tls(acceptor).limit(1).start();
    let mut plain = door.knock();
    plain.say("GET / HTTP/1.1").await;
    // An alert, if anything.
    while let Ok(1..) = tokio::io::AsyncReadExt::read(&mut plain.0, &mut [0; 64]).await {}
    rest().await;
    assert_eq!(server.counts().unsecured, 1);
    let mut client = secured(door.knock(), &tls).await;
    assert!(is_served(&mut client).await);
}

#[tokio::test(start_paused = true)]
async fn those_who_set_up_tls_count_and_go_at_once_when_the_server_ends() {
    let (acceptor, _) = pair();
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).tls(acceptor).limit(1).start();
    let (mut silent, _waiting) = (door.knock(), door.knock());
    rest().await;
    assert_eq!(door.waiting(), 1);
    let before = now();
    server.shutdown(Duration::from_secs(60)).await;
    assert_eq!(now(), before);
    assert_eq!(silent.hear().await, None);
    let counts = balanced(&server).await;
    assert_eq!((counts.unsecured, counts.started), (1, 0));
}
