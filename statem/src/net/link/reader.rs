//! The source of a link, in the engine: polls the socket and makes events of what happens on it.

use std::any::type_name;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio_util::codec::Decoder;

use super::socket::{Socket, lock};
use super::{Link, LinkEvent};
use crate::Source;

/// One source for the life of the connection: what changes with the codec is inside.
pub(super) struct Reader<Event> {
    half: Box<dyn Half<Event>>,
}

/// The source's half of a link, with its codec and what makes the events.
pub(super) trait Half<Event>: Send {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Polled<Event>;

    /// Writes; or the half to go on with.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Option<Box<dyn Half<Event>>>;

    /// What a person is told it is when it panics.
    fn name(&self) -> &'static str;
}

pub(super) enum Polled<Event> {
    Event(Poll<Option<Event>>),
    /// The link has another codec.
    Moved(Box<dyn Half<Event>>),
}

struct Typed<C, F> {
    socket: Arc<Mutex<Socket<C>>>,
    map: F,
}

/// The half that a link leaves for its source.
pub(super) fn half<C, F, Event>(socket: Arc<Mutex<Socket<C>>>, map: F) -> Box<dyn Half<Event>>
where
    C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    F: FnMut(LinkEvent<C::Item>) -> Event + Send + 'static,
    Event: 'static,
{
    Box::new(Typed { socket, map })
}

impl<Event> Reader<Event> {
    pub(super) fn new(half: Box<dyn Half<Event>>) -> Self {
        Reader { half }
    }
}

impl<Event> Unpin for Reader<Event> {}

impl<Event> Source<Event> for Reader<Event> {
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            match self.half.poll_event(cx) {
                Polled::Event(polled) => return polled,
                Polled::Moved(half) => self.half = half,
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        while let Some(half) = self.half.poll_flush(cx) {
            self.half = half;
        }
    }

    fn name(&self) -> &'static str {
        self.half.name()
    }
}

impl<C, F, Event> Half<Event> for Typed<C, F>
where
    C: Decoder<Error: Into<Box<dyn Error + Send + Sync>>> + Send,
    F: FnMut(LinkEvent<C::Item>) -> Event + Send,
    Event: 'static,
{
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Polled<Event> {
        let mut closed = None;
        let mut socket = lock(&self.socket);
        if let Some(half) = moved(&mut socket) {
            return Polled::Moved(half);
        }
        let polled = socket.poll(cx, &mut closed);
        drop(socket);
        drop(closed);
        Polled::Event(polled.map(|event| event.map(|event| (self.map)(event))))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Option<Box<dyn Half<Event>>> {
        let mut socket = lock(&self.socket);
        if let Some(half) = moved(&mut socket) {
            return Some(half);
        }
        let had_news = socket.transport.has_news();
        let closed = socket.transport.work(cx);
        let wakes = !had_news && socket.transport.has_news();
        drop(socket);
        drop(closed);
        if wakes {
            // It is told by the reading side. Once: without credit the source is flushed when it is
            // woken.
            cx.waker().wake_by_ref();
        }
        None
    }

    fn name(&self) -> &'static str {
        type_name::<Link<C>>()
    }
}

fn moved<C, Event: 'static>(socket: &mut Socket<C>) -> Option<Box<dyn Half<Event>>> {
    let half = socket.moved.take()?;
    // `Link::with_codec` has looked at its type.
    half.downcast().ok().map(|half| *half)
}
