//! [`Feed`]: a bounded stream of items from a machine to a subscriber.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::{Actions, Guard, Machine, Source};

/// Makes a feed and its stream, with room for `bound` items between them; 0 counts as 1.
///
/// For pub/sub and notifications: the machine has the [`Feed`], a subscriber the [`FeedStream`].
/// It needs no runtime.
///
/// ```
/// use statem::net::{Feed, FeedError, FeedEvent, feed};
/// use statem::testing::Bench;
/// use statem::{Cx, Guard, Handler, Next, Reply, StateMachine, keep};
///
/// /// Tells one subscriber what it hears, and counts what the subscriber was too slow for.
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// enum Radio {
///     #[initial]
///     #[to(OnAir)]
///     Silent,
///     #[to(Silent)]
///     OnAir(OnAir),
/// }
///
/// struct OnAir {
///     listener: Feed<String>,
///     missed: u32,
///     _watch: Guard,
/// }
///
/// enum Event {
///     Listen(Feed<String>),
///     Heard(String),
///     Listener(FeedEvent),
/// }
///
/// impl Handler for Radio {
///     fn handle(state: RadioAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (RadioAt::Silent(s), Event::Listen(mut listener)) => {
///                 let _watch = listener.watch(cx, Event::Listener);
///                 s.go(OnAir { listener, missed: 0, _watch })
///             }
///             (RadioAt::OnAir(mut s), Event::Heard(text)) => {
///                 if let Err(FeedError::Full(_)) = s.listener.send(text) {
///                     s.missed += 1;
///                 }
///                 keep()
///             }
///             (RadioAt::OnAir(mut s), Event::Listener(FeedEvent::Room)) => {
///                 let missed = std::mem::take(&mut s.missed);
///                 let _ = s.listener.send(format!("({missed} missed)"));
///                 keep()
///             }
///             (RadioAt::OnAir(s), Event::Listener(FeedEvent::Gone)) => s.go(Silent),
///             (_, event) => statem::unexpected(event),
///         }
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let (listener, mut stream) = feed(2);
/// let mut radio = Bench::new(Silent, ());
/// radio.send(Event::Listen(listener));
/// for word in ["one", "two", "three"] {
///     radio.send(Event::Heard(word.to_owned()));
/// }
/// assert_eq!(stream.next().await.unwrap(), "one");
/// radio.poll();
/// assert_eq!(stream.next().await.unwrap(), "two");
/// assert_eq!(stream.next().await.unwrap(), "(1 missed)");
/// drop(stream);
/// radio.poll();
/// assert_eq!(radio.state_name(), "Silent");
/// # });
/// ```
pub fn feed<T>(bound: usize) -> (Feed<T>, FeedStream<T>) {
    let shared = Arc::new(Shared {
        inner: Mutex::new(Inner {
            queue: VecDeque::new(),
            bound: bound.max(1),
            refused: false,
            ended: false,
            gone: false,
            watch: 0,
            reader: None,
            watcher: None,
        }),
    });
    (
        Feed {
            shared: shared.clone(),
        },
        FeedStream { shared },
    )
}

/// The machine's end of a [`feed()`]. Dropped, it ends the stream, after what is queued.
pub struct Feed<T> {
    shared: Arc<Shared<T>>,
}

/// The subscriber's end of a [`feed()`]: a stream of its items, which ends when the [`Feed`] is
/// dropped.
///
/// Dropping it drops what is queued, and the feed's machine is told
/// ([`FeedEvent::Gone`]).
#[must_use = "dropped, it has no subscriber any more"]
pub struct FeedStream<T> {
    shared: Arc<Shared<T>>,
}

/// Why an item was not taken. It comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError<T> {
    /// As many items wait as the feed has room for: the subscriber is too slow.
    Full(T),
    /// The subscriber has gone.
    Gone(T),
}

/// What happens on a [`Feed`] that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedEvent {
    /// Half of the room is free. Once after a [`FeedError::Full`].
    Room,
    /// The subscriber has gone. Once, and nothing comes after it.
    Gone,
}

impl<T> Feed<T> {
    /// Queues an item for the subscriber. Never waits.
    ///
    /// # Errors
    ///
    /// See [`FeedError`].
    pub fn send(&mut self, item: T) -> Result<(), FeedError<T>> {
        let mut inner = self.shared.lock();
        if inner.gone {
            return Err(FeedError::Gone(item));
        }
        if inner.queue.len() == inner.bound {
            inner.refused = true;
            return Err(FeedError::Full(item));
        }
        inner.queue.push_back(item);
        let reader = inner.reader.take();
        drop(inner);
        wake(reader);
        Ok(())
    }

