//! Futures of a tree, dropped after any poll of theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use statem::supervisor::{ChildError, Report, Strategy, Supervisor, Tree};
use statem::{CallError, ExitReason, Handle, Status};
use tokio::time::sleep;

use crate::dropped::{Polls, dropped_after};
use crate::support::{Drains, Event, Trace, Worker, World, child, settle, soon, tasks, worker};

/// What a tree does when a future of it is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// It has not begun.
    Starting,
    Supervising,
    /// `a` and all that come after it are ended, and started again.
    Regrouping,
    Stopping,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Start,
    StartTree,
    Terminate,
    Restart,
    Delete,
    Children,
    Report,
    Ready,
    Stop,
    Closed,
    Changed,
}

/// A child that is down, two that are not, of which the last takes its time to end, and a supervisor
/// with one more.
struct Rig {
    trace: Trace,
    tree: Tree,
    a: Handle<Worker>,
    b: Handle<Worker>,
    /// Of those tasks that are not the tree's.
    before: usize,
}

impl Rig {
    async fn new(place: Place) -> Self {
        let before = tasks();
        let trace = Trace::default();
        let mut supervisor =
            Supervisor::new("top", Strategy::RestForOne).intensity(9, Duration::from_secs(5));
        supervisor.child(worker("down", &trace));
        let a = supervisor.child(worker("a", &trace));
        let mut slow = World::new("b", &trace);
        slow.drains = Drains::After(Duration::from_millis(30));
        let b = supervisor.child(child(slow));
        let mut inner = Supervisor::new("inner", Strategy::OneForOne);
        inner.child(worker("x", &trace));
        supervisor.tree(inner);
        let tree = supervisor.spawn();
        if place != Place::Starting {
            tree.terminate("down").await.unwrap();
            tree.ready().await.unwrap();
        }
        match place {
            Place::Starting => {}
            Place::Supervising => settle().await,
            Place::Regrouping => a.try_cast(Event::Panic).unwrap(),
            Place::Stopping => assert!(dropped_after(1, tree.stop()).await.is_none()),
            Place::Stopped => drop(tree.stop().await),
        }
        if matches!(place, Place::Regrouping | Place::Stopping) {
            settle().await;
            let Status::Running(state) = tree.status() else {
                panic!("{:?}", tree.status());
            };
            assert_eq!(state, format!("{place:?}"));
        }
        Rig {
            trace,
            tree,
            a,
            b,
            before,
        }
    }

    async fn wish(&self, wish: Wish, polls: Polls) -> bool {
        let tree = &self.tree;
        match wish {
            Wish::Start => dropped_after(polls, tree.start(worker("new", &self.trace)))
                .await
                .is_some(),
            Wish::StartTree => {
                let mut another = Supervisor::new("new", Strategy::OneForOne);
                another.child(worker("y", &self.trace));
                dropped_after(polls, tree.start_tree(another))
                    .await
                    .is_some()
            }
            Wish::Terminate => dropped_after(polls, tree.terminate("b")).await.is_some(),
            Wish::Restart => dropped_after(polls, tree.restart("down")).await.is_some(),
            Wish::Delete => dropped_after(polls, tree.delete("down")).await.is_some(),
            Wish::Children => dropped_after(polls, tree.children()).await.is_some(),
            Wish::Report => dropped_after(polls, tree.report()).await.is_some(),
            Wish::Ready => dropped_after(polls, tree.ready()).await.is_some(),
            Wish::Stop => dropped_after(polls, tree.stop()).await.is_some(),
            Wish::Closed => dropped_after(polls, tree.closed()).await.is_some(),
            Wish::Changed => dropped_after(polls, tree.watch().changed()).await.is_some(),
        }
    }

    /// Which children run. As many tasks are there as the tree says it has machines.
    async fn running(&self) -> BTreeMap<String, bool> {
        let report = self.tree.report().await.unwrap();
        assert_eq!(tasks(), self.before + 1 + machines(&report), "{report}");
        let children = report.children.iter();
        children
            .map(|(child, _)| {
                let runs = matches!(child.status, Status::Running(_));
                assert!(
                    runs || matches!(child.status, Status::Stopped(_)),
                    "{report}"
                );
                (child.name.to_string(), runs)
            })
            .collect()
    }
}

/// How many run below a supervisor.
fn machines(report: &Report) -> usize {
    let children = report.children.iter();
    children
        .map(|(child, below)| {
            usize::from(matches!(child.status, Status::Running(_)))
                + below.as_ref().map_or(0, machines)
        })
        .sum()
}

/// One run in which a future is dropped after so many polls; whether it was ready before.
async fn run(place: Place, wish: Wish, polls: Polls) -> bool {
    let rig = Rig::new(place).await;
    let tree = &rig.tree;
    // Others ask before and after.
    let asks = || {
        let tree = tree.clone();
        tokio::spawn(async move { tree.children().await })
    };
    let asked = [asks(), asks()];
    let ready = rig.wish(wish, polls).await;
    let asked = asked.into_iter().chain([asks(), asks()]);
    let ends = place == Place::Stopping || wish == Wish::Stop && polls.most > 0;
    for asked in asked {
        let told = soon(asked).await.unwrap();
        match told {
            Ok(children) => assert!(children.len() >= 3),
            Err(CallError::Stopped { .. }) => assert!(ends || place == Place::Stopped),
            Err(error) => panic!("{error}"),
        }
    }
    if ends {
        assert!(matches!(soon(tree.closed()).await, ExitReason::Shutdown));
    }
    if !ends && place != Place::Stopped {
        // Longer than anything takes.
        sleep(Duration::from_secs(1)).await;
        rig.is_whole(place, wish, polls.most, ready).await;
        tree.stop().await;
    }
    assert_eq!(tasks(), rig.before);
    ready
}

