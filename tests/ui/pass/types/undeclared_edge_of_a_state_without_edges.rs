#![allow(dead_code)]

use statem::{Cx, Handler, Next, StateMachine, unexpected};

struct Ping;

#[derive(StateMachine)]
#[machine(event = Ping)]
enum Job {
    #[initial]
    #[to(Finished)]
    Running,
    #[to(Running)]
    Finished,
}

impl Handler for Job {
    fn handle(state: JobAt<'_>, ping: Ping, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            JobAt::Finished(s) => s.go(Running),
            JobAt::Running(_) => unexpected(ping),
        }
    }
}

fn main() {}
