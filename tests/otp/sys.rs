//! Looking at a machine and replacing its state: what of the suite's group `sys` has a counterpart.

use statem::engine::Engine;
use statem::{CallError, Cx, Handler, Next, Origin, StateMachine, keep, postpone, spawn};

use crate::line::{Event, Idle, Line, Said, To};
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
        place.suspend().await.unwrap();
        let suspended = place.inspect_values().await.unwrap();
        assert_eq!((suspended.state, suspended.data), (seen.state, seen.data));
    }
}

#[tokio::test(start_paused = true)]
async fn sys1() {
    let line = spawn::<Line>(Idle, Log::default());
    let status = line.inspect().await.unwrap();
    assert_eq!((status.machine, status.state), ("Line", "Idle"));
    assert_eq!(status.waiting, statem::Waiting::default());

    line.suspend().await.unwrap();
    let asked = line
        .call(|reply| Event::Alive(To::Caller(reply)))
        .limit(ms(20))
        .await;
    assert!(matches!(
        asked,
        Err(CallError::TimedOut { begun: false, .. })
    ));
    assert!(line.inspect().await.unwrap().suspended);
    line.resume().await.unwrap();
    let asked = line.call(|reply| Event::Alive(To::Caller(reply))).await;
    assert_eq!(asked.unwrap(), Said::Yes);
}

#[tokio::test(start_paused = true)]
async fn replace_state_of_a_running_machine() {
    let place = spawn::<Place>(Home, "data");
    for suspended in [false, true] {
        if suspended {
            place.suspend().await.unwrap();
        }
        for to in ["Away", "Error", "Home"] {
            let replaced = place.replace(move |_, data| {
                *data = to;
                Some(match to {
                    "Away" => Place::Away,
                    "Error" => Place::Error,
                    _ => Place::Home,
                })
            });
            replaced.await.unwrap();
            let seen = place.inspect_values().await.unwrap();
            assert_eq!((&*seen.state, seen.data), (to, format!("{to:?}")));
        }
        let failed = place.replace(|_, _| panic!("fail")).await;
        assert!(matches!(failed, Err(CallError::Failed(_))));
        assert_eq!(place.inspect().await.unwrap().state, "Home");
    }
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
