//! The library under another path, with nothing else of it in scope.

#![deny(warnings)]
#![allow(dead_code)]

mod vendored {
    pub use statem as machines;
}

mod statem {}

#[derive(vendored::machines::StateMachine)]
#[machine(event = Event, crate = crate::vendored::machines)]
pub enum Machine {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(vendored::machines::Client)]
#[client(machine = Machine, crate = crate::vendored::machines)]
pub enum Event {
    #[call(limit = std::time::Duration::MAX)]
    Ask { reply: vendored::machines::Reply<u32> },
    #[cast]
    Tell,
}

pub async fn ask(client: &MachineClient) -> u32 {
    client.tell().await.unwrap();
    client.ask().await.unwrap()
}

fn main() {}
