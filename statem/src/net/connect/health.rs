//! What a connector knows of its endpoints: which of them failed, and which one worked last.

use std::time::Duration;

use tokio::time::Instant;

use super::{Endpoint, Prefer};

#[derive(Clone, Default)]
pub(super) struct Health {
    /// Each endpoint once, the one whose failure is oldest first.
    failed: Vec<(Endpoint, Instant)>,
    working: Option<Endpoint>,
}

impl Health {
    pub(super) fn failed(&mut self, endpoint: &Endpoint, now: Instant) {
        self.failed.retain(|(other, _)| other != endpoint);
        self.failed.push((endpoint.clone(), now));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.failed.len()
    }

    pub(super) fn worked(&mut self, endpoint: &Endpoint) {
        self.working = Some(endpoint.clone());
    }

    /// The place of an endpoint in the line: lower ones are tried first, equal ones in the order of
    /// the list.
    pub(super) fn rank(
        &self,
        endpoint: &Endpoint,
        prefer: Prefer,
        penalty: Duration,
        now: Instant,
    ) -> usize {
        let failed = self.failed.iter().position(|(other, at)| {
            other == endpoint && now.saturating_duration_since(*at) < penalty
        });
        match failed {
            Some(position) => 2 + position,
            None if prefer == Prefer::Working && self.working.as_ref() == Some(endpoint) => 0,
            None => 1,
        }
    }
}
