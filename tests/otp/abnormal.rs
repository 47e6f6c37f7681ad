//! Calls that fail and handlers that go wrong: the suite's group `abnormal`.

use statem::{Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, spawn, stop};

use crate::line::{Event, Idle, Line};
use crate::support::{Log, ms, now, short, told};

#[tokio::test(start_paused = true)]
async fn abnormal1() {
    let log = Log::default();
    let line = spawn::<Line>(Idle, log.clone());
    let delayed = |time| move |reply| Event::Delay(time, reply);
    let began = now();
    assert_eq!(
        told(line.call(delayed(ms(100))).limit(ms(2000)).await),
        "Delayed"
    );
    assert_eq!(now() - began, ms(100));

    let outcome = line.call(delayed(ms(2000))).limit(ms(100)).await;
    assert_eq!(told(outcome), "timed out, begun: true");
    assert_eq!(now() - began, ms(200));

    // The answer that comes later finds nobody, and nothing of it is left to be taken for another.
    let mut next = Box::pin(line.call(delayed(ms(5000))).limit(ms(9000)));
    let early = tokio::time::timeout(ms(2500), &mut next).await;
    assert!(early.is_err());
    assert_eq!(log.take(), "too late");
    assert_eq!(told(next.await), "Delayed");
}

/// A machine that goes wrong in the way it is asked to.
#[derive(StateMachine)]
#[machine(event = Wrong, data = Option<Next<Clumsy>>)]
enum Clumsy {
    #[initial]
    #[to(Well)]
    Well,
}

enum Wrong {
    /// Keeps what a handler is to return.
    Keep,
    /// Returns what another event's handler made.
    BadReturn(Reply<()>),
    Bug(Reply<()>),
    /// Gives up with an error of its own.
    Error(Reply<()>),
}

impl Handler for Clumsy {
    fn handle(
        _: ClumsyAt<'_>,
        event: Wrong,
        kept: &mut Option<Next<Self>>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match event {
            Wrong::Keep => {
                *kept = Some(keep());
                keep()
            }
            Wrong::BadReturn(_reply) => kept.take().unwrap_or_else(keep),
            Wrong::Bug(_reply) => panic!("a bug"),
            Wrong::Error(_reply) => stop(ExitReason::other("out of paper")),
        }
    }
}

/// What the caller that did it and somebody who watches are told.
async fn go_wrong(how: fn(Reply<()>) -> Wrong) -> [String; 2] {
    let machine = spawn::<Clumsy>(Well, None);
    machine.cast(Wrong::Keep).await.unwrap();
    let watcher = tokio::spawn(machine.closed());
    let caller = told(machine.call(how).await);
    [caller, short(&watcher.await.unwrap())]
}

#[tokio::test(start_paused = true)]
async fn abnormal2() {
    // The one bad return that the types leave: a `Next` of another event (N12).
    let [caller, watcher] = go_wrong(Wrong::BadReturn).await;
    assert_eq!(caller, "stopped: StateLost { from: \"Well\" }, begun: true");
    assert_eq!(watcher, "StateLost { from: \"Well\" }");
}

#[tokio::test(start_paused = true)]
async fn abnormal3() {
    // There are no bad actions; there are bugs, and errors that a machine ends with.
    let [caller, watcher] = go_wrong(Wrong::Bug).await;
    assert_eq!(caller, "stopped: `a bug` in handle, begun: true");
    assert_eq!(watcher, "`a bug` in handle");

    let [caller, watcher] = go_wrong(Wrong::Error).await;
    assert_eq!(caller, "stopped: out of paper, begun: true");
    assert_eq!(watcher, "out of paper");
}
