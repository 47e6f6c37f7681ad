//! Machines by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use statem::{Builder, ExitReason, Handle, Registry, Status};

use crate::support::*;

type Puppets = Registry<&'static str, Puppet>;

/// Starts a puppet under a name.
fn start(puppets: &Puppets, name: &'static str) -> Handle<Puppet> {
    let (world, _) = world(|_| {});
    puppets.spawn(name, Builder::new(), Idle, world).unwrap()
}

#[tokio::test(start_paused = true)]
async fn r83_whoever_comes_second_gets_the_holder_and_its_own_machine_does_not_start() {
    let puppets = Puppets::new();
    let first = start(&puppets, "first");
    let (world, trace) = world(|_| {});
    let probe = trace.probe("data");
    let init = |world: &mut World, _: &mut statem::EnterCx<Puppet>| world.trace.push("init");
    let refused = puppets
        .spawn(
            "first",
            Builder::new().init(init),
            Idle,
            World {
                probe: Some(probe),
                ..world
            },
        )
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a `Puppet` of this name was started already: use its handle"
    );
    rest(&first).await;
    assert_eq!(
        refused.to_string(),
        "a `Puppet` of this name runs already, in state `Idle`: use its handle"
    );
    assert_eq!(
        format!("{refused:?}"),
        "AlreadyStarted { holder: WeakHandle { machine: \"Puppet\" } }"
    );
    assert_eq!(
        format!("{puppets:?}"),
        "Registry { machine: \"Puppet\", machines: 1 }"
    );
    // What it would have started with is dropped, and nothing of it has run.
    assert_eq!(trace.take(), "drop data");
    let holder = refused.holder.upgrade().unwrap();
    holder.cast(go_busy()).await.unwrap();
    rest(&holder).await;
    assert!(matches!(first.status(), Status::Running("Busy")));
    assert_eq!(puppets.names(), ["first"]);
}

#[tokio::test(start_paused = true)]
async fn r83_the_name_is_taken_before_init_runs() {
    let puppets = Puppets::new();
    let seen = puppets.clone();
    let init = move |world: &mut World, _: &mut statem::EnterCx<Puppet>| {
        world.trace.push(format!("init {:?}", seen.names()));
    };
    let (world, trace) = world(|_| {});
    let machine = puppets
        .spawn("first", Builder::new().init(init), Idle, world)
        .unwrap();
    assert!(puppets.get("first").is_some());
    rest(&machine).await;
    assert_eq!(trace.take(), "init [\"first\"]");
}

/// A waker that looks at the names when it is woken.
struct Looks(Puppets, Trace);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.push(format!("closed {:?}", self.0.names()));
    }
}

#[tokio::test(start_paused = true)]
async fn n61_the_name_is_free_after_the_data_was_dropped_and_before_the_end_is_told() {
    let puppets = Puppets::new();
    let (world, trace) = world(|world| {
        let log = world.trace.clone();
        world.on_terminate = Some(Box::new(move || log.push("last words")));
    });
    let (log, seen) = (trace.clone(), puppets.clone());
    let probe = Probe::new(move || log.push(format!("drop data {:?}", seen.names())));
    let machine = puppets
        .spawn(
            "first",
            Builder::new(),
            Idle,
            World {
                probe: Some(probe),
                ..world
            },
        )
        .unwrap();
    // It has started, so that its end is the next that is told; who is told looks at once.
    rest(&machine).await;
    let waker = Waker::from(Arc::new(Looks(puppets.clone(), trace.clone())));
    let mut closed = Box::pin(machine.closed());
    let polled = closed.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    machine.stop().await;
    assert_eq!(
        trace.take(),
        "terminate last words drop data [\"first\"] closed []"
    );
}

#[test]
fn n61_whoever_has_seen_the_end_finds_the_name_free_on_every_schedule() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let puppets = Puppets::new();
        for _ in 0..500 {
            let machine = start(&puppets, "first");
            let killer = machine.clone();
            let kill = tokio::spawn(async move { killer.kill() });
            machine.closed().await;
            kill.await.unwrap();
        }
        assert!(puppets.names().is_empty());
    });
}

