//! A client that everybody sees, of a machine and an event that nobody sees.

#![deny(warnings, missing_docs, unreachable_pub)]

/// The client.
pub mod counter {
    use statem::{Client, Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, spawn};

    #[derive(StateMachine)]
    #[machine(event = Event, data = u64)]
    enum Machine {
        #[initial]
        #[to(Counting)]
        Counting,
    }

    #[derive(Client)]
    #[client(machine = Machine, name = pub Counter)]
    enum Event {
        /// The count.
        #[call]
        Total(Reply<u64>),
        #[doc(hidden)]
        #[deprecated = "count by yourself"]
        #[cast]
        Add { many: u64 },
        #[allow(dead_code)]
        Overflow,
    }

    impl Handler for Machine {
        fn handle(_: MachineAt<'_>, event: Event, total: &mut u64, _: &mut Cx<Self>) -> Next<Self> {
            match event {
                Event::Total(reply) => drop(reply.send(*total)),
                #[allow(deprecated)]
                Event::Add { many } => *total += many,
                Event::Overflow => *total = 0,
            }
            keep()
        }
    }

    impl Counter {
        /// Starts one.
        #[must_use]
        pub fn start() -> Self {
            spawn(Counting, 0).into()
        }

        /// Ends it.
        pub async fn stop(&self) -> ExitReason {
            self.handle.stop().await
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let counter = counter::Counter::start();
        #[allow(deprecated)]
        counter.add(2).await.unwrap();
        assert_eq!(counter.total().await.unwrap(), 2);
        counter.stop().await;
    });
}
