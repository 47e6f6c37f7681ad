//! What has happened in a gateway.

use std::sync::{Arc, Mutex, PoisonError};

/// Counts of what has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of devices,
    pub heard: u64,
    /// of which so many went to a machine,
    pub routed: u64,
    /// so many found its mailbox full, or the gateway closing,
    pub refused: u64,
    /// and so many came from a device for which there was no place.
    pub turned_away: u64,
    /// Messages that a machine has dealt with.
    pub handled: u64,
    /// Readings among them,
    pub readings: u64,
    /// of which so many were reported,
    pub reported: u64,
    /// in so many reports,
    pub reports: u64,
    /// and so many went down with a machine that had not reported them.
    pub lost: u64,
    /// Reports that found no room and were made later.
    pub put_off: u64,
    /// The sum of what was reported.
    pub sum: u64,
    /// Machines that were started,
    pub started: u64,
    /// of which so many ended for want of a reading,
    pub never_joined: u64,
    /// so many for want of any word,
    pub fell_silent: u64,
    /// so many because the gateway ended,
    pub left: u64,
    /// and so many by a bug.
    pub panicked: u64,
    /// The most machines there were at once.
    pub most: usize,
}

impl Counts {
    /// Those who have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.never_joined + self.fell_silent + self.left + self.panicked
    }
}

/// The counts of a gateway and all its devices. A clone is the same one.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// Changes the counts.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The counts as they are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
