//! `cargo run --example chat_server`: a chat server, and members who show what it does. With
//! `--listen ADDRESS:PORT` it serves people until Ctrl-C.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use statem_examples::chat_server::arguments::{Mode, USAGE, parse};
use statem_examples::chat_server::{Chat, DRAIN, listen, story};
use tokio::signal::ctrl_c;
use tracing_subscriber::filter::LevelFilter;

fn main() -> ExitCode {
    let mode = match parse(std::env::args().skip(1)) {
        Ok(Mode::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(mode) => mode,
        Err(why) => {
            eprintln!("chat_server: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let run = |runtime: tokio::runtime::Runtime| match mode {
        Mode::Listen(address) => runtime.block_on(serve(address)),
        _ => runtime.block_on(story::tell()),
    };
    match runtime.map_err(Into::into).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C, then lets the members hear a goodbye; Ctrl-C again cuts them off.
async fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let server = Chat::default().server(listener).start();
    println!(
        "listening on {address}: come in by `nc {} {}`, end by Ctrl-C",
        address.ip(),
        address.port()
    );
    ctrl_c().await?;
    println!("shutting down: {} connections", server.counts().open());
    tokio::select! {
        _ = server.shutdown(DRAIN) => {}
        again = ctrl_c() => {
            again?;
            server.kill();
        }
    }
    let counts = server.counts();
    println!(
        "{} connections were served, {} refused",
        counts.started, counts.refused
    );
    Ok(())
}
