//! What is asked of a driver, and what its asker is told.

use statem::{Builder, CallError, ExitReason};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n51_a_question_that_has_timed_out_is_never_served() {
    let (machine, driver, trace) = unpolled(Builder::new().call_limit(ms(50)).keep_log(1));
    let seen = trace.clone();
    let replaced = machine.replace(move |_, _| {
        seen.push("replaced");
        None
    });
    let told = replaced.await.unwrap_err();
    assert!(!told.may_have_run(), "{told}");
    let told = machine.suspend().await.unwrap_err();
    assert!(!told.may_have_run(), "{told}");
    let told = machine.keep_log(0).await.unwrap_err();
    assert!(!told.may_have_run(), "{told}");

    tokio::spawn(driver.run());
    let seen = rest(&machine).await;
    assert_eq!((seen.suspended, seen.log.len()), (false, 1));
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n51_a_question_that_is_dropped_before_its_turn_is_never_served() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let seen = trace.clone();
    let mut replaced = Box::pin(machine.replace(move |_, _| {
        seen.push("replaced");
        None
    }));
    let mut suspended = Box::pin(machine.suspend());
    assert!(poll_once(replaced.as_mut()).is_pending());
    assert!(poll_once(suspended.as_mut()).is_pending());
    drop((replaced, suspended));
    tokio::spawn(driver.run());
    assert!(!rest(&machine).await.suspended);
    assert_eq!(trace.take(), "");
}

#[tokio::test(start_paused = true)]
async fn n51_a_replacement_that_ended_its_machine_has_run() {
    let (machine, _) = puppet();
    let drops = Probe::new(|| panic!("no drop"));
    send(
        &machine,
        [run("busy", |_, _| {
            Step::Busy(Busy {
                replies: Vec::new(),
                probe: Some(drops),
            })
        })],
    );
    let told = machine.replace(|_, _| Some(Puppet::Idle)).await;
    assert!(
        matches!(
            told,
            Err(CallError::Stopped {
                reason: ExitReason::Panicked { .. },
                begun: true,
                ..
            })
        ),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn n51_a_question_whose_machine_ends_first_has_not_run() {
    let (machine, driver, trace) = unpolled(Builder::new());
    let mut replaced = Box::pin(machine.replace(|_, _| panic!("never asked")));
    assert!(poll_once(replaced.as_mut()).is_pending());
    drop(driver);
    let told = replaced.await.unwrap_err();
    assert!(
        matches!(told, CallError::Stopped { begun: false, .. }),
        "{told}"
    );
    assert_eq!(trace.take(), "");
}
