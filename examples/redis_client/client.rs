//! The client: [`Redis`] for commands; a [`Subscription`] is a connection of its own.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use statem::net::{Client, ClientBuilder, ClientCall, RequestError};

use super::channels::Topic;
use super::location::Location;
use super::protocol::Commands;
use super::subscription::Subscription;
use super::value::{Answer, Command};

/// A connection to a Redis that comes back when it is lost. Clone it for each task that asks.
///
/// One connection serves all of them, and commands go out without waiting for earlier answers. So do
/// not send what changes the connection itself: `SUBSCRIBE`, `MONITOR`, `SELECT`, `MULTI`,
/// `CLIENT REPLY`. Give commands that block a client of their own.
#[derive(Clone, Debug)]
pub struct Redis {
    client: Client<Commands>,
    location: Location,
}

/// What became of a command: the server's answer, which may be an error of its own, or why there is
/// none and whether the command may have run all the same.
pub type Outcome = Result<Answer, RequestError>;

impl Redis {
    /// Connects to the server at this URL, as [`Location`] reads it, as a task of the current tokio
    /// runtime. Returns at once: there need not be a server yet.
    ///
    /// # Errors
    ///
    /// If it is no such URL.
    pub fn connect(url: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Redis::start(&url.parse()?, |client| client)
    }

    /// The same, with other settings than the client's own.
    ///
    /// # Errors
    ///
    /// If a certificate to trust is none.
    pub fn start(
        location: &Location,
        settings: impl FnOnce(ClientBuilder<Commands>) -> ClientBuilder<Commands>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let builder = Client::builder(Commands::new(location.clone()), location.connector()?);
        Ok(Redis {
            client: settings(builder).start(),
            location: location.clone(),
        })
    }

    /// Sends a command and waits for its answer: `redis.call(["GET", "key"]).await`, within
    /// `.limit(..)` or `.deadline(..)`; without a connection by its `.policy(..)`.
    pub fn call(&self, command: impl Into<Command>) -> ClientCall<'_, Commands> {
        self.client.call(command.into())
    }

    /// Sends commands together and waits for all outcomes, which are in the order of the commands.
    ///
    /// Other callers' commands may come in between. More of them than the client has room for fail
    /// with [`NotSent::QueueFull`](statem::net::NotSent::QueueFull).
    pub async fn pipeline<C: Into<Command>>(
        &self,
        commands: impl IntoIterator<Item = C>,
    ) -> Vec<Outcome> {
        let mut calls: Vec<_> = commands
            .into_iter()
            .map(|command| (self.call(command), None))
            .collect();
        // A call is sent when it is polled: all of them, before any answer is waited for.
        poll_fn(|cx| {
            for (call, outcome) in &mut calls {
                if let Poll::Ready(ready) = Pin::new(call).poll(cx) {
                    *outcome = Some(ready);
                }
            }
            Poll::Ready(())
        })
        .await;
        let mut outcomes = Vec::with_capacity(calls.len());
        for (call, outcome) in calls {
            outcomes.push(match outcome {
                Some(outcome) => outcome,
                None => call.await,
            });
        }
        outcomes
    }

    /// Subscribes to channels and patterns, on a connection of its own with the client's own
    /// settings: `redis.subscribe(["news"]).await`. Returns at once:
    /// [`News::Up`](super::subscription::News::Up) says when it is subscribed.
    ///
    /// # Errors
    ///
    /// If a certificate to trust is none.
    pub async fn subscribe<T: Into<Topic>>(
        &self,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<Subscription, Box<dyn Error + Send + Sync>> {
        Subscription::start(&self.location, topics, |client| client).await
    }

    /// The client itself: its state, its counts, its end.
    #[must_use]
    pub fn client(&self) -> &Client<Commands> {
        &self.client
    }
}
