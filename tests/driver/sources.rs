//! Tasks and streams as the driver polls them.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use statem::{Builder, ExitReason, Guard, Handle, Source};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn n27_an_output_of_a_source_that_its_transition_drops_never_exists() {
    let (machine, trace) = puppet();
    let polls = Arc::new(AtomicUsize::new(0));
    let (counted, probe) = (polls.clone(), trace.probe("k2"));
    send(
        &machine,
        [run("start", move |_, cx| {
            cx.state_task(async {}, |()| {
                run("out1", |_, _| Step::Busy(Busy::default()))
            });
            let ready = FromFn(move |_: &mut Context<'_>| {
                let _ = &probe;
                counted.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(Some(()))
            });
            cx.state_stream(ready, |_| Event::Note("out2"));
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "start out1 drop k2");
    assert_eq!(polls.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn n27_what_the_machine_queues_is_handled_before_the_next_output() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            let mut left = 2;
            let items = FromFn(move |_: &mut Context<'_>| {
                left -= 1;
                if left >= 0 {
                    Poll::Ready(Some(()))
                } else {
                    Poll::Pending
                }
            });
            cx.state_stream(items, |_| {
                run("out", |_, cx| {
                    cx.insert(Event::Note("inserted"));
                    cx.state_timeout(std::time::Duration::ZERO, Event::Note("zero"));
                    Step::Keep
                })
            });
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "start out inserted zero out inserted zero");
}

#[tokio::test(start_paused = true)]
async fn n41_a_source_is_first_polled_in_the_next_turn_and_its_outputs_keep_their_order() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [
            run("start", |_, cx| {
                let mut next = 0;
                let items = FromFn(move |_: &mut Context<'_>| {
                    next += 1;
                    if next <= 3 {
                        Poll::Ready(Some(next))
                    } else {
                        Poll::Pending
                    }
                });
                cx.insert(Event::Note("inserted"));
                cx.state_stream(items, |item| Event::Number(item.unwrap()));
                Step::Keep
            }),
            Event::Note("message"),
        ],
    );
    rest(&machine).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "start inserted message 1 2 3");
}

#[tokio::test(start_paused = true)]
async fn n28_only_woken_sources_are_polled() {
    const SOURCES: usize = 100;
    let (machine, _) = puppet();
    let polls: Arc<Vec<AtomicUsize>> =
        Arc::new((0..SOURCES).map(|_| AtomicUsize::new(0)).collect());
    let wakers: Arc<Mutex<Vec<Option<Waker>>>> = Arc::new(Mutex::new(vec![None; SOURCES]));
    let (counted, kept) = (polls.clone(), wakers.clone());
    send(
        &machine,
        [run("start", move |_, cx| {
            for source in 0..SOURCES {
                let (polls, wakers) = (counted.clone(), kept.clone());
                let stream = FromFn(move |cx: &mut Context<'_>| {
                    polls[source].fetch_add(1, Ordering::Relaxed);
                    wakers.lock().unwrap()[source] = Some(cx.waker().clone());
                    Poll::<Option<()>>::Pending
                });
                cx.state_stream(stream, |_| Event::Note("never"));
            }
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;
    for _ in 0..10 {
        let waker = wakers.lock().unwrap()[42].clone().unwrap();
        waker.wake();
        rest(&machine).await;
        send(&machine, [Event::Number(0)]);
        rest(&machine).await;
    }
    let polls: Vec<usize> = polls
        .iter()
        .map(|polls| polls.load(Ordering::Relaxed))
        .collect();
    assert_eq!((polls[42], polls.iter().sum::<usize>()), (11, 110));
}

#[test]
fn n28_a_wake_on_another_thread_is_never_lost() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (machine, _) = puppet();
        let (give, mut items) = tokio::sync::mpsc::channel::<u32>(1);
        let (last, done) = tokio::sync::oneshot::channel();
        let mut last = Some(last);
        send(
            &machine,
            [run("start", move |world, cx| {
                let items = FromFn(move |cx: &mut Context<'_>| items.poll_recv(cx));
                world.guards.push(cx.stream(items, move |item| {
                    item.map_or_else(
                        || {
                            last.take().unwrap().send(()).unwrap();
                            Event::Note("end")
                        },
                        Event::Number,
                    )
                }));
                Step::Keep
            })],
        );
        tokio::spawn(async move {
            for number in 0..20_000 {
                give.send(number).await.unwrap();
            }
        });
        done.await.unwrap();
        rest(&machine).await;
        assert_eq!(rest(&machine).await.counts.consumed, 20_002);
    });
}

#[test]
fn n37_a_guard_dropped_on_another_thread_ends_its_source_though_nothing_else_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let (machine, _) = runtime.block_on(async { puppet() });
    let (dropped, is_dropped) = mpsc::channel();
    let (give, guard) = mpsc::channel();
    let probe = Probe::new(move || dropped.send(std::thread::current().id()).unwrap());
    send(
        &machine,
        [run("start", move |_, cx| {
            let task = async move {
                let _probe = probe;
                std::future::pending::<()>().await;
            };
            give.send(cx.task(task, |()| Event::Note("never"))).unwrap();
            Step::Keep
        })],
    );
    let guard = guard.recv().unwrap();
    runtime.block_on(rest(&machine));
    drop(guard);
    let thread = is_dropped
        .recv_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    // The source is the machine's, and so is its drop.
    assert_ne!(thread, std::thread::current().id());
    let seen = runtime.block_on(rest(&machine));
    assert!(seen.sources.is_empty(), "{seen:?}");
}

