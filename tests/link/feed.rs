//! [`statem::net::feed()`]: a bounded stream of items from a machine to a subscriber.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use statem::net::{Feed, FeedError, FeedEvent, FeedStream, feed};
use statem::testing::Bench;
use statem::{Cx, Guard, Handler, Next, StateMachine, keep, keep_and_retry, postpone, spawn};

/// A machine that does to its feed what a test tells it.
#[derive(StateMachine)]
#[machine(event = Event, data = World)]
enum Source {
    #[initial]
    #[to(Ready)]
    Ready,
}

enum Event {
    Do(Deed),
    Feed(&'static str, FeedEvent),
}

type Deed = Box<dyn FnOnce(&mut World, &mut Cx<Source>) + Send>;

#[derive(Default)]
struct World {
    feed: Option<Feed<u32>>,
    watch: Option<Guard>,
    holds: bool,
    /// The next number, and how many are sent by themselves.
    next: u32,
    wanted: u32,
    log: Vec<String>,
}

impl World {
    fn watch(&mut self, name: &'static str, cx: &mut Cx<Source>) -> Guard {
        let feed = self.feed.as_mut().expect("it has a feed");
        feed.watch(cx, move |event| Event::Feed(name, event))
    }

    /// Sends until it is refused, or has sent all.
    fn fill(&mut self) {
        while self.next < self.wanted {
            let Some(feed) = &mut self.feed else { return };
            if feed.send(self.next).is_err() {
                return;
            }
            self.next += 1;
        }
        self.feed = None;
    }
}

impl Handler for Source {
    fn handle(_: SourceAt<'_>, event: Event, world: &mut World, cx: &mut Cx<Self>) -> Next<Self> {
        match event {
            Event::Do(deed) => {
                let held = world.holds;
                deed(world, cx);
                if held && !world.holds {
                    return keep_and_retry();
                }
            }
            event @ Event::Feed(..) if world.holds => return postpone(event),
            Event::Feed(name, event) => {
                world.log.push(format!("{name} {event:?}"));
                if event == FeedEvent::Room && world.wanted > 0 {
                    world.fill();
                }
            }
        }
        keep()
    }
}

fn act(
    source: &mut Bench<Source>,
    deed: impl FnOnce(&mut World, &mut Cx<Source>) + Send + 'static,
) {
    source.send(Event::Do(Box::new(deed)));
    source.poll();
}

fn news(source: &mut Bench<Source>) -> Vec<String> {
    source.poll();
    std::mem::take(&mut source.data_mut().log)
}

/// A machine with a watched feed, and the stream.
fn fed(bound: usize) -> (Bench<Source>, FeedStream<u32>) {
    let (feed, stream) = feed(bound);
    let mut source = Bench::new(Ready, World::default());
    act(&mut source, |world, cx| {
        world.feed = Some(feed);
        world.watch = Some(world.watch("first", cx));
    });
    (source, stream)
}

/// Sends so many, all of which are taken, and one that is refused.
fn overfill(source: &mut Bench<Source>, count: u32) {
    act(source, move |world, _| {
        let feed = world.feed.as_mut().expect("it has a feed");
        for number in 0..count {
            feed.send(number).expect("there is room");
        }
        assert!(matches!(feed.send(count), Err(FeedError::Full(refused)) if refused == count));
    });
}

fn poll<T>(stream: &mut FeedStream<T>) -> Poll<Option<T>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn items_come_in_order_and_the_one_too_many_comes_back() {
    let (mut near, mut far) = feed(2);
    near.send("a").expect("there is room");
    near.send("b").expect("there is room");
    let refused = near.send("c").expect_err("it is full");
    assert_eq!(refused, FeedError::Full("c"));
    assert_eq!(poll(&mut far), Poll::Ready(Some("a")));
    near.send(refused.into_inner()).expect("there is room");
    assert_eq!(far.size_hint(), (2, None));
    drop(near);
    // What is queued comes before the end.
    assert_eq!(far.size_hint(), (2, Some(2)));
    assert_eq!(poll(&mut far), Poll::Ready(Some("b")));
    assert_eq!(poll(&mut far), Poll::Ready(Some("c")));
    assert_eq!(poll(&mut far), Poll::Ready(None));
    assert_eq!(poll(&mut far), Poll::Ready(None));
}

#[test]
fn a_bound_of_nothing_is_one() {
    let (mut near, mut far) = feed(0);
    near.send(1).expect("there is room");
    assert_eq!(near.send(2), Err(FeedError::Full(2)));
    assert_eq!(poll(&mut far), Poll::Ready(Some(1)));
    near.send(3).expect("there is room");
}

#[test]
fn a_subscriber_that_goes_takes_what_is_queued_with_it() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut near, far) = feed(2);
    near.send(Counted(dropped.clone())).expect("there is room");
    assert!(!near.is_gone());
    drop(far);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert!(near.is_gone());
    let refused = near
        .send(Counted(dropped.clone()))
        .expect_err("nobody is there");
    assert!(matches!(&refused, FeedError::Gone(_)));
    assert_eq!(refused.to_string(), "the subscriber of the feed has gone");
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn a_stream_that_is_given_up_after_any_poll_loses_nothing() {
    // Polls of `next` before each is dropped, and items sent before each poll.
    for given_up in 0..16 {
        let (mut near, mut far) = feed(4);
        let mut got = Vec::new();
        for number in 0..4 {
            {
                let mut next = pin!(far.next());
                for _ in 0..(given_up >> number) & 1 {
                    if let Poll::Ready(item) =
                        next.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                    {
                        got.extend(item);
                        break;
                    }
                }
            }
            near.send(number).expect("there is room");
        }
        drop(near);
        while let Poll::Ready(Some(item)) = poll(&mut far) {
            got.push(item);
        }
        assert_eq!(got, [0, 1, 2, 3], "{given_up:b}");
    }
}

