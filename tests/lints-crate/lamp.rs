//! A handler for each state.

use machines::{At, Cx, EnterCx, ExitReason, Next, State, StateMachine};

/// A lamp.
#[derive(Debug, StateMachine)]
#[machine(crate = machines, event = Switch, data = u32, handlers = "per_state", unexpected = "stop")]
pub enum Lamp {
    /// It is dark.
    #[initial]
    #[to(On)]
    Off,
    /// It is light.
    #[to(Off, Burnt)]
    On(On),
    /// It is dark for ever.
    #[terminal]
    Burnt,
}

/// A lamp that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On {
    /// How bright.
    pub watts: u32,
}

/// Somebody turns the switch.
#[derive(Clone, Copy, Debug)]
pub struct Switch;

impl State<Lamp> for Off {
    fn handle(at: At<'_, Lamp, Self>, Switch: Switch, _: &mut u32, _: &mut Cx<Lamp>) -> Next<Lamp> {
        at.go(On { watts: 60 })
    }
}

impl State<Lamp> for On {
    fn enter(&mut self, lit: &mut u32, _: &mut EnterCx<Lamp>) {
        *lit += 1;
    }

    fn handle(
        at: At<'_, Lamp, Self>,
        Switch: Switch,
        lit: &mut u32,
        _: &mut Cx<Lamp>,
    ) -> Next<Lamp> {
        if *lit > 1 { at.go(Burnt) } else { at.go(Off) }
    }

    fn terminate(&mut self, _: &ExitReason, lit: &mut u32) {
        *lit = 0;
    }
}
