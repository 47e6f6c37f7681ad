//! A case on the tokio driver, with a clock that is paused.
//!
//! The machine is a task of a current-thread runtime whose clock moves only when nothing can run.
//! Calls are futures of a handle; after each step [`Handle::inspect`](statem::Handle::inspect),
//! which is answered at rest, tells that the machine has settled.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use statem::{Builder, CallError, Handle, Status};
use tokio::runtime::Runtime;

use crate::by_hand::{join, log_of};
use crate::case::{Case, Kind, Name, Step};
use crate::event::Event;
use crate::interpreter::{Interpreter, Log, Run, SharedLog, StepOfDriver, lock, time, units};
use crate::machines::Single;

/// Longer than any case.
const LIMIT: Duration = Duration::from_secs(3600);

/// Runs cases one after the other.
pub(crate) struct Driver {
    runtime: Runtime,
}

impl Driver {
    /// # Errors
    ///
    /// The runtime cannot be made.
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        Ok(Driver { runtime })
    }

    /// Runs a case, and gives what it left behind.
    pub(crate) fn run(&self, case: &Arc<Case>) -> Log {
        let log = SharedLog::default();
        self.runtime.block_on(run(case, &log));
        log_of(&log)
    }
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<Name, CallError>> + 'a>>;

/// The callers of a case.
struct Callers<'a> {
    calls: Vec<Option<Call<'a>>>,
    /// The numbers of those that were woken, in order.
    woken: Arc<Mutex<Vec<usize>>>,
    log: SharedLog,
    /// Answers given that their callers have.
    seen: usize,
}

struct CallerWaker {
    id: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for CallerWaker {
    fn wake(self: Arc<Self>) {
        lock(&self.woken).push(self.id);
    }
}

async fn run(case: &Arc<Case>, log: &SharedLog) {
    let (start, data) = Single::prepare(Run::new(case.clone(), log.clone()));
    let handle = Builder::<Single>::new()
        .call_limit(LIMIT)
        .init(|data, cx| Single::run(data).init(cx))
        .spawn(start, data);
    let mut callers = Callers {
        calls: Vec::new(),
        woken: Arc::default(),
        log: log.clone(),
        seen: 0,
    };
    settle(&handle).await;
    callers.look();
    let mut now = 0;
    for (place, step) in case.steps.iter().enumerate() {
        if !matches!(handle.status(), Status::Running(_)) {
            break;
        }
        {
            let mut log = lock(log);
            let began = log.text.len();
            log.line(format_args!("@ {} {now}", place + 1));
            let until = match *step {
                Step::Advance(by) | Step::Jump(by) => now + by,
                _ => now,
            };
            log.step = Some(StepOfDriver {
                until,
                began,
                fired: false,
            });
        }
        match *step {
            Step::Call(content) => callers.call(&handle, content),
            Step::Cast(content) => send(&handle, log, Kind::Cast, content),
            Step::Info(content) => send(&handle, log, Kind::Info, content),
            Step::Stop(reason) if reason.as_str() == "shutdown" => {
                drop(handle.shutdown(LIMIT).await);
            }
            Step::Stop(_) => drop(handle.stop().await),
            Step::Advance(by) => {
                now += by;
                tokio::time::sleep(time(by)).await;
            }
            Step::Jump(by) => {
                now += by;
                tokio::time::advance(time(by)).await;
            }
        }
        settle(&handle).await;
        callers.look();
    }
    end(&handle, log, now).await;
    handle.kill();
    drop(handle.closed().await);
}

fn send(handle: &Handle<Single>, log: &SharedLog, kind: Kind, content: Name) {
    if let Err(error) = handle.try_cast(Event::new(kind, content)) {
        lock(log).line(format_args!("! {error:?}"));
    }
}

/// Waits until the machine is at rest and no timer is due.
async fn settle(handle: &Handle<Single>) {
    while let Ok(seen) = handle.inspect().await {
        let due = |remaining: Option<Duration>| remaining == Some(Duration::ZERO);
        if !seen.timeouts.iter().any(|(_, remaining)| due(*remaining)) {
            return;
        }
    }
}

async fn end(handle: &Handle<Single>, log: &SharedLog, now: u64) {
    let Ok(seen) = handle.inspect_values().await else {
        return lock(log).line(format_args!("E dead"));
    };
    let mut timeouts: Vec<_> = seen
        .inspection
        .timeouts
        .iter()
        .map(|(name, remaining)| {
            let kind = match name.as_str() {
                "state timeout" => "st".to_owned(),
                "event timeout" => "to".to_owned(),
                name => name.replace("timeout ", "gt."),
            };
            let deadline =
                remaining.map_or(u128::MAX, |remaining| u128::from(now) + units(remaining));
            format!("{kind}@{deadline}")
        })
        .collect();
    timeouts.sort_unstable();
    let (state, counter) = (seen.state, seen.data);
    let (postponed, timeouts) = (join(&seen.postponed), join(&timeouts));
    lock(log).line(format_args!(
        "E {state} {counter} post={postponed} tmr={timeouts}"
    ));
}

impl<'a> Callers<'a> {
    fn call(&mut self, handle: &'a Handle<Single>, content: Name) {
        let id = self.calls.len() + 1;
        let call = handle.call(move |reply| Event::call(content, id, reply));
        self.calls.push(Some(Box::pin(call.into_future())));
        self.poll(id);
    }

    fn poll(&mut self, id: usize) -> Option<Result<Name, CallError>> {
        let waker = Waker::from(Arc::new(CallerWaker {
            id,
            woken: self.woken.clone(),
        }));
        let call = self.calls[id - 1].as_mut()?;
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => {
                self.calls[id - 1] = None;
                Some(outcome)
            }
            Poll::Pending => None,
        }
    }

    /// Callers are woken in the order in which the machine has answered them.
    fn look(&mut self) {
        let woken = std::mem::take(&mut *lock(&self.woken));
        for id in woken {
            let Some(outcome) = self.poll(id) else {
                continue;
            };
            let mut log = lock(&self.log);
            match outcome {
                Ok(value) if log.given.get(self.seen) == Some(&(id, value)) => self.seen += 1,
                Ok(value) => {
                    let given = log.given.get(self.seen).copied();
                    log.line(format_args!(
                        "! caller {id} has {value}; the next answer is {given:?}"
                    ));
                }
                Err(error) => {
                    // The machine let go of the call, which no trace shows.
                    if log.given.iter().any(|(given, _)| *given == id) {
                        log.line(format_args!("! caller {id} has {error:?}"));
                    }
                }
            }
        }
        let mut log = lock(&self.log);
        if self.seen < log.given.len() {
            let given = log.given[self.seen];
            log.line(format_args!("! nobody has the answer {given:?}"));
            self.seen = log.given.len();
        }
    }
}
