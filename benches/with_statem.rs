//! The counter as a statem machine.

use std::sync::Arc;

use statem::{Builder, Cx, EnterCx, Handle, Handler, Next, Reply, StateMachine, keep, stop};

use crate::counter::{LIMIT, Process, SILENCE, Started};

#[derive(StateMachine)]
#[machine(event = Event, data = Data)]
enum Counter {
    #[initial]
    Counting,
}

struct Data {
    total: u64,
    started: Arc<Started>,
}

enum Event {
    Add(u64),
    Total(Reply<u64>),
    Beat(Reply<u64>),
    Silence,
}

impl Handler for Counter {
    fn enter(&mut self, data: &mut Data, _: &mut EnterCx<Self>) {
        data.started.one_more();
    }

    fn handle(
        state: CounterAt<'_>,
        event: Event,
        data: &mut Data,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        let CounterAt::Counting(_) = state;
        match event {
            Event::Add(n) => data.total += n,
            Event::Total(reply) => drop(reply.send(data.total)),
            Event::Beat(reply) => {
                cx.state_timeout(SILENCE, Event::Silence);
                let _ = reply.send(data.total);
            }
            Event::Silence => return stop(statem::ExitReason::Normal),
        }
        keep()
    }
}

/// With a mailbox of this bound.
#[derive(Clone)]
pub(crate) struct Bounded<const BOUND: usize>(Handle<Counter>);

/// As one gets it.
pub(crate) type Statem = Bounded<1024>;
/// For a row without bounds.
pub(crate) type UnboundedStatem = Bounded<{ usize::MAX }>;

/// A counter with a log of so many lines, and with functions that show its values.
pub(crate) async fn watched(log: Option<usize>, shown: bool) -> Statem {
    let started = Arc::default();
    let mut builder = Builder::<Counter>::new();
    if let Some(lines) = log {
        builder = builder.keep_log(lines);
    }
    if shown {
        builder = builder
            .show_event(|_| "an event".into())
            .show_data(|data| data.total.to_string());
    }
    let counter = Bounded(builder.spawn(Counting, Data { total: 0, started }));
    counter.call().await;
    counter
}

impl Statem {
    pub(crate) async fn end_log(&self) {
        self.0.keep_log(0).await.expect("the counter runs");
    }
}

impl<const BOUND: usize> Process for Bounded<BOUND> {
    async fn spawn(started: Arc<Started>) -> Self {
        Bounded(
            Builder::new()
                .mailbox(BOUND)
                .spawn(Counting, Data { total: 0, started }),
        )
    }

    async fn call(&self) -> u64 {
        self.0
            .call(Event::Total)
            .await
            .expect("the counter answers")
    }

    async fn call_within_limit(&self) -> u64 {
        self.0
            .call(Event::Total)
            .limit(LIMIT)
            .await
            .expect("the counter answers")
    }

    async fn beat(&self) -> u64 {
        self.0.call(Event::Beat).await.expect("the counter answers")
    }

    async fn cast(&self) {
        self.0.cast(Event::Add(1)).await.expect("the counter runs");
    }
}
