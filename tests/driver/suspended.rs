//! A machine that is suspended, and one whose state is replaced (N15, N72, N73).

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use statem::{Builder, CallError, ExitReason, Handle, Status};

use crate::chains::chain;
use crate::log::listen;
use crate::support::*;

/// A stream that gives numbers without end, and says in the trace when it goes.
fn numbers(probe: Probe) -> FromFn<impl FnMut(&mut Context<'_>) -> Poll<Option<u32>> + Unpin> {
    let mut next = 0;
    FromFn(move |_: &mut Context<'_>| {
        let _ = &probe;
        next += 1;
        if next <= 3 {
            Poll::Ready(Some(next))
        } else {
            Poll::Pending
        }
    })
}

fn start_numbers(trace: &Trace) -> Event {
    let probe = trace.probe("numbers");
    run("start", move |_, cx| {
        cx.state_stream(numbers(probe), |item| Event::Number(item.unwrap_or(0)));
        Step::Keep
    })
}

/// Lets the machine run, though it need not have anything to do.
async fn turns(machine: &Handle<Puppet>) {
    for _ in 0..5 {
        machine.inspect().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn n72_r124_a_suspended_machine_handles_what_came_before_and_nothing_that_comes_after() {
    let (machine, trace) = puppet();
    send(&machine, [Event::Note("before")]);
    let mut suspend = Box::pin(machine.suspend());
    assert!(poll_once(suspend.as_mut()).is_pending());
    send(&machine, [Event::Note("after")]);
    suspend.await.unwrap();
    turns(&machine).await;
    assert_eq!(trace.take(), "before");
    let asked = machine.call(Event::Ask).limit(ms(10)).await;
    assert!(matches!(
        asked,
        Err(CallError::TimedOut { begun: false, .. })
    ));
    assert!(machine.inspect().await.unwrap().suspended);

    // Twice is once.
    machine.suspend().await.unwrap();
    machine.resume().await.unwrap();
    assert!(!rest(&machine).await.suspended);
    assert_eq!(trace.take(), "after");
    machine.resume().await.unwrap();
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn n72_timers_of_a_suspended_machine_run_and_fire_at_resume_before_the_messages() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.timeout("late", ms(30), Event::Note("late"));
            cx.timeout("early", ms(20), Event::Note("early"));
            cx.timeout("after", ms(60), Event::Note("after"));
            Step::Keep
        })],
    );
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("message")]);
    tokio::time::sleep(ms(50)).await;
    assert_eq!(trace.take(), "start");
    let due: Vec<_> = machine.inspect().await.unwrap().timeouts;
    assert_eq!(due[0], ("timeout \"early\"".to_owned(), Some(ms(0))));
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "early late message");
    tokio::time::sleep(ms(9)).await;
    assert_eq!(trace.take(), "");
    tokio::time::sleep(ms(2)).await;
    assert_eq!(trace.take(), "after");
}

#[tokio::test(start_paused = true)]
async fn n72_what_follows_a_resume_keeps_its_place_behind_the_messages() {
    let (machine, trace) = puppet();
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("m1")]);
    let mut resume = Box::pin(machine.resume());
    assert!(poll_once(resume.as_mut()).is_pending());
    send(&machine, [Event::Note("m2")]);
    let mut stop = Box::pin(machine.stop());
    assert!(poll_once(stop.as_mut()).is_pending());
    resume.await.unwrap();
    stop.await;
    assert_eq!(trace.take(), "m1 m2 terminate");
}

#[tokio::test(start_paused = true)]
async fn n72_a_machine_may_be_suspended_in_a_turn_with_messages_behind_it() {
    let (machine, driver, trace) = unpolled(Builder::new());
    send(&machine, [Event::Note("m1")]);
    let mut suspend = Box::pin(machine.suspend());
    assert!(poll_once(suspend.as_mut()).is_pending());
    send(&machine, [Event::Note("m2")]);
    let mut again = Box::pin(machine.resume());
    assert!(poll_once(again.as_mut()).is_pending());
    send(&machine, [Event::Note("m3")]);
    let mut last = Box::pin(machine.suspend());
    assert!(poll_once(last.as_mut()).is_pending());
    send(&machine, [Event::Note("m4")]);
    tokio::spawn(driver.run());
    last.await.unwrap();
    turns(&machine).await;
    assert_eq!(trace.take(), "m1 m2 m3");
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "m4");
}

#[tokio::test(start_paused = true)]
async fn n72_messages_for_a_suspended_machine_wait_up_to_the_bound_of_its_mailbox() {
    let (machine, trace) = puppet_with(Builder::new().mailbox(2), |_| {});
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("m1"), Event::Note("m2")]);
    turns(&machine).await;
    assert!(machine.try_cast(Event::Note("m3")).is_err());
    let mut waits = Box::pin(machine.cast(Event::Note("m3")));
    assert!(poll_once(waits.as_mut()).is_pending());
    turns(&machine).await;
    assert!(poll_once(waits.as_mut()).is_pending());
    machine.resume().await.unwrap();
    waits.await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "m1 m2 m3");
}

