//! A case on the engine alone, driven by hand.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statem::Answer;
use statem::engine::Engine;

use crate::case::{Case, Kind, Name, Step};
use crate::event::Event;
use crate::interpreter::{Interpreter, Log, Run, SharedLog, lock, stop_reason, time, units};

/// Runs a case, and gives what it left behind.
pub(crate) fn run<M: Interpreter>(case: &Arc<Case>) -> Log {
    let log = SharedLog::default();
    let (start, data) = M::prepare(Run::new(case.clone(), log.clone()));
    let mut hand = Hand {
        engine: Engine::<M>::new(start, data),
        now: Cell::new(0),
        answers: Vec::new(),
        seen: 0,
        log: log.clone(),
    };
    hand.input(|engine, clock| engine.start_with(|data, cx| M::run(data).init(cx), clock));
    hand.settle();
    for (place, step) in case.steps.iter().enumerate() {
        if hand.engine.stopped().is_some() {
            break;
        }
        hand.line(format_args!("@ {} {}", place + 1, hand.now.get()));
        hand.step(*step);
    }
    hand.end();
    drop(hand);
    log_of(&log)
}

/// The log, when those who wrote it are done.
pub(crate) fn log_of(log: &Mutex<Log>) -> Log {
    std::mem::take(&mut lock(log))
}

struct Hand<M: Interpreter> {
    engine: Engine<M>,
    now: Cell<u64>,
    answers: Vec<Answer<Name>>,
    /// Answers given that their callers have.
    seen: usize,
    log: SharedLog,
}

impl<M: Interpreter> Hand<M> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Call(content) => {
                let id = self.answers.len() + 1;
                let now = time(self.now.get());
                let event = |reply| Event::call(content, id, reply);
                let answer = self.engine.call(event, &|| now);
                self.answers.push(answer);
                self.look();
            }
            Step::Cast(content) => self.send(Kind::Cast, content),
            Step::Info(content) => self.send(Kind::Info, content),
            Step::Stop(reason) => self.engine.stop(stop_reason(reason)),
            Step::Advance(by) => {
                let target = self.now.get() + by;
                while let Some(due) = self.due(target) {
                    self.now.set(self.now.get().max(due));
                    self.fire();
                    self.empty_queue();
                }
                self.now.set(target);
            }
            Step::Jump(by) => self.now.set(self.now.get() + by),
        }
        self.settle();
    }

    fn send(&mut self, kind: Kind, content: Name) {
        self.input(|engine, clock| engine.handle(Event::new(kind, content), clock));
    }

    /// What is queued, then what is due already: a past time, or after a jump.
    fn settle(&mut self) {
        self.empty_queue();
        while self.due(self.now.get()).is_some() {
            self.fire();
            self.empty_queue();
        }
    }

    fn empty_queue(&mut self) {
        let mut more = true;
        while more {
            self.input(|engine, clock| more = engine.advance(clock));
        }
    }

    fn fire(&mut self) {
        let now = time(self.now.get());
        self.input(|engine, _| {
            engine.fire(now);
        });
    }

    /// The next deadline, if it comes until then.
    fn due(&self, until: u64) -> Option<u64> {
        let deadline = self
            .engine
            .deadline()
            .filter(|_| self.engine.stopped().is_none())?;
        u64::try_from(units(deadline))
            .ok()
            .filter(|due| *due <= until)
    }

    fn input(&mut self, input: impl FnOnce(&mut Engine<M>, &dyn Fn() -> Duration)) {
        let now = time(self.now.get());
        input(&mut self.engine, &|| now);
        self.look();
    }

    /// Callers have their answers when the transition has ended.
    fn look(&mut self) {
        let mut log = lock(&self.log);
        while let Some((id, value)) = log.given.get(self.seen).copied() {
            let Some(answer) = self.answers.get_mut(id - 1) else {
                // The call that is being handled.
                return;
            };
            let seen = answer.try_take();
            if !matches!(seen, Some(Ok(seen)) if seen == value) {
                log.line(format_args!("! caller {id} has {seen:?}"));
            }
            self.seen += 1;
        }
    }

    fn end(&mut self) {
        let (Some(state), Some(data)) = (self.engine.state(), self.engine.data()) else {
            return self.line(format_args!("E dead"));
        };
        let (state, counter) = state.show(data);
        let postponed = self.engine.postponed().map(|event| format!("{event:?}"));
        let postponed = join(&postponed.collect::<Vec<_>>());
        let timeouts = self.engine.timeouts();
        let mut timeouts: Vec<_> = timeouts
            .iter()
            .map(|timeout| {
                let deadline = timeout.deadline.map_or(u128::MAX, units);
                format!("{:?}@{deadline}", timeout.event)
            })
            .collect();
        timeouts.sort_unstable();
        let timeouts = join(&timeouts);
        self.line(format_args!(
            "E {state} {counter} post={postponed} tmr={timeouts}"
        ));
        // N48.
        let counts = self.engine.counts();
        if counts.received != counts.consumed + self.engine.postponed().count() as u64 {
            self.line(format_args!("! {counts:?}"));
        }
    }

    fn line(&self, line: std::fmt::Arguments<'_>) {
        lock(&self.log).line(line);
    }
}

/// A list as traces show it.
pub(crate) fn join(entries: &[String]) -> String {
    if entries.is_empty() {
        "-".to_owned()
    } else {
        entries.join(",")
    }
}
