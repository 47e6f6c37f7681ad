//! What a caller is told.

use std::error::Error;
use std::sync::Arc;

use statem::net::{CloseReason, Lost, NotSent, RequestError, Unknown};
use statem::{Bound, CallError, ExitReason};

const MACHINE: &str = "Client";

fn of(error: CallError<RequestError>) -> RequestError {
    let may_have_run = match &error {
        CallError::Failed(error) => error.may_have_run(),
        other => other.may_have_run(),
    };
    let outcome = RequestError::from(error);
    assert_eq!(outcome.may_have_run(), may_have_run, "{outcome:?}");
    outcome
}

#[test]
fn n50_what_a_call_of_the_core_says_is_said_of_the_request() {
    let timed_out = |begun| CallError::TimedOut {
        machine: MACHINE,
        begun,
    };
    assert!(matches!(
        of(timed_out(false)),
        RequestError::NotSent(NotSent::TimedOut)
    ));
    assert!(matches!(
        of(timed_out(true)),
        RequestError::Unknown(Unknown::TimedOut)
    ));
    let full = CallError::Full {
        machine: MACHINE,
        what: Bound::Mailbox,
    };
    assert!(matches!(
        of(full),
        RequestError::NotSent(NotSent::QueueFull)
    ));
    let dropped = CallError::NotAnswered {
        machine: MACHINE,
        state: None,
    };
    assert!(matches!(
        of(dropped),
        RequestError::Unknown(Unknown::NotAnswered)
    ));
    let stopped = |begun| CallError::Stopped {
        machine: MACHINE,
        reason: ExitReason::Killed,
        begun,
    };
    for begun in [false, true] {
        assert!(matches!(
            of(stopped(begun)),
            RequestError::Stopped { reason: ExitReason::Killed, may_have_run } if may_have_run == begun
        ));
    }
    let own = RequestError::NotSent(NotSent::Busy);
    assert!(matches!(
        of(CallError::Failed(own)),
        RequestError::NotSent(NotSent::Busy)
    ));
}

#[test]
fn f30_a_peer_that_breaks_the_protocol_is_told_from_one_that_goes_away() {
    let of = |lost, handed| RequestError::of_lost(&Arc::new(lost), handed);
    let garbage = || Lost::Closed(CloseReason::Garbage("no frame".into()));
    assert!(matches!(of(garbage(), true), RequestError::Protocol(_)));
    assert!(matches!(
        of(Lost::Protocol("no".into()), true),
        RequestError::Protocol(_)
    ));
    let long = Lost::Closed(CloseReason::TooLong { limit: 1 });
    assert!(matches!(of(long, true), RequestError::Protocol(_)));
    let cut = Lost::Closed(CloseReason::Cut { received: 1 });
    assert!(matches!(
        of(cut, true),
        RequestError::Unknown(Unknown::Lost(_))
    ));
    let own = Lost::Unwritable("a line feed".into());
    assert!(matches!(
        of(own, true),
        RequestError::Unknown(Unknown::Lost(_))
    ));
    // What has not left has not run, whatever the peer did.
    assert!(matches!(
        of(garbage(), false),
        RequestError::NotSent(NotSent::Closed(_))
    ));
}

#[test]
fn an_error_says_whether_the_request_may_have_run_and_why() {
    let lost = Arc::new(Lost::Closed(CloseReason::End));
    let unknown = RequestError::Unknown(Unknown::Lost(lost.clone()));
    assert_eq!(
        unknown.to_string(),
        "the request may have run: the peer closed the connection"
    );
    let invalid = NotSent::Invalid(Arc::from(Box::<dyn Error + Send + Sync>::from(
        "a line feed",
    )));
    assert_eq!(
        RequestError::NotSent(invalid).to_string(),
        "the request was not sent: it cannot be written: a line feed"
    );
    let stopped = RequestError::Stopped {
        reason: ExitReason::Killed,
        may_have_run: false,
    };
    assert_eq!(
        stopped.to_string(),
        "the request has not run: the client has stopped: it was killed"
    );
    let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let lost = Arc::new(Lost::Closed(CloseReason::Write(broken)));
    let error = RequestError::NotSent(NotSent::Closed(lost));
    let source = error.source().expect("the system's error");
    assert!(source.downcast_ref::<std::io::Error>().is_some());
}
