//! No variant is marked.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = Connection)]
enum Event {
    Get { key: String, reply: Reply<String> },
    Forget { key: String },
}

async fn ask(connection: &ConnectionClient) {
    drop(connection.get("on".into()).await);
}

fn main() {}
