//! Why a supervisor ended, and why it did not do what it was asked to.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::reason::ExitReason;

/// Why a supervisor ended by itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TooManyRestarts {
    /// The supervisor.
    pub supervisor: Arc<str>,
    /// The child that failed once too often.
    pub child: Arc<str>,
    /// Why it failed the last time.
    pub reason: ExitReason,
    /// How many restarts the supervisor allows,
    pub intensity: u32,
    /// and within which time.
    pub period: Duration,
}

impl fmt::Display for TooManyRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooManyRestarts {
            supervisor,
            child,
            reason,
            intensity,
            period,
        } = self;
        write!(
            f,
            "the supervisor `{supervisor}` gave up: more than {intensity} restarts within \
             {period:?}; the last to fail was `{child}`: {reason}"
        )
    }
}

impl Error for TooManyRestarts {}

/// Why a supervisor did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildError {
    /// It has no child of this name.
    NoSuchChild,
    /// It has a child of this name.
    NameTaken,
    /// Another machine has the name in the registry in which the child is to be
    /// [registered](super::Spec::registered).
    AlreadyStarted,
    /// It has as many children as it [may have](super::Supervisor::limit).
    Full {
        /// How many that are.
        limit: usize,
    },
    /// The child runs, or is about to: terminate it first.
    Running,
    /// The supervisor is ending its children.
    Stopping,
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ChildError::NoSuchChild => "the supervisor has no child of this name",
            ChildError::NameTaken => "the supervisor has a child of this name already",
            ChildError::AlreadyStarted => {
                "another machine is registered under the name of the child: use that one, or start \
                 the child when it has ended"
            }
            ChildError::Full { limit } => {
                return write!(
                    f,
                    "the supervisor has {limit} children, as many as it may have: try again when one \
                     has been forgotten, which only temporary ones are by themselves"
                );
            }
            ChildError::Running => "the child has not ended: terminate it first",
            ChildError::Stopping => "the supervisor is ending its children",
        })
    }
}

impl Error for ChildError {}
