//! A door with a code lock: the machine that teaches `gen_statem`.
//!
//! Buttons are pressed; the right code opens the door for ten seconds, and whoever presses a button
//! of an open door wants the next try to begin when it has closed again.

use std::time::Duration;

use statem::{Cx, EnterCx, Handler, Next, Reply, StateMachine, keep, postpone, unexpected};

/// How long the door stays open.
pub const OPEN: Duration = Duration::from_secs(10);
/// How long a try may take: after it, what was pressed so far is forgotten.
const TRY: Duration = Duration::from_secs(30);

/// The door.
#[derive(StateMachine)]
#[machine(event = Event, data = Code)]
pub enum Door {
    /// Buttons are compared with the code.
    #[initial]
    #[to(Open = "right code")]
    Locked(Locked),
    /// Anybody may walk through.
    #[to(Locked = "10 s are over")]
    Open,
}

/// The buttons of the try so far: they are of no use in any other state, so they live in this one
/// and go with it.
#[derive(Default)]
pub struct Locked {
    pressed: Vec<u8>,
}

/// The right code: kept in every state.
pub struct Code(pub Vec<u8>);

/// What can happen to the door.
#[derive(Debug)]
pub enum Event {
    /// Somebody presses a button.
    Button(u8),
    /// Somebody asks how long the code is.
    Length(Reply<usize>),
    /// The try took too long.
    Forget,
    /// The door was open long enough.
    Lock,
}

impl Handler for Door {
    // Called when a state is entered, whichever way: what each state needs is started here, once.
    fn enter(&mut self, _: &mut Code, cx: &mut EnterCx<Self>) {
        match self {
            Self::Locked(_) => println!("    the door is locked"),
            Self::Open => {
                println!("    the door is open");
                // It ends with the state: nobody has to cancel it.
                cx.state_timeout(OPEN, Event::Lock);
            }
        }
    }

    fn handle(state: DoorAt<'_>, event: Event, code: &mut Code, cx: &mut Cx<Self>) -> Next<Self> {
        use {DoorAt as S, Event as E};
        match (state, event) {
            (S::Locked(mut s), E::Button(button)) => {
                s.pressed.push(button);
                if s.pressed.len() < code.0.len() {
                    cx.state_timeout(TRY, Event::Forget);
                    return keep();
                }
                if s.pressed == code.0 {
                    return s.go(Open);
                }
                println!("    wrong code");
                s.pressed.clear();
                cx.cancel_state_timeout();
                keep()
            }
            (S::Locked(mut s), E::Forget) => {
                s.pressed.clear();
                keep()
            }
            // Not now: the button is offered again when the state has changed, before any later
            // event.
            (S::Open(_), button @ E::Button(_)) => postpone(button),
            (S::Open(s), E::Lock) => s.go(Locked::default()),
            // In every state.
            (_, E::Length(reply)) => {
                // The error is that nobody waits for the answer any more.
                let _ = reply.send(code.0.len());
                keep()
            }
            (_, event) => unexpected(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use statem::testing::{Bench, EdgeCoverage, ReactionTable};

    use super::*;

    fn pressed(buttons: &[u8]) -> Bench<Door> {
        let mut door = Bench::new(Locked::default(), Code(vec![1, 2, 3]));
        for &button in buttons {
            door.send(Event::Button(button));
        }
        door
    }

    #[test]
    fn the_right_code_opens_for_ten_seconds() {
        let mut door = pressed(&[1, 2, 3]);
        door.advance(Duration::from_millis(9_999));
        assert_eq!(door.state_name(), "Open");
        door.advance(Duration::from_millis(1));
        assert_eq!(door.path(), ["Locked", "Open", "Locked"]);
    }

    #[test]
    fn a_wrong_code_begins_a_new_try() {
        assert_eq!(pressed(&[1, 2, 2, 3]).state_name(), "Locked");
        assert_eq!(pressed(&[1, 2, 2, 1, 2, 3]).state_name(), "Open");
    }

    #[test]
    fn buttons_of_an_open_door_are_the_next_try() {
        let mut door = pressed(&[1, 2, 3, 1, 2, 3]);
        assert_eq!(door.postponed().count(), 3);
        door.advance(OPEN);
        assert_eq!(door.path(), ["Locked", "Open", "Locked", "Open"]);
    }

    #[test]
    fn a_try_that_takes_too_long_is_forgotten() {
        let mut door = pressed(&[1, 2]);
        door.advance(TRY);
        door.send(Event::Button(3));
        assert_eq!(door.state_name(), "Locked");
    }

    #[test]
    fn the_door_answers_in_every_state() {
        for buttons in [&[1][..], &[1, 2, 3]] {
            let mut answer = pressed(buttons).call(Event::Length);
            assert_eq!(answer.try_take().expect("an answer").expect("a value"), 3);
        }
    }

    #[test]
    fn the_reactions_of_the_door() {
        let pressed = |buttons: &'static [u8]| {
            move || Locked {
                pressed: buttons.to_vec(),
            }
        };
        let table = ReactionTable::<Door>::new(|| Code(vec![1, 2, 3]))
            .state(pressed(&[]))
            .labelled("two pressed", pressed(&[1, 2]))
            .state(|| Open)
            .event("right button", || Event::Button(3))
            .event("wrong button", || Event::Button(4))
            .call("length", Event::Length)
            .event("forget", || Event::Forget)
            .event("lock", || Event::Lock);
        assert_eq!(
            table.to_string(),
            "\
| Door         | Locked     | Locked (two pressed) | Open       |
|--------------|------------|----------------------|------------|
| right button | stays      | → Open               | postpones  |
| wrong button | stays      | stays                | postpones  |
| length       | replies    | replies              | replies    |
| forget       | stays      | stays                | unexpected |
| lock         | unexpected | unexpected           | → Locked   |
"
        );
    }

    #[test]
    fn every_edge_of_the_door_is_taken() {
        buttons_of_an_open_door_are_the_next_try();
        EdgeCoverage::of::<Door>().assert_complete();
    }
}
