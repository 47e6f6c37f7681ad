//! A client that survives, of which only the protocol is written by hand: it reconnects, sends
//! without waiting, matches answers to callers, and says of each request that fails whether it may
//! have run. `cargo run --example ready_client`
use statem::net::{Client, Lines, Protocol, Received};

struct Echo;

impl Protocol for Echo {
    type Codec = Lines;
    type Request = String;
    type Response = String;

    fn codec(&self) -> Lines {
        Lines::new(1024)
    }

    fn receive(&mut self, line: String, _: &mut Vec<String>) -> Received<String> {
        Received::Answer(line)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    statem_examples::arguments::none("ready_client", "Asks a server that goes away.");
    let client = Client::start(Echo, statem_examples::line_server::start().await?);
    for line in ["hello", "bye", "back again?"] {
        match client.call(line.to_owned()).await {
            Ok(answer) => println!("{line}: {answer}"),
            Err(error) => println!("{line}: {error}"),
        }
    }
    Ok(())
}
