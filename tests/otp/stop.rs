//! Stopping from outside: the suite's group `stop`, and stopping from inside.

use statem::engine::Engine;
use statem::{Cx, ExitReason, Handler, Next, Reply, StateMachine, Status, spawn, stop, unexpected};

use crate::line::{Event, Idle, Line, To, by_calls, by_casts, stop_it};
use crate::support::{Log, ms, now, short, told};

#[tokio::test(start_paused = true)]
async fn stop1() {
    let log = Log::default();
    let line = spawn::<Line>(Idle, log.clone());
    assert!(matches!(line.stop().await, ExitReason::Normal));
    assert!(matches!(line.status(), Status::Stopped(ExitReason::Normal)));
    assert_eq!(log.take(), "terminate: Normal");
    // OTP says `noproc` to the second one; a handle still knows the reason.
    assert!(matches!(line.stop().await, ExitReason::Normal));
    assert_eq!(log.take(), "");
}

#[tokio::test(start_paused = true)]
async fn stop2() {
    // From outside a driver is stopped for no other reason than these two; an engine for any.
    let line = spawn::<Line>(Idle, Log::default());
    assert!(matches!(line.shutdown(ms(100)).await, ExitReason::Shutdown));
    assert!(matches!(line.closed().await, ExitReason::Shutdown));

    let log = Log::default();
    let mut line = Engine::<Line>::new(Idle, log.clone());
    line.start(&|| ms(0));
    line.stop(ExitReason::other("other reason"));
    assert_eq!(line.stopped().map(short).unwrap(), "other reason");
    assert_eq!(log.take(), "terminate: other reason");
}

#[tokio::test(start_paused = true)]
async fn stop3() {
    // A limit that is no time does not compile. One that has passed stops all the same, at once.
    let line = spawn::<Line>(Idle, Log::default());
    let began = now();
    assert!(matches!(line.shutdown(ms(0)).await, ExitReason::Shutdown));
    assert_eq!(now(), began);
}

#[tokio::test(start_paused = true)]
async fn shutdown() {
    let line = spawn::<Line>(Idle, Log::default());
    by_casts(&line).await;
    by_calls(&line).await;
    stop_it(&line, ExitReason::Shutdown).await;
    assert!(matches!(line.closed().await, ExitReason::Shutdown));
    let late = line.call(|reply| Event::Alive(To::Caller(reply))).await;
    assert_eq!(told(late), "stopped: Shutdown, begun: false");

    // The suite's own reason is `{shutdown, reason}`.
    let line = spawn::<Line>(Idle, Log::default());
    stop_it(&line, ExitReason::ended("reason")).await;
    let reason = line.closed().await;
    assert!(reason.is_normal());
    assert_eq!(reason.to_string(), "it ended: reason");
}

/// Answers an earlier caller and the one of this event, and stops.
#[derive(StateMachine)]
#[machine(event = Ask)]
enum Twofold {
    #[initial]
    #[to(Waiting)]
    Start,
    #[to(Start)]
    Waiting(Waiting),
}

struct Waiting(Option<Reply<&'static str>>);

enum Ask {
    Echo(Reply<&'static str>),
    StopAndReply(&'static str, Reply<&'static str>),
}

impl Handler for Twofold {
    fn handle(state: TwofoldAt<'_>, event: Ask, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (TwofoldAt::Start(s), Ask::Echo(reply)) => s.go(Waiting(Some(reply))),
            (TwofoldAt::Waiting(mut s), Ask::StopAndReply(reason, second)) => {
                if let Some(first) = s.0.take() {
                    first.send("reply1").unwrap();
                }
                second.send("reply2").unwrap();
                stop(ExitReason::other(reason))
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stop_and_reply() {
    let machine = spawn::<Twofold>(Start, ());
    let log = Log::default();
    let mut callers = tokio::task::JoinSet::new();
    let ask = |event: fn(Reply<&'static str>) -> Ask| {
        let (machine, log) = (machine.clone(), log.clone());
        async move { log.add(told(machine.call(event).await)) }
    };
    callers.spawn(ask(Ask::Echo));
    tokio::task::yield_now().await;
    callers.spawn(ask(|reply| Ask::StopAndReply("reason", reply)));
    assert_eq!(short(&machine.closed().await), "reason");
    callers.join_all().await;
    assert_eq!(log.take(), "\"reply1\", \"reply2\"");

    let late = machine.call(Ask::Echo).await;
    assert_eq!(told(late), "stopped: reason, begun: false");
}
