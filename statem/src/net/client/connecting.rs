//! An attempt to connect, from its start to its one end.

use std::sync::Arc;

use super::counts::Counters;
use super::telemetry::tell;
use crate::net::{ConnectError, Connection};

/// Counts that an attempt has ended, whatever its end is (F44).
pub(super) struct Attempt {
    counters: Arc<Counters>,
    ended: bool,
}

impl Attempt {
    pub(super) fn start(counters: Arc<Counters>) -> Self {
        Counters::add(&counters.connects, 1);
        tell!(DEBUG, "connecting");
        Attempt {
            counters,
            ended: false,
        }
    }

    pub(super) fn succeeded(mut self, connection: &Connection) {
        self.ended = true;
        Counters::add(&self.counters.connects_succeeded, 1);
        tell!(DEBUG, endpoint = %connection.endpoint, "connected");
        let _ = connection;
    }

    pub(super) fn failed(mut self, error: &ConnectError) {
        self.ended = true;
        Counters::add(&self.counters.connects_failed, 1);
        tell!(DEBUG, %error, "could not connect");
        let _ = error;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            Counters::add(&self.counters.connects_abandoned, 1);
            tell!(DEBUG, "gave up connecting");
        }
    }
}