#[tokio::test(start_paused = true)]
async fn n72_r125_a_suspended_machine_can_be_stopped_without_its_messages() {
    let (machine, trace) = puppet();
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("never")]);
    assert!(matches!(machine.stop().await, ExitReason::Normal));
    assert_eq!(trace.take(), "terminate");
    let told = machine.resume().await;
    assert!(matches!(told, Err(CallError::Stopped { .. })));
}

#[tokio::test(start_paused = true)]
async fn n72_a_suspended_machine_can_be_killed_and_ends_with_its_last_handle() {
    let (machine, trace) = puppet();
    machine.suspend().await.unwrap();
    let closed = machine.closed();
    machine.kill();
    assert!(matches!(closed.await, ExitReason::Killed));
    assert_eq!(trace.take(), "");

    let (machine, trace) = puppet();
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("never")]);
    let closed = machine.closed();
    drop(machine);
    assert!(matches!(closed.await, ExitReason::Normal));
    assert_eq!(trace.take(), "terminate");
}

#[tokio::test(start_paused = true)]
async fn n72_a_machine_that_keeps_inserting_events_can_be_suspended() {
    let (machine, trace) = puppet();
    send(&machine, [crate::chains::chain(u32::MAX)]);
    machine.suspend().await.unwrap();
    let handled = rest(&machine).await.counts.handled;
    turns(&machine).await;
    let seen = rest(&machine).await;
    assert_eq!((seen.counts.handled, seen.waiting.queue), (handled, 1));
    machine.resume().await.unwrap();
    assert!(rest(&machine).await.counts.handled > handled);
    machine.stop().await;
    trace.take();
}

#[tokio::test(start_paused = true)]
async fn n73_sources_of_a_suspended_machine_go_on_until_each_has_one_output() {
    let (machine, trace) = puppet();
    let start = start_numbers(&trace);
    send(&machine, [start]);
    // Suspended in the turn that starts the source, so nothing of it has been handled.
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("message")]);
    turns(&machine).await;
    assert_eq!(trace.take(), "start");
    let seen = rest(&machine).await;
    assert_eq!((seen.counts.received, seen.sources.len()), (1, 1));

    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "1 2 3 message");
}

#[tokio::test(start_paused = true)]
async fn n73_a_source_that_has_an_output_is_not_polled_again_however_often_it_is_woken() {
    let (machine, trace) = puppet();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    send(
        &machine,
        [run("start", move |_, cx| {
            let ready = FromFn(move |cx: &mut Context<'_>| {
                cx.waker().wake_by_ref();
                if counted.fetch_add(1, Ordering::Relaxed) < 3 {
                    Poll::Ready(Some(()))
                } else {
                    Poll::Pending
                }
            });
            cx.state_stream(ready, |_| Event::Note("out"));
            Step::Keep
        })],
    );
    machine.suspend().await.unwrap();
    turns(&machine).await;
    assert_eq!(polls.load(Ordering::Relaxed), 1);
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "start out out out");
    machine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn n30_n73_a_chain_of_an_output_that_waited_goes_before_the_next_output() {
    let (machine, trace) = puppet();
    let start = run("start", |_, cx| {
        let mut items = [chain(300), Event::Note("second")].into_iter();
        let items = FromFn(move |_: &mut Context<'_>| match items.next() {
            Some(item) => Poll::Ready(Some(item)),
            None => Poll::Pending,
        });
        cx.state_stream(items, |item| item.unwrap_or(Event::Note("end")));
        Step::Keep
    });
    send(&machine, [start]);
    machine.suspend().await.unwrap();
    turns(&machine).await;
    machine.resume().await.unwrap();
    turns(&machine).await;
    let mut words = trace.words();
    words.retain(|word| !word.is_empty());
    assert_eq!(words, ["start", "chained", "second"]);
}

#[tokio::test(start_paused = true)]
async fn n73_the_output_of_a_source_that_is_dropped_meanwhile_is_dropped_with_it() {
    let (machine, trace) = puppet();
    let start = start_numbers(&trace);
    send(&machine, [start]);
    machine.suspend().await.unwrap();
    turns(&machine).await;
    machine
        .replace(|_, _| Some(Puppet::Busy(Busy::default())))
        .await
        .unwrap();
    assert_eq!(trace.take(), "start drop numbers");
    turns(&machine).await;
    assert_eq!(rest(&machine).await.counts.discarded, 1);
    machine.resume().await.unwrap();
    turns(&machine).await;
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n73_a_task_that_ends_while_its_machine_is_suspended_is_heard_at_resume() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.state_task(tokio::time::sleep(ms(10)), |()| Event::Note("done"));
            Step::Keep
        })],
    );
    turns(&machine).await;
    machine.suspend().await.unwrap();
    tokio::time::sleep(ms(50)).await;
    assert_eq!(trace.take(), "start");
    assert!(matches!(machine.status(), Status::Running("Idle")));
    machine.resume().await.unwrap();
    rest(&machine).await;
    assert_eq!(trace.take(), "done");
    turns(&machine).await;
    assert_eq!(rest(&machine).await.sources, []);
}

