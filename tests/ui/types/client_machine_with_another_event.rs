//! A client was made for a machine with another event.

#![allow(dead_code, unused_imports)]

use statem::{Client, Reply, StateMachine};

#[derive(StateMachine)]
#[machine(event = Wake)]
enum Clock {
    #[initial]
    #[to(Ready)]
    Ready,
}

struct Wake;

#[derive(StateMachine)]
#[machine(event = Order)]
enum Shop {
    #[initial]
    #[to(Open)]
    Open,
}

#[derive(Client)]
#[client(machine = Clock)]
enum Order {
    #[call]
    Get { key: String, reply: Reply<String> },
    #[cast]
    Forget { key: String },
}

async fn order(shop: &ClockClient) {
    drop(shop.get("tea".into()).await);
    drop(shop.forget("tea".into()).await);
}

fn main() {}
