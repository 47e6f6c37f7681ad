//! A client with a mistake is used in every way.

#![allow(dead_code, unused_imports)]

use std::time::Duration;

use statem::{CallError, Client, Cx, ExitReason, Handler, Next, Reply, Request, StateMachine, keep, spawn};

#[derive(StateMachine)]
#[machine(event = Ask, data = Vec<String>)]
enum Store {
    #[initial]
    #[to(Open)]
    Open,
}

#[derive(Client)]
#[client(actor = Store, name = pub Cache)]
enum Ask {
    #[call]
    Has { key: String, reply: Reply<bool> },
    #[call]
    Count(Reply<usize>),
    #[cast]
    Add { key: String },
    Tick,
}

impl Handler for Store {
    fn handle(_: StoreAt<'_>, ask: Ask, keys: &mut Vec<String>, _: &mut Cx<Self>) -> Next<Self> {
        match ask {
            Ask::Has { key, reply } => drop(reply.send(keys.contains(&key))),
            Ask::Count(reply) => drop(reply.send(keys.len())),
            Ask::Add { key, .. } => keys.push(key),
            _ => {}
        }
        keep()
    }
}

impl Cache {
    fn start() -> Self {
        spawn(Open, Vec::new()).into()
    }

    async fn stop(&self) -> ExitReason {
        self.handle.stop().await
    }
}

async fn ask(cache: &Cache) -> Result<usize, CallError> {
    let second = cache.clone();
    second.add("one".into()).await.expect("the store is open");
    let known = cache.has("one".into()).limit(Duration::from_secs(1)).await?;
    println!("{second:?} {known}");
    match second.count().await {
        Ok(count) if known => Ok(count),
        other => other,
    }
}

fn main() {
    let _ = async {
        let cache = Cache::start();
        drop(ask(&cache).await);
        cache.stop().await
    };
}
