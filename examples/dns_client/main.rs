//! `cargo run --example dns_client -- example.test A`: asks DNS servers, over UDP and TCP.

use std::error::Error;
use std::process::ExitCode;

use statem_examples::dns_client::arguments::{Mode, USAGE, parse};
use statem_examples::dns_client::machine::{Dns, Settings};
use statem_examples::dns_client::message::{Code, Question};
use statem_examples::dns_client::responder::{Responder, Zone};
use statem_examples::dns_client::udp::System;

/// What is shown of a record at most.
const WIDTH: usize = 90;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(mode) => run(mode).await.unwrap_or_else(|error| {
            eprintln!("dns_client: {error}");
            ExitCode::FAILURE
        }),
        Err(why) => {
            eprintln!("dns_client: {why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

async fn run(mode: Mode) -> Result<ExitCode, Box<dyn Error>> {
    match mode {
        Mode::Help => println!("{USAGE}"),
        Mode::Real(servers, question) => {
            let dns = Dns::start(Settings::new(servers), System);
            return ask(&dns, question).await;
        }
        Mode::Embedded(question) => {
            let responder = Responder::start(Zone::example()).await?;
            let dns = Dns::start(Settings::new(vec![responder.address()]), System);
            if let Some(question) = question {
                return ask(&dns, question).await;
            }
            for question in Zone::tour() {
                ask(&dns, question).await?;
            }
            let counts = dns.counts().await?;
            println!(
                "{} answered; {} datagrams sent, {} not believed, {} truncated; {} connections",
                counts.answered,
                counts.sent,
                counts.mismatched,
                counts.truncated,
                counts.connections
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks and prints. Status 1 if there is no such name.
async fn ask(dns: &Dns, question: Question) -> Result<ExitCode, Box<dyn Error>> {
    let shown = question.to_string();
    let answered = dns.ask(question).await?;
    println!(
        "{shown}: from {} over {}, asked {} {}",
        answered.server,
        answered.over,
        answered.attempts,
        if answered.attempts == 1 {
            "time"
        } else {
            "times"
        }
    );
    for record in &answered.message.answers {
        let shown = record.to_string();
        match shown.char_indices().nth(WIDTH) {
            Some((end, _)) => println!("    {} ..", &shown[..end]),
            None => println!("    {shown}"),
        }
    }
    Ok(match answered.message.flags.code {
        Code::NO_SUCH_NAME => {
            println!("    there is no such name");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    })
}
