//! The counter as an actor of ractor.

use std::sync::Arc;
use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr, RpcReplyPort};
use tokio::task::JoinHandle;

use crate::counter::{LIMIT, Process, SILENCE, Started};

struct Counter;

enum Message {
    Add(u64),
    Total(RpcReplyPort<u64>),
    Beat(RpcReplyPort<u64>),
    Silence,
}

struct State {
    total: u64,
    silence: Option<JoinHandle<Result<(), MessagingErr<Message>>>>,
}

impl Actor for Counter {
    type Msg = Message;
    type State = State;
    type Arguments = Arc<Started>;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        started: Arc<Started>,
    ) -> Result<State, ActorProcessingErr> {
        started.one_more();
        Ok(State {
            total: 0,
            silence: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Add(n) => state.total += n,
            Message::Total(reply) => reply.send(state.total)?,
            Message::Beat(reply) => {
                if let Some(silence) = state
                    .silence
                    .replace(myself.send_after(SILENCE, || Message::Silence))
                {
                    silence.abort();
                }
                reply.send(state.total)?;
            }
            Message::Silence => myself.stop(None),
        }
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Ractor(ActorRef<Message>);

impl Ractor {
    async fn ask(
        &self,
        message: impl FnOnce(RpcReplyPort<u64>) -> Message,
        limit: Option<Duration>,
    ) -> u64 {
        match self.0.call(message, limit).await {
            Ok(CallResult::Success(total)) => total,
            _ => panic!("the counter answers"),
        }
    }
}

impl Process for Ractor {
    async fn spawn(started: Arc<Started>) -> Self {
        let (counter, _) = Actor::spawn(None, Counter, started)
            .await
            .expect("the counter starts");
        Ractor(counter)
    }

    async fn call(&self) -> u64 {
        self.ask(Message::Total, None).await
    }

    async fn call_within_limit(&self) -> u64 {
        self.ask(Message::Total, Some(LIMIT)).await
    }

    async fn beat(&self) -> u64 {
        self.ask(Message::Beat, None).await
    }

    async fn cast(&self) {
        assert!(self.0.cast(Message::Add(1)).is_ok());
    }
}
