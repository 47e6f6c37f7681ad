//! What every interpreter machine does: obey the rules of its case, and write down what happened.
//!
//! The machines differ in where they keep their state; see [`machines`](crate::machines).

use std::fmt::{self, Write};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use statem::{Actions, Cx, EnterCx, ExitReason, Handler, Initial};

use crate::case::{Action, Case, Kind, Name, Outcome, Request, Timeout};
use crate::event::{Caller, Event};
use crate::rule::{Touched, TouchedSet};

/// A unit of a case's time. The clock of tokio's timers has this grain.
pub(crate) fn time(units: u64) -> Duration {
    Duration::from_millis(units)
}

/// A unit of time back again.
pub(crate) fn units(time: Duration) -> u128 {
    time.as_millis()
}

/// A machine that interprets a case.
pub(crate) trait Interpreter: Handler<Event = Event, Timeout = Name> {
    /// The struct of the initial state.
    type Start: Initial<Self>;

    fn prepare(run: Run) -> (Self::Start, Self::Data);
    fn run(data: &mut Self::Data) -> &mut Run;
    /// The state by the name that the case gives it, and the counter.
    fn show(&self, data: &Self::Data) -> (Name, u64);
}

/// What a run leaves behind.
#[derive(Default)]
pub(crate) struct Log {
    /// The trace, a line an entry.
    pub(crate) text: String,
    /// The answers, in the order given.
    pub(crate) given: Vec<(usize, Name)>,
    pub(crate) touched: TouchedSet,
    /// From this place on the trace need not be what OTP's is, and why.
    pub(crate) open_from: Option<(usize, Touched)>,
    /// The step of the driver that is under way.
    pub(crate) step: Option<StepOfDriver>,
    /// From this place on the trace may be another one: a past time was started when a timer had
    /// fired, beside which others may have been due (N21).
    pub(crate) may_differ_from: Option<usize>,
}

/// A step of the driver.
pub(crate) struct StepOfDriver {
    /// The time at its end.
    pub(crate) until: u64,
    /// Where it began in the trace.
    pub(crate) began: usize,
    /// Whether a timer has fired in it.
    pub(crate) fired: bool,
}

impl Log {
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }
}

/// A log that the machine and the harness share.
pub(crate) type SharedLog = Arc<Mutex<Log>>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's data in the sense of a case.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) counter: u64,
    saved: Vec<Arc<Caller>>,
}

impl Memory {
    pub(crate) fn new(counter: u64) -> Self {
        Memory {
            counter,
            saved: Vec::new(),
        }
    }
}

/// The rules that a machine obeys.
pub(crate) struct Run {
    pub(crate) case: Arc<Case>,
    fuel: u64,
    log: SharedLog,
    /// Whether the handler of this transition has postponed its event.
    postponed: bool,
}

/// What a handler is to answer.
pub(crate) enum Verdict {
    Keep,
    Repeat,
    Go(Name),
    Stop(ExitReason),
}

/// What a rule's actions come to beside what was asked of the context.
#[derive(Default)]
struct Asked {
    postpone: bool,
    /// The first thing an enter call must not do.
    forbidden: Option<Touched>,
}

impl Run {
    pub(crate) fn new(case: Arc<Case>, log: SharedLog) -> Self {
        Run {
            fuel: case.fuel,
            case,
            log,
            postponed: false,
        }
    }

    pub(crate) fn init<M: Interpreter>(&mut self, cx: &mut Actions<M>) {
        let case = self.case.clone();
        self.ask(&case.init, None, false, &mut Vec::new(), cx);
    }

    pub(crate) fn handle<M: Interpreter>(
        &mut self,
        state: Name,
        memory: &mut Memory,
        event: Event,
        cx: &mut Cx<M>,
    ) -> Verdict {
        self.enters(state, event.kind, &event, memory.counter);
        if matches!(event.kind, Kind::Timeout(_))
            && !event.inserted
            && let Some(step) = &mut lock(&self.log).step
        {
            step.fired = true;
        }
        if cx.origin() != event.origin() {
            self.line(format_args!("! the origin is {:?}", cx.origin()));
        }
        if !self.burn() {
            return Verdict::Stop(ExitReason::other("fuel"));
        }
        let case = self.case.clone();
        let (outcome, actions) = find(&case, state, event.kind, event.content, memory.counter);
        if outcome == Outcome::Crash {
            crash();
        }
        let mut saved = memory.saved.clone();
        let actions = match outcome {
            Outcome::Stop(..) | Outcome::Bad => &[],
            _ => actions,
        };
        let asked = self.ask(actions, event.caller.as_ref(), false, &mut saved, &mut *cx);
        if let Some(adds) = outcome.adds() {
            memory.counter += adds;
            memory.saved = saved;
        }
        self.postponed = asked.postpone;
        if asked.postpone {
            cx.postpone(event);
        }
        match outcome {
            Outcome::Keep(_) | Outcome::Crash => Verdict::Keep,
            Outcome::Next(target, _) if target == state => {
                self.touch(Touched::NextToSame);
                Verdict::Keep
            }
            Outcome::Next(target, _) => Verdict::Go(target),
            Outcome::Repeat(_) => Verdict::Repeat,
            Outcome::Stop(reason, _) | Outcome::StopAndReply(reason, _) => {
                Verdict::Stop(stop_reason(reason))
            }
            Outcome::Bad => {
                self.touch(Touched::BadReturn);
                Verdict::Stop(ExitReason::other("!bad_return"))
            }
        }
    }

