//! `cargo run --example smtp_session`: a mail server's side of a connection, which changes what is
//! talked on its socket, and a client in the same process that shows what the two say.

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use statem::Builder;
use statem::net::{self, Server};
use statem_examples::arguments;
use statem_examples::smtp_session::certificate;
use statem_examples::smtp_session::dialogue::Dialogue;
use statem_examples::smtp_session::machine::{Accepted, Message, Shared, Smtp};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const PURPOSE: &str = "\
Shows the mail sessions of a client with a server in the same process, and what a
session does when it changes from plain text to TLS.";

fn main() -> ExitCode {
    arguments::none("smtp_session", PURPOSE);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into);
    match runtime.and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtp_session: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (acceptor, tls) = certificate::pair("mail.example")?;
    let (messages, mut delivered) = mpsc::channel(16);
    let shared = Shared {
        tls: acceptor,
        messages,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder(listener, move |accepted: net::Accepted| {
        let first = Accepted::new(accepted.io);
        Builder::<Smtp>::new().build(first, shared.clone())
    });
    let server = server.limit(100).start();

    println!("A message:");
    let mut client = Dialogue::begin(address).await?;
    client.say("EHLO client.example").await?;
    client.say("MAIL FROM:<ann@client.example>").await?;
    client.say("STARTTLS").await?;
    let mut client = client.secure(&tls).await?;
    client.say("MAIL FROM:<ann@client.example>").await?;
    client.say("EHLO client.example").await?;
    client.say("MAIL FROM:<ann@client.example>").await?;
    client.say("DATA").await?;
    client.say("RCPT TO:<bob@mail.example>").await?;
    client.say("DATA").await?;
    client
        .say("Subject: dots\n\n..begins with a dot\nMAIL FROM:<this is text>\n.")
        .await?;

    println!("\nAnother one in the same session, all at once:");
    client
        .say("MAIL FROM:<>\nRCPT TO:<bob@mail.example>\nDATA\nshort\n.")
        .await?;
    for _ in 0..3 {
        client.hear().await?;
    }

    println!("\nMistakes that a session outlives:");
    client.say("HELP").await?;
    client.say("RCPT bob").await?;
    let long = format!("NOOP {}", "x".repeat(100_000));
    client
        .say_silently("100,005 bytes of a line", &long)
        .await?;
    client.say("NOOP").await?;
    client.say("QUIT").await?;

    println!("\nOne that it does not: somebody has put a command behind STARTTLS.");
    let mut client = Dialogue::begin(address).await?;
    client.say("EHLO client.example").await?;
    let outcome = client
        .say("STARTTLS\nMAIL FROM:<mallory@client.example>")
        .await;
    if outcome.is_ok() {
        return Err("the server has let it pass".into());
    }

    println!("\nThe server is shut down:");
    let mut client = Dialogue::begin(address).await?;
    let (_, farewell) = tokio::join!(server.shutdown(Duration::from_secs(2)), async {
        client.hear().await?;
        // It closes the connection from its side.
        drop(client);
        Ok::<_, io::Error>(())
    });
    farewell?;
    let counts = server.counts();
    println!(
        "  {} sessions, of which {} have ended well",
        counts.started, counts.ended
    );

    println!("\nDelivered:");
    while let Ok(message) = delivered.try_recv() {
        show(&message);
    }
    Ok(())
}

fn show(message: &Message) {
    println!("  from <{}> to <{}>", message.from, message.to.join(">, <"));
    for line in String::from_utf8_lossy(&message.text).lines() {
        println!("  | {line}");
    }
}
