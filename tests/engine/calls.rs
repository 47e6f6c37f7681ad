//! Replies: when they become visible, and what a caller is told who gets none (N9, N52, N54a,
//! N54b).

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;

use statem::engine::Engine;
use statem::{Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, postpone, stop};

use crate::scripted::{A, B, Stage, assert_log, event, ms, note};
use crate::witness::Caller;

#[test]
fn r2_a_reply_may_be_kept_and_given_in_another_state_while_another_event_is_handled() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, event, scene, _| {
        scene.luggage.replies.push(event.reply());
        keep()
    });
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(caller.outcome(), "");
    stage.cast("answer", |_, _, scene, _| {
        let reply = scene.luggage.replies.remove(0);
        reply.send(2).expect("the caller waits");
        keep()
    });
    assert_eq!(caller.outcome(), "2");
    assert_log(&stage, &["A:c", "A:go", "B:enter(A)", "B:answer", "c told"]);
}

#[test]
fn r48_a_reply_to_a_caller_that_has_gone_is_given_back_and_changes_nothing() {
    let mut stage = Stage::new();
    let caller = stage.call("c", |_, event, scene, _| {
        scene.luggage.replies.push(event.reply());
        keep()
    });
    caller.hang_up();
    stage.cast("answer", |_, _, scene, _| {
        assert_eq!(scene.luggage.replies.remove(0).send(2), Err(2));
        keep()
    });
    assert_eq!(stage.stopped(), "");
    stage.assert_counts();
}

#[test]
fn n9_a_reply_waits_for_the_end_of_its_handler_also_when_that_drives_another_engine() {
    let mut stage = Stage::new();
    let log = stage.log.clone();
    let mut caller = stage.call_held("c");
    stage.log.take();
    stage.cast("answer", move |mut state, _, _, _| {
        let reply = state.luggage().replies.remove(0);
        reply.send(1).expect("the caller waits");
        let mut inner = Stage::new();
        let mut asked = inner.call("inner", |_, event, _, _| {
            event.reply().send(2).expect("the caller waits");
            keep()
        });
        log.add(format!("inner has {}", asked.outcome()));
        keep()
    });
    assert_log(&stage, &["A:answer", "inner has 2", "c told"]);
    assert_eq!(caller.outcome(), "1");
}

#[test]
fn n9_a_reply_becomes_visible_when_its_transition_ends() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    let log = stage.log.clone();
    stage.on_enter("B", move |_, _, _| log.add("nobody told yet"));
    stage.log.take();
    stage.cast("answer", |mut state, _, _, _| {
        state
            .luggage()
            .replies
            .remove(0)
            .send(4)
            .expect("the caller waits");
        state.go(B::default())
    });
    assert_log(
        &stage,
        &["A:answer", "B:enter(A)", "nobody told yet", "c told"],
    );
    assert_eq!(caller.outcome(), "4");
}

#[test]
fn n9_a_reply_used_outside_of_a_transition_is_visible_at_once() {
    let mut stage = Stage::new();
    let outside = Rc::new(RefCell::new(Vec::new()));
    let put = outside.clone();
    let take_out = move |_: crate::scripted::ScriptedAt<'_>,
                         event: crate::scripted::Event,
                         _: &mut _,
                         _: &mut _| {
        put.borrow_mut().push(event.reply());
        keep()
    };
    let mut answered = stage.call("answered", take_out.clone());
    let mut dropped = stage.call("dropped", take_out);
    let mut replies = outside.take().into_iter();
    replies
        .next()
        .expect("a reply")
        .send(8)
        .expect("the caller waits");
    assert_eq!(answered.outcome(), "8");
    drop(replies);
    assert_eq!(dropped.outcome(), "not answered in none");
}

#[test]
fn n9_a_reply_given_before_a_panic_is_delivered() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, event, _, _| {
        event.reply().send(6).expect("the caller waits");
        panic!("after the answer")
    });
    assert_eq!(caller.outcome(), "6");
    assert_eq!(stage.stopped(), "`after the answer` in handle, in A");
}

#[test]
fn n52_a_call_whose_caller_has_gone_is_skipped_when_it_would_be_retried() {
    let mut stage = Stage::new();
    let gone = stage.call("c1", |_, event, _, _| postpone(event));
    let mut waits = stage.call("c2", |state, event, _, _| {
        if state.name() == "A" {
            return postpone(event);
        }
        event.reply().send(2).expect("the caller waits");
        keep()
    });
    gone.hang_up();
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_log(
        &stage,
        &["A:c1", "A:c2", "A:go", "B:enter(A)", "B:c2", "c2 told"],
    );
    assert_eq!(waits.outcome(), "2");
    assert_eq!(stage.engine.counts().abandoned, 1);
    stage.assert_counts();
}

#[test]
fn n52_a_skipped_call_has_no_effect_on_the_event_timeout() {
    let mut stage = Stage::new();
    let gone = stage.call("c", |_, event, _, _| postpone(event));
    gone.hang_up();
    stage.cast("go", |state, _, _, cx| {
        cx.event_timeout(ms(10), note("silence"));
        state.go(B::default())
    });
    assert_eq!(stage.pending(), [("silence", Some(10))]);
}