    pub(crate) fn enter<M: Interpreter>(
        &mut self,
        state: Name,
        previous: Name,
        memory: &mut Memory,
        cx: &mut EnterCx<M>,
    ) {
        if !self.case.enter {
            return;
        }
        self.enters(state, Kind::Enter, previous, memory.counter);
        if !self.burn() {
            return cx.stop(ExitReason::other("fuel"));
        }
        let case = self.case.clone();
        let (outcome, actions) = find(&case, state, Kind::Enter, previous, memory.counter);
        match outcome {
            Outcome::Crash => crash(),
            Outcome::Bad => {
                self.touch(Touched::BadReturn);
                return cx.stop(ExitReason::other("!bad_return"));
            }
            Outcome::Next(target, _) if target != state => {
                self.touch(Touched::BadEnterReturn);
                return cx.stop(ExitReason::other("!bad_enter_return"));
            }
            _ => {}
        }
        let mut saved = memory.saved.clone();
        let asked = self.ask(actions, None, true, &mut saved, &mut *cx);
        if let Some(adds) = outcome.adds() {
            memory.counter += adds;
            memory.saved = saved;
        }
        match asked.forbidden {
            Some(Touched::EnterUndoesPostpone) => {
                let mut log = lock(&self.log);
                let here = log.text.len();
                log.open_from
                    .get_or_insert((here, Touched::EnterUndoesPostpone));
                return cx.stop(ExitReason::Normal);
            }
            Some(rule) => {
                self.touch(rule);
                return cx.stop(ExitReason::other("!bad_enter_action"));
            }
            None => {}
        }
        match outcome {
            Outcome::Repeat(_) => cx.repeat(),
            Outcome::Stop(reason, _) | Outcome::StopAndReply(reason, _) => {
                cx.stop(stop_reason(reason));
            }
            Outcome::Next(..) => self.touch(Touched::NextToSame),
            _ => {}
        }
    }

    pub(crate) fn terminate(&mut self, reason: &ExitReason, state: Name, counter: u64) {
        let reason = match reason {
            ExitReason::Normal => "normal".to_owned(),
            ExitReason::Shutdown => "shutdown".to_owned(),
            ExitReason::Other(error) => error.to_string(),
            ExitReason::Panicked { message, .. } if &**message == "crash" => "crash".to_owned(),
            other => format!("!{other}"),
        };
        self.line(format_args!("T {reason} {state} {counter}"));
    }

    /// A callback is entered.
    fn enters(&mut self, state: Name, kind: Kind, content: impl fmt::Display, counter: u64) {
        if kind == Kind::Info {
            self.touch(Touched::InfoIsCast);
        }
        self.line(format_args!("H {state} {kind} {content} {counter}"));
    }

    /// Whether another callback may run.
    fn burn(&mut self) -> bool {
        let may = self.fuel > 0;
        self.fuel = self.fuel.saturating_sub(1);
        may
    }

