//! What is logged, for the tests that look at it: the one subscriber of each test program.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps what is logged on this thread while the guard lives.
pub(crate) fn listen() -> (Log, DefaultGuard) {
    somebody_listens();
    let log = Log(Some(Arc::default()));
    let guard = set_default(log.clone());
    (log, guard)
}

/// Whether anybody wants to hear of a place in the code is remembered for the whole process. So
/// somebody does, before the first machine starts: a test that listens must not find it remembered
/// otherwise.
pub(crate) fn somebody_listens() {
    static SET: Once = Once::new();
    SET.call_once(|| set_global_default(Log(None)).expect("it is set here alone"));
}

/// What was logged, if it is kept.
#[derive(Clone)]
pub(crate) struct Log(Option<Arc<Kept>>);

type Kept = Mutex<Vec<(Level, String)>>;

impl Log {
    /// All that was logged since this was last asked, oldest first.
    pub(crate) fn take(&self) -> Vec<(Level, String)> {
        let kept = self.0.as_ref().expect("it is that of `listen`");
        std::mem::take(&mut *kept.lock().expect("nobody panics with it"))
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("statem")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                let _ = write!(self.0, "{field}={value:?} ");
            }
        }
        let Some(kept) = &self.0 else {
            return;
        };
        let mut text = Text(String::new());
        event.record(&mut text);
        let line = (*event.metadata().level(), text.0.trim_end().to_owned());
        kept.lock().expect("nobody panics with it").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