#[test]
fn n37_a_timer_dropped_on_another_thread_lets_go_of_its_event_though_nothing_else_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let (machine, _) = runtime.block_on(async { puppet() });
    let (dropped, is_dropped) = mpsc::channel();
    let (give, timer) = mpsc::channel();
    let probe = Probe::new(move || dropped.send(()).unwrap());
    let start = run("start", move |_, cx| {
        let late = Event::Hold {
            name: "never",
            reply: None,
            probe: Some(probe),
        };
        give.send(cx.timer(ms(3_600_000), late)).unwrap();
        Step::Keep
    });
    send(&machine, [start]);
    let timer = timer.recv().unwrap();
    runtime.block_on(rest(&machine));
    drop(timer);
    is_dropped
        .recv_timeout(std::time::Duration::from_secs(10))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn n37_what_a_source_has_given_is_not_handled_once_its_guard_is_dropped_elsewhere() {
    let (machine, trace) = puppet();
    let (give, guard) = tokio::sync::oneshot::channel();
    send(
        &machine,
        [run("start", move |_, cx| {
            let task = async {};
            let held = Event::Hold {
                name: "output",
                reply: None,
                probe: None,
            };
            drop(give.send(cx.task(task, |()| held)));
            Step::Keep
        })],
    );
    let guard = guard.await.unwrap();
    rest(&machine).await;
    let seen = rest(&machine).await;
    assert_eq!(seen.waiting.postponed, 1);
    drop(guard);
    send(&machine, [go_busy()]);
    let seen = rest(&machine).await;
    assert_eq!(trace.take(), "start go");
    assert_eq!(seen.counts.discarded, 1);
}

#[tokio::test(start_paused = true)]
async fn n39_a_panic_in_a_source_is_a_panic_of_its_machine() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |_, cx| {
            cx.state_task(async { panic!("in a task") }, |()| Event::Note("never"));
            Step::Keep
        })],
    );
    let reason = machine.closed().await;
    let ExitReason::Panicked {
        message,
        callback,
        state,
    } = reason
    else {
        panic!("{reason:?}")
    };
    assert_eq!(
        (&*message, callback.contains("n39_a_panic"), state),
        ("in a task", true, "Idle")
    );
    assert_eq!(trace.take(), "start terminate");
}

