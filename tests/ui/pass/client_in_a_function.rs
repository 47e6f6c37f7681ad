//! A machine and its client in a function, and in a module whose parent alone sees them.

#![deny(warnings)]
#![allow(dead_code)]

mod inner {
    pub(super) mod machine {
        use statem::{Client, Cx, Handler, Next, Reply, StateMachine, keep, spawn};

        #[derive(StateMachine)]
        #[machine(event = Event)]
        enum Machine {
            #[initial]
            #[to(Ready)]
            Ready,
        }

        #[derive(Client)]
        #[client(machine = Machine)]
        pub(in crate::inner) enum Event {
            #[call]
            Ask(Reply<u8>),
        }

        impl Handler for Machine {
            fn handle(_: MachineAt<'_>, Event::Ask(reply): Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
                let _ = reply.send(1);
                keep()
            }
        }

        pub(in crate::inner) fn start() -> MachineClient {
            spawn(Ready, ()).into()
        }
    }

    pub(super) async fn ask() -> u8 {
        machine::start().ask().await.unwrap()
    }
}

fn main() {
    use statem::{Client, Cx, Handler, Next, Reply, StateMachine, keep, spawn};

    #[derive(StateMachine)]
    #[machine(event = Event)]
    enum Machine {
        #[initial]
        #[to(Ready)]
        Ready,
    }

    #[derive(Client)]
    #[client(machine = Machine, name = Asker)]
    enum Event {
        #[call]
        Ask(Reply<u8>),
    }

    impl Handler for Machine {
        fn handle(_: MachineAt<'_>, Event::Ask(reply): Event, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
            let _ = reply.send(2);
            keep()
        }
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert_eq!(inner::ask().await, 1);
        let asker = Asker::from(spawn(Ready, ()));
        assert_eq!(asker.ask().await.unwrap(), 2);
    });
}
