//! The client: [`Redis`] for commands, [`Subscription`] for what is published.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use statem::net::{Client, ClientBuilder, ClientCall, FeedStream, Lost, Notice, RequestError};

use super::location::Location;
use super::protocol::{Channels, Commands, Message};
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

    /// Subscribes to channels, on a connection of its own with the client's own settings. Returns at
    /// once: [`News::Up`] says when it is subscribed.
    ///
    /// # Errors
    ///
    /// If a certificate to trust is none.
    pub async fn subscribe<Name: AsRef<[u8]>>(
        &self,
        channels: &[Name],
    ) -> Result<Subscription, Box<dyn Error + Send + Sync>> {
        Subscription::start(&self.location, channels, |client| client).await
    }

    /// The client itself: its state, its counts, its end.
    #[must_use]
    pub fn client(&self) -> &Client<Commands> {
        &self.client
    }
}

/// Notices that may wait for a subscriber.
const BOUND: usize = 1024;

/// What is published on channels, as a stream. It subscribes again by itself when the connection is
/// lost; dropping it ends the connection.
#[derive(Debug)]
pub struct Subscription {
    client: Client<Channels>,
    notices: FeedStream<Notice<Option<Message>>>,
}

/// What a subscriber is told.
#[derive(Clone, Debug)]
pub enum News {
    /// All channels are subscribed to: what is published from here on comes.
    Up,
    /// Something was published.
    Message(Message),
    /// The subscriber was too slow, and this many did not reach it, of whatever kind.
    Missed(u64),
    /// The connection is lost: what is published until the next [`Up`](News::Up) does not come.
    Down(Arc<Lost>),
}

impl Subscription {
    /// Subscribes to channels of the server at a location, with other settings than the client's own.
    ///
    /// # Errors
    ///
    /// If a certificate to trust is none.
    pub async fn start<Name: AsRef<[u8]>>(
        location: &Location,
        channels: &[Name],
        settings: impl FnOnce(ClientBuilder<Channels>) -> ClientBuilder<Channels>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let connector = location.connector()?;
        let channels = channels.iter().map(|name| name.as_ref().to_vec()).collect();
        let protocol = Channels::new(location.clone(), channels);
        let client = settings(Client::builder(protocol, connector)).start();
        let notices = client.subscribe(BOUND).await;
        Ok(Subscription { client, notices })
    }

    /// The next news; `None` when the client has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<News> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The client itself: its state, its counts, its end.
    #[must_use]
    pub fn client(&self) -> &Client<Channels> {
        &self.client
    }
}

impl Stream for Subscription {
    type Item = News;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<News>> {
        loop {
            let Some(notice) = ready!(Pin::new(&mut self.notices).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            return Poll::Ready(Some(match notice {
                Notice::Up => News::Up,
                Notice::Down(lost) => News::Down(lost),
                Notice::Missed(count) => News::Missed(count),
                Notice::Item(item) => match &*item {
                    Some(message) => News::Message(message.clone()),
                    None => continue,
                },
                // There are no others.
                _ => continue,
            }));
        }
    }
}
