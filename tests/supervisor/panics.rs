//! A panic in each callback of a child, one after another: it is restarted, and nothing is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use statem::supervisor::{Spec, Strategy, Supervisor};
use statem::{Builder, CallError, Cx, EnterCx, ExitReason, Handler, Next, StateMachine, keep};

use crate::support::{settle, tasks};

/// Panics once, in the callback of this name.
#[derive(Clone)]
struct Bomb {
    place: &'static str,
    armed: Arc<AtomicBool>,
}

impl Bomb {
    fn new(place: &'static str) -> Self {
        Bomb {
            place,
            armed: Arc::new(AtomicBool::new(true)),
        }
    }

    fn reach(&self, place: &str) {
        let goes_off = self.place == place && self.armed.swap(false, Ordering::Relaxed);
        assert!(!goes_off, "in {place}");
    }
}

#[derive(StateMachine)]
#[machine(event = Event, data = Data, shutdown = Event::Drain)]
enum Victim {
    #[initial]
    #[to(Second)]
    First(First),
    #[to(Second)]
    Second(Second),
}

struct First(Bomb);
struct Second(#[expect(dead_code, reason = "kept for its drop")] DropsData);

struct Data(Bomb);

/// A source's output that panics as it is dropped.
struct DropsData(Bomb);

enum Event {
    Go,
    Handle,
    Drain,
}

impl Drop for First {
    fn drop(&mut self) {
        self.0.reach("the drop of a state");
    }
}

impl Drop for DropsData {
    fn drop(&mut self) {
        self.0.reach("the drop of what a state holds");
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.0.reach("the drop of the data");
    }
}

impl Handler for Victim {
    fn enter(&mut self, data: &mut Data, cx: &mut EnterCx<Self>) {
        data.0.reach("enter");
        if let Self::Second(_) = self {
            let bomb = data.0.clone();
            cx.state_task(async move { bomb.reach("a source") }, |()| Event::Handle);
        }
    }

    fn handle(state: VictimAt<'_>, event: Event, data: &mut Data, _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (VictimAt::First(s), Event::Go) => {
                let held = DropsData(data.0.clone());
                s.go(Second(held))
            }
            (VictimAt::Second(s), Event::Go) => {
                let held = DropsData(data.0.clone());
                s.go(Second(held))
            }
            (_, Event::Handle) => {
                data.0.reach("handle");
                keep()
            }
            (_, Event::Drain) => {
                data.0.reach("the shutdown");
                statem::stop(ExitReason::Shutdown)
            }
        }
    }

    fn terminate(_: &ExitReason, _: Option<&mut Self>, data: &mut Data) {
        data.0.reach("terminate");
    }
}

#[tokio::test(start_paused = true)]
async fn n65_a_panic_in_any_callback_of_a_child_is_its_own_and_leaves_no_task() {
    for place in [
        "the builder",
        "the start",
        "init",
        "enter",
        "handle",
        "a source",
        "the drop of a state",
        "the drop of what a state holds",
        "the shutdown",
        "terminate",
        "the drop of the data",
    ] {
        let bomb = Bomb::new(place);
        let mut supervisor =
            Supervisor::new("top", Strategy::OneForAll).intensity(9, Duration::from_secs(5));
        let (of_start, of_builder) = (bomb.clone(), bomb.clone());
        let spec = Spec::<Victim>::new("victim", move || {
            of_start.reach("the start");
            (First(of_start.clone()), Data(of_start.clone()))
        });
        let mut calls = 0;
        let victim = supervisor.child(spec.builder(move || {
            // Not at the first call, which is made by whoever makes the supervisor.
            calls += 1;
            if calls > 1 {
                of_builder.reach("the builder");
            }
            let bomb = of_builder.clone();
            Builder::new().init(move |_, _| bomb.reach("init"))
        }));
        let other = supervisor.child(Spec::<Victim>::new("other", {
            let calm = Bomb::new("nowhere");
            move || (First(calm.clone()), Data(calm.clone()))
        }));
        let tree = supervisor.spawn();
        tree.ready().await.unwrap();
        for _ in 0..3 {
            victim.cast(Event::Go).await.unwrap();
            settle().await;
        }
        victim.cast(Event::Handle).await.unwrap();
        settle().await;
        if victim.restarts() == 0 && bomb.armed.load(Ordering::Relaxed) {
            // Those of the end: as a member of the group, and by itself.
            other.kill();
            settle().await;
        }
        tree.ready().await.unwrap();
        assert_eq!(tasks(), 3, "{place}");
        assert!(matches!(tree.stop().await, ExitReason::Shutdown), "{place}");
        assert!(!bomb.armed.load(Ordering::Relaxed), "{place} was reached");
        assert_eq!(tasks(), 0, "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn n77_whoever_waits_for_a_child_whose_start_panicked_is_told_so() {
    for earlier_lives in [0, 1] {
        let mut supervisor = Supervisor::new("top", Strategy::OneForOne)
            .intensity(earlier_lives, Duration::from_secs(5));
        let mut starts = 0;
        let child = supervisor.child(Spec::<Victim>::new("victim", move || {
            starts += 1;
            assert!(starts <= earlier_lives, "no file");
            (First(Bomb::new("nowhere")), Data(Bomb::new("handle")))
        }));
        let waits = child.clone();
        let closed = child.closed();
        let tree = supervisor.spawn();
        if earlier_lives == 1 {
            settle().await;
            child.cast(Event::Handle).await.unwrap();
        }
        let reason = closed.await;
        assert!(
            matches!(&reason, ExitReason::Panicked { message, callback, .. }
                if &**message == "no file" && callback.contains("start")),
            "{earlier_lives}: {reason:?}"
        );
        let error = waits.inspect().await.unwrap_err();
        assert!(matches!(
            error,
            CallError::Stopped { reason: ExitReason::Panicked { message, .. }, .. } if &*message == "no file"
        ));
        drop(tree);
    }
}
