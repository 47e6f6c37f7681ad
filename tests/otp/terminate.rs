//! The last words of a machine.

use statem::{Cx, ExitReason, Handler, Next, StateMachine, keep, spawn};

use crate::support::short;

/// A machine whose `terminate` panics.
#[derive(StateMachine)]
#[machine(event = ())]
enum Poor {
    #[initial]
    #[to(Alive)]
    Alive,
}

impl Handler for Poor {
    fn handle(_: PoorAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        keep()
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, (): &mut ()) {
        panic!("no such function")
    }
}

#[tokio::test(start_paused = true)]
async fn undef_in_terminate() {
    let machine = spawn::<Poor>(Alive, ());
    let reason = machine.stop().await;
    assert_eq!(short(&reason), "`no such function` in terminate");
}
