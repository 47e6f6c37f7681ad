//! Machines with names, and those that are linked: the rest of the suite's groups `start` and
//! `stop`.

use statem::{
    Builder, Closed, Cx, EnterCx, ExitReason, Guard, Handle, Handler, Next, Registry, StateMachine,
    keep, spawn,
};

use crate::line::{Event, Idle, Line, To, by_calls, by_casts, stop_it};
use crate::support::{Log, short, told};

/// What OTP calls a via module: a value of the test's own.
type Lines = Registry<&'static str, Line>;

fn start(lines: &Lines, name: &'static str) -> Result<Handle<Line>, statem::AlreadyStarted<Line>> {
    lines.spawn(name, Builder::new(), Idle, Log::default())
}

/// Runs the script by the name alone, twice, and stops the machine.
async fn use_the_name(lines: &Lines) {
    let line = start(lines, "my_STM").unwrap();
    let taken = start(lines, "my_STM").unwrap_err();
    let holder = taken.holder.upgrade().unwrap();
    by_casts(&lines.get("my_STM").unwrap()).await;
    by_calls(&holder).await;
    let down = line.closed();
    stop_it(&lines.get("my_STM").unwrap(), ExitReason::Normal).await;
    assert!(matches!(down.await, ExitReason::Normal));
    assert!(lines.get("my_STM").is_none());
}

#[tokio::test(start_paused = true)]
async fn start8() {
    use_the_name(&Lines::new()).await;
}

/// Lives as long as the one it is linked to.
#[derive(StateMachine)]
#[machine(event = (), data = (Option<Closed>, Guard))]
enum Starter {
    #[initial]
    #[to()]
    Living,
}

impl Handler for Starter {
    fn enter(&mut self, (other, link): &mut (Option<Closed>, Guard), cx: &mut EnterCx<Self>) {
        if let Some(other) = other.take() {
            *link = cx.link(other);
        }
    }

    fn handle(
        _: StarterAt<'_>,
        (): (),
        _: &mut (Option<Closed>, Guard),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        keep()
    }
}

/// One that is linked to a line.
fn linked(line: &Handle<Line>) -> Handle<Starter> {
    spawn::<Starter>(Living, (Some(line.closed()), Guard::inert()))
}

#[tokio::test(start_paused = true)]
async fn start6() {
    let line = spawn::<Line>(Idle, Log::default());
    let starter = linked(&line);
    by_casts(&line).await;
    by_calls(&line).await;
    stop_it(&line, ExitReason::other("reason")).await;
    let reason = starter.closed().await;
    let ExitReason::Linked { machine, reason } = reason else {
        panic!("{reason}");
    };
    assert_eq!((machine, short(&reason)), ("Line", "reason".into()));
}

#[tokio::test(start_paused = true)]
async fn start9() {
    let lines = Lines::new();
    let line = start(&lines, "my_STM").unwrap();
    let (starter, down) = (linked(&line), line.closed());
    by_casts(&lines.get("my_STM").unwrap()).await;
    by_calls(&lines.get("my_STM").unwrap()).await;
    stop_it(&line, ExitReason::other("reason")).await;
    assert_eq!(short(&down.await), "reason");
    assert!(matches!(starter.closed().await, ExitReason::Linked { .. }));
    assert!(start(&lines, "my_STM").is_ok());
}

#[tokio::test(start_paused = true)]
async fn start11() {
    let lines = Lines::new();
    let line = start(&lines, "my_STM").unwrap();
    by_casts(&line).await;
    by_calls(&line).await;
    stop_it(&line, ExitReason::Normal).await;
    // The name is free again, and another one may have it.
    line.closed().await;
    for reason in [ExitReason::Shutdown, ExitReason::other("error")] {
        let line = start(&lines, "my_STM").unwrap();
        by_calls(&line).await;
        stop_it(&line, reason).await;
        line.closed().await;
    }
    assert!(lines.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn start12() {
    // Two registries are two places: a name is taken in one of them.
    let (lines, others) = (Lines::new(), Lines::new());
    let other = start(&others, "my_STM").unwrap();
    use_the_name(&lines).await;
    by_calls(&other).await;
    assert_eq!(others.names(), ["my_STM"]);
}

/// Stops a machine that is found by its name, and sees that nobody is there any more.
async fn stop_by_name(lines: &Lines) {
    let line = start(lines, "to_stop").unwrap();
    let found = lines.get("to_stop").unwrap();
    assert!(matches!(found.stop().await, ExitReason::Normal));
    assert!(lines.get("to_stop").is_none());
    let late = line.call(|reply| Event::Alive(To::Caller(reply))).await;
    assert_eq!(told(late), "stopped: Normal, begun: false");
}

#[tokio::test(start_paused = true)]
async fn stop4() {
    stop_by_name(&Lines::new()).await;
}

#[tokio::test(start_paused = true)]
async fn stop7() {
    let (lines, others) = (Lines::new(), Lines::new());
    let _other = start(&others, "to_stop").unwrap();
    stop_by_name(&lines).await;
    assert_eq!(others.names(), ["to_stop"]);
}
