#![allow(dead_code, unused_imports)]

mod redis {
    use statem::{Cx, Handler, Next, StateMachine, unexpected};

    #[derive(StateMachine)]
    #[machine(event = super::Ask)]
    pub enum Connection {
        #[initial]
        #[to()]
        Serving,
    }

    impl Handler for Connection {
        fn handle(
            _: ConnectionAt<'_>,
            event: super::Ask,
            (): &mut (),
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            unexpected(event)
        }
    }
}

use redis::Connection;
use statem::{Client, Reply};

#[derive(Client)]
#[client(machine = Connection)]
pub enum Ask {
    #[call]
    Get { key: String, reply: Reply<String> },
    #[cast]
    Forget { key: String },
}

async fn ask(connection: &ConnectionClient) {
    drop(connection.get("on".into()).await);
    drop(connection.forget("on".into()).await);
}

fn main() {}
