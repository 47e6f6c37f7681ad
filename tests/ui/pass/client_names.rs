//! Names that derived code could stumble over.

#![deny(warnings)]
#![allow(non_upper_case_globals, non_camel_case_types, dead_code)]

use statem::{Cx, Handler, Next, StateMachine, keep};

struct Handle;
struct Call;
struct Request;
struct Result;
struct Ok;
const LIMIT: ::core::time::Duration = ::core::time::Duration::MAX;
mod core {}
mod std {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Machine {
    #[initial]
    #[to(Ready)]
    Ready,
}

#[derive(statem::Client)]
#[client(machine = crate::Machine, name = Client)]
enum Event {
    #[call(limit = LIMIT)]
    Ask { handle: Handle, __handle: u8, __reply: u8, event: Call, reply: statem::Reply<Request, Result> },
    #[cast]
    Tell { request: Request, __value: u8, client: Ok },
    Other,
}

impl Handler for Machine {
    fn handle(_: MachineAt<'_>, _: Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }
}

async fn ask(client: &Client) {
    drop(client.ask(Handle, 1, 2, Call).await);
    drop(client.tell(Request, 3, Ok).await);
}

fn main() {}
