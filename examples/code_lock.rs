//! A door with a code lock: the machine that teaches `gen_statem`, on tokio. `cargo run --example
//! code_lock`.
//!
//! Buttons are pressed; the right code opens the door for ten seconds, and whoever presses a button
//! of an open door wants the next try to begin when it has closed again.

use std::time::Duration;

use statem::{
    Cx, EnterCx, Handle, Handler, Next, Reply, StateMachine, keep, postpone, spawn, unexpected,
};

/// How long the door stays open.
const OPEN: Duration = Duration::from_secs(10);
/// How long a try may take: after it, what was pressed so far is forgotten.
const TRY: Duration = Duration::from_secs(30);

/// The door.
#[derive(StateMachine)]
#[machine(event = Event, data = Code)]
enum Door {
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
struct Locked {
    pressed: Vec<u8>,
}

/// The right code: kept in every state.
struct Code(Vec<u8>);

#[derive(Debug)]
enum Event {
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

async fn press(door: &Handle<Door>, buttons: &[u8]) {
    for &button in buttons {
        println!("press {button}");
        door.cast(Event::Button(button))
            .await
            .expect("the door is there");
    }
}

// The clock of this runtime stands still while something runs and jumps to the next timeout when
// nothing does, so that nobody has to wait ten seconds to see the door close.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let door = spawn::<Door>(Locked::default(), Code(vec![1, 2, 3]));
    println!(
        "the code has {} buttons",
        door.call(Event::Length).await.expect("the door answers")
    );
    press(&door, &[1, 2, 2]).await;
    press(&door, &[1, 2, 3]).await;
    // The door is open: these wait, and open it once more when it has closed.
    press(&door, &[1, 2, 3]).await;
    tokio::time::sleep(OPEN + OPEN / 2).await;
    println!("15 s later: {:?}", door.status());
    tokio::time::sleep(OPEN).await;
    println!("25 s later: {:?}", door.status());
}

#[cfg(test)]
mod tests {
    use statem::testing::Bench;

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
}
