//! What is kept, traced and reported of a machine, and what is not shown of it.

use std::collections::BTreeSet;

use statem::{Builder, Cx, EnterCx, ExitReason, Handler, Next, StateMachine, Status, running};
use tracing::Level;

use crate::log::listen;
use crate::support::*;

fn shows_all() -> Builder<Puppet> {
    Builder::new()
        .show_event(|event| format!("<{event:?}>"))
        .show_state(|state| format!("<{state:?}>"))
        .show_data(|world| format!("<{world:?}>"))
}

fn postponed(name: &'static str) -> Event {
    Event::Hold {
        name,
        reply: None,
        probe: None,
    }
}

fn fail() -> Event {
    run("fail", |_, _| Step::Stop(ExitReason::other("out of luck")))
}

/// A machine that shows nothing of itself unless it is told how.
#[derive(StateMachine)]
#[machine(event = Secret, data = Secret)]
enum Safe {
    #[initial]
    #[to(Open)]
    Shut,
    #[to(Shut)]
    Open(Open),
}

struct Open {
    #[expect(dead_code, reason = "it is not to be shown")]
    code: &'static str,
}

struct Secret(&'static str);

impl Handler for Safe {
    fn enter(&mut self, _: &mut Secret, cx: &mut EnterCx<Self>) {
        cx.timeout("lock", ms(50), Secret("hunter2"));
    }

    fn handle(state: SafeAt<'_>, event: Secret, _: &mut Secret, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event.0) {
            (_, "die") => panic!("of something"),
            (SafeAt::Shut(s), _) => s.go(Open { code: "hunter2" }),
            (SafeAt::Open(_), "wait") => {
                cx.insert(Secret("hunter2"));
                statem::postpone(event)
            }
            (SafeAt::Open(_), _) => statem::keep(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r130_the_last_transitions_are_kept_in_a_line_each() {
    let (machine, _) = puppet_with(Builder::new().keep_log(100), |_| {});
    send(
        &machine,
        [
            postponed("p"),
            run("start", |_, cx| {
                cx.insert(Event::Note("inserted"));
                cx.state_task(async {}, |()| Event::Note("output"));
                cx.timeout("g", ms(10), Event::Note("fired"));
                Step::Keep
            }),
            Event::Odd(None),
        ],
    );
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
    tokio::time::sleep(ms(11)).await;
    send(&machine, [go_busy()]);
    assert_eq!(
        rest(&machine).await.log,
        [
            "started in Idle",
            "cast, in Idle: postponed",
            "cast, in Idle: consumed",
            "inserted, in Idle: consumed",
            "cast, in Idle: unexpected",
            "call, in Idle: consumed, 1 reply",
            "source 1, in Idle: consumed",
            "timeout \"g\", in Idle: consumed",
            "cast, in Idle: consumed, to Busy",
            "cast, again, in Busy: consumed",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn r130_the_log_has_a_bound_and_can_be_begun_and_ended_later() {
    let (machine, _) = puppet();
    send(&machine, [Event::Note("before")]);
    assert_eq!(rest(&machine).await.log.len(), 0);
    machine.keep_log(2).await.unwrap();
    assert_eq!(rest(&machine).await.log.len(), 0);
    send(&machine, [postponed("p"), Event::Note("1"), go_busy()]);
    let kept = [
        "cast, in Idle: consumed, to Busy",
        "cast, again, in Busy: consumed",
    ];
    assert_eq!(rest(&machine).await.log, kept);
    machine.keep_log(1).await.unwrap();
    assert_eq!(rest(&machine).await.log, kept[1..]);
    machine.keep_log(0).await.unwrap();
    send(&machine, [Event::Note("2")]);
    assert_eq!(rest(&machine).await.log.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn r130_a_machine_that_is_traced_keeps_no_log() {
    let (machine, _) = puppet_with(Builder::new().trace(true), |_| {});
    send(&machine, (0..3).map(Event::Number));
    assert_eq!(rest(&machine).await.log, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn r130_n45_an_event_that_could_not_be_postponed_is_in_the_log_as_such() {
    let (machine, _) = puppet_with(Builder::new().postponed(0).keep_log(3), |_| {});
    send(&machine, [postponed("p")]);
    let log = rest(&machine).await.log;
    assert!(
        log.last().unwrap().contains("could not be postponed"),
        "{log:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn r130_n36_an_output_that_was_postponed_without_its_source_is_in_the_log_as_discarded() {
    let (machine, _) = puppet_with(Builder::new().keep_log(1), |_| {});
    let output = run("output", |world, cx| {
        world.guards.clear();
        cx.postpone(run("never", |_, _| Step::Keep));
        Step::Keep
    });
    let start = run("start", |world, cx| {
        world.guards.push(cx.task(async {}, |()| output));
        Step::Keep
    });
    send(&machine, [start]);
    tokio::time::sleep(ms(1)).await;
    assert_eq!(
        rest(&machine).await.log,
        ["source 1, in Idle: discarded, its source has gone"]
    );
}

#[tokio::test(start_paused = true)]
async fn r128_a_trace_is_told_to_tracing_from_the_start_or_later() {
    let (log, _guard) = listen();
    let (machine, _) = puppet_with(Builder::new().trace(true), |_| {});
    assert_eq!(machine.call(Event::Ask).await.unwrap(), 7);
    let told = of_level(&log, Level::INFO);
    let [started, asked] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(started.contains("message=started"), "{started}");
    for word in [
        "message=consumed",
        "machine=\"Puppet\"",
        "state=\"Idle\"",
        "next=\"Idle\"",
        "origin=\"call\"",
        "replies=1",
    ] {
        assert!(asked.contains(word), "no {word} in {asked}");
    }
    assert!(!asked.contains("event="), "{asked}");

    machine.trace(false).await.unwrap();
    send(&machine, [Event::Note("quiet")]);
    rest(&machine).await;
    assert!(of_level(&log, Level::INFO).is_empty());
    machine.trace(true).await.unwrap();
    send(&machine, [go_busy()]);
    rest(&machine).await;
    let told = of_level(&log, Level::INFO);
    assert!(
        matches!(&told[..], [one] if one.contains("next=\"Busy\"")),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn r129_events_that_came_in_and_replies_that_went_out_are_counted() {
    let (machine, _) = puppet();
    for _ in 0..3 {
        machine.call(Event::Ask).await.unwrap();
    }
    send(&machine, [Event::Note("cast"), Event::Odd(None)]);
    let counts = rest(&machine).await.counts;
    assert_eq!((counts.received, counts.replied), (5, 3));
    // A reply that is dropped is none.
    let dropped = machine.call(answer(|reply, _, _| {
        drop(reply);
        Step::Keep
    }));
    assert!(dropped.await.is_err());
    assert_eq!(rest(&machine).await.counts.replied, 3);
}

#[tokio::test(start_paused = true)]
async fn r100_the_report_of_an_abnormal_end_has_what_was_there() {
    let (log, _guard) = listen();
    let (machine, _) = puppet_with(shows_all().keep_log(2), |_| {});
    send(
        &machine,
        [
            postponed("p1"),
            postponed("p2"),
            run("start", |_, cx| {
                cx.timeout("g", ms(30), Event::Note("g"));
                cx.insert(fail());
                cx.insert(Event::Note("waits"));
                Step::Keep
            }),
        ],
    );
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    let [report] = &reports[..] else {
        panic!("{reports:?}")
    };
    for word in [
        "message=the machine ended abnormally",
        "machine=\"Puppet\"",
        "state=\"Idle\"",
        "state_value=\"<Idle>\"",
        "data=\"<world>\"",
        "out of luck",
        "event=\"inserted <fail>\"",
        "queue=inserted <waits> ",
        "postponed=cast <p1>; cast <p2> ",
        "timeouts=timeout \"g\" in 30ms ",
        "log=cast <start>, in Idle: consumed; inserted <fail>, in Idle: ended the machine",
    ] {
        assert!(report.contains(word), "no {word} in {report}");
    }
}

#[tokio::test(start_paused = true)]
async fn r100_a_long_queue_is_reported_by_its_first_events_and_its_length() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    send(&machine, (0..20).map(|_| postponed("p")));
    send(&machine, [fail()]);
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    assert!(reports[0].contains("cast; and 4 more"), "{reports:?}");
    assert_eq!(reports[0].matches("cast;").count(), 16);
}

#[tokio::test(start_paused = true)]
async fn r100_an_end_between_two_events_names_no_event() {
    let (log, _guard) = listen();
    let (machine, _) = puppet();
    send(&machine, [Event::Note("handled")]);
    rest(&machine).await;
    machine.kill();
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    assert!(reports[0].contains("killed"), "{reports:?}");
    assert!(!reports[0].contains(" event="), "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn r131_nothing_of_a_value_is_shown_unless_a_function_shows_it() {
    let (log, _guard) = listen();
    let safe = Builder::<Safe>::new()
        .keep_log(10)
        .trace(true)
        .spawn(Shut, Secret("hunter2"));
    for event in ["hunter2", "wait", "hunter2", "die"] {
        safe.try_cast(Secret(event)).unwrap();
    }
    safe.closed().await;
    let all = log.take();
    assert!(all.iter().any(|(_, text)| text.contains("of something")));
    for (_, text) in all {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn r131_a_report_of_a_terminate_that_panics_shows_what_the_functions_show() {
    let (log, _guard) = listen();
    let (machine, _) = puppet_with(shows_all(), |world| {
        world.on_terminate = Some(Box::new(|| panic!("in terminate")));
    });
    send(&machine, [postponed("p")]);
    machine.stop().await;
    let reports = of_level(&log, Level::ERROR);
    for word in ["in terminate", "data=\"<world>\"", "postponed=cast <p> "] {
        assert!(reports[0].contains(word), "no {word} in {reports:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r130_a_request_whose_caller_has_gone_is_in_the_log_as_skipped() {
    let (machine, driver, _) = unpolled(Builder::new().keep_log(3));
    let mut call = Box::pin(machine.call(Event::Ask));
    assert!(poll_once(call.as_mut()).is_pending());
    drop(call);
    tokio::spawn(driver.run());
    let kept = rest(&machine).await.log;
    assert_eq!(kept[1], "call, in Idle: skipped, its caller has gone");
}

#[tokio::test(start_paused = true)]
async fn r131_what_is_shown_to_who_looks_is_what_the_functions_show() {
    let (machine, _) = puppet_with(shows_all(), |_| {});
    send(&machine, [postponed("p")]);
    let seen = machine.inspect_values().await.unwrap();
    assert_eq!((&*seen.state, &*seen.data), ("<Idle>", "<world>"));
    assert_eq!(seen.postponed, ["<p>"]);
}

#[tokio::test(start_paused = true)]
async fn r131_a_function_that_panics_shows_a_placeholder_and_the_machine_goes_on() {
    let (log, _guard) = listen();
    let builder = Builder::new()
        .keep_log(1)
        .show_event(|_| panic!("hunter2"))
        .show_data(|_| panic!("hunter2"));
    let (machine, trace) = puppet_with(builder, |_| {});
    send(&machine, [Event::Note("note")]);
    let kept = rest(&machine).await.log;
    assert_eq!(trace.take(), "note");
    assert!(kept[0].contains("not shown"), "{kept:?}");
    assert!(machine.inspect_values().await.is_err());
    send(&machine, [fail()]);
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    assert!(reports[0].contains("data=\"(not shown"), "{reports:?}");
    assert!(!reports[0].contains("hunter2"), "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn running_machines_are_listed_with_names_and_states_until_they_end() {
    let mine = || {
        let all = running().into_iter();
        all.filter(|running| running.name.starts_with("listed"))
            .map(|running| {
                let state = match running.status {
                    Status::Running(state) => state,
                    Status::Starting => "starting",
                    _ => "stopped",
                };
                format!("{} {} {state}", running.machine, running.name)
            })
            .collect::<Vec<_>>()
    };
    let (one, _) = puppet_with(Builder::new().list("listed 1"), |_| {});
    let (two, driver, _) = unpolled(Builder::new().list("listed 2"));
    let (_unlisted, _) = puppet();
    rest(&one).await;
    assert_eq!(mine(), ["Puppet listed 1 Idle", "Puppet listed 2 starting"]);
    send(&one, [go_busy()]);
    rest(&one).await;
    assert_eq!(mine()[0], "Puppet listed 1 Busy");
    let ids: BTreeSet<_> = running().iter().map(|running| running.id).collect();
    assert!(ids.len() >= 2, "{ids:?}");
    one.stop().await;
    for _ in 0..2 {
        assert_eq!(mine(), ["Puppet listed 2 starting"]);
    }
    // A machine that never runs is off the list with its driver, whoever holds a handle.
    drop(driver);
    assert_eq!(mine(), Vec::<String>::new());
    assert!(matches!(two.status(), Status::Stopped(ExitReason::Aborted)));
}

#[tokio::test(start_paused = true)]
async fn r130_a_report_does_not_show_an_event_of_the_time_there_was_a_log() {
    let (log, _guard) = listen();
    let (machine, _) = puppet_with(shows_all().keep_log(1), |_| {});
    send(&machine, [Event::Note("kept")]);
    machine.keep_log(0).await.unwrap();
    send(&machine, [fail()]);
    machine.closed().await;
    let reports = of_level(&log, Level::ERROR);
    assert!(reports[0].contains(" event=\"cast\" "), "{reports:?}");
    assert!(!reports[0].contains("kept"), "{reports:?}");
}