#[test]
fn n52_a_reply_tells_whether_its_caller_has_gone() {
    let mut stage = Stage::new();
    let caller = stage.call_held("c");
    caller.hang_up();
    stage.cast("answer", |mut state, _, _, _| {
        let reply = state.luggage().replies.remove(0);
        assert!(reply.is_closed());
        assert_eq!(reply.send(1), Err(1));
        keep()
    });
    assert_eq!(stage.stopped(), "");
}

#[test]
fn n54a_a_forwarded_reply_is_tied_to_its_holder() {
    let (mut first, mut second) = (Stage::new(), Stage::new());
    let forwarded = Rc::new(RefCell::new(None));
    let forward = forwarded.clone();
    let mut caller = first.call("c", move |_, event, _, _| {
        *forward.borrow_mut() = Some(event.reply());
        keep()
    });
    second.cast("take", move |mut state, _, _, _| {
        state.luggage().replies.extend(forwarded.take());
        keep()
    });
    first.engine.stop(statem::ExitReason::Shutdown);
    drop(first);
    assert_eq!(caller.outcome(), "");
    second.cast("answer", |mut state, _, _, _| {
        state
            .luggage()
            .replies
            .remove(0)
            .send(7)
            .expect("the caller waits");
        keep()
    });
    assert_eq!(caller.outcome(), "7");
}

#[test]
fn n54a_the_last_holder_s_end_fails_a_forwarded_call() {
    let (mut first, mut second) = (Stage::new(), Stage::new());
    let forwarded = Rc::new(RefCell::new(None));
    let forward = forwarded.clone();
    let mut caller = first.call("c", move |_, event, _, _| {
        *forward.borrow_mut() = Some(event.reply());
        keep()
    });
    second.cast("take", move |mut state, _, _, _| {
        state.luggage().replies.extend(forwarded.take());
        keep()
    });
    second.engine.stop(statem::ExitReason::Shutdown);
    assert_eq!(caller.outcome(), "stopped: shutdown, begun: true");
    assert_eq!(first.stopped(), "");
}

#[test]
fn n54b_a_reply_dropped_unanswered_names_the_state_it_was_dropped_in() {
    let mut stage = Stage::new();
    stage.on_enter("B", |_, scene, _| scene.luggage.replies.clear());
    let mut in_data = stage.call("c", |_, event, scene, _| {
        scene.luggage.replies.push(event.reply());
        keep()
    });
    let mut in_state = stage.call_held("d");
    stage.cast("go", |state, _, _, _| state.go(B::default()));
    assert_eq!(in_state.outcome(), "not answered in A");
    assert_eq!(in_data.outcome(), "not answered in B");
}

#[test]
fn n54b_a_reply_that_drops_because_the_machine_ends_says_so_wherever_it_was() {
    let mut stage = Stage::new();
    let mut in_state = stage.call_held("in the state");
    let mut in_data = stage.call("in the data", |_, event, scene, _| {
        scene.luggage.replies.push(event.reply());
        keep()
    });
    let mut postponed = stage.call("postponed", |_, event, _, _| postpone(event));
    let mut in_handler = stage.call("in the handler", |_, _, _, _| {
        statem::stop(statem::ExitReason::Shutdown)
    });
    for caller in [&mut in_state, &mut in_data, &mut in_handler] {
        assert_eq!(caller.outcome(), "stopped: shutdown, begun: true");
    }
    assert_eq!(postponed.outcome(), "stopped: shutdown, begun: false");
}

#[test]
fn n54b_an_engine_that_is_dropped_running_tells_its_callers() {
    let mut stage = Stage::new();
    let mut caller = stage.call_held("c");
    drop(stage);
    assert_eq!(caller.outcome(), "stopped: aborted, begun: true");
}

/// A machine that handles requests also when nobody waits for them any more, and takes the reply
/// out of its event.
#[derive(StateMachine)]
#[machine(event = Request, data = u32, keep_abandoned)]
enum Patient {
    #[initial]
    #[to(Ready)]
    Busy,
    #[to()]
    Ready,
}

enum Request {
    Count(Option<Reply<u32>>),
    Free,
}

impl Handler for Patient {
    fn handle(
        state: PatientAt<'_>,
        request: Request,
        seen: &mut u32,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, request) {
            (PatientAt::Busy(_), request @ Request::Count(_)) => postpone(request),
            (PatientAt::Busy(state), Request::Free) => state.go(Ready),
            (PatientAt::Ready(_), _) => {
                *seen += 1;
                keep()
            }
        }
    }
}

#[test]
fn n52_r112_a_machine_may_handle_requests_whose_caller_has_gone() {
    let mut engine = Engine::new(Busy, 0);
    engine.start(&|| ms(0));
    drop(engine.call(|reply: Reply<u32>| Request::Count(Some(reply)), &|| ms(0)));
    engine.handle(Request::Free, &|| ms(0));
    while engine.advance(&|| ms(0)) {}
    assert_eq!(engine.data(), Some(&1));
    assert_eq!(engine.counts().abandoned, 0);
}