    /// Carries out what is done at once, and asks the context for the rest.
    fn ask<M: Interpreter>(
        &mut self,
        actions: &[Action],
        caller: Option<&Arc<Caller>>,
        enter: bool,
        saved: &mut Vec<Arc<Caller>>,
        cx: &mut Actions<M>,
    ) -> Asked {
        let mut asked = Asked::default();
        let mut options = 0;
        for action in actions {
            match *action {
                Action::Postpone(Some(false)) if enter && !self.postponed => {}
                Action::Postpone(Some(false)) if enter => {
                    asked.forbidden = Some(Touched::EnterUndoesPostpone);
                    return asked;
                }
                Action::Postpone(_) if enter => {
                    asked.forbidden = Some(Touched::EnterPostpones);
                    return asked;
                }
                Action::Insert(..) if enter => {
                    asked.forbidden = Some(Touched::EnterInserts);
                    return asked;
                }
                Action::Postpone(option) => {
                    options += 1;
                    asked.postpone = option != Some(false);
                    if options > 1 || !asked.postpone {
                        self.touch(Touched::PostponeOptions);
                    }
                }
                Action::Hibernate => self.touch(Touched::Hibernate),
                Action::Insert(kind, content) => {
                    let caller = caller.filter(|_| kind == Kind::Call);
                    if kind != Kind::Inserted {
                        self.touch(Touched::ForgedType);
                    }
                    if kind != Kind::Call || caller.is_some() {
                        cx.insert(Event::inserted(kind, content, caller.cloned()));
                    }
                }
                Action::Timer(timeout, request) => self.request(timeout, request, cx),
                Action::Reply(value) => {
                    if let Some(caller) = caller {
                        self.reply(caller, value);
                    }
                }
                Action::Save => saved.extend(caller.cloned()),
                Action::ReplyToSaved(value) => {
                    if !saved.is_empty() {
                        self.reply(&saved.remove(0), value);
                    }
                }
            }
        }
        asked
    }

    fn request<M: Interpreter>(&mut self, timeout: Timeout, request: Request, cx: &mut Actions<M>) {
        let event = |content| Event::new(Kind::Timeout(timeout), content);
        match request {
            Request::After(after, content) => {
                let (after, event) = (time(after), event(content));
                match timeout {
                    Timeout::State => cx.state_timeout(after, event),
                    Timeout::Event => cx.event_timeout(after, event),
                    Timeout::Named(name) => cx.timeout(name, after, event),
                }
            }
            Request::At(at, content) => {
                let mut log = lock(&self.log);
                let past = log
                    .step
                    .as_ref()
                    .filter(|step| step.fired && at <= step.until);
                if let Some(began) = past.map(|step| step.began) {
                    log.may_differ_from.get_or_insert(began);
                }
                drop(log);
                let (at, event) = (time(at), event(content));
                match timeout {
                    Timeout::State => cx.state_timeout_at(at, event),
                    Timeout::Event => cx.event_timeout_at(at, event),
                    Timeout::Named(name) => cx.timeout_at(name, at, event),
                }
            }
            Request::Update(content) => {
                let event = event(content);
                match timeout {
                    Timeout::State => cx.update_state_timeout(event),
                    Timeout::Event => cx.update_event_timeout(event),
                    Timeout::Named(name) => cx.update_timeout(name, event),
                }
            }
            Request::Never(_) | Request::Cancel => {
                if request != Request::Cancel {
                    self.touch(Touched::Infinity);
                }
                match timeout {
                    Timeout::State => cx.cancel_state_timeout(),
                    Timeout::Event => cx.cancel_event_timeout(),
                    Timeout::Named(name) => cx.cancel_timeout(name),
                }
            }
        }
    }

    fn reply(&mut self, caller: &Caller, value: Name) {
        self.line(format_args!("R {} {value}", caller.id));
        let Some(reply) = caller.take() else {
            return self.touch(Touched::AnsweredTwice);
        };
        lock(&self.log).given.push((caller.id, value));
        if reply.send(value).is_err() {
            self.line(format_args!("! caller {} has gone", caller.id));
        }
    }

    fn touch(&mut self, rule: Touched) {
        lock(&self.log).touched.add(rule);
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        lock(&self.log).line(line);
    }
}

/// The first rule that matches; without one a callback keeps.
fn find(case: &Case, state: Name, kind: Kind, content: Name, counter: u64) -> (Outcome, &[Action]) {
    let found = case.rules.iter().find(|rule| {
        (rule.state == Name::ANY || rule.state == state)
            && rule.kind.is_none_or(|wanted| wanted == kind)
            && (rule.content == Name::ANY || rule.content == content)
            && rule
                .guard
                .is_none_or(|(modulus, remainder)| counter % modulus == remainder)
    });
    found.map_or((Outcome::Keep(None), &[]), |rule| {
        (rule.outcome, &rule.actions)
    })
}

pub(crate) fn stop_reason(reason: Name) -> ExitReason {
    match reason.as_str() {
        "normal" => ExitReason::Normal,
        "shutdown" => ExitReason::Shutdown,
        other => ExitReason::other(other),
    }
}

/// A panic without its message on standard error.
///
/// Not inlined: whoever looks for leaks knows by its name the payload that the engine forgets.
#[inline(never)]
fn crash() -> ! {
    resume_unwind(Box::new("crash"))
}
