//! What runs beside a handler and comes back as events: [`Source`], and the tasks and streams made
//! into one.

use std::any::{Any, type_name};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

/// Something that produces events beside the handler, polled in the machine's own task.
///
/// Tasks and streams are made into sources by [`Actions::task`](crate::Actions::task),
/// [`Actions::stream`](crate::Actions::stream) and their state-scoped forms. Implement it for what
/// must also be told when a turn ends, such as a socket with a write buffer.
///
/// A source is polled only when it was woken, and only when its event can be handled at once (N27,
/// N28); a panic in it ends its machine (N39).
pub trait Source<Event>: Send {
    /// The next event, or `None` when the source has ended.
    fn poll_event(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>>;

    /// Buffered writes leave here (N20 e). Called
    ///
    /// - at the end of a turn in which [`Guard::flush`](crate::Guard::flush) asked for it, once
    ///   however often it asked, and also without credit;
    /// - instead of [`poll_event`](Source::poll_event) when the source was woken and has no credit
    ///   (N40);
    /// - at the end of the machine, after `terminate`, if it was asked for: then nothing waits for
    ///   what is not written at once.
    ///
    /// It is *not* called otherwise, so a source that was woken because it can write again goes on
    /// with it in `poll_event`. The context is that of `poll_event`: its waker has the source
    /// polled again.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// What a person is told it is when it panics.
    #[doc(hidden)]
    fn name(&self) -> &'static str {
        type_name::<Self>()
    }

    /// Ends a task with this output, without polling it: how a test finishes a task by hand.
    ///
    /// # Errors
    ///
    /// Gives the output back if this is not a task, or one with an output of another type.
    #[doc(hidden)]
    fn finish(self: Pin<&mut Self>, output: Box<dyn Any>) -> Result<Event, Box<dyn Any>> {
        Err(output)
    }
}

pub(crate) type BoxedSource<Event> = Pin<Box<dyn Source<Event>>>;

/// A future whose output becomes one event.
pub(crate) struct Task<F, Map> {
    /// `None` when it has ended.
    future: Option<Pin<Box<F>>>,
    map: Option<Map>,
}

impl<F, Map> Task<F, Map> {
    pub(crate) fn new(future: F, map: Map) -> Self {
        Task {
            future: Some(Box::pin(future)),
            map: Some(map),
        }
    }
}

impl<F, Map> Unpin for Task<F, Map> {}

impl<F, Map, Event> Source<Event> for Task<F, Map>
where
    F: Future<Output: 'static> + Send,
    Map: FnOnce(F::Output) -> Event + Send,
{
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(None);
        };
        let output = ready!(future.as_mut().poll(cx));
        self.future = None;
        Poll::Ready(self.map.take().map(|map| map(output)))
    }

    fn name(&self) -> &'static str {
        type_name::<F>()
    }

    fn finish(mut self: Pin<&mut Self>, output: Box<dyn Any>) -> Result<Event, Box<dyn Any>> {
        if self.future.is_none() {
            return Err(output);
        }
        let output = *output.downcast::<F::Output>()?;
        self.future = None;
        let Some(map) = self.map.take() else {
            return Err(Box::new(output));
        };
        Ok(map(output))
    }
}

/// A stream each of whose items becomes an event, and its end one more.
pub(crate) struct Items<S, Map> {
    /// `None` when it has ended.
    stream: Option<Pin<Box<S>>>,
    map: Map,
}

impl<S, Map> Items<S, Map> {
    pub(crate) fn new(stream: S, map: Map) -> Self {
        Items {
            stream: Some(Box::pin(stream)),
            map,
        }
    }
}

impl<S, Map> Unpin for Items<S, Map> {}

impl<S, Map, Event> Source<Event> for Items<S, Map>
where
    S: Stream + Send,
    Map: FnMut(Option<S::Item>) -> Event + Send,
{
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let item = ready!(stream.as_mut().poll_next(cx));
        if item.is_none() {
            self.stream = None;
        }
        Poll::Ready(Some((self.map)(item)))
    }

    fn name(&self) -> &'static str {
        type_name::<S>()
    }
}