/// A machine that answers a request at once and does its work later.
#[derive(StateMachine)]
#[machine(event = Request, data = u32)]
enum Eager {
    #[initial]
    #[to(Working)]
    Waiting,
    #[to()]
    Working,
}

impl Handler for Eager {
    fn handle(
        state: EagerAt<'_>,
        request: Request,
        done: &mut u32,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, request) {
            (EagerAt::Waiting(_), Request::Count(reply)) => {
                if let Some(reply) = reply {
                    reply.send(0).expect("the caller waits");
                }
                cx.postpone(Request::Count(None));
                keep()
            }
            (EagerAt::Waiting(state), Request::Free) => state.go(Working),
            (EagerAt::Working(_), _) => {
                *done += 1;
                keep()
            }
        }
    }
}

#[test]
fn n52_a_postponed_call_that_was_answered_is_still_retried() {
    let mut engine = Engine::new(Waiting, 0);
    engine.start(&|| ms(0));
    let mut answer = engine.call(|reply: Reply<u32>| Request::Count(Some(reply)), &|| ms(0));
    assert!(matches!(answer.try_take(), Some(Ok(0))));
    drop(answer);
    engine.handle(Request::Free, &|| ms(0));
    while engine.advance(&|| ms(0)) {}
    assert_eq!((engine.data(), engine.counts().abandoned), (Some(&1), 0));
}

#[test]
fn n9_a_handler_may_drive_another_engine_and_each_keeps_its_own_replies() {
    let mut outer = Stage::new();
    let mut caller = outer.call_held("outer");
    let log = outer.log.clone();
    outer.log.take();
    outer.cast("nest", move |mut state, _, _, _| {
        state
            .luggage()
            .replies
            .remove(0)
            .send(1)
            .expect("the caller waits");
        let mut inner = Stage::new();
        let mut inner_caller = inner.call("inner", |_, event, _, _| {
            event.reply().send(2).expect("the caller waits");
            keep()
        });
        log.add(format!("inner got {}", inner_caller.outcome()));
        inner.send(event("go", |state, _, _, _| state.go(A::default())));
        state.go(B::default())
    });
    assert_log(
        &outer,
        &["A:nest", "inner got 2", "B:enter(A)", "outer told"],
    );
    assert_eq!(caller.outcome(), "1");
}

#[test]
fn r129_a_reply_of_the_transition_that_stops_the_machine_is_counted() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, event, _, _| {
        event.reply().send(1).expect("the caller waits");
        stop(ExitReason::Shutdown)
    });
    assert_eq!((&*stage.stopped(), &*caller.outcome()), ("shutdown", "1"));
    assert_eq!(stage.engine.counts().replied, 1);
}

#[test]
fn r129_a_reply_of_a_transition_that_panics_is_counted() {
    let mut stage = Stage::new();
    let mut caller = stage.call("c", |_, event, _, _| {
        event.reply().send(1).expect("the caller waits");
        panic!("oops")
    });
    assert_eq!(
        (&*stage.stopped(), &*caller.outcome()),
        ("`oops` in handle, in A", "1")
    );
    assert_eq!(stage.engine.counts().replied, 1);
}

#[test]
fn r129_the_replies_of_terminate_are_counted() {
    let mut stage = Stage::new();
    let mut callers = ["c", "d"].map(|name| stage.call_held(name));
    stage.on_terminate(|_, state, _| {
        let luggage = state.expect("the state is there").luggage();
        for reply in luggage.replies.drain(..) {
            reply.send(1).expect("the caller waits");
        }
    });
    stage.engine.stop(ExitReason::Shutdown);
    assert_eq!(callers.each_mut().map(Caller::outcome), ["1", "1"]);
    assert_eq!(stage.engine.counts().replied, 2);
}

#[test]
fn r129_a_reply_of_a_source_that_is_dropped_between_two_transitions_is_counted() {
    struct AnswersInDrop(Option<Reply<u32>>);

    impl Drop for AnswersInDrop {
        fn drop(&mut self) {
            if let Some(reply) = self.0.take() {
                reply.send(1).expect("the caller waits");
            }
        }
    }

    let mut stage = Stage::new();
    let (give, take) = mpsc::channel();
    let mut caller = stage.call("c", move |_, event, _, cx| {
        let answers = AnswersInDrop(Some(event.reply()));
        let source = async move {
            let _answers = answers;
            pending::<()>().await;
        };
        let guard = cx.task(source, |()| note("never"));
        give.send(guard).expect("the test waits");
        keep()
    });
    drop(take.recv().expect("a guard"));
    assert_eq!((&*caller.outcome(), stage.running().len()), ("", 1));
    stage.settle();
    assert_eq!((&*caller.outcome(), stage.running().len()), ("1", 0));
    assert_eq!(stage.engine.counts().replied, 1);
}
