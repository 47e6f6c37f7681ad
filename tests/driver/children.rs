//! A machine and others: children, monitors and links.

use statem::testing::Bench;
use statem::{Builder, CallError, Child, Cx, ExitReason, Origin};

use crate::support::*;

/// Starts a puppet as a child of this one. Its end leaves its reason in the trace.
fn start(name: &'static str, trace: &Trace, cx: &mut Cx<Puppet>) -> Child<Puppet> {
    let (world, _) = world(|world| {
        world.trace = trace.clone();
        world.probe = Some(trace.probe(name));
    });
    cx.start(Builder::new().build(Idle, world), down(name))
}

/// The event that tells an end.
fn down(name: &'static str) -> impl FnOnce(ExitReason) -> Event + Send {
    move |reason| {
        run("down", move |world, cx| {
            let from_source = matches!(cx.origin(), Origin::Source(_));
            world
                .trace
                .push(format!("{name} {from_source}: {reason:?}"));
            Step::Keep
        })
    }
}

/// A puppet with children of these names in its data.
async fn parent(names: &'static [&'static str]) -> (statem::Handle<Puppet>, Trace) {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", move |world, cx| {
            for name in names {
                let child = start(name, &world.trace, cx);
                world.children.push(child);
            }
            Step::Keep
        })],
    );
    rest(&machine).await;
    (machine, trace)
}

/// Gets a clone of the handle of the first child.
async fn first_child(machine: &statem::Handle<Puppet>) -> statem::Handle<Puppet> {
    let (told, child) = tokio::sync::oneshot::channel();
    let lend = run("lend", move |world, _| {
        drop(told.send((*world.children[0]).clone()));
        Step::Keep
    });
    send(machine, [lend]);
    child.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn n35_a_child_starts_when_the_transition_is_complete_and_its_end_is_an_event() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |world, cx| {
            let child = start("child", &world.trace, cx);
            child.try_cast(Event::Note("to-child")).unwrap();
            let said = run("bye", |_, _| Step::Stop(ExitReason::other("done")));
            child.try_cast(said).unwrap();
            world.children.push(child);
            world.trace.push("started");
            Step::Keep
        })],
    );
    tokio::time::sleep(ms(1)).await;
    assert_eq!(
        trace.take(),
        "start started to-child bye terminate drop child down child true: Other(\"done\")"
    );
    // The parent goes on, and what it keeps is the handle of a machine that has ended.
    let child = first_child(&machine).await;
    assert!(matches!(child.closed().await, ExitReason::Other(_)));
}

#[tokio::test(start_paused = true)]
async fn a_child_is_a_source_of_its_parent_and_shows_its_status_as_its_handles_do() {
    let (machine, _) = parent(&["child"]).await;
    let (told, shown) = tokio::sync::oneshot::channel();
    let show = run("show", move |world, _| {
        let child = &world.children[0];
        drop(told.send((child.id(), format!("{child:?}"))));
        Step::Keep
    });
    send(&machine, [show]);
    let (id, shown) = shown.await.unwrap();
    let sources = rest(&machine).await.sources;
    assert_eq!(sources, [(id.unwrap(), false)]);
    let status = "Handle { machine: \"Puppet\", status: Running(\"Idle\") }";
    assert_eq!(shown, format!("Child({status})"));
    assert_eq!(format!("{machine:?}"), status);
    assert_eq!(
        format!("{:?}", machine.downgrade()),
        "WeakHandle { machine: \"Puppet\" }"
    );
}

#[tokio::test(start_paused = true)]
async fn n65_a_panic_of_a_child_is_its_own() {
    let (machine, trace) = parent(&["child"]).await;
    let child = first_child(&machine).await;
    trace.take();
    send(&child, [run("bug", |_, _| panic!("a bug of the child"))]);
    tokio::time::sleep(ms(1)).await;
    let said = trace.take();
    assert!(
        said.starts_with("bug terminate drop child down child true: Panicked"),
        "{said}"
    );
    rest(&machine).await;
}

