//! An attempt to connect and a handshake, each from its start to its one end.

use std::fmt::Display;
use std::sync::Arc;

use super::counts::Counters;
use super::telemetry::tell;
use crate::net::{ConnectError, Connection, Connector, Endpoint};

/// Counts that an attempt has ended, whatever its end is (F44).
pub(super) struct Attempt {
    counters: Arc<Counters>,
    ended: bool,
    /// Where to.
    #[cfg(feature = "tracing")]
    endpoint: String,
}

impl Attempt {
    pub(super) fn start(counters: Arc<Counters>, connector: &Connector) -> Self {
        Counters::add(&counters.connects, 1);
        let attempt = Attempt {
            counters,
            ended: false,
            #[cfg(feature = "tracing")]
            endpoint: connector.to_text(),
        };
        tell!(DEBUG, endpoint = %attempt.endpoint, "connecting");
        let _ = connector;
        attempt
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
        tell!(DEBUG, endpoint = %self.endpoint, %error, "could not connect");
        let _ = error;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            Counters::add(&self.counters.connects_abandoned, 1);
            tell!(DEBUG, endpoint = %self.endpoint, "gave up connecting");
        }
    }
}

/// Tells the log that a handshake has ended, whatever its end is (F44).
pub(super) struct Shaking {
    ended: bool,
    /// Where to.
    #[cfg(feature = "tracing")]
    endpoint: Endpoint,
}

impl Shaking {
    pub(super) fn start(endpoint: &Endpoint) -> Self {
        tell!(DEBUG, %endpoint, "handshake");
        let _ = endpoint;
        Shaking {
            ended: false,
            #[cfg(feature = "tracing")]
            endpoint: endpoint.clone(),
        }
    }

    pub(super) fn done(&mut self) {
        self.ended = true;
        tell!(DEBUG, endpoint = %self.endpoint, "handshake done");
    }

    pub(super) fn failed(&mut self, reason: &dyn Display) {
        self.ended = true;
        tell!(DEBUG, endpoint = %self.endpoint, %reason, "handshake failed");
        let _ = reason;
    }
}

impl Drop for Shaking {
    fn drop(&mut self) {
        if !self.ended {
            tell!(DEBUG, endpoint = %self.endpoint, "gave up the handshake");
        }
    }
}
