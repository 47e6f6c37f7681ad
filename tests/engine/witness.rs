//! What the scenarios are asserted with: a log, values that log their drop, and callers.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use statem::{Answer, CallError, ExitReason};

/// What happened, in order. Values that live in sources write to it too.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0
            .lock()
            .expect("no test panics while it writes the log")
            .push(entry.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(
            &mut self
                .0
                .lock()
                .expect("no test panics while it writes the log"),
        )
    }

    /// A value that logs its drop.
    pub(crate) fn noise(&self, name: &'static str) -> Noise {
        Noise {
            log: self.clone(),
            name,
            panics: false,
        }
    }

    /// A value whose drop panics.
    pub(crate) fn bomb(&self, name: &'static str) -> Noise {
        Noise {
            log: self.clone(),
            name,
            panics: true,
        }
    }

    /// A waker that logs that it was woken.
    fn waker(&self, name: &'static str) -> Waker {
        struct Note(Log, &'static str);
        impl Wake for Note {
            fn wake(self: Arc<Self>) {
                self.0.add(format!("{} told", self.1));
            }
        }
        Waker::from(Arc::new(Note(self.clone(), name)))
    }
}

/// A value that logs its drop.
pub(crate) struct Noise {
    log: Log,
    name: &'static str,
    panics: bool,
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.log.add(format!("drop {}", self.name));
        assert!(!self.panics, "{} panics", self.name);
    }
}

/// Somebody who waits for the answer of a call; the log says when it is told.
pub(crate) struct Caller {
    answer: Answer<u32>,
    /// What was there at the first look.
    at_once: Option<Result<u32, CallError>>,
}

impl Caller {
    /// A caller that has looked once, and is woken when the outcome is there.
    pub(crate) fn new(mut answer: Answer<u32>, log: &Log, name: &'static str) -> Self {
        let waker = log.waker(name);
        let look = Pin::new(&mut answer).poll(&mut Context::from_waker(&waker));
        let at_once = match look {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        };
        Caller { answer, at_once }
    }

    /// The outcome in a few words; empty if there is none yet.
    pub(crate) fn outcome(&mut self) -> String {
        match self.at_once.take().or_else(|| self.answer.try_take()) {
            None => String::new(),
            Some(Ok(value)) => value.to_string(),
            Some(Err(CallError::Full { what, .. })) => format!("full: {what:?}"),
            Some(Err(CallError::NotAnswered { state, .. })) => {
                format!("not answered in {}", state.unwrap_or("none"))
            }
            Some(Err(CallError::Unexpected { state, .. })) => format!("unexpected in {state}"),
            Some(Err(CallError::Stopped { reason, begun, .. })) => {
                format!("stopped: {}, begun: {begun}", short(&reason))
            }
            Some(Err(other)) => format!("{other:?}"),
        }
    }

    pub(crate) fn hang_up(self) {
        drop(self.answer);
    }
}

/// A reason in a few words.
pub(crate) fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Normal => "normal".into(),
        ExitReason::Shutdown => "shutdown".into(),
        ExitReason::Other(error) => error.to_string(),
        ExitReason::Aborted => "aborted".into(),
        ExitReason::Panicked {
            message,
            callback,
            state,
        } => format!("`{message}` in {callback}, in {state}"),
        ExitReason::StateLost { from } => format!("state lost from {from}"),
        ExitReason::Overflow { what } => format!("overflow: {what:?}"),
        other => format!("{other:?}"),
    }
}
