//! Looking at a machine and replacing its state: what of the suite's group `sys` has a counterpart.

use statem::engine::Engine;
use statem::{Cx, Handler, Next, Origin, StateMachine, keep, postpone, spawn};

use crate::line::{Idle, Line};
use crate::support::{Log, ms};

#[derive(Debug, StateMachine)]
#[machine(event = Word, data = &'static str)]
#[to(Home, Away, Error)]
enum Place {
    #[initial]
    Home,
    Away,
    /// A name that was taken for a failure in OTP once.
    Error,
}

#[derive(Debug)]
enum Word {
    Hold,
    Alarm,
}

impl Handler for Place {
    fn handle(
        state: PlaceAt<'_>,
        event: Word,
        _: &mut &'static str,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (PlaceAt::Home(_), hold @ Word::Hold) => {
                cx.state_timeout(ms(40), Word::Alarm);
                postpone(hold)
            }
            (_, Word::Hold | Word::Alarm) => keep(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn get_state() {
    for data in ["data", "other data"] {
        let place = spawn::<Place>(Home, data);
        let seen = place.inspect_values().await.unwrap();
        assert_eq!(seen.state, "Home");
        assert_eq!(seen.data, format!("{data:?}"));
        assert_eq!(seen.inspection.state, "Home");
    }
}

#[tokio::test(start_paused = true)]
async fn sys1() {
    let line = spawn::<Line>(Idle, Log::default());
    let status = line.inspect().await.unwrap();
    assert_eq!((status.machine, status.state), ("Line", "Idle"));
    assert_eq!(status.waiting, statem::Waiting::default());
}

#[test]
fn replace_state() {
    let mut place = Engine::<Place>::new(Home, "data");
    place.start(&|| ms(0));
    place.handle(Word::Hold, &|| ms(0));
    assert_eq!(place.postponed().count(), 1);

    *place.data_mut().unwrap() = "replaced";
    place.replace(Place::Home);
    assert_eq!(
        (place.state_name(), *place.data().unwrap()),
        ("Home", "replaced")
    );
    place.replace(Place::Away);
    assert_eq!(place.state_name(), "Away");
    place.replace(Place::Error);
    assert_eq!(place.state_name(), "Error");
    place.replace(Place::Away);
    assert_eq!(place.state_name(), "Away");

    // It is no transition: nothing was retried, and the timeout of the state goes on.
    assert_eq!(place.postponed().count(), 1);
    let running = place.timeouts();
    assert_eq!(
        (running[0].origin, running[0].deadline),
        (Origin::StateTimeout, Some(ms(40)))
    );
}