#[tokio::test(start_paused = true)]
async fn n73_outputs_that_wait_go_with_a_machine_that_is_stopped() {
    let (machine, trace) = puppet();
    let probe = trace.probe("output");
    send(
        &machine,
        [run("start", move |_, cx| {
            cx.state_task(async {}, move |()| Event::Hold {
                name: "output",
                reply: None,
                probe: Some(probe),
            });
            Step::Keep
        })],
    );
    machine.suspend().await.unwrap();
    turns(&machine).await;
    machine.stop().await;
    assert_eq!(trace.take(), "start terminate drop output");
}

#[tokio::test(start_paused = true)]
async fn n15_r126_a_state_replaced_from_a_handle_is_no_transition() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [
            Event::Hold {
                name: "postponed",
                reply: None,
                probe: None,
            },
            run("start", |_, cx| {
                cx.state_timeout(ms(40), Event::Note("st"));
                Step::Keep
            }),
        ],
    );
    machine
        .replace(|state, world| {
            assert!(matches!(state, Puppet::Idle));
            world.shown = "changed";
            Some(Puppet::Busy(Busy::default()))
        })
        .await
        .unwrap();
    assert!(matches!(machine.status(), Status::Running("Busy")));
    let seen = machine.inspect_values().await.unwrap();
    assert_eq!(
        (&*seen.data, seen.inspection.waiting.postponed),
        ("changed", 1)
    );
    tokio::time::sleep(ms(41)).await;
    assert_eq!(trace.take(), "start b:st");

    // Without another state only the data are changed.
    machine
        .replace(|_, world| {
            world.shown = "again";
            None
        })
        .await
        .unwrap();
    let seen = machine.inspect_values().await.unwrap();
    assert_eq!((&*seen.data, seen.inspection.state), ("again", "Busy"));
}

#[tokio::test(start_paused = true)]
async fn n15_a_terminal_state_put_in_place_ends_the_machine() {
    let (machine, _) = puppet();
    // It has done what it was asked for.
    machine.replace(|_, _| Some(Puppet::Done)).await.unwrap();
    assert!(matches!(machine.closed().await, ExitReason::Normal));
}

#[tokio::test(start_paused = true)]
async fn r127_a_replacement_that_panics_leaves_the_state_and_is_the_askers_affair() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    let told = machine.replace(|_, _| panic!("no state")).await;
    assert!(matches!(told, Err(CallError::Failed(_))), "{told:?}");
    // It goes on as any error.
    let error: Box<dyn std::error::Error> = told.unwrap_err().into();
    assert_eq!(
        error.to_string(),
        "the replacement of a state of `Puppet` panicked: no state"
    );
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
    assert!(of_level(&log, tracing::Level::ERROR).is_empty());
}

#[tokio::test(start_paused = true)]
async fn r102_a_suspended_machine_ends_with_its_parent_and_with_one_it_is_linked_to() {
    let (parent, _) = puppet();
    let (told, child) = tokio::sync::oneshot::channel();
    let start = run("start", move |world, cx| {
        let child = cx.start(Builder::new().build(Idle, World::default()), |_| {
            Event::Note("down")
        });
        drop(told.send((*child).clone()));
        world.children.push(child);
        Step::Keep
    });
    send(&parent, [start]);
    let child = child.await.unwrap();
    child.suspend().await.unwrap();
    parent.stop().await;
    assert!(matches!(child.closed().await, ExitReason::Shutdown));

    let (machine, trace) = puppet();
    let (other, _) = puppet();
    send(&machine, [crate::children::link(other.closed())]);
    machine.suspend().await.unwrap();
    send(&machine, [Event::Note("never")]);
    other.kill();
    assert!(matches!(machine.closed().await, ExitReason::Linked { .. }));
    assert_eq!(trace.take(), "link terminate");
}

/// Asks a machine something that makes it be asked again, in its own turn.
fn ask_again(machine: &Handle<Puppet>, asked: &Asked) {
    if asked.0.fetch_add(1, Ordering::Relaxed) == 100_000 {
        return;
    }
    let (machine, next, again) = (machine.clone(), machine.clone(), asked.clone());
    let mut question: Question = Box::pin(async move {
        let replaced = machine.replace(move |_, _| {
            ask_again(&next, &again);
            None
        });
        drop(replaced.await);
    });
    assert!(poll_once(question.as_mut()).is_pending());
    // Dropped, it would not be served.
    asked.1.lock().unwrap().push(question);
}

type Question = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How many questions were asked, and those who ask.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicUsize>, Arc<Mutex<Vec<Question>>>);

#[tokio::test(start_paused = true)]
async fn n20_a_suspended_machine_that_is_asked_without_end_lets_others_run() {
    let (machine, _) = puppet();
    machine.suspend().await.unwrap();
    let asked = Asked::default();
    ask_again(&machine, &asked);
    while asked.0.load(Ordering::Relaxed) == 1 {
        tokio::task::yield_now().await;
    }
    // The runtime gives a task many turns before it looks at this one.
    assert!(asked.0.load(Ordering::Relaxed) < 10_000);
    assert!(machine.inspect().await.unwrap().suspended);
    machine.kill();
    machine.closed().await;
    asked.1.lock().unwrap().clear();
}
