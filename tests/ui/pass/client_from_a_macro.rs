//! A macro declares the machine and its client.

#![deny(warnings)]
#![allow(dead_code)]

use statem::{Client, Cx, Handler, Next, Reply, StateMachine, keep, spawn};

macro_rules! cell {
    ($machine:ident, $event:ident, $client:ident, $ty:ty, $limit:expr, $get:ident, $set:ident: $value:ident) => {
        #[derive(StateMachine)]
        #[machine(event = $event, data = $ty)]
        enum $machine {
            #[initial]
            #[to(Holding)]
            Holding,
        }

        #[derive(Client)]
        #[client(machine = $machine, name = pub(crate) $client)]
        enum $event {
            /// What is there.
            #[call(limit = $limit)]
            $get(Reply<$ty>),
            /// Puts another one there.
            #[call(limit = std::time::Duration::from_secs(self::SECONDS))]
            $set { $value: $ty, by: u8, reply: Reply<$ty> },
            #[cast]
            Clear { to: $ty },
        }

        impl Handler for $machine {
            fn handle(_: <Self as statem::Machine>::At<'_>, event: $event, data: &mut $ty, _: &mut Cx<Self>) -> Next<Self> {
                match event {
                    $event::$get(reply) => drop(reply.send(*data)),
                    $event::$set { $value, by: _, reply } => drop(reply.send(std::mem::replace(data, $value))),
                    $event::Clear { to } => *data = to,
                }
                keep()
            }
        }
    };
}

const SECONDS: u64 = 1;

cell!(Cell, Event, CellClient, (u8, u8), std::time::Duration::from_secs(1), Get, Swap: other);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let cell = CellClient::from(spawn(Holding, (1, 2)));
        assert_eq!(cell.swap((3, 4), 0).await.unwrap(), (1, 2));
        assert_eq!(cell.get().await.unwrap(), (3, 4));
        cell.clear((0, 0)).await.unwrap();
    });
}
