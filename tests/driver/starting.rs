//! How a machine starts: spawned, built and run where one is, and with init.

use std::cell::RefCell;
use std::rc::Rc;

use statem::{Builder, Cx, ExitReason, Handler, Next, Reply, StateMachine, Status, keep, stop};

use crate::support::*;

/// A machine whose state, event and data stay on one thread.
#[derive(StateMachine)]
#[machine(event = Local, data = Rc<RefCell<Vec<u32>>>)]
enum AtHome {
    #[initial]
    Living(Living),
}

struct Living {
    counts: Rc<()>,
}

enum Local {
    Add(Rc<u32>),
    Sum(Reply<u32>),
    Stop,
}

impl Handler for AtHome {
    fn handle(
        state: AtHomeAt<'_>,
        event: Local,
        data: &mut Rc<RefCell<Vec<u32>>>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let AtHomeAt::Living(living) = state;
        assert_eq!(Rc::strong_count(&living.counts), 1);
        match event {
            Local::Add(number) => data.borrow_mut().push(*number),
            Local::Sum(reply) => drop(reply.send(data.borrow().iter().sum())),
            Local::Stop => return stop(ExitReason::Normal),
        }
        keep()
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_not_send_runs_on_the_task_one_is_in() {
    let data = Rc::new(RefCell::new(Vec::new()));
    let (machine, driver) = Builder::<AtHome>::new().build(
        Living {
            counts: Rc::new(()),
        },
        data.clone(),
    );
    assert!(machine.try_cast(Local::Add(Rc::new(3))).is_ok());
    assert!(machine.try_cast(Local::Add(Rc::new(4))).is_ok());
    assert!(machine.try_cast(Local::Stop).is_ok());
    assert!(matches!(driver.run().await, ExitReason::Normal));
    assert_eq!(*data.borrow(), [3, 4]);
    assert_eq!(Rc::strong_count(&data), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_not_send_runs_on_a_local_set() {
    let data = Rc::new(RefCell::new(Vec::new()));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (machine, driver) = Builder::<AtHome>::new().build(
                Living {
                    counts: Rc::new(()),
                },
                data.clone(),
            );
            let running = tokio::task::spawn_local(driver.run());
            assert!(machine.cast(Local::Add(Rc::new(3))).await.is_ok());
            assert_eq!(machine.call(Local::Sum).await.unwrap(), 3);
            drop(machine);
            assert!(matches!(running.await.unwrap(), ExitReason::Normal));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn r86_spawn_returns_before_the_machine_has_started() {
    let (machine, trace) = puppet_with(Builder::new(), |world| {
        let log = world.trace.clone();
        world.on_enter = Some(Box::new(move |state, cx| {
            log.push(format!("enter {state} from {}", cx.previous()));
        }));
    });
    assert!(matches!(machine.status(), Status::Starting));
    assert_eq!(trace.take(), "");
    rest(&machine).await;
    assert_eq!(trace.take(), "enter Idle from Idle");
    assert!(matches!(machine.status(), Status::Running("Idle")));
}

#[tokio::test(start_paused = true)]
async fn n10_init_and_the_first_enter_are_one_transition_and_init_inserts_first() {
    let init = |world: &mut World, cx: &mut statem::EnterCx<Puppet>| {
        world.trace.push(format!("init in {}", cx.previous()));
        cx.insert(Event::Note("of-init"));
        cx.timeout("t", ms(10), Event::Note("of-init"));
    };
    let (machine, trace) = puppet_with(Builder::new().init(init), |world| {
        let log = world.trace.clone();
        world.on_enter = Some(Box::new(move |_, cx| {
            log.push("enter");
            cx.insert(Event::Note("of-enter"));
            cx.timeout("t", ms(20), Event::Note("late"));
        }));
    });
    send(&machine, [Event::Note("m")]);
    rest(&machine).await;
    assert_eq!(trace.take(), "init in Idle enter of-init of-enter m");
    // One transition, so the last request for the timeout is the one that counts.
    tokio::time::sleep(ms(15)).await;
    assert_eq!(trace.take(), "");
    tokio::time::sleep(ms(10)).await;
    assert_eq!(trace.take(), "late");
}

#[tokio::test(start_paused = true)]
async fn n10_init_may_stop_and_enter_is_not_called() {
    let (machine, trace) = puppet_with(
        Builder::new().init(|_, cx| cx.stop(ExitReason::other("no"))),
        |world| {
            let log = world.trace.clone();
            world.on_enter = Some(Box::new(move |_, _| log.push("enter")));
        },
    );
    assert_eq!(
        machine.closed().await.to_string(),
        "it stopped with an error: no"
    );
    assert_eq!(trace.take(), "terminate");
}

#[tokio::test(start_paused = true)]
async fn a_machine_killed_before_it_has_run_does_not_start() {
    let (machine, driver, trace) =
        unpolled(Builder::new().init(|world: &mut World, _| world.trace.push("init")));
    machine.kill();
    assert!(matches!(driver.run().await, ExitReason::Killed));
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn several_states_may_be_the_first() {
    let (machine, driver) = Builder::<Puppet>::new().build(Busy::default(), World::default());
    tokio::spawn(driver.run());
    assert_eq!(machine.call(hold("c")).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn each_bound_of_a_builder_leaves_the_others_as_they_were() {
    let builder = Builder::new().mailbox(3).call_limit(ms(30));
    let (machine, driver, _) = unpolled(builder.postponed(1).inserted(1));
    let hold = |name| Event::Hold {
        name,
        reply: None,
        probe: None,
    };
    let insert = run("insert", |_, cx| {
        cx.insert(Event::Number(1));
        Step::Keep
    });
    send(&machine, [hold("p1"), hold("p2"), insert]);
    assert!(machine.try_cast(Event::Number(2)).is_err());
    tokio::spawn(driver.run());
    let seen = rest(&machine).await;
    assert_eq!((seen.waiting.postponed, seen.counts.refused), (1, 1));

    let began = now();
    assert!(machine.call(keep_reply()).await.is_err());
    assert_eq!(now() - began, ms(30));

    let insert_two = run("insert", |_, cx| {
        cx.insert(Event::Number(1));
        cx.insert(Event::Number(2));
        Step::Keep
    });
    send(&machine, [insert_two]);
    let reason = machine.closed().await;
    assert!(matches!(reason, ExitReason::Overflow { .. }), "{reason:?}");
}

#[test]
fn what_a_user_holds_says_what_it_is() {
    let builder = Builder::<Puppet>::new();
    assert_eq!(
        format!("{builder:?}"),
        "Builder { machine: \"Puppet\", .. }"
    );
    let (machine, driver, _) = unpolled(builder);
    assert_eq!(
        format!("{driver:?}"),
        "Driver { machine: \"Puppet\", state: \"Idle\", .. }"
    );
    let call = machine.call(Event::Ask);
    assert_eq!(
        format!("{call:?}"),
        "Call { machine: \"Puppet\", sent: false, .. }"
    );
    let cast = machine.cast(Event::Note("n"));
    assert_eq!(
        format!("{cast:?}"),
        "Cast { machine: \"Puppet\", waits: false, .. }"
    );
}
