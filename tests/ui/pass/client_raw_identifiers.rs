//! Words of the language as names, and names that are hard to make a method of.

#![deny(warnings)]
#![allow(dead_code)]
#![allow(non_camel_case_types)]

use statem::{Client, Cx, Handler, Next, Reply, StateMachine, keep, spawn};

#[derive(StateMachine)]
#[machine(event = r#enum)]
enum r#struct {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(Client)]
#[client(machine = r#struct, name = r#trait)]
enum r#enum {
    #[call]
    Match { r#type: u8, r#fn: u8, reply: Reply<u8> },
    #[call]
    r#while { r#in: u8, reply: Reply<u8> },
    #[call]
    Self_(u8, Reply<u8>),
    #[cast]
    GetURL,
    #[cast]
    HTTPServer2,
    #[cast]
    Sha256Sum,
    #[cast]
    Ändern,
}

impl Handler for r#struct {
    fn handle(_: structAt<'_>, event: r#enum, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match event {
            r#enum::Match { r#type: value, r#fn: _, reply }
            | r#enum::r#while { r#in: value, reply }
            | r#enum::Self_(value, reply) => drop(reply.send(value)),
            r#enum::GetURL | r#enum::HTTPServer2 | r#enum::Sha256Sum | r#enum::Ändern => {}
        }
        keep()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let client = r#trait::from(spawn(Ready, ()));
        assert_eq!(client.r#match(1, 0).await.unwrap(), 1);
        assert_eq!(client.r#while(2).await.unwrap(), 2);
        assert_eq!(client.self_(3).await.unwrap(), 3);
        client.get_url().await.unwrap();
        client.http_server2().await.unwrap();
        client.sha256_sum().await.unwrap();
        client.ändern().await.unwrap();
        assert!(format!("{client:?}").starts_with("trait { handle"));
    });
}
