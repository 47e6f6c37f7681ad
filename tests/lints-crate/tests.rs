//! Each machine on the engine, which is there with every choice of features.

use std::time::Duration;

use machines::engine::Engine;
use machines::{Handler, Initial};

use crate::counter::{Counter, Counting, Happened, Idle};
use crate::door::{Closed, Door, Push};
use crate::lamp::{Lamp, Off, Switch};
#[cfg(feature = "full")]
use crate::mixer::{Fader, Mixer, Playing};
use crate::safe::Safe;

/// Handles these events, and gives the names of the states; of an ended machine it is empty.
fn path<M: Handler>(
    state: impl Initial<M>,
    data: M::Data,
    events: impl IntoIterator<Item = M::Event>,
) -> String {
    let mut engine = Engine::<M>::new(state, data);
    engine.start(&|| Duration::ZERO);
    let mut names = vec![engine.state_name()];
    for event in events {
        engine.handle(event, &|| Duration::ZERO);
        names.push(engine.state_name());
    }
    names.join(" ")
}

#[test]
fn a_machine_with_one_handler_runs() {
    let pushes = [1, 1, 5, 9, 10].map(Push);
    assert_eq!(
        path::<Door>(Closed, 0, pushes),
        "Closed Open Open Open Open "
    );
    let pushes = [2, 2].map(Push);
    assert_eq!(path::<Door>(Closed, 0, pushes), "Closed Open Closed");
}

#[test]
fn a_machine_with_a_handler_for_each_state_runs() {
    assert_eq!(path::<Lamp>(Off, 0, [Switch; 4]), "Off On Off On ");
}

#[test]
fn a_generic_machine_runs() {
    let events = [1, 2, 3].map(Happened::Came);
    assert_eq!(
        path::<Counter<u8, 3>>(Idle, Vec::new(), events),
        "Idle Counting Counting Idle"
    );
    assert_eq!(Counting { largest: 1 }.largest, 1);
}

#[test]
fn a_machine_with_private_states_runs() {
    let mut safe = Safe::default();
    assert!(!safe.turn(3));
    assert!(safe.turn(10) && safe.turn(11) && safe.turn(11));
    safe.shut();
    safe.shut();
    assert!(!safe.turn(0));
    assert_eq!(safe.openings(), 2);
}

#[cfg(feature = "full")]
#[test]
fn the_default_features_of_statem_are_there() {
    let _: fn(Closed, u32) -> machines::Handle<Door> = machines::spawn;
}

#[cfg(feature = "full")]
#[test]
fn a_machine_with_a_client_runs() {
    assert_eq!(
        path::<Mixer>(Playing, 0, [Fader::Set(3), Fader::Tick]),
        "Playing Playing Playing"
    );
}