impl Rig {
    /// What was asked for was done once, or not at all, and the tree serves everybody.
    async fn is_whole(&self, place: Place, wish: Wish, polls: usize, ready: bool) {
        let Rig { trace, tree, .. } = self;
        let running = self.running().await;
        let runs = |name| running.get(name).copied();
        // Two words of each life.
        let words = trace.take();
        let lives = |word: &str| words.iter().filter(|said| *said == word).count();
        assert_eq!((runs("a"), runs("inner")), (Some(true), Some(true)));
        let life = if place == Place::Regrouping { 2 } else { 1 };
        assert_eq!(self.a.call(Event::Ask).await.unwrap(), life);

        let (is_new, is_down) = (runs("new"), runs("down"));
        let is_first = place == Place::Starting;
        match wish {
            Wish::Start | Wish::StartTree => {
                assert!(matches!(is_new, None | Some(true)));
                assert!(!ready || is_new.is_some());
                assert!(lives("new1 idle") + lives("y1 idle") == usize::from(is_new.is_some()));
                let again = tree.start(worker("new", trace)).await;
                match again {
                    Ok(_) => assert_eq!(is_new, None),
                    Err(error) => {
                        assert!(matches!(error, CallError::Failed(ChildError::NameTaken)));
                        assert_eq!(is_new, Some(true));
                    }
                }
            }
            Wish::Terminate => {
                assert!(!ready || runs("b") == Some(false));
                tree.terminate("b").await.unwrap();
                tree.restart("b").await.unwrap();
                let life = self.b.call(Event::Ask).await.unwrap();
                // It is restarted with its group, which the request may have waited for.
                assert!((2..=3).contains(&life), "{life}");
            }
            Wish::Restart if !is_first => {
                assert!(!ready || is_down == Some(true));
                assert_eq!(lives("down2 idle"), usize::from(is_down == Some(true)));
                assert_eq!(lives("down3 idle"), 0);
            }
            Wish::Delete if !is_first => {
                assert!(!ready || is_down.is_none());
                let again = tree.delete("down").await;
                assert_eq!(again.is_ok(), is_down.is_some());
            }
            _ => {}
        }
        if polls == 0 || !matches!(wish, Wish::Start | Wish::StartTree) {
            assert_eq!(is_new, None);
        }
        if polls == 0 || wish != Wish::Terminate {
            assert_eq!(runs("b"), Some(true));
        }
        if polls == 0 || !matches!(wish, Wish::Restart | Wish::Delete) {
            assert_eq!(is_down, Some(is_first));
        }
        soon(tree.ready()).await.unwrap();
        let last = tree.start(worker("last", trace)).await.unwrap();
        assert_eq!(last.call(Event::Ask).await.unwrap(), 1);
        self.running().await;
    }
}

#[tokio::test(start_paused = true)]
async fn n56_every_future_of_a_tree_may_be_dropped_after_any_poll() {
    for place in [
        Place::Starting,
        Place::Supervising,
        Place::Regrouping,
        Place::Stopping,
        Place::Stopped,
    ] {
        for wish in [
            Wish::Start,
            Wish::StartTree,
            Wish::Terminate,
            Wish::Restart,
            Wish::Delete,
            Wish::Children,
            Wish::Report,
            Wish::Ready,
            Wish::Stop,
            Wish::Closed,
            Wish::Changed,
        ] {
            // What nothing happens for is never ready.
            let waits = match wish {
                Wish::Closed => !matches!(place, Place::Stopping | Place::Stopped),
                Wish::Changed => matches!(place, Place::Supervising | Place::Stopped),
                _ => false,
            };
            for turns in [20, 0] {
                for most in 0..=20 {
                    println!("{wish:?} while {place:?}, {most} polls, {turns} turns apart");
                    if run(place, wish, Polls { most, turns }).await {
                        break;
                    }
                    assert!(most < 20 || waits || turns > 0);
                }
            }
        }
    }
}

/// Asks again and again, and waits for a turn each time. How much memory that took at most.
fn asked_and_given_up(stops: bool) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let trace = Trace::default();
    let mut slow = World::new("slow", &trace);
    slow.drains = Drains::Never;
    let tree = runtime.block_on(async {
        let mut supervisor = Supervisor::new("top", Strategy::OneForOne);
        supervisor.child(child(slow).shutdown(Duration::from_secs(1000)));
        let tree = supervisor.spawn();
        settle().await;
        if stops {
            assert!(dropped_after(1, tree.stop()).await.is_none());
        }
        tree
    });
    let ask = async |times| {
        for _ in 0..times {
            let ready = if stops {
                dropped_after(3, tree.ready()).await.is_some()
            } else {
                dropped_after(3, tree.terminate("slow")).await.is_some()
            };
            assert!(!ready);
        }
    };
    runtime.block_on(ask(100));
    let used = allocation_counter::measure(|| runtime.block_on(ask(5_000)));
    used.bytes_max
}

#[test]
fn those_who_gave_up_waiting_for_the_end_of_a_child_or_a_supervisor_are_dropped_when_another_asks()
{
    for stops in [false, true] {
        let bytes = asked_and_given_up(stops);
        assert!(bytes < 10_000, "{bytes} bytes, and it stops: {stops}");
    }
}
