//! Replies: who is to blame for the one that was dropped, and what an answer's own drop may do.

use std::cell::RefCell;
use std::sync::mpsc;
use std::time::Duration;

use statem::engine::Engine;
use statem::{
    Answer, CallError, Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, keep,
};

/// A machine that holds its callers' replies.
#[derive(StateMachine)]
#[machine(event = Event, data = Vec<Reply<Token>>)]
enum Desk {
    #[initial]
    #[to(Shut)]
    Open,
    #[to(Open)]
    Shut,
}

enum Event {
    Ask(Reply<Token>),
    /// Answers the oldest, and then lets the caller go.
    Answer(Token, Option<Answer<Token>>),
    /// Drops all replies on entering the next state.
    Shut,
}

/// A value whose drop may panic.
#[derive(Debug)]
struct Token(bool);

impl Drop for Token {
    fn drop(&mut self) {
        assert!(!self.0, "the drop of an answer");
    }
}

impl Handler for Desk {
    fn enter(&mut self, held: &mut Vec<Reply<Token>>, _: &mut EnterCx<Self>) {
        if matches!(self, Desk::Shut) {
            held.clear();
        }
    }

    fn handle(
        state: DeskAt<'_>,
        event: Event,
        held: &mut Vec<Reply<Token>>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match (state, event) {
            (_, Event::Ask(reply)) => held.push(reply),
            (_, Event::Answer(token, caller)) => {
                held.remove(0).send(token).expect("the caller waits");
                drop(caller);
            }
            (DeskAt::Open(s), Event::Shut) => return s.go(Shut),
            (_, event @ Event::Shut) => return statem::unexpected(event),
        }
        keep()
    }
}

/// Takes over the replies of others.
#[derive(StateMachine)]
#[machine(event = Reply<Token>, data = Vec<Reply<Token>>)]
enum Deputy {
    #[initial]
    #[to(Ready)]
    Ready,
}

impl Handler for Deputy {
    fn handle(
        _: DeputyAt<'_>,
        reply: Reply<Token>,
        held: &mut Vec<Reply<Token>>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        held.push(reply);
        keep()
    }
}

fn clock() -> Duration {
    Duration::ZERO
}

fn desk() -> Engine<Desk> {
    let mut desk = Engine::new(Open, Vec::new());
    desk.start(&clock);
    desk
}

#[test]
fn n54a_a_reply_dropped_in_enter_names_the_state_that_was_entered() {
    let mut desk = desk();
    let mut caller = desk.call(Event::Ask, &clock);
    desk.handle(Event::Shut, &clock);
    let outcome = caller.try_take();
    assert!(
        matches!(
            outcome,
            Some(Err(CallError::NotAnswered {
                state: Some("Shut"),
                ..
            }))
        ),
        "{outcome:?}"
    );
}

#[test]
fn n54b_a_forwarded_reply_names_the_machine_that_ended_with_it() {
    let (mut desk, mut deputy) = (desk(), Engine::<Deputy>::new(Ready, Vec::new()));
    deputy.start(&clock);
    let mut caller = desk.call(Event::Ask, &clock);
    let reply = desk.data_mut().expect("the machine runs").remove(0);
    deputy.handle(reply, &clock);
    deputy.stop(ExitReason::Shutdown);
    assert!(desk.stopped().is_none());
    let outcome = caller.try_take();
    assert!(
        matches!(
            outcome,
            Some(Err(CallError::Stopped {
                machine: "Deputy",
                ..
            }))
        ),
        "{outcome:?}"
    );
}

#[test]
fn n65_a_panic_in_the_drop_of_an_answer_is_none_of_the_machines() {
    let mut desk = desk();
    let caller = desk.call(Event::Ask, &clock);
    let mut next = desk.call(Event::Ask, &clock);
    // The caller goes after it was answered, so that nobody but the machine has the answer.
    desk.handle(Event::Answer(Token(true), Some(caller)), &clock);
    assert!(desk.stopped().is_none());
    desk.handle(Event::Answer(Token(false), None), &clock);
    assert!(matches!(next.try_take(), Some(Ok(_))));
}

#[test]
fn n54b_a_machine_that_ends_with_its_thread_tells_its_callers() {
    thread_local! {
        static DESK: RefCell<Option<Engine<Desk>>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Before the machine uses anything that belongs to the thread: it is dropped last.
        DESK.set(None);
        let mut desk = desk();
        sender
            .send(desk.call(Event::Ask, &clock))
            .expect("the test waits");
        // Everything of the thread is in use: one call is answered, one is dropped.
        desk.handle(Event::Answer(Token(false), None), &clock);
        let _dropped = desk.call(Event::Ask, &clock);
        desk.data_mut().expect("the machine runs").clear();
        let mut held = desk.call(Event::Ask, &clock);
        assert!(held.try_take().is_none());
        sender.send(held).expect("the test waits");
        DESK.set(Some(desk));
    })
    .join()
    .expect("the thread ends");
    let outcomes: Vec<_> = receiver
        .iter()
        .map(|mut answer| answer.try_take())
        .collect();
    assert!(
        matches!(
            &outcomes[..],
            [
                Some(Ok(_)),
                Some(Err(CallError::Stopped {
                    machine: "Desk",
                    reason: ExitReason::Aborted,
                    ..
                }))
            ]
        ),
        "{outcomes:?}"
    );
}

#[test]
fn n54b_an_error_of_the_machine_is_given_back_if_the_caller_has_gone() {
    #[derive(StateMachine)]
    #[machine(event = Refused, data = Vec<Refused>)]
    enum Clerk {
        #[initial]
        #[to(Open)]
        Open,
    }

    type Refused = Reply<u32, String>;

    impl Handler for Clerk {
        fn handle(
            _: ClerkAt<'_>,
            reply: Refused,
            held: &mut Vec<Refused>,
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            held.push(reply);
            keep()
        }
    }

    let clock = || Duration::ZERO;
    let mut clerk = Engine::new(Open, Vec::new());
    clerk.start(&clock);
    let [mut waits, goes] = [(), ()].map(|()| clerk.call(|reply: Refused| reply, &clock));
    let held = clerk.data_mut().expect("the machine runs");
    assert!(held.iter().all(|reply| !reply.is_closed()));
    drop(goes);
    let closed: Vec<_> = held.iter().map(Reply::is_closed).collect();
    assert_eq!(closed, [false, true]);
    let failed: Vec<_> = held
        .drain(..)
        .map(|reply| reply.fail("no".into()))
        .collect();
    assert_eq!(failed, [Ok(()), Err("no".into())]);
    assert!(matches!(waits.try_take(), Some(Err(CallError::Failed(error))) if error == "no"));
}
