//! Running machines are written down, and run again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use statem::{Builder, CallError, ExitReason, Handle, spawn};

use crate::scribe::*;

async fn text(machine: &Handle<Scribe>) -> String {
    machine
        .snapshot(|saving| serde_json::to_string(saving))
        .await
        .expect("the machine runs")
}

/// The trace of a machine, in its turn.
async fn called(machine: &Handle<Scribe>) -> String {
    let asked = machine.snapshot(|saving| Ok::<_, ()>(saving.saved.data.trace.join(" ")));
    asked.await.expect("the machine runs")
}

#[tokio::test(start_paused = true)]
async fn n75_a_machine_is_restored_with_init_enter_and_its_timeouts() {
    let machine = spawn::<Scribe>(Open::default(), Book::default());
    let asks = [
        Ask::State(30, "st".into()),
        Ask::Named(Name::G, 20, "g".into()),
        Ask::Named(Name::H, 90, "h".into()),
    ];
    machine.cast(act("a", asks, Then::Keep)).await.unwrap();
    machine.cast(act("p", [], Then::NotOpen)).await.unwrap();
    tokio::time::sleep(ms(18)).await;
    let written = text(&machine).await;
    assert_eq!(
        machine.stop().await.to_string(),
        ExitReason::Normal.to_string()
    );
    // Saved for a day, which does not count.
    tokio::time::sleep(ms(86_400_000)).await;
    let restored = Builder::new()
        .init(|book: &mut Book, _| book.trace.push("init".into()))
        .restore(read(&written));
    tokio::time::sleep(ms(11)).await;
    assert_eq!(called(&restored).await, "init enter(Open) g@Timeout(G)");
    tokio::time::sleep(ms(1)).await;
    restored.cast(act("go", [], Then::Shut)).await.unwrap();
    assert_eq!(
        called(&restored).await,
        "init enter(Open) g@Timeout(G) st@StateTimeout go@Cast enter(Open) p@Cast"
    );
}

#[tokio::test(start_paused = true)]
async fn n75_what_became_due_while_it_was_saved_fires_in_the_first_turn_before_the_messages() {
    let machine = spawn::<Scribe>(Open::default(), Book::default());
    let asks = [
        Ask::State(30, "st".into()),
        Ask::Named(Name::G, 20, "g".into()),
    ];
    machine.cast(act("a", asks, Then::Keep)).await.unwrap();
    let written = text(&machine).await;
    let (restored, driver) = Builder::new().build_restored(read(&written).after(ms(50)));
    restored.try_cast(note("m")).unwrap();
    drop(tokio::spawn(driver));
    assert_eq!(
        called(&restored).await,
        "enter(Open) g@Timeout(G) st@StateTimeout m@Cast"
    );
}

#[tokio::test(start_paused = true)]
async fn n74_n73_an_output_that_a_suspended_machine_has_not_handled_is_left_out_and_counted() {
    let machine = spawn::<Scribe>(Open::default(), Book::default());
    machine
        .cast(act("a", [Ask::Output], Then::Keep))
        .await
        .unwrap();
    machine.suspend().await.unwrap();
    let mut outputs = 0;
    for _ in 0..5 {
        let left_out = machine.snapshot(|saving| Ok::<_, ()>(saving.saved.left_out.outputs));
        outputs = left_out.await.unwrap();
    }
    assert_eq!(outputs, 1);
    machine.resume().await.unwrap();
    // Handled it is postponed, and counted as that.
    let left_out = machine.snapshot(|saving| Ok::<_, ()>(saving.saved.left_out.outputs));
    assert_eq!(left_out.await.unwrap(), 1);
    assert!(called(&machine).await.contains("output@Source("));
}

#[tokio::test(start_paused = true)]
async fn n74_a_writer_that_fails_or_panics_is_an_error_of_the_asker_alone() {
    let machine = spawn::<Scribe>(Open::default(), Book::default());
    let failed = machine.snapshot(|_| Err::<(), _>("no room")).await;
    assert!(matches!(failed, Err(CallError::Failed("no room"))));
    let panicked = machine
        .snapshot(|_| -> Result<(), ()> { panic!("no snapshot") })
        .await;
    assert!(
        matches!(panicked, Err(CallError::NotAnswered { .. })),
        "{panicked:?}"
    );
    assert_eq!(called(&machine).await, "enter(Open)");
    machine.stop().await;
    let late = machine.snapshot(|_| Ok::<_, ()>(())).await;
    assert!(matches!(late, Err(CallError::Stopped { .. })), "{late:?}");
}

#[test]
fn n74_a_snapshot_under_load_is_at_rest_and_leaves_the_machine_running() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let machine = Builder::new()
            .mailbox(64)
            .spawn(Open::default(), Book::default());
        let enough = Arc::new(AtomicBool::new(false));
        let load: Vec<_> = (0..4)
            .map(|_| {
                let (machine, enough) = (machine.clone(), enough.clone());
                tokio::spawn(async move {
                    let mut sent = 0;
                    while !enough.load(Ordering::Relaxed) {
                        let zero = Ask::Named(Name::G, 0, "z".into());
                        let asks = [Ask::Insert(Box::new(note("i"))), zero];
                        machine.cast(act("m", asks, Then::Keep)).await.unwrap();
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        for _ in 0..100 {
            let written = text(&machine).await;
            let snapshot = read(&written);
            assert_eq!(snapshot.saved.left_out.queued, 0);
            assert!(snapshot.saved.timeouts.is_empty());
        }
        enough.store(true, Ordering::Relaxed);
        let mut sent = 0;
        for sender in load {
            sent += sender.await.unwrap();
        }
        let words = called(&machine).await;
        let count = |word: &str| words.split(' ').filter(|found| *found == word).count();
        assert!(sent > 0);
        assert_eq!(
            (count("m@Cast"), count("i@Inserted"), count("z@Timeout(G)")),
            (sent, sent, sent)
        );
    });
}
