//! A client was made for a type that is no machine.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

enum Relay {
    Ready,
}

#[derive(Client)]
#[client(machine = Relay)]
enum Signal {
    #[call(limit = std::time::Duration::MAX)]
    Get { key: String, reply: Reply<String> },
    #[cast]
    Forget { key: String },
}

async fn signal(relay: &RelayClient) {
    drop(relay.get("on".into()).await);
    drop(relay.forget("on".into()).await);
}

fn main() {}