#[test]
fn room_is_told_once_after_a_refusal_when_half_is_free() {
    let (mut source, mut stream) = fed(4);
    overfill(&mut source, 4);
    assert_eq!(poll(&mut stream), Poll::Ready(Some(0)));
    assert!(news(&mut source).is_empty());
    assert_eq!(poll(&mut stream), Poll::Ready(Some(1)));
    assert_eq!(news(&mut source), ["first Room"]);
    assert_eq!(poll(&mut stream), Poll::Ready(Some(2)));
    assert_eq!(poll(&mut stream), Poll::Ready(Some(3)));
    assert!(news(&mut source).is_empty());
    // Nobody is refused: nothing is told.
    act(&mut source, |world, _| {
        let feed = world.feed.as_mut().expect("it has a feed");
        (0..4).for_each(|number| feed.send(number).expect("there is room"));
    });
    while poll(&mut stream).is_ready() {}
    assert!(news(&mut source).is_empty());
    overfill(&mut source, 4);
    while poll(&mut stream).is_ready() {}
    assert_eq!(news(&mut source), ["first Room"]);
}

#[test]
fn that_the_subscriber_has_gone_is_told_once_and_last() {
    let (mut source, stream) = fed(1);
    overfill(&mut source, 1);
    drop(stream);
    assert_eq!(news(&mut source), ["first Gone"]);
    assert_eq!(source.sources().count(), 0);
    act(&mut source, |world, cx| {
        let feed = world.feed.as_mut().expect("it has a feed");
        assert_eq!(feed.send(7), Err(FeedError::Gone(7)));
        // Who watches later is told, too.
        world.watch = Some(world.watch("second", cx));
    });
    assert_eq!(news(&mut source), ["second Gone"]);
}

#[test]
fn the_latest_watch_is_told_also_what_was_before_it() {
    let (mut source, mut stream) = fed(2);
    overfill(&mut source, 2);
    act(&mut source, |world, cx| {
        let later = world.watch("later", cx);
        world.watch = Some(later);
    });
    assert_eq!(source.sources().count(), 1);
    while poll(&mut stream).is_ready() {}
    assert_eq!(news(&mut source), ["later Room"]);
    // Two at a time.
    act(&mut source, |world, cx| {
        let earlier = world.watch.take();
        world.watch = Some(world.watch("latest", cx));
        std::mem::forget(earlier);
    });
    drop(stream);
    assert_eq!(news(&mut source), ["latest Gone"]);
    assert_eq!(source.sources().count(), 0);
}

#[test]
fn n36_a_feed_whose_watch_is_dropped_goes_on_without_events() {
    let (mut source, mut stream) = fed(1);
    act(&mut source, |world, _| world.watch = None);
    assert_eq!(source.sources().count(), 0);
    overfill(&mut source, 1);
    assert_eq!(poll(&mut stream), Poll::Ready(Some(0)));
    drop(stream);
    assert!(news(&mut source).is_empty());
}

#[test]
fn a_watch_ends_with_its_feed() {
    let (mut source, mut stream) = fed(1);
    act(&mut source, |world, _| world.feed = None);
    assert_eq!(source.sources().count(), 0);
    assert_eq!(poll(&mut stream), Poll::Ready(None));
    drop(stream);
    assert!(news(&mut source).is_empty());
}

#[test]
fn n40_events_of_a_feed_that_are_postponed_are_bounded() {
    let (mut source, mut stream) = fed(1);
    act(&mut source, |world, _| world.holds = true);
    for _ in 0..10 {
        overfill(&mut source, 1);
        assert_eq!(poll(&mut stream), Poll::Ready(Some(0)));
        source.poll();
    }
    drop(stream);
    source.poll();
    assert_eq!(source.postponed().count(), 2);
    act(&mut source, |world, _| world.holds = false);
    assert_eq!(
        news(&mut source),
        ["first Room", "first Room", "first Gone"]
    );
}

#[test]
fn a_feed_needs_no_runtime_and_its_ends_go_to_other_threads() {
    let (mut near, mut far) = feed(1);
    let reader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut got = Vec::new();
            while let Some(item) = far.next().await {
                got.push(item);
            }
            got
        })
    });
    for mut number in 0..1000 {
        while let Err(FeedError::Full(refused)) = near.send(number) {
            number = refused;
            std::thread::yield_now();
        }
    }
    drop(near);
    assert_eq!(
        reader.join().expect("it reads"),
        (0..1000).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_is_lost_between_a_machine_and_its_subscriber() {
    let wanted = 20_000;
    let (near, mut far) = feed(4);
    let source = spawn::<Source>(Ready, World::default());
    let begin = Event::Do(Box::new(move |world: &mut World, cx: &mut Cx<Source>| {
        world.feed = Some(near);
        world.watch = Some(world.watch("first", cx));
        world.wanted = wanted;
        world.fill();
    }));
    source.cast(begin).await.expect("the machine runs");
    let read = async {
        let mut next = 0;
        while let Some(item) = far.next().await {
            assert_eq!(item, next);
            next += 1;
        }
        next
    };
    let read = tokio::time::timeout(Duration::from_secs(60), read);
    assert_eq!(read.await.expect("nothing is lost"), wanted);
}
