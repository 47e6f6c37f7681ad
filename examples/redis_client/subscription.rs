//! [`Subscription`]: what is published, as a stream.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use statem::net::{Client, ClientBuilder, FeedStream, Lost, Notice, Policy, Protocol};

use super::channels::{Channels, Message, Topic, Topics};
use super::location::Location;
use super::value::Command;

/// Notices that may wait for a subscriber.
const BOUND: usize = 1024;

/// What is published on channels, as a stream. It subscribes again by itself when the connection is
/// lost; dropping it ends the connection.
#[derive(Debug)]
pub struct Subscription {
    client: Client<Channels>,
    topics: Topics,
    notices: FeedStream<Notice<<Channels as Protocol>::Response>>,
}

type Failure = Box<dyn Error + Send + Sync>;

/// What a subscriber is told.
#[derive(Clone, Debug)]
pub enum News {
    /// Everything is subscribed to: what is published from here on comes.
    Up,
    /// Something was published.
    Message(Message),
    /// The subscriber was too slow, and this many did not reach it, of whatever kind.
    Missed(u64),
    /// The connection is lost: what is published until the next [`Up`](News::Up) does not come.
    Down(Arc<Lost>),
}

impl Subscription {
    /// Subscribes at the server at a location, with other settings than the client's own.
    ///
    /// # Errors
    ///
    /// If a certificate to trust is none.
    pub async fn start<T: Into<Topic>>(
        location: &Location,
        topics: impl IntoIterator<Item = T>,
        settings: impl FnOnce(ClientBuilder<Channels>) -> ClientBuilder<Channels>,
    ) -> Result<Self, Failure> {
        let connector = location.connector()?;
        let topics: Topics = topics.into_iter().map(Into::into).collect();
        let protocol = Channels::new(location.clone(), topics.clone());
        let client = settings(Client::builder(protocol, connector)).start();
        let notices = client.subscribe(BOUND).await;
        Ok(Subscription {
            client,
            topics,
            notices,
        })
    }

    /// Subscribes to one more channel or pattern, and waits until the server has confirmed it,
    /// which takes as long as there is no connection.
    ///
    /// Cancel safety: given up, it holds from the next connection on at the latest.
    ///
    /// # Errors
    ///
    /// What the server says of it, as where it is forbidden: it is not subscribed to then. Why there
    /// is no client any more.
    pub async fn subscribe(&mut self, topic: impl Into<Topic>) -> Result<(), Failure> {
        let topic = topic.into();
        // For the next connection, which may come before this one has taken the command.
        self.topics.insert(topic.clone());
        let told = self
            .ask(Topic::subscribe(std::slice::from_ref(&topic)))
            .await;
        if told.is_err() {
            self.topics.remove(&topic);
        }
        told
    }

    /// Subscribes no longer to a channel or pattern, and waits until the server has confirmed it,
    /// which takes as long as there is no connection. What came before may still wait in the stream.
    ///
    /// Cancel safety: given up, it holds from the next connection on at the latest.
    ///
    /// # Errors
    ///
    /// Why there is no client any more.
    pub async fn unsubscribe(&mut self, topic: impl Into<Topic>) -> Result<(), Failure> {
        let topic = topic.into();
        self.topics.remove(&topic);
        self.ask(Topic::unsubscribe(&[topic])).await
    }

    async fn ask(&mut self, commands: impl Iterator<Item = Command>) -> Result<(), Failure> {
        for command in commands {
            let call = self.client.call(command).policy(Policy::Wait);
            call.limit(Duration::MAX).await??;
        }
        Ok(())
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
                    Ok(Some(message)) => News::Message(message.clone()),
                    _ => continue,
                },
                // There are no others.
                _ => continue,
            }));
        }
    }
}
