//! One handler for all states, with shared edges and an end.

use machines::{Cx, Handler, Next, StateMachine, keep};

/// A door.
#[derive(Debug, StateMachine)]
#[machine(
    crate = machines,
    event = Push,
    data = u32,
    timeout = u8,
    unexpected = "panic",
    keep_abandoned,
    shutdown = Push(0),
)]
#[to(Broken = "kicked")]
pub enum Door {
    /// Nobody passes.
    #[initial]
    #[to(Open = "pushed")]
    Closed,
    /// Everybody passes.
    #[to(Closed)]
    Open(Open),
    /// For ever.
    #[terminal]
    Broken,
}

/// An open door.
#[derive(Debug)]
pub struct Open {
    /// How wide.
    pub width: u32,
}

/// Somebody pushes a door this hard.
#[derive(Clone, Copy, Debug)]
pub struct Push(pub u32);

impl Handler for Door {
    fn handle(state: DoorAt<'_>, push: Push, pushes: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
        *pushes += 1;
        match state {
            kicked if push.0 > 9 => kicked.go(Broken),
            DoorAt::Closed(s) => s.go(Open { width: push.0 }),
            DoorAt::Open(s) if s.width > 1 => s.go(Closed),
            DoorAt::Open(_) => keep(),
        }
    }
}
