//! Where an event came from, as its handler is told (N7).

use std::cell::RefCell;
use std::rc::Rc;

use statem::{Origin, keep, postpone};

use crate::scripted::{B, Stage, assert_log, event, ms, note};

#[test]
fn n7_the_origin_says_where_an_event_came_from_and_survives_postponing() {
    let mut stage = Stage::new();
    let origins = Rc::new(RefCell::new(Vec::new()));
    let sees = |name| {
        let origins = origins.clone();
        event(name, move |state, event, _, cx| {
            origins.borrow_mut().push((event.name(), cx.origin()));
            if state.name() == "A" {
                postpone(event)
            } else {
                keep()
            }
        })
    };
    stage.send(sees("cast"));
    let inserted = RefCell::new(Some(sees("inserted")));
    stage.cast("insert", move |_, _, _, cx| {
        cx.insert(inserted.take().expect("it is inserted once"));
        keep()
    });
    let timeouts = RefCell::new(["state", "named", "timer", "event"].map(sees).into_iter());
    stage.cast("start", move |_, _, scene, cx| {
        let mut timeouts = timeouts.borrow_mut();
        let mut next = || timeouts.next().expect("it starts once");
        cx.state_timeout(ms(10), next());
        cx.timeout("g", ms(20), next());
        let timer = cx.timer(ms(30), next());
        scene.luggage.timers.push(timer);
        cx.event_timeout(ms(5), next());
        keep()
    });
    stage.until(30);
    let source = Rc::new(RefCell::new(Some(sees("output"))));
    let timer = stage
        .engine
        .data()
        .and_then(|scene| scene.luggage.timers[0].id())
        .expect("a timer");
    let log = origins.take();
    let expected = [
        ("cast", Origin::Cast),
        ("inserted", Origin::Inserted),
        ("event", Origin::EventTimeout),
        ("state", Origin::StateTimeout),
        ("named", Origin::Timeout("g")),
        ("timer", Origin::Timer(timer)),
    ];
    assert_eq!(log, expected);
    stage.cast("start", move |_, _, scene, cx| {
        let guard = cx.task(std::future::ready(()), |()| note("output"));
        scene.luggage.guards.push(guard);
        keep()
    });
    let id = stage.running()[0];
    let output = source.take().expect("one output");
    stage.engine.output(id, output, &|| ms(30));
    assert_eq!(origins.take(), [("output", Origin::Source(id))]);
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(
        origins.take(),
        [expected.as_slice(), &[("output", Origin::Source(id))]].concat()
    );
}

#[test]
fn n7_a_forged_timeout_event_touches_no_timer() {
    let mut stage = Stage::new();
    stage.cast("start", |_, _, _, cx| {
        cx.timeout("g", ms(40), note("g"));
        cx.insert(note("g forged"));
        keep()
    });
    assert_eq!(stage.pending(), [("g", Some(40))]);
    stage.until(40);
    assert_log(&stage, &["A:start", "A:g forged", "A:g"]);
}
