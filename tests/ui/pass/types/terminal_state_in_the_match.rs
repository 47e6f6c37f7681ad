#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine};

struct Finish;

#[derive(StateMachine)]
#[machine(event = Finish)]
enum Upload {
    #[initial]
    #[to(Finished)]
    Sending,
    #[terminal]
    Finished,
}

impl Handler for Upload {
    fn handle(state: UploadAt<'_>, _: Finish, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            UploadAt::Sending(s) => s.go(Finished),
        }
    }
}

fn main() {}