    /// Whether the subscriber has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.shared.lock().gone
    }

    /// Takes what happens on the feed as events of the machine, as long as the returned [`Guard`]
    /// lives; `map` makes them. Keep it beside the feed.
    ///
    /// The events of a feed that is full, or whose subscriber has gone, already are told, too. A
    /// feed that is watched once more tells the later watch.
    pub fn watch<M, F>(&mut self, cx: &mut Actions<M>, map: F) -> Guard
    where
        M: Machine,
        T: Send + 'static,
        F: FnMut(FeedEvent) -> M::Event + Send + 'static,
    {
        let mut inner = self.shared.lock();
        inner.watch += 1;
        let watch = Watch {
            shared: self.shared.clone(),
            number: inner.watch,
            map,
        };
        let earlier = inner.watcher.take();
        drop(inner);
        wake(earlier);
        // One of each may wait.
        cx.source(watch, 2)
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.ended = true;
        let (reader, watcher) = (inner.reader.take(), inner.watcher.take());
        drop(inner);
        wake(reader);
        wake(watcher);
    }
}

impl<T> FeedStream<T> {
    /// The next item, `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T> Stream for FeedStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inner = self.shared.lock();
        if let Some(item) = inner.queue.pop_front() {
            let watcher = if inner.has_room_again() {
                inner.watcher.take()
            } else {
                None
            };
            drop(inner);
            wake(watcher);
            return Poll::Ready(Some(item));
        }
        if inner.ended {
            return Poll::Ready(None);
        }
        let replaced = inner.reader.replace(cx.waker().clone());
        drop(inner);
        drop(replaced);
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let inner = self.shared.lock();
        let queued = inner.queue.len();
        (queued, inner.ended.then_some(queued))
    }
}

impl<T> Drop for FeedStream<T> {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.gone = true;
        let queued = std::mem::take(&mut inner.queue);
        let (reader, watcher) = (inner.reader.take(), inner.watcher.take());
        drop(inner);
        wake(watcher);
        drop(reader);
        drop(queued);
    }
}

impl<T> FeedError<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            FeedError::Full(item) | FeedError::Gone(item) => item,
        }
    }
}

impl<T> fmt::Debug for FeedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FeedError::Full(_) => "Full(..)",
            FeedError::Gone(_) => "Gone(..)",
        })
    }
}

impl<T> fmt::Display for FeedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FeedError::Full(_) => "the feed is full: its subscriber is too slow",
            FeedError::Gone(_) => "the subscriber of the feed has gone",
        })
    }
}

impl<T> Error for FeedError<T> {}

impl<T> fmt::Debug for Feed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.show("Feed", f)
    }
}

impl<T> fmt::Debug for FeedStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.show("FeedStream", f)
    }
}

/// What the two ends and the watch share.
struct Shared<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    queue: VecDeque<T>,
    bound: usize,
    /// An item was refused, and room again was not told since.
    refused: bool,
    /// The feed was dropped.
    ended: bool,
    /// The stream was dropped.
    gone: bool,
    /// The number of the watch that is told.
    watch: u64,
    reader: Option<Waker>,
    watcher: Option<Waker>,
}

impl<T> Shared<T> {
    /// Nothing that runs under this lock panics but a foreign waker's clone, which leaves the
    /// values whole.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct(name)
            .field("queued", &inner.queue.len())
            .field("bound", &inner.bound)
            .finish_non_exhaustive()
    }
}

impl<T> Inner<T> {
    fn has_room_again(&self) -> bool {
        self.refused && self.queue.len() <= self.bound / 2
    }
}

/// A waker is foreign code: it is called and dropped without the lock.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// What happens on a feed, as a source.
struct Watch<T, F> {
    shared: Arc<Shared<T>>,
    number: u64,
    map: F,
}

impl<T, F> Unpin for Watch<T, F> {}

impl<T: Send, F, Event> Source<Event> for Watch<T, F>
where
    F: FnMut(FeedEvent) -> Event + Send,
{
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut inner = self.shared.lock();
        if inner.watch != self.number {
            return Poll::Ready(None);
        }
        let event = if inner.gone {
            // Nobody is told after this.
            inner.watch += 1;
            FeedEvent::Gone
        } else if inner.ended {
            return Poll::Ready(None);
        } else if inner.has_room_again() {
            inner.refused = false;
            FeedEvent::Room
        } else {
            let replaced = inner.watcher.replace(cx.waker().clone());
            drop(inner);
            drop(replaced);
            return Poll::Pending;
        };
        drop(inner);
        Poll::Ready(Some((self.map)(event)))
    }
}
