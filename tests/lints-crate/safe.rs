//! A machine that nobody outside of its module can name: states, events and data are private, and
//! what is public is a client that owns it.

use std::time::Duration;

use machines::engine::Engine;
use machines::{Cx, EnterCx, Handler, Next, StateMachine, keep, unexpected};

#[derive(StateMachine)]
#[machine(crate = machines, event = Event, data = Content)]
#[to(Locked)]
enum Machine {
    #[initial]
    #[to(Unlocked = "the right key")]
    Locked,
    #[to(Unlocked)]
    Unlocked(Unlocked),
}

struct Unlocked {
    key: u32,
}

#[derive(Default)]
struct Content {
    openings: usize,
}

enum Event {
    Turn(u32),
    Shut,
}

impl Handler for Machine {
    fn enter(&mut self, content: &mut Content, _: &mut EnterCx<Self>) {
        if let Self::Unlocked(_) = self {
            content.openings += 1;
        }
    }

    fn handle(state: MachineAt<'_>, event: Event, _: &mut Content, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (MachineAt::Locked(s), Event::Turn(key)) if key > 9 => s.go(Unlocked { key }),
            (MachineAt::Unlocked(s), Event::Turn(key)) if key != s.key => s.go(Unlocked { key }),
            (_, Event::Turn(_)) => keep(),
            (state @ MachineAt::Unlocked(_), Event::Shut) => state.go(Locked),
            (_, event @ Event::Shut) => unexpected(event),
        }
    }
}

/// A safe.
pub struct Safe(Engine<Machine>);

impl Safe {
    /// A locked one.
    #[must_use]
    pub fn new() -> Self {
        let mut engine = Engine::new(Locked, Content::default());
        engine.start(&|| Duration::ZERO);
        Self(engine)
    }

    /// Turns a key, and tells whether the safe is open.
    pub fn turn(&mut self, key: u32) -> bool {
        self.0.handle(Event::Turn(key), &|| Duration::ZERO);
        self.0.state_name() == "Unlocked"
    }

    /// Shuts the door.
    pub fn shut(&mut self) {
        self.0.handle(Event::Shut, &|| Duration::ZERO);
    }

    /// How often it was opened.
    #[must_use]
    pub fn openings(&self) -> usize {
        self.0.data().map_or(0, |content| content.openings)
    }
}

impl Default for Safe {
    fn default() -> Self {
        Self::new()
    }
}
