//! What the log hears.

use std::fmt::Write;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, Once};

use statem::net::AtLimit;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use crate::support::{Door, Marks, lock, ms, rest, server};

/// Whether anybody wants to hear of a place in the code is remembered for the whole process. So
/// somebody does, before a server starts: a test that listens must not find it remembered otherwise.
pub(crate) fn somebody_listens() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let set = tracing::subscriber::set_global_default(Log(None));
        set.expect("it is set here alone");
    });
}

/// Keeps what is logged on this thread, if it keeps anything.
#[derive(Clone)]
struct Log(Option<Arc<Kept>>);

type Kept = Mutex<Vec<(Level, String)>>;

impl Default for Log {
    fn default() -> Self {
        Log(Some(Arc::default()))
    }
}

impl Log {
    fn take(&self) -> Vec<(Level, String)> {
        let kept = self.0.as_ref().expect("it keeps something");
        std::mem::take(&mut *lock(kept))
    }

    /// What is for people who do not look for a mistake.
    fn take_lines(&self) -> Vec<String> {
        let lines = self.take().into_iter();
        let lines = lines.filter(|(level, _)| *level <= Level::INFO);
        lines
            .map(|(level, text)| format!("{level} {text}"))
            .collect()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // And what the machine itself is warned of.
        metadata.target() == "statem::net::server"
            || metadata.target().starts_with("statem") && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                let _ = write!(self.0, "{field}={value:?} ");
            }
        }
        let Some(kept) = &self.0 else {
            return;
        };
        let mut text = Text(String::new());
        event.record(&mut text);
        let level = *event.metadata().level();
        let text = text.0.trim_end().to_owned();
        lock(kept).push((level, text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn each_connection_is_opened_and_closed_once_with_its_bytes_and_a_reason() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert_eq!(client.ask("hello").await.as_deref(), Some("hello"));
    assert_eq!(client.ask("panic").await, None);
    let mut client = door.knock();
    assert_eq!(client.ask("bye").await, None);
    rest().await;
    let lines: Vec<_> = log.take().into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        lines,
        [
            "message=accepted connection=1 peer=None",
            "message=closed connection=1 peer=None received=12 sent=6 \
             why=it panicked in handle, in state `Open`: it was told to",
            "message=accepted connection=2 peer=None",
            "message=closed connection=2 peer=None received=4 sent=0 why=it ended normally",
        ]
    );
    server.shutdown(ms(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_two_lines() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (door, marks) = (Door::default(), Marks::default());
    let builder = server(&door, &marks).limit(16).at_limit(AtLimit::Refuse);
    let server = builder.start();
    let mut clients: Vec<_> = (0..16).map(|_| door.knock()).collect();
    for client in &mut clients {
        assert!(client.is_served().await);
    }
    assert_eq!(log.take_lines(), Vec::<String>::new());
    for _ in 0..500 {
        assert_eq!(door.knock().hear().await, None);
    }
    // One comes and goes at the limit.
    clients.pop();
    rest().await;
    assert!(door.knock().is_served().await);
    rest().await;
    let full = "WARN message=as many connections are open as may be limit=16 policy=Refuse";
    assert_eq!(log.take_lines(), [full]);
    clients.pop();
    rest().await;
    let room = "INFO message=there is room for connections again refused=500";
    assert_eq!(log.take_lines(), [room]);
    drop(clients);
    rest().await;
    server.shutdown(ms(1)).await;
    assert_eq!(log.take_lines(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_time_without_descriptors_is_two_lines() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).start();
    door.fail(Some(ErrorKind::OutOfMemory));
    tokio::time::sleep(ms(60_000)).await;
    let failed = "WARN message=no connection can be accepted: trying again until one can \
                  error=out of memory";
    assert_eq!(log.take_lines(), [failed]);
    door.fail(None);
    tokio::time::sleep(ms(1000)).await;
    assert!(door.knock().is_served().await);
    let lines = log.take_lines();
    let [again] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(again.starts_with("INFO message=connections are accepted again failures="));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_how_many_it_waits_for() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    tokio::join!(server.shutdown(ms(500)), server.shutdown(ms(1)));
    let line = "INFO message=the server ends when its connections have open=1 within=500ms";
    assert_eq!(log.take_lines(), [line]);
}