#[tokio::test(start_paused = true)]
async fn n40_a_peer_waits_when_as_many_items_are_postponed_as_the_stream_has_credits() {
    let (machine, trace) = puppet();
    let (peer, mut items) = tokio::sync::mpsc::channel::<&'static str>(1);
    send(
        &machine,
        [run("start", move |world, cx| {
            let items = Named(FromFn(move |cx: &mut Context<'_>| items.poll_recv(cx)));
            world.guards.push(cx.source(items, 2));
            Step::Keep
        })],
    );
    let sender = peer.clone();
    let sending = tokio::spawn(async move {
        for item in ["f1", "f2", "f3", "f4", "f5"] {
            sender.send(item).await.unwrap();
        }
    });
    tokio::time::sleep(ms(10)).await;
    // Two are postponed, the third stands in the channel, the fourth cannot be sent.
    let seen = rest(&machine).await;
    assert_eq!(
        (
            seen.waiting.postponed,
            peer.capacity(),
            sending.is_finished()
        ),
        (2, 0, false)
    );
    send(&machine, [go_busy()]);
    tokio::time::sleep(ms(10)).await;
    assert!(sending.is_finished());
    assert_eq!(trace.take(), "start go b:f1 b:f2 b:f3 b:f4 b:f5");
}

#[tokio::test(start_paused = true)]
async fn n40_a_source_without_credits_is_read_by_hand() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |world, cx| {
            let always = Named(FromFn(|_: &mut Context<'_>| Poll::Ready(Some("f"))));
            world.guards.push(cx.source(always, 0));
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;
    send(
        &machine,
        [run("take", |world, _| {
            // A read item is consumed and its credit comes back, so let it stay postponed.
            world.guards[0].read(3);
            Step::Keep
        })],
    );
    rest(&machine).await;
    let seen = rest(&machine).await;
    assert_eq!(
        (trace.take().as_str(), seen.waiting.postponed),
        ("start take", 3)
    );
}

/// Gives its items as events that are postponed while the machine is idle.
struct Named<S>(S);

impl<S: futures_core::Stream<Item = &'static str> + Unpin + Send> Source<Event> for Named<S> {
    fn poll_event(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let item = Pin::new(&mut self.0).poll_next(cx);
        item.map(|item| {
            item.map(|name| Event::Hold {
                name,
                reply: None,
                probe: None,
            })
        })
    }
}

/// Says in the trace when it is flushed.
struct Flushed(Trace);

impl Source<Event> for Flushed {
    fn poll_event(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Event>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) {
        self.0.push("flush");
    }
}

/// Asks to be flushed whenever it is, as long as it is not told to rest.
struct Fidget {
    guard: Arc<Mutex<Option<Guard>>>,
    flushes: Arc<AtomicUsize>,
}

impl Source<Event> for Fidget {
    fn poll_event(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Event>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) {
        // Not for ever: a test that hangs says nothing.
        if self.flushes.fetch_add(1, Ordering::Relaxed) < 10_000
            && let Some(guard) = &*self.guard.lock().unwrap()
        {
            guard.flush();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n20_a_source_that_asks_for_a_flush_in_its_flush_gets_it_in_the_next_turn() {
    let (machine, trace) = puppet();
    let flushes = Arc::new(AtomicUsize::new(0));
    let counted = flushes.clone();
    let guard = Arc::new(Mutex::new(None));
    let own = guard.clone();
    let start = run("start", move |world, cx| {
        let fidget = Fidget {
            guard: own.clone(),
            flushes: counted,
        };
        let fidget = cx.source(fidget, 1);
        fidget.flush();
        *own.lock().unwrap() = Some(fidget);
        let other = cx.source(Flushed(world.trace.clone()), 1);
        other.flush();
        world.guards.push(other);
        Step::Keep
    });
    send(&machine, [start]);
    let most = tokio::spawn(async move {
        let mut before = flushes.load(Ordering::Relaxed);
        let mut most = before;
        for _ in 0..10 {
            others_turn().await;
            let now = flushes.load(Ordering::Relaxed);
            most = most.max(now - before);
            before = now;
        }
        most
    });
    assert_eq!(most.await.unwrap(), 1);
    assert_eq!(trace.take(), "start flush");
    machine.kill();
    machine.closed().await;
    // It owns itself.
    drop(guard.lock().unwrap().take());
}

#[tokio::test(start_paused = true)]
async fn n20_writes_leave_once_at_the_end_of_a_turn() {
    let (machine, trace) = puppet();
    let flushed = Flushed(trace.clone());
    let write = |name| {
        run(name, |world, _| {
            world.guards[0].flush();
            world.guards[0].flush();
            Step::Keep
        })
    };
    // Also in the turn in which the source is started.
    send(
        &machine,
        [run("start", move |world, cx| {
            let guard = cx.source(flushed, 1);
            guard.flush();
            world.guards.push(guard);
            Step::Keep
        })],
    );
    rest(&machine).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "start flush");
    send(&machine, [write("w1"), write("w2"), Event::Note("m")]);
    rest(&machine).await;
    rest(&machine).await;
    assert_eq!(trace.take(), "w1 w2 m flush");
    // And at the end, with what terminate has written.
    let guard = Arc::new(Mutex::new(None));
    let (kept, written) = (guard.clone(), guard.clone());
    send(
        &machine,
        [
            write("w3"),
            run("end", move |world, _| {
                *kept.lock().unwrap() = world.guards.pop();
                world.on_terminate = Some(Box::new(move || {
                    if let Some(guard) = &*written.lock().unwrap() {
                        guard.flush();
                    }
                }));
                Step::Stop(ExitReason::Normal)
            }),
        ],
    );
    machine.closed().await;
    assert_eq!(trace.take(), "w3 end flush terminate flush");
}

#[tokio::test(start_paused = true)]
async fn n38_a_stream_ends_with_one_event_and_its_earlier_ones_stay() {
    let (machine, trace) = puppet();
    send(
        &machine,
        [run("start", |world, cx| {
            let mut left = ["f1", "f2"].into_iter();
            let items = FromFn(move |_: &mut Context<'_>| Poll::Ready(left.next()));
            world.guards.push(cx.stream(items, |item| Event::Hold {
                name: item.unwrap_or("end"),
                reply: None,
                probe: None,
            }));
            Step::Keep
        })],
    );
    rest(&machine).await;
    let seen = rest(&machine).await;
    assert_eq!((seen.sources.len(), seen.waiting.postponed), (0, 3));
    send(&machine, [go_busy()]);
    rest(&machine).await;
    assert_eq!(trace.take(), "start go b:f1 b:f2 b:end");
}

/// Starts a source that only waits, and gives its waker.
fn start_waiting(machine: &Handle<Puppet>) -> Arc<Mutex<Option<Waker>>> {
    let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
    let waker = kept.clone();
    let start = run("start", move |_, cx| {
        let waits = FromFn(move |cx: &mut Context<'_>| {
            *waker.lock().unwrap() = Some(cx.waker().clone());
            Poll::<Option<()>>::Pending
        });
        cx.state_stream(waits, |_| Event::Note("never"));
        Step::Keep
    });
    send(machine, [start]);
    kept
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn n28_a_source_wakes_whoever_polled_the_machine_last() {
    let (machine, mut driver, _) = unpolled(Builder::new());
    let source = start_waiting(&machine);
    let woken = [(); 2].map(|()| Arc::new(Woken::default()));
    for (place, by) in woken.iter().enumerate() {
        let waker = Waker::from(by.clone());
        let mut cx = Context::from_waker(&waker);
        // The first turns start the source and poll it; the last one falls asleep.
        for _ in 0..4 {
            assert!(Pin::new(&mut driver).poll(&mut cx).is_pending());
        }
        let times = |by: &Woken| by.0.load(Ordering::Relaxed);
        let before = woken.each_ref().map(|by| times(by));
        let source = source.lock().unwrap().clone().unwrap();
        source.wake();
        let after = woken.each_ref().map(|by| times(by));
        let told: Vec<_> = (0..2).map(|by| after[by] - before[by]).collect();
        assert_eq!(told, [usize::from(place == 0), usize::from(place == 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_turn_costs_does_not_grow_with_the_sources_that_wait() {
    let (machine, mut driver, _) = unpolled(Builder::new());
    let source = start_waiting(&machine);
    let mut cx = Context::from_waker(Waker::noop());
    let mut turns = |turns| {
        for _ in 0..turns {
            if let Some(waker) = &*source.lock().unwrap() {
                waker.wake_by_ref();
            }
            assert!(Pin::new(&mut driver).poll(&mut cx).is_pending());
        }
    };
    turns(100);
    // Only a look for sources that are gone allocates: a list of those that are there.
    let looks = allocation_counter::measure(|| turns(160)).count_total;
    assert!((1..=10).contains(&looks), "{looks}");
}
