//! What a machine does with an event that it says it does not expect (N5).

use statem::engine::Engine;
use statem::{Answer, CallError, Cx, ExitReason, Handler, Next, Reply, StateMachine, unexpected};

use crate::scripted::ms;

type Ask = Reply<u8>;

/// Declares a machine that expects nothing.
macro_rules! expects_nothing {
    ($machine:ident, $view:ident, $state:ident, $does:literal) => {
        #[derive(StateMachine)]
        #[machine(event = Ask, unexpected = $does)]
        enum $machine {
            #[initial]
            $state,
        }

        impl Handler for $machine {
            fn handle(_: $view<'_>, ask: Ask, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
                unexpected(ask)
            }
        }
    };
}

expects_nothing!(Warns, WarnsAt, Warning, "warn");
expects_nothing!(Stops, StopsAt, Stopping, "stop");
expects_nothing!(Panics, PanicsAt, Panicking, "panic");

fn asked<M: Handler<Event = Ask>>(engine: &mut Engine<M>) -> Answer<u8> {
    engine.start(&|| ms(0));
    engine.call(|ask| ask, &|| ms(0))
}

fn assert_told_unexpected(mut answer: Answer<u8>) {
    assert!(
        matches!(answer.try_take(), Some(Err(CallError::Unexpected { .. }))),
        "the caller is told"
    );
}

#[test]
fn n5_a_machine_goes_on_after_an_unexpected_event_unless_it_says_otherwise() {
    let mut engine = Engine::new(Warning, ());
    assert_told_unexpected(asked(&mut engine));
    assert!(engine.stopped().is_none());
}

#[test]
fn n5_a_machine_may_stop_at_an_unexpected_event() {
    let mut engine = Engine::new(Stopping, ());
    assert_told_unexpected(asked(&mut engine));
    let Some(ExitReason::Other(error)) = engine.stopped() else {
        panic!("{:?}", engine.stopped())
    };
    assert!(error.to_string().contains("`Stopping`"), "{error}");
}

#[test]
fn n5_a_machine_may_panic_at_an_unexpected_event() {
    let mut engine = Engine::new(Panicking, ());
    assert_told_unexpected(asked(&mut engine));
    assert!(matches!(
        engine.stopped(),
        Some(ExitReason::Panicked {
            callback: "handle",
            ..
        })
    ));
}