#[tokio::test(start_paused = true)]
async fn n36_a_child_ends_with_its_owner_is_told_so_and_is_no_event() {
    let (machine, trace) = parent(&["child"]).await;
    let child = first_child(&machine).await;
    let held = tokio::spawn({
        let child = child.clone();
        async move { child.call(hold("held")).await }
    });
    tokio::task::yield_now().await;
    trace.take();
    send(
        &machine,
        [run("drop", |world, _| {
            world.children.clear();
            world.trace.push("dropped");
            Step::Keep
        })],
    );
    rest(&machine).await;
    // It is gone when the transition is, with its last word, and its end is no event.
    assert_eq!(trace.take(), "drop dropped terminate drop child");
    assert!(matches!(child.closed().await, ExitReason::Shutdown));
    let outcome = held.await.unwrap();
    assert!(
        matches!(
            outcome,
            Err(CallError::Stopped {
                reason: ExitReason::Shutdown,
                begun: false,
                ..
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n9_a_child_that_ends_within_a_transition_of_its_owner_tells_its_own_callers_at_once() {
    let (machine, _) = parent(&["child"]).await;
    let child = first_child(&machine).await;
    let mut kept = Box::pin(child.call(answer(|reply, world, _| {
        world.on_terminate = Some(Box::new(move || {
            let _ = reply.send(9);
        }));
        Step::Keep
    })));
    assert!(poll_once(kept.as_mut()).is_pending());
    tokio::task::yield_now().await;
    send(
        &machine,
        [run("drop", |world, _| {
            world.children.clear();
            Step::Keep
        })],
    );
    rest(&machine).await;
    assert_eq!(kept.await.unwrap(), 9);
}

#[tokio::test(start_paused = true)]
async fn n54b_a_reply_dropped_in_the_last_word_of_a_child_names_the_child() {
    let (machine, _) = parent(&["child"]).await;
    let child = first_child(&machine).await;
    let mut kept = Box::pin(child.call(answer(|reply, world, _| {
        world.on_terminate = Some(Box::new(move || drop(reply)));
        Step::Keep
    })));
    assert!(poll_once(kept.as_mut()).is_pending());
    tokio::task::yield_now().await;
    machine.stop_with(ExitReason::other("its own")).await;
    let outcome = kept.await;
    assert!(
        matches!(
            outcome,
            Err(CallError::Stopped {
                reason: ExitReason::Shutdown,
                begun: true,
                ..
            })
        ),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n60_a_child_of_a_transition_that_stops_has_never_run() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |world, cx| {
            let (other, _) = world_of(&world.trace);
            let child = cx.start(
                Builder::new()
                    .init(|world: &mut World, _| world.trace.push("init"))
                    .build(Idle, other),
                down("child"),
            );
            world.children.push(child);
            Step::Stop(ExitReason::Normal)
        })],
    );
    machine.closed().await;
    // The parent's last word, and not one of the child.
    assert_eq!(trace.take(), "start terminate");
}

fn world_of(trace: &Trace) -> (World, Trace) {
    world(|world| world.trace = trace.clone())
}

#[tokio::test(start_paused = true)]
async fn n61_children_end_after_terminate_newest_first_and_before_the_end_is_told() {
    let (machine, trace) = parent(&["first", "second"]).await;
    let child = first_child(&machine).await;
    trace.take();
    let closed = machine.closed();
    send(
        &machine,
        [run("stop", |_, _| Step::Stop(ExitReason::Normal))],
    );
    closed.await;
    assert_eq!(
        trace.take(),
        "stop terminate terminate drop second terminate drop first"
    );
    assert!(matches!(
        child.status(),
        statem::Status::Stopped(ExitReason::Shutdown)
    ));
}

#[tokio::test(start_paused = true)]
async fn n62_a_kill_ends_the_children_too() {
    let (machine, trace) = parent(&["child"]).await;
    trace.take();
    machine.kill();
    machine.closed().await;
    // The one that is killed is not asked; its child is shut down.
    assert_eq!(trace.take(), "terminate drop child");
}

#[tokio::test(start_paused = true)]
async fn n57_a_child_and_its_parent_may_call_each_other_from_their_tasks() {
    let (machine, trace) = parent(&["child"]).await;
    let child = first_child(&machine).await;
    let (parent, asked) = (machine.downgrade(), child.downgrade());
    let ask = |other: statem::WeakHandle<Puppet>| {
        run("ask", move |_, cx| {
            cx.state_task(
                async move { other.upgrade().unwrap().call(Event::Ask).await.unwrap() },
                Event::Number,
            );
            Step::Keep
        })
    };
    trace.take();
    send(&child, [ask(parent)]);
    send(&machine, [ask(asked)]);
    tokio::time::sleep(ms(1)).await;
    let mut said = trace.words();
    said.sort();
    assert_eq!(said, ["7", "7", "ask", "ask"]);
}

#[tokio::test(start_paused = true)]
async fn r92_the_end_of_another_machine_comes_as_an_event() {
    let (machine, trace) = puppet();
    let (other, _) = puppet();
    let watch = |closed: statem::Closed, name| {
        run("watch", move |world, cx| {
            world.guards.push(cx.task(closed, down(name)));
            Step::Keep
        })
    };
    send(&machine, [watch(other.closed(), "other")]);
    rest(&machine).await;
    // To watch is not to keep alive.
    drop(other);
    tokio::time::sleep(ms(1)).await;
    assert_eq!(trace.take(), "watch down other true: Normal");

    // One that has ended already says so at once; and nobody is told who does not want to be.
    let (other, _) = puppet();
    other.kill();
    other.closed().await;
    send(&machine, [watch(other.closed(), "late")]);
    tokio::time::sleep(ms(1)).await;
    assert_eq!(trace.take(), "watch down late true: Killed");
    let (other, _) = puppet();
    let unwatch = run("unwatch", |world, _| {
        world.guards.clear();
        Step::Keep
    });
    send(&machine, [watch(other.closed(), "never"), unwatch]);
    rest(&machine).await;
    other.kill();
    tokio::time::sleep(ms(1)).await;
    assert_eq!(trace.take(), "watch unwatch");
}

#[test]
fn a_child_runs_in_the_bench_without_a_runtime_and_can_be_finished_by_hand() {
    let (world, trace) = world(|_| {});
    let mut bench = Bench::new(Idle, world);
    bench.send(run("start", |world, cx| {
        for name in ["first", "second"] {
            let child = start(name, &world.trace, cx);
            child.try_cast(Event::Note("to-child")).unwrap();
            world.children.push(child);
        }
        Step::Keep
    }));
    assert_eq!(trace.take(), "start");
    bench.poll();
    assert_eq!(trace.take(), "to-child to-child");
    bench.finish(ExitReason::other("gone"));
    assert_eq!(
        trace.take(),
        "terminate drop second down second true: Other(\"gone\")"
    );
    assert_eq!(bench.sources().count(), 1);
}

/// Links a machine to the end of another one.
pub(crate) fn link(closed: statem::Closed) -> Event {
    run("link", |world, cx| {
        world.guards.push(cx.link(closed));
        Step::Keep
    })
}

#[tokio::test(start_paused = true)]
async fn r92_machines_that_are_linked_end_together_and_say_why() {
    for first_ends in [true, false] {
        let (first, _) = puppet();
        let (second, trace) = puppet();
        send(&first, [link(second.closed())]);
        send(&second, [link(first.closed())]);
        rest(&first).await;
        rest(&second).await;
        let (ends, other) = if first_ends {
            (first, second)
        } else {
            (second, first)
        };
        send(&ends, [run("bug", |_, _| panic!("a bug"))]);
        let reason = other.closed().await;
        assert_eq!(
            reason.to_string(),
            "it ended with `Puppet`, which it is linked to: it panicked in handle, in state `Idle`: a bug"
        );
        assert!(!reason.is_normal());
        assert!(matches!(ends.closed().await, ExitReason::Panicked { .. }));
        assert!(trace.take().ends_with("terminate"));
    }
}

#[tokio::test(start_paused = true)]
async fn r92_a_normal_end_does_not_end_the_one_that_is_linked_and_a_shutdown_does() {
    let (machine, trace) = puppet();
    let (normal, _) = puppet();
    let (shut_down, _) = puppet();
    send(&machine, [link(normal.closed()), link(shut_down.closed())]);
    normal.stop().await;
    tokio::time::sleep(ms(1)).await;
    assert_eq!(rest(&machine).await.sources.len(), 1);
    shut_down.shutdown(ms(10)).await;
    let ended = tokio::time::timeout(ms(10), machine.closed());
    let reason = ended.await.unwrap();
    // Nobody has failed: no report is made of it.
    assert!(reason.is_normal(), "{reason}");
    assert!(matches!(
        reason,
        ExitReason::Linked {
            machine: "Puppet",
            ..
        }
    ));
    assert_eq!(trace.take(), "link link terminate");
}

#[tokio::test(start_paused = true)]
async fn r101_a_machine_that_is_linked_ends_in_its_turn() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let (other, _) = puppet();
    send(&machine, [link(other.closed())]);
    let mut driver = Box::pin(driver);
    assert!(poll_once(driver.as_mut()).is_pending());
    other.kill();
    other.closed().await;
    send(&machine, [Event::Note("m1"), Event::Note("m2")]);
    driver.await;
    assert_eq!(trace.take(), "link m1 m2 terminate");
}

#[tokio::test(start_paused = true)]
async fn r92_a_link_lasts_as_long_as_its_guard() {
    let (machine, _) = puppet();
    let (other, _) = puppet();
    let unlink = run("unlink", |world, _| {
        world.guards.clear();
        Step::Keep
    });
    send(&machine, [link(other.closed()), unlink]);
    rest(&machine).await;
    other.kill();
    other.closed().await;
    tokio::time::sleep(ms(1)).await;
    rest(&machine).await;

    // One that has ended before the link was made counts.
    send(&machine, [link(other.closed())]);
    assert!(matches!(machine.closed().await, ExitReason::Linked { .. }));
}
