//! The counter as an actor of kameo. It has no timers: one is a task, as its users write it.

use std::convert::Infallible;
use std::sync::Arc;

use kameo::actor::{ActorRef, Spawn};
use kameo::message::{Context, Message};
use kameo::{Actor, mailbox};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::counter::{LIMIT, Process, SILENCE, Started};

struct Counter {
    total: u64,
    silence: Option<AbortHandle>,
}

struct Add(u64);
struct Total;
struct Beat;
struct Silence;

impl Actor for Counter {
    type Args = Arc<Started>;
    type Error = Infallible;

    async fn on_start(started: Arc<Started>, _: ActorRef<Self>) -> Result<Self, Infallible> {
        started.one_more();
        Ok(Counter {
            total: 0,
            silence: None,
        })
    }
}

impl Message<Add> for Counter {
    type Reply = ();

    async fn handle(&mut self, Add(n): Add, _: &mut Context<Self, ()>) {
        self.total += n;
    }
}

impl Message<Total> for Counter {
    type Reply = u64;

    async fn handle(&mut self, _: Total, _: &mut Context<Self, u64>) -> u64 {
        self.total
    }
}

impl Message<Beat> for Counter {
    type Reply = u64;

    async fn handle(&mut self, _: Beat, cx: &mut Context<Self, u64>) -> u64 {
        let myself = cx.actor_ref().clone();
        let silence = tokio::spawn(async move {
            sleep(SILENCE).await;
            let _ = myself.tell(Silence).await;
        });
        if let Some(silence) = self.silence.replace(silence.abort_handle()) {
            silence.abort();
        }
        self.total
    }
}

impl Message<Silence> for Counter {
    type Reply = ();

    async fn handle(&mut self, _: Silence, cx: &mut Context<Self, ()>) {
        cx.stop();
    }
}

#[derive(Clone)]
pub(crate) struct WithMailbox<const BOUNDED: bool>(ActorRef<Counter>);

/// As one gets it, with a mailbox of 64.
pub(crate) type Kameo = WithMailbox<true>;
/// For a row without bounds.
pub(crate) type UnboundedKameo = WithMailbox<false>;

impl<const BOUNDED: bool> Process for WithMailbox<BOUNDED> {
    async fn spawn(started: Arc<Started>) -> Self {
        WithMailbox(if BOUNDED {
            Counter::spawn(started)
        } else {
            Counter::spawn_with_mailbox(started, mailbox::unbounded())
        })
    }

    async fn call(&self) -> u64 {
        self.0.ask(Total).await.expect("the counter answers")
    }

    async fn call_within_limit(&self) -> u64 {
        self.0
            .ask(Total)
            .reply_timeout(LIMIT)
            .await
            .expect("the counter answers")
    }

    async fn beat(&self) -> u64 {
        self.0.ask(Beat).await.expect("the counter answers")
    }

    async fn cast(&self) {
        self.0.tell(Add(1)).await.expect("the counter runs");
    }
}
