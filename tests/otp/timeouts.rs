//! State, event and named timeouts.

use std::time::Duration;

use statem::{Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, spawn, stop, unexpected};

use crate::support::{Log, ms, now, spend, told};

/// The case `state_timeout`, whose steps are events in the order it expects them.
#[derive(StateMachine)]
#[machine(event = Step, data = Run)]
enum Stepping {
    #[initial]
    #[to(One)]
    Start,
    #[to(Two)]
    One,
    #[to(Three)]
    Two,
    #[to(Start)]
    Three,
}

#[derive(Default)]
struct Run {
    log: Log,
    time: Duration,
    reply: Option<Reply<()>>,
}

impl Run {
    fn answer(&mut self) {
        self.reply.take().unwrap().send(()).unwrap();
    }
}

enum Step {
    Go(Duration, Reply<()>),
    Check(Reply<()>),
    Message,
    Internal(u32),
    State(u32),
    Event(u32),
}

impl Handler for Stepping {
    fn handle(state: SteppingAt<'_>, event: Step, run: &mut Run, cx: &mut Cx<Self>) -> Next<Self> {
        use {Step as E, SteppingAt as S};
        match (state, event) {
            (S::Start(s), E::Go(time, reply)) => {
                cx.handle().try_cast(E::Message).unwrap();
                (run.time, run.reply) = (time, Some(reply));
                cx.event_timeout(time, E::Event(1));
                cx.state_timeout(time, E::State(1));
                cx.insert(E::Internal(1));
                s.go(One)
            }
            // What the machine inserts comes before what is sent to it, and to change the state
            // cancels the timeouts of before.
            (S::One(s), E::Internal(1)) => {
                run.log.add("internal 1");
                cx.event_timeout(ms(0), E::Event(2));
                cx.state_timeout(ms(0), E::State(2));
                cx.insert(E::Internal(2));
                s.go(Two)
            }
            // A timeout of zero comes after what was inserted, which cancels the event timeout;
            // the next one is cancelled by the state timeout that is before it.
            (S::Two(_), E::Internal(2)) => {
                run.log.add("internal 2");
                cx.event_timeout(ms(0), E::Event(3));
                keep()
            }
            // Timeouts of zero come in their order.
            (S::Two(_), E::State(2)) => {
                run.log.add("state 2");
                cx.event_timeout(ms(0), E::Event(4));
                cx.state_timeout(ms(0), E::State(5));
                keep()
            }
            // The state timeout can be restarted while it waits, and goes to the back.
            (S::Two(_), E::Event(4)) => {
                run.log.add("event 4");
                cx.state_timeout(ms(0), E::State(6));
                cx.event_timeout(ms(0), E::Event(7));
                keep()
            }
            (S::Two(s), E::State(6)) => {
                run.log.add("state 6");
                run.answer();
                cx.state_timeout(run.time, E::State(8));
                s.go(Three)
            }
            (S::Three(_), E::Message) => {
                run.log.add("message");
                keep()
            }
            (S::Three(_), E::Check(reply)) => {
                run.reply = Some(reply);
                keep()
            }
            (S::Three(_), E::State(8)) => {
                run.answer();
                stop(ExitReason::Normal)
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn state_timeout() {
    let run = Run::default();
    let log = run.log.clone();
    let machine = spawn::<Stepping>(Start, run);
    let began = now();
    machine
        .call(|reply| Step::Go(ms(500), reply))
        .await
        .unwrap();
    assert_eq!(now(), began);
    machine.call(Step::Check).await.unwrap();
    assert_eq!(now() - began, ms(500));
    assert_eq!(
        log.take(),
        "internal 1, internal 2, state 2, event 4, state 6, message"
    );
    assert!(matches!(machine.closed().await, ExitReason::Normal));
}

/// The case `timeout_cancel_and_update`.
#[derive(StateMachine)]
#[machine(event = Update, data = Option<Reply<()>>, timeout = char)]
enum Updating {
    #[initial]
    #[to(Named)]
    Asked,
    #[to(Late)]
    Named,
    #[to(Quiet)]
    Late,
    #[to(Asked)]
    Quiet,
}

enum Update {
    Test(Reply<()>),
    Stop(Reply<()>),
    Message,
    Internal(u32),
    State(&'static str),
    A(&'static str),
    Silence,
}

impl Handler for Updating {
    fn handle(
        state: UpdatingAt<'_>,
        event: Update,
        caller: &mut Option<Reply<()>>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {Update as E, UpdatingAt as S};
        match (state, event) {
            (S::Asked(s), E::Test(reply)) => {
                *caller = Some(reply);
                cx.handle().try_cast(E::Message).unwrap();
                cx.state_timeout(ms(17), E::State("cancelled"));
                cx.insert(E::Internal(1));
                s.go(Named)
            }
            (S::Named(_), E::Internal(1)) => {
                cx.cancel_state_timeout();
                cx.timeout('a', ms(17), E::A("of the start"));
                keep()
            }
            (S::Named(_), E::Message) => {
                cx.update_timeout('a', E::A("of the update"));
                keep()
            }
            (S::Named(s), E::A("of the update")) => {
                cx.state_timeout(ms(17), E::State("of the start"));
                cx.insert(E::Internal(2));
                s.go(Late)
            }
            (S::Late(_), E::Internal(2)) => {
                // The state timeout is due before this handler returns, and updated all the same.
                spend(ms(50));
                cx.update_state_timeout(E::State("of the update"));
                cx.event_timeout(ms(17), E::Silence);
                keep()
            }
            (S::Late(s), E::State("of the update")) => {
                caller.take().unwrap().send(()).unwrap();
                cx.event_timeout(ms(17_000), E::Silence);
                s.go(Quiet)
            }
            (S::Quiet(_), E::Stop(reply)) => {
                reply.send(()).unwrap();
                stop(ExitReason::Normal)
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_cancel_and_update() {
    let machine = spawn::<Updating>(Asked, None);
    let began = now();
    machine.call(Update::Test).await.unwrap();
    // The update left the time of the named timeout as it was; the blocking handler came then.
    assert_eq!(now() - began, ms(17 + 50));
    // The question is no event: the event timeout goes on.
    let seen = machine.inspect().await.unwrap();
    assert_eq!(
        seen.timeouts,
        [("event timeout".to_owned(), Some(ms(17_000)))]
    );
    assert_eq!(seen.counts.unexpected, 0);
    machine.call(Update::Stop).await.unwrap();
    assert!(matches!(machine.closed().await, ExitReason::Normal));
}

/// The case `generic_timers`.
#[derive(StateMachine)]
#[machine(event = Generic, timeout = char)]
#[to(G1, G2, G3, G4)]
enum Timers {
    #[initial]
    G0,
    G1,
    G2,
    G3,
    G4,
}

enum Generic {
    Call(Reply<&'static str>),
    A(Reply<&'static str>),
    Old,
    C,
    D,
}

impl Handler for Timers {
    fn handle(state: TimersAt<'_>, event: Generic, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        use {Generic as E, TimersAt as S};
        match (state, event) {
            (S::G0(s), call @ E::Call(_)) => {
                cx.timeout('a', ms(1500), E::Old);
                cx.state_timeout(ms(1500), E::Old);
                cx.timeout('b', ms(1000), E::Old);
                cx.insert(call);
                s.go(G1)
            }
            (S::G1(s), E::Call(reply)) => {
                cx.timeout_at('c', ms(500), E::C);
                cx.timeout('d', ms(0), E::D);
                cx.event_timeout(ms(0), E::Old);
                cx.cancel_timeout('b');
                cx.timeout('a', ms(1000), E::A(reply));
                s.go(G2)
            }
            (S::G2(s), E::D) => s.go(G3),
            (S::G3(s), E::C) => s.go(G4),
            (S::G4(_), E::A(reply)) => {
                reply.send("stopped").unwrap();
                stop(ExitReason::Shutdown)
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn generic_timers() {
    let machine = spawn::<Timers>(G0, ());
    let began = now();
    let mut watch = machine.watch();
    let stopped = tokio::spawn({
        let machine = machine.clone();
        async move { machine.call(Generic::Call).await }
    });
    tokio::time::sleep(ms(499)).await;
    assert!(matches!(watch.status(), statem::Status::Running("G3")));
    tokio::time::sleep(ms(2)).await;
    assert!(matches!(
        watch.changed().await,
        statem::Status::Running("G4")
    ));
    assert_eq!(stopped.await.unwrap().unwrap(), "stopped");
    assert_eq!(now() - began, ms(1000));
    assert!(matches!(machine.closed().await, ExitReason::Shutdown));
    let late = machine.call(Generic::Call).await;
    assert_eq!(told(late), "stopped: Shutdown, begun: false");
}

/// The part of the suite's script that all its starts run last: a timeout of zero that is postponed
/// by its own handler.
#[derive(StateMachine)]
#[machine(event = Silence, timeout = char)]
enum Silent {
    #[initial]
    #[to(Still)]
    Rest,
    #[to(Heard)]
    Still(Still),
    #[to(Rest)]
    Heard(Heard),
}

struct Still(Duration, Option<Reply<&'static str>>);
struct Heard(Option<Reply<&'static str>>);

enum Silence {
    Time(Duration, Reply<&'static str>),
    Idle,
    Zero,
    TooLate,
    Outside,
}

impl Handler for Silent {
    fn handle(state: SilentAt<'_>, event: Silence, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        use {Silence as E, SilentAt as S};
        match (state, event) {
            (S::Rest(s), E::Time(time, reply)) => {
                cx.event_timeout(time, E::Idle);
                s.go(Still(time, Some(reply)))
            }
            (S::Still(s), E::Idle) => {
                cx.timeout('o', s.0, E::Outside);
                cx.event_timeout(ms(0), E::Zero);
                keep()
            }
            (S::Still(s), zero @ E::Zero) => {
                // The retry of this event cancels the event timeout that is set beside it.
                cx.event_timeout(ms(1), E::TooLate);
                cx.postpone(zero);
                s.go_with(|old| Heard(old.1))
            }
            (S::Heard(_), E::Zero) => keep(),
            (S::Heard(mut s), E::Outside) => {
                s.0.take().unwrap().send("ok").unwrap();
                s.go(Rest)
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn start1_and_a_timeout_of_zero_that_is_postponed() {
    let machine = spawn::<Silent>(Rest, ());
    let began = now();
    let time = |reply| Silence::Time(ms(200), reply);
    assert_eq!(machine.call(time).await.unwrap(), "ok");
    assert_eq!(now() - began, ms(400));
    let seen = machine.inspect().await.unwrap();
    assert_eq!((seen.state, seen.counts.unexpected), ("Rest", 0));
}
