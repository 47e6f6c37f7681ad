//! The counter as a loop over a tokio channel.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::counter::{LIMIT, Process, SILENCE, Started};
use crate::report::now;

enum Message {
    Add(u64),
    Total(oneshot::Sender<u64>),
    Beat(oneshot::Sender<u64>),
}

#[derive(Clone)]
pub(crate) struct Loop(mpsc::UnboundedSender<Message>);

impl Loop {
    async fn ask(&self, message: impl FnOnce(oneshot::Sender<u64>) -> Message) -> u64 {
        let (reply, answer) = oneshot::channel();
        assert!(self.0.send(message(reply)).is_ok());
        answer.await.expect("the counter answers")
    }
}

impl Process for Loop {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is written by hand has no bound"
    )]
    async fn spawn(started: Arc<Started>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(receiver, started));
        Loop(sender)
    }

    async fn call(&self) -> u64 {
        self.ask(Message::Total).await
    }

    async fn call_within_limit(&self) -> u64 {
        timeout(LIMIT, self.ask(Message::Total))
            .await
            .expect("the counter is fast")
    }

    async fn beat(&self) -> u64 {
        self.ask(Message::Beat).await
    }

    async fn cast(&self) {
        assert!(self.0.send(Message::Add(1)).is_ok());
    }
}

/// Without a timer until the first beat, as a loop without any is written.
async fn run(mut messages: mpsc::UnboundedReceiver<Message>, started: Arc<Started>) {
    started.one_more();
    let mut total = 0;
    while let Some(message) = messages.recv().await {
        match message {
            Message::Add(n) => total += n,
            Message::Total(reply) => drop(reply.send(total)),
            Message::Beat(reply) => {
                let _ = reply.send(total);
                // In a box: an idle loop does not pay for what it does not use.
                return Box::pin(run_with_timer(messages, total)).await;
            }
        }
    }
}

async fn run_with_timer(mut messages: mpsc::UnboundedReceiver<Message>, mut total: u64) {
    let mut silence = std::pin::pin!(sleep(SILENCE));
    loop {
        tokio::select! {
            biased;
            message = messages.recv() => match message {
                Some(Message::Add(n)) => total += n,
                Some(Message::Total(reply)) => drop(reply.send(total)),
                Some(Message::Beat(reply)) => {
                    silence.as_mut().reset(Instant::from_std(now()) + SILENCE);
                    let _ = reply.send(total);
                }
                None => return,
            },
            () = &mut silence => return,
        }
    }
}
