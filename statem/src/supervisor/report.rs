//! What a supervisor shows of its children.

use std::fmt;
use std::sync::Arc;

use super::decide::Strategy;
use crate::watch::Status;

/// A child, as [`Tree::children`](super::Tree::children) shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its name among its supervisor's children.
    pub name: Arc<str>,
    /// The name of its machine.
    pub machine: &'static str,
    /// What it is doing.
    pub status: Status,
    /// Whether it is ready.
    pub ready: bool,
    /// How often this supervisor has restarted it.
    pub restarts: u64,
    /// How many messages wait in its mailbox.
    pub queue: usize,
}

/// A supervisor and all below it, made by [`Tree::report`](super::Tree::report). It prints as a tree,
/// a child a line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The supervisor's name.
    pub name: Arc<str>,
    /// Its strategy.
    pub strategy: Strategy,
    /// How many restarts count towards the intensity, as of the last one.
    pub recent: usize,
    /// How many there may be.
    pub intensity: u32,
    /// The children in the order of their start, each with what is below it if it is a supervisor
    /// that answered.
    pub children: Vec<(ChildInfo, Option<Report>)>,
}

impl Report {
    /// Whether all children are ready that are not down, and those below them.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut children = self.children.iter();
        children.all(|(child, below)| {
            matches!(child.status, Status::Stopped(_))
                || child.ready && below.as_ref().is_none_or(Report::is_ready)
        })
    }

    fn fmt_children(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let last = self.children.len().saturating_sub(1);
        for (place, (child, below)) in self.children.iter().enumerate() {
            let (branch, bar) = if place == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            write!(f, "\n{indent}{branch}{child}")?;
            if let Some(below) = below {
                write!(f, ", ")?;
                below.fmt_head(f)?;
                below.fmt_children(f, &format!("{indent}{bar}"))?;
            }
        }
        Ok(())
    }

    fn fmt_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strategy = match self.strategy {
            Strategy::OneForOne => "one for one",
            Strategy::OneForAll => "one for all",
            Strategy::RestForOne => "rest for one",
            Strategy::Dynamic => "dynamic",
        };
        write!(
            f,
            "{strategy}, {} of {} restarts",
            self.recent, self.intensity
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        self.fmt_head(f)?;
        self.fmt_children(f, "")
    }
}

impl fmt::Display for ChildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", self.name, self.machine)?;
        match &self.status {
            Status::Starting => write!(f, "starting")?,
            Status::Running(state) => write!(f, "{state}")?,
            Status::Restarting => write!(f, "restarting")?,
            Status::Stopped(reason) => write!(f, "ended, {reason}")?,
        }
        if !self.ready && !matches!(self.status, Status::Stopped(_)) {
            write!(f, ", not ready")?;
        }
        write!(f, ", restarts {}, queue {}", self.restarts, self.queue)
    }
}
