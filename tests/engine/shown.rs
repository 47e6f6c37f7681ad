//! What the values of a machine show of themselves: enough for a log, and nothing of the user's.

use std::cell::RefCell;
use std::rc::Rc;

use statem::engine::Engine;
use statem::{
    Cx, ExitReason, Guard, Handler, Next, StateMachine, Timer, keep, keep_and_retry, postpone,
    repeat, stop, unexpected,
};

use crate::scripted::{B, Scripted, Stage, ms, note, request};

#[test]
fn guards_and_timers_show_their_numbers() {
    let mut stage = Stage::new();
    let shown = Rc::new(RefCell::new(Vec::new()));
    let log = shown.clone();
    stage.cast("start", move |_, _, scene, cx| {
        let guard = cx.task(std::future::ready(()), |()| note("never"));
        let timer = cx.timer(ms(10), note("never"));
        log.borrow_mut()
            .extend([format!("{guard:?}"), format!("{timer:?}")]);
        scene.luggage.guards.push(guard);
        scene.luggage.timers.push(timer);
        keep()
    });
    assert_eq!(
        shown.take(),
        ["Guard(Some(source 1))", "Timer(Some(timer 2))"]
    );
    assert_eq!(
        format!("{:?} {:?}", Guard::inert(), Timer::inert()),
        "Guard(None) Timer(None)"
    );
}

#[test]
fn a_next_shows_its_verb() {
    let shown = Rc::new(RefCell::new(Vec::new()));
    for number in 0..7 {
        let mut stage = Stage::new();
        let log = shown.clone();
        stage.cast("shown", move |state, event, _, _| {
            let next: Next<Scripted> = match number {
                0 => keep(),
                1 => keep_and_retry(),
                2 => repeat(),
                3 => state.go(B::default()),
                4 => postpone(event),
                5 => unexpected(event),
                _ => stop(ExitReason::Normal),
            };
            log.borrow_mut().push(format!("{next:?}"));
            next
        });
    }
    let verbs = "Keep KeepAndRetry Repeat Go Postpone Unexpected Stop";
    assert_eq!(shown.take().join(" "), verbs);
}

#[test]
fn the_view_of_a_state_shows_what_the_state_does() {
    #[derive(StateMachine)]
    #[machine(event = (), data = String)]
    enum Lamp {
        #[initial]
        #[to(Lit)]
        Lit(Lit),
    }

    #[derive(Debug)]
    struct Lit(#[expect(dead_code, reason = "it is shown")] u32);

    impl Handler for Lamp {
        fn handle(state: LampAt<'_>, (): (), shown: &mut String, _: &mut Cx<Self>) -> Next<Self> {
            let LampAt::Lit(state) = state;
            *shown = format!("{state:?}");
            keep()
        }
    }

    let mut lamp = Engine::new(Lit(3), String::new());
    lamp.start(&|| ms(0));
    lamp.handle((), &|| ms(0));
    assert_eq!(lamp.data().map(String::as_str), Some("At(Lit(3))"));
}

#[test]
fn a_reply_and_its_answer_show_whether_there_is_still_something_to_do() {
    let mut stage = Stage::new();
    let shown = Rc::new(RefCell::new(String::new()));
    let log = shown.clone();
    let now = ms(0);
    let asks = request("call", move |_, event, scene, _| {
        let reply = event.reply();
        *log.borrow_mut() = format!("{reply:?}");
        scene.luggage.replies.push(reply);
        keep()
    });
    let answer = stage.engine.call(asks, &|| now);
    assert_eq!(shown.take(), "Reply { closed: false }");
    assert_eq!(format!("{answer:?}"), "Answer { done: false, .. }");
    stage.cast("reply", |_, _, scene, _| {
        for reply in scene.luggage.replies.drain(..) {
            assert_eq!(reply.send(1), Ok(()));
        }
        keep()
    });
    assert_eq!(format!("{answer:?}"), "Answer { done: true, .. }");
}
