//! Whether a driver that a message has woken lets the other tasks that are ready go first.
//!
//! A runtime of threads runs a task that is woken as the next one, in front of all that are ready. A
//! machine with many callers would have a turn for each of their messages, and its socket a write. So
//! a driver that has slept waits once, behind the tasks that are ready.
//!
//! Where nobody else sends, that is of no use. It is tried more and more seldom then, so that a single
//! caller pays for it in one of 64 calls.

/// The most wakes in a row without waiting.
const MOST_SKIPPED: u8 = 63;

#[derive(Default)]
pub(super) struct Patience {
    /// The driver has slept since its last turn.
    slept: bool,
    /// It has waited since its last turn.
    waited: bool,
    /// How often it is still not to wait when it is woken.
    skips: u8,
    /// How often it was not to wait since waiting was last of use.
    skipped: u8,
}

impl Patience {
    /// The driver goes to sleep.
    pub(super) fn sleeps(&mut self) {
        self.slept = true;
    }

    /// Whether the driver, which was woken, is to let others go first. Not if it was by anything else
    /// than a message: nothing is gathered by waiting with a timer or with what a source has.
    pub(super) fn waits(&mut self, is_urgent: bool) -> bool {
        if !std::mem::take(&mut self.slept) || is_urgent {
            return false;
        }
        if let Some(fewer) = self.skips.checked_sub(1) {
            self.skips = fewer;
            return false;
        }
        self.waited = true;
        true
    }

    /// A turn begins with as many items from the mailbox.
    pub(super) fn learn(&mut self, items: usize) {
        let waited = std::mem::take(&mut self.waited);
        if items > 1 {
            (self.skips, self.skipped) = (0, 0);
        } else if waited {
            self.skipped = (2 * self.skipped + 1).min(MOST_SKIPPED);
            self.skips = self.skipped;
        }
    }
}
