//! Trees to which anything happens in any order: what holds in all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use statem::supervisor::{Queue, Restart, Shutdown, Spec, Strategy, Supervisor, Tree};
use statem::{Backoff, CallError, ExitReason, Handle, Status};
use tokio::task::JoinSet;

use crate::support::{Drains, Event, Idle, Trace, Worker, World, settle, state, tasks};

/// A number below a bound, from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn spec(random: &mut Random, name: String, trace: &Trace) -> Spec<Worker> {
    let mut world = World::new("w", trace);
    world.drains = match random.below(4) {
        0 => Drains::After(Duration::from_millis(300)),
        1 => Drains::Never,
        _ => Drains::AtOnce,
    };
    let mut spec = Spec::new(name, move || (Idle, world.next()))
        .shutdown(Duration::from_millis(500))
        .restart(match random.below(4) {
            0 => Restart::Transient,
            1 => Restart::Temporary,
            _ => Restart::Permanent,
        });
    if random.below(2) == 0 {
        spec = spec.queue(Queue::Keep);
    }
    if random.below(3) == 0 {
        spec = spec.backoff(Backoff::default().seed(random.below(99)));
    }
    spec
}

fn strategy(random: &mut Random) -> Strategy {
    match random.below(4) {
        0 => Strategy::OneForOne,
        1 => Strategy::OneForAll,
        2 => Strategy::RestForOne,
        _ => Strategy::Dynamic,
    }
}

/// The calls that were made, each with its outcome in the end.
type Calls = JoinSet<Result<u32, CallError>>;

