//! A handler for each state, in modules of their own.

use statem::{EnterCx, ExitReason, Handler, Machine, StateMachine};

mod closed {
    use statem::{At, Cx, Next, State, unexpected};

    use super::{Closed, Door, Event, Open};

    impl State<Door> for Closed {
        fn handle(at: At<'_, Door, Self>, event: Event, pushes: &mut u32, _: &mut Cx<Door>) -> Next<Door> {
            *pushes += 1;
            match event {
                Event::Push => at.go(Open { width: 1 }),
                event => unexpected(event),
            }
        }
    }
}

mod open {
    use statem::{At, Cx, EnterCx, ExitReason, Next, State, keep};

    use super::{Closed, Door, Event, Gone, Open};

    impl State<Door> for Open {
        fn enter(&mut self, _: &mut u32, _: &mut EnterCx<Door>) {
            self.width += 1;
        }

        fn handle(mut at: At<'_, Door, Self>, event: Event, _: &mut u32, _: &mut Cx<Door>) -> Next<Door> {
            match event {
                Event::Push => {
                    at.width += 1;
                    keep()
                }
                Event::Pull if at.width > 9 => at.go(Gone),
                Event::Pull => at.go(Closed),
            }
        }

        fn terminate(&mut self, _: &ExitReason, pushes: &mut u32) {
            *pushes = self.width;
        }
    }
}

#[derive(StateMachine)]
#[machine(event = Event, data = u32, handlers = "per_state")]
enum Door {
    #[initial]
    #[to(Open)]
    Closed,
    #[to(Closed, Gone)]
    Open(Open),
    #[terminal]
    Gone,
}

struct Open {
    width: u32,
}

enum Event {
    Push,
    Pull,
}

fn main() {
    let enter: fn(&mut Door, &mut u32, &mut EnterCx<Door>) = <Door as Handler>::enter;
    let terminate: fn(&ExitReason, Option<&mut Door>, &mut u32) = <Door as Handler>::terminate;
    let _ = (enter, Event::Push, Event::Pull);
    let (mut pushes, mut door) = (0, Door::Open(Open { width: 7 }));
    terminate(&ExitReason::Normal, Some(&mut door), &mut pushes);
    assert_eq!(pushes, 7);
    terminate(&ExitReason::Normal, Some(&mut Door::Closed), &mut pushes);
    terminate(&ExitReason::Normal, Some(&mut Door::Gone), &mut pushes);
    terminate(&ExitReason::Normal, None, &mut pushes);
    assert_eq!(Door::GRAPH.states.len(), 3);
}
