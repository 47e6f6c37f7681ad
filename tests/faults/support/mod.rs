//! What the rows stand on: servers, a relay that makes faults, networks, ledgers and counts.

pub(crate) mod caller;
pub(crate) mod count;
pub(crate) mod ledger;
pub(crate) mod memory;
pub(crate) mod namespaces;
pub(crate) mod protocol;
pub(crate) mod redis;
pub(crate) mod relay;
pub(crate) mod row;
pub(crate) mod server;
pub(crate) mod tasks;
pub(crate) mod time;
pub(crate) mod trace;

/// The error of a call that must have failed in this way.
macro_rules! failed {
    ($told:expr, $pattern:pat) => {
        match &$told {
            Err(error @ $pattern) => error,
            other => panic!("told {other:?}"),
        }
    };
}
pub(crate) use failed;