/// Does one thing to one child, and whatever it is in the midst of.
async fn something(
    random: &mut Random,
    tree: &Tree,
    kids: &mut BTreeMap<String, Handle<Worker>>,
    trace: &Trace,
    calls: &mut Calls,
) {
    let place = random.below(kids.len() as u64 + 1);
    let kid = kids.iter().nth(usize::try_from(place).unwrap());
    let Some((name, handle)) = kid.map(|(name, handle)| (name.clone(), handle.clone())) else {
        let name = format!("k{}", random.below(100_000));
        let spec = spec(random, name.clone(), trace);
        if let Ok(handle) = tree.start(spec).await {
            kids.insert(name, handle);
        }
        return;
    };
    // What is full or gone is not what this is about.
    match random.below(12) {
        0..3 => drop(handle.try_cast(Event::Panic)),
        3 => handle.kill(),
        4 => drop(handle.try_cast(Event::Stop(ExitReason::Normal))),
        5 => {
            let tree = tree.clone();
            drop(tokio::spawn(
                async move { drop(tree.terminate(&name).await) },
            ));
        }
        6 => drop(tree.restart(&name).await),
        7 => drop(tree.delete(&name).await),
        8 => drop(handle.try_cast(Event::Work)),
        _ => {
            let limit = Duration::from_secs(1 + random.below(20));
            calls.spawn(async move {
                let call = handle.call(|reply| Event::Hold("call", Some(reply)));
                call.limit(limit).await
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_a_tree_it_has_a_task_a_child_that_runs_and_ends_in_order() {
    let (mut gave_up, mut answered) = (0, 0);
    for seed in 0..150 {
        let mut random = Random(seed);
        let trace = Trace::default();
        let mut kids = BTreeMap::new();
        let mut calls = Calls::new();
        let intensity = [3, 1000][usize::from(random.below(4) > 0)];
        let mut supervisor = Supervisor::new("random", strategy(&mut random))
            .intensity(intensity, Duration::from_secs(2));
        for number in 0..random.below(5) {
            let name = format!("first {number}");
            let handle = supervisor.child(spec(&mut random, name.clone(), &trace));
            kids.insert(name, handle);
        }
        // Sometimes it is a child itself, and comes back when it gives up.
        let (top, tree) = if random.below(2) == 0 {
            let mut top =
                Supervisor::new("top", Strategy::OneForOne).intensity(1000, Duration::from_secs(1));
            let tree = top.tree(supervisor);
            (Some(top.spawn()), tree)
        } else {
            (None, supervisor.spawn())
        };
        for _ in 0..60 {
            something(&mut random, &tree, &mut kids, &trace, &mut calls).await;
            if random.below(3) == 0 {
                settle().await;
            }
            if random.below(6) == 0 {
                tokio::time::sleep(Duration::from_millis(random.below(700))).await;
            }
        }
        // Long enough for every end and every back-off.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let supervisors = if let Ok(children) = tree.children().await {
            let runs = children.iter().filter(|child| {
                let status = &child.status;
                assert!(
                    matches!(status, Status::Running(_) | Status::Stopped(_)),
                    "seed {seed}: {status:?}"
                );
                assert_eq!(
                    child.ready,
                    matches!(status, Status::Running(_)),
                    "seed {seed}"
                );
                child.ready
            });
            let runs = runs.count();
            tree.ready().await.unwrap();
            runs + 1 + usize::from(top.is_some())
        } else {
            assert!(top.is_none(), "seed {seed}");
            gave_up += 1;
            0
        };
        // Calls have limits, and so outcomes.
        while let Some(outcome) = calls.join_next().await {
            answered += u32::from(outcome.unwrap().is_ok());
        }
        assert_eq!(tasks(), supervisors, "seed {seed}");
        top.as_ref().unwrap_or(&tree).stop().await;
        assert_eq!(tasks(), 0, "seed {seed}");
        for (name, handle) in kids {
            assert!(
                matches!(handle.status(), Status::Stopped(_)),
                "seed {seed}: {name} {:?}",
                handle.status()
            );
        }
    }
    assert!(gave_up > 5 && answered > 50, "{gave_up} {answered}");
}

/// Permanent children that end in different ways.
fn permanent(random: &mut Random, trace: &Trace) -> Spec<Worker> {
    let mut world = World::new("w", trace);
    world.drains = match random.below(3) {
        0 => Drains::After(Duration::from_millis(300)),
        1 => Drains::Never,
        _ => Drains::AtOnce,
    };
    let shutdown = match random.below(3) {
        0 => Shutdown::Kill,
        _ => Shutdown::Within(Duration::from_millis(500)),
    };
    let name = format!("k{}", random.below(u64::MAX));
    Spec::new(name, move || (Idle, world.next())).shutdown(shutdown)
}

/// Any number of children fail before their supervisor has its turn, and more while it deals with
/// that.
#[tokio::test(start_paused = true)]
async fn n76_whoever_fails_at_once_nobody_is_restarted_more_often_than_others_failed() {
    for seed in 0..400 {
        let mut random = Random(seed);
        let trace = Trace::default();
        let strategy = strategy(&mut random);
        let mut supervisor =
            Supervisor::new("random", strategy).intensity(1000, Duration::from_secs(1));
        let children: Vec<_> = (0..2 + random.below(5))
            .map(|_| supervisor.child(permanent(&mut random, &trace)))
            .collect();
        let tree = supervisor.spawn();
        settle().await;
        let mut restarts = vec![0; children.len()];
        for _ in 0..8 {
            let at_once = random.below(2) == 0;
            let mut failed = vec![0; children.len()];
            for (child, failed) in children.iter().zip(&mut failed) {
                let has_failed = match random.below(6) {
                    0 => child.try_cast(Event::Panic).is_ok(),
                    1 => child.try_cast(Event::Stop(ExitReason::Normal)).is_ok(),
                    2 => {
                        child.kill();
                        true
                    }
                    _ => false,
                };
                *failed += u64::from(has_failed);
                if !at_once {
                    for _ in 0..random.below(4) {
                        tokio::task::yield_now().await;
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(30)).await;
            for (place, child) in children.iter().enumerate() {
                assert_eq!(state(child), "Idle", "seed {seed}");
                let more = child.restarts() - restarts[place];
                restarts[place] += more;
                let most: u64 = match strategy {
                    Strategy::OneForAll => failed.iter().sum(),
                    Strategy::RestForOne => failed[..=place].iter().sum(),
                    _ => failed[place],
                };
                assert!(
                    more <= most && (more > 0 || failed[place] == 0 || !at_once),
                    "seed {seed} {strategy:?}: {place} of {failed:?} was restarted {more} times"
                );
                if at_once && strategy == Strategy::OneForAll {
                    assert_eq!(more, most.min(1), "seed {seed}: {failed:?}");
                }
            }
        }
        tree.stop().await;
        assert_eq!(tasks(), 0, "seed {seed}");
    }
}
