//! Streams and their credits, polled by hand: how much of a peer's data a machine takes in (N38,
//! N40).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use statem::{SourceId, keep, postpone};

use crate::scripted::{A, B, Event, Stage, assert_log, event, not_in_a, note};

/// A stream that gives what a test puts into it.
#[derive(Clone, Default)]
struct Frames(Arc<Mutex<Feed>>);

#[derive(Default)]
struct Feed {
    waiting: VecDeque<&'static str>,
    ended: bool,
}

impl Frames {
    fn push(&self, frames: &[&'static str]) {
        self.0.lock().expect("whole").waiting.extend(frames);
    }

    fn end(&self) {
        self.0.lock().expect("whole").ended = true;
    }

    fn left(&self) -> usize {
        self.0.lock().expect("whole").waiting.len()
    }
}

impl Stream for Frames {
    type Item = &'static str;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut feed = self.0.lock().expect("whole");
        match feed.waiting.pop_front() {
            None if !feed.ended => Poll::Pending,
            frame => Poll::Ready(frame),
        }
    }
}

/// A source whose every output is an event of its own, as a socket's frames are.
struct Source(Frames);

impl statem::Source<Event> for Source {
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|frame| frame.map(not_in_a))
    }
}

fn go(stage: &mut Stage) {
    stage.cast("go", |state, _, _, _| state.go(B::default()));
}

#[test]
fn n38_a_stream_has_one_last_event_for_its_end() {
    let mut stage = Stage::new();
    let frames = Frames::default();
    frames.push(&["f1", "f2"]);
    frames.end();
    stage.cast("start", move |_, _, _, cx| {
        cx.state_stream(frames.clone(), |frame| note(frame.unwrap_or("the end")));
        keep()
    });
    let id = stage.running()[0];
    for _ in 0..4 {
        stage.poll(id);
    }
    assert_log(&stage, &["A:start", "A:f1", "A:f2", "A:the end"]);
    assert!(stage.running().is_empty());
}

#[test]
fn n36_n38_what_is_left_of_a_source_that_has_ended_goes_with_its_guard() {
    let mut stage = Stage::new();
    let frames = Frames::default();
    frames.push(&["f1", "f2"]);
    frames.end();
    stage.cast("start", move |_, _, scene, cx| {
        let guard = cx.stream(frames.clone(), |frame| match frame {
            Some("f1") => event("f1", |state, event, _, cx| {
                if state.name() == "A" {
                    return postpone(event);
                }
                cx.insert(event_that_drops_the_guards());
                keep()
            }),
            frame => not_in_a(frame.unwrap_or("the end")),
        });
        scene.luggage.guards.push(guard);
        keep()
    });
    let id = stage.running()[0];
    for _ in 0..4 {
        stage.poll(id);
    }
    assert!(stage.running().is_empty());
    assert_eq!(stage.postponed(), ["f1", "f2", "the end"]);
    stage.log.take();
    go(&mut stage);
    assert_log(&stage, &["A:go", "B:enter(A)", "B:f1", "B:drop"]);
    assert_eq!(stage.engine.counts().discarded, 2);
    stage.assert_counts();
}

fn event_that_drops_the_guards() -> Event {
    event("drop", |_, _, scene, _| {
        scene.luggage.guards.clear();
        keep()
    })
}

/// A machine that reads `frames` with two credits; each is postponed in A and consumed elsewhere.
fn with_two_credits(frames: &Frames) -> (Stage, SourceId) {
    with_credits(frames, 2)
}

fn with_credits(frames: &Frames, credits: usize) -> (Stage, SourceId) {
    let mut stage = Stage::new();
    let frames = frames.clone();
    stage.cast("start", move |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.source(Source(frames.clone()), credits));
        keep()
    });
    stage.log.take();
    let id = stage.running()[0];
    (stage, id)
}

#[test]
fn n40_a_postponed_frame_keeps_its_credit_and_the_stream_is_not_read_without_one() {
    let frames = Frames::default();
    frames.push(&["f1", "f2", "f3", "f4"]);
    let (mut stage, id) = with_two_credits(&frames);
    while stage.poll(id) {}
    assert_eq!(frames.left(), 2);
    go(&mut stage);
    while stage.poll(id) {}
    assert_log(
        &stage,
        &[
            "A:f1",
            "A:f2",
            "A:go",
            "B:enter(A)",
            "B:f1",
            "B:f2",
            "B:f3",
            "B:f4",
        ],
    );
}

#[test]
fn n40_a_credit_that_comes_back_wakes_the_source() {
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for credits in [1, 2] {
        let frames = Frames::default();
        frames.push(&["f1", "f2"]);
        let (mut stage, id) = with_credits(&frames, credits);
        let woken = Arc::new(Woken(0.into()));
        stage.engine.set_waker(id, Waker::from(woken.clone()));
        while stage.poll(id) {}
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        go(&mut stage);
        assert_eq!(
            woken.0.load(Ordering::Relaxed),
            1,
            "it was out of credit once"
        );
    }
}

#[test]
fn n40_a_source_without_credits_of_its_own_is_read_by_its_guard() {
    let frames = Frames::default();
    frames.push(&["f1", "f2"]);
    let mut stage = Stage::new();
    let reads = frames.clone();
    stage.cast("start", move |_, _, scene, cx| {
        scene
            .luggage
            .guards
            .push(cx.source(Source(reads.clone()), 0));
        keep()
    });
    let id = stage.running()[0];
    assert!(!stage.poll(id));
    go(&mut stage);
    stage.cast("read", |_, _, scene, _| {
        scene.luggage.guards[0].read(1);
        keep()
    });
    assert!(stage.poll(id));
    // The frame was consumed; a credit of the guard is for one frame all the same.
    assert!(!stage.poll(id));
    assert_eq!(frames.left(), 1);
}

#[test]
fn n40_credits_of_the_guard_come_on_top_of_the_sources_own_and_do_not_come_back() {
    let frames = Frames::default();
    frames.push(&["f1", "f2", "f3", "f4", "f5", "f6"]);
    let (mut stage, id) = with_two_credits(&frames);
    stage.cast("read", |_, _, scene, _| {
        scene.luggage.guards[0].read(1);
        keep()
    });
    while stage.poll(id) {}
    assert_eq!(stage.postponed(), ["f1", "f2", "f3"]);
    // All three are consumed, and postponed again from here on.
    go(&mut stage);
    stage.cast("back", |state, _, _, _| state.go(A::default()));
    while stage.poll(id) {}
    assert_eq!(stage.postponed(), ["f4", "f5"]);
    assert_eq!(frames.left(), 1);
}

#[test]
fn n40_credits_without_end_are_as_many_as_there_can_be() {
    let frames = Frames::default();
    frames.push(&["f1", "f2", "f3"]);
    let (mut stage, id) = with_two_credits(&frames);
    stage.cast("read", |_, _, scene, _| {
        scene.luggage.guards[0].read(usize::MAX);
        scene.luggage.guards[0].read(usize::MAX);
        keep()
    });
    while stage.poll(id) {}
    assert_eq!(stage.postponed(), ["f1", "f2", "f3"]);
}
