//! What a client on this thread tells the log.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// How often each message was said on this thread, while somebody listens.
    static SAID: RefCell<Option<BTreeMap<String, usize>>> = const { RefCell::new(None) };
}

/// What a future says on a runtime of this thread: its messages of `statem::net`, and how often.
pub(crate) fn listen<T>(run: impl FnOnce() -> T) -> (T, BTreeMap<String, usize>) {
    // One for all threads: a subscriber of one thread alone misses what other threads, which have
    // none, came upon first.
    static LISTENER: Once = Once::new();
    LISTENER.call_once(|| tracing::subscriber::set_global_default(Listener).expect("no other one"));
    SAID.set(Some(BTreeMap::new()));
    let output = run();
    (output, SAID.take().expect("set above"))
}

struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("statem::net") && SAID.with_borrow(Option::is_some)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        SAID.with_borrow_mut(|said| {
            if let Some(said) = said {
                *said.entry(message.0).or_default() += 1;
            }
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
