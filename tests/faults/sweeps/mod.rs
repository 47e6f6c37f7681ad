//! Sweeps: every place where bytes can be cut, every moment where a future can be dropped, every
//! callback that can panic.

mod clients;
mod connecting;
mod cuts;
mod panics;
mod subscribers;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use statem::net::{FeedStream, Notice};

use crate::support::protocol::Manners;

fn greeting() -> Manners {
    Manners {
        greets: true,
        ..Manners::default()
    }
}

/// A notice that waits.
fn waiting(notices: &mut FeedStream<Notice<u64>>) -> Option<String> {
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(notices).poll_next(&mut context) {
        Poll::Ready(notice) => notice.map(|notice| format!("{notice:?}")),
        Poll::Pending => None,
    }
}