#[tokio::test(start_paused = true)]
async fn r83_the_name_is_free_after_every_kind_of_end() {
    let puppets = Puppets::new();
    let build = |init: fn(&mut World, &mut statem::EnterCx<Puppet>)| {
        let (world, _) = world(|_| {});
        puppets
            .build("first", Builder::new().init(init), Idle, world)
            .unwrap()
    };
    let free = |what: &str| assert!(puppets.names().is_empty(), "not after {what}");

    let (machine, driver) = build(|_, _| panic!("init"));
    assert!(matches!(driver.await, ExitReason::Panicked { .. }));
    free("a panic in init");
    assert!(matches!(machine.status(), Status::Stopped(_)));

    let (_machine, driver) = build(|_, cx| cx.stop(ExitReason::other("no")));
    driver.await;
    free("a start that fails");

    let (machine, driver) = build(|_, _| {});
    machine.kill();
    driver.await;
    free("a kill");

    let (_machine, driver) = build(|_, _| {});
    drop(driver);
    free("a driver that is dropped before it runs");

    let (_machine, mut driver) = build(|_, _| {});
    assert!(poll_once(std::pin::Pin::new(&mut driver)).is_pending());
    drop(driver);
    free("a driver that is dropped");

    let (machine, driver) = build(|_, _| {});
    drop(machine);
    driver.await;
    free("the last handle");
}

#[test]
fn r83_a_start_outside_of_a_runtime_leaves_the_name_free() {
    let puppets = Puppets::new();
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(start(&puppets, "first"));
    }));
    assert!(started.is_err());
    assert!(puppets.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn n58_a_registry_keeps_no_machine_alive_and_no_machine_needs_it() {
    let puppets = Puppets::new();
    let machine = start(&puppets, "first");
    let closed = machine.closed();
    drop(machine);
    // It has no handle left and is about to end: nobody gets it, and its name is not free.
    assert!(puppets.get("first").is_none());
    let (second, _) = world(|_| {});
    let refused = puppets
        .spawn("first", Builder::new(), Idle, second)
        .unwrap_err();
    assert!(refused.holder.upgrade().is_none());
    refused.holder.closed().unwrap().await;
    assert!(matches!(closed.await, ExitReason::Normal));
    assert_eq!(
        refused.to_string(),
        "a `Puppet` of this name had been started and has ended meanwhile: try again"
    );

    // One that is to live by its name alone.
    start(&puppets, "first").detach();
    tokio::time::sleep(ms(10)).await;
    let found = puppets.get("first").unwrap();
    assert!(matches!(found.status(), Status::Running("Idle")));
    drop(puppets);
    assert!(matches!(found.stop().await, ExitReason::Normal));
}

/// A name whose drop looks whether the registry is locked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name(u32, Watched);

#[derive(Clone)]
struct Watched(Registry<Name, Puppet>, Arc<AtomicUsize>);

impl Drop for Watched {
    fn drop(&mut self) {
        // It would wait for ever.
        drop(self.0.get(&0));
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

impl PartialEq for Watched {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Watched {}

impl PartialOrd for Watched {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Watched {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl std::borrow::Borrow<u32> for Name {
    fn borrow(&self) -> &u32 {
        &self.0
    }
}

#[tokio::test(start_paused = true)]
async fn r83_a_name_is_dropped_without_the_lock() {
    let puppets = Registry::<Name, Puppet>::new();
    let dropped = Arc::new(AtomicUsize::new(0));
    let name = || Name(1, Watched(puppets.clone(), dropped.clone()));
    let machine = puppets
        .spawn(name(), Builder::new(), Idle, world(|_| {}).0)
        .unwrap();
    let second = puppets.spawn(name(), Builder::new(), Idle, world(|_| {}).0);
    assert!(second.is_err());
    machine.stop().await;
    assert!(puppets.get(&1).is_none());
    assert_eq!(dropped.load(Ordering::SeqCst), 4);
}
