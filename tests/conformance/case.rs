//! A case: a machine as data and a script of events for it, and the text it is written in.
//!
//! ```text
//! case ID
//! opt enter=0|1 fuel=N             enter calls; how many callbacks may run
//! init STATE N ACTION*             initial state, initial counter, what init asks for
//! on STATE KIND CONTENT GUARD RESULT ACTION*      a rule, any number
//! STEP                             the script, any number
//! end
//! ```
//!
//! A callback obeys the first rule that matches; STATE, KIND and CONTENT may be `*`, a guard `M/R`
//! matches a counter N with N mod M = R, `-` always. Without a match it keeps and asks for nothing.
//! The machine's data is the counter N and a queue of saved callers.
//!
//! | KIND | `call` `cast` `info` `int` (inserted) `st` `to` `gt.NAME` (timeouts) `enter` |
//! |---|---|
//! | RESULT | `ks` `k:D` `ns:S:D` `rs` `r:D` `stop:R` `stopd:R:D` `sar:R` `sard:R:D` `bad` `crash` |
//! | ACTION | `pp[:0|:1]` `hib` `nx:KIND:C` `T:N:C` `T:@A:C` `T:inf:C` `T:cancel` `T:upd:C` `re:V` `save` `rp:V` |
//! | STEP | `call C` `cast C` `info C` `adv N` `jmp N` `stop R` |
//!
//! D is added to the counter; only results with a D keep what `save` and `rp` did to the queue.
//! `adv` moves the clock and each timer fires at its own deadline; `jmp` moves it at once, as a late
//! driver would. A line `#= ..` is a line of the expected trace, other lines with `#` are comments.

use std::fmt;
use std::num::ParseIntError;

/// A name in a case: a state, a content, a reason. Short, so that it is copied about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name([u8; Name::MOST]);

impl Name {
    const MOST: usize = 16;
    /// Stands for all names in a rule.
    pub(crate) const ANY: Name = Name::constant("*");

    /// A name of the program's own, which is known to be short.
    pub(crate) const fn constant(text: &str) -> Self {
        let (text, mut bytes, mut place) = (text.as_bytes(), [0; Self::MOST], 0);
        while place < text.len() {
            bytes[place] = text[place];
            place += 1;
        }
        Name(bytes)
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > Self::MOST || !text.is_ascii() {
            return Err(format!(
                "`{text}` is no name of at most {} letters",
                Self::MOST
            ));
        }
        Ok(Self::constant(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(Self::MOST);
        std::str::from_utf8(&self.0[..end]).unwrap_or("?")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The type of an event, as OTP tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Cast,
    Info,
    Inserted,
    Enter,
    Timeout(Timeout),
}

/// A timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    State,
    Event,
    Named(Name),
}

/// A machine as data, and a script of events for it.
#[derive(Clone, Debug)]
pub struct Case {
    pub(crate) id: String,
    pub(crate) enter: bool,
    pub(crate) fuel: u64,
    pub(crate) state: Name,
    pub(crate) counter: u64,
    pub(crate) init: Vec<Action>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) steps: Vec<Step>,
    /// The trace a person wrote, if one did.
    pub(crate) expected: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) state: Name,
    /// `None` is `*`.
    pub(crate) kind: Option<Kind>,
    pub(crate) content: Name,
    /// Modulus and remainder.
    pub(crate) guard: Option<(u64, u64)>,
    pub(crate) outcome: Outcome,
    pub(crate) actions: Vec<Action>,
}

/// What a callback returns. A number is added to the counter; without one the data is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Keep(Option<u64>),
    Next(Name, u64),
    Repeat(Option<u64>),
    Stop(Name, Option<u64>),
    StopAndReply(Name, Option<u64>),
    /// Something that is no return value.
    Bad,
    /// An exception.
    Crash,
}

impl Outcome {
    /// What is added to the counter, if the data is changed.
    pub(crate) fn adds(self) -> Option<u64> {
        match self {
            Outcome::Next(_, adds) => Some(adds),
            Outcome::Keep(adds)
            | Outcome::Repeat(adds)
            | Outcome::Stop(_, adds)
            | Outcome::StopAndReply(_, adds) => adds,
            Outcome::Bad | Outcome::Crash => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// `pp`, or with its Boolean spelled out.
    Postpone(Option<bool>),
    Hibernate,
    Insert(Kind, Name),
    Timer(Timeout, Request),
    /// Answers the call being handled.
    Reply(Name),
    /// Saves the caller of the call being handled.
    Save,
    /// Answers the caller saved first.
    ReplyToSaved(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    After(u64, Name),
    At(u64, Name),
    Never(Name),
    Update(Name),
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Call(Name),
    Cast(Name),
    Info(Name),
    Advance(u64),
    Jump(u64),
    Stop(Name),
}

/// All cases of a text.
///
/// # Errors
///
/// The first line that is not understood, and why.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut open: Option<Case> = None;
    for (number, line) in text.lines().enumerate() {
        parse_line(line, &mut open, &mut cases)
            .map_err(|why| format!("line {}: `{line}`: {why}", number + 1))?;
    }
    match open {
        Some(case) => Err(format!("case {} has no end", case.id)),
        None => Ok(cases),
    }
}

fn parse_line(line: &str, open: &mut Option<Case>, cases: &mut Vec<Case>) -> Result<(), String> {
    if let Some(expected) = line.strip_prefix("#= ") {
        let case = open.as_mut().or(cases.last_mut()).ok_or("no case before")?;
        case.expected.push(expected.to_owned());
        return Ok(());
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let case = match (words.as_slice(), open.as_mut()) {
        ([], _) => return Ok(()),
        ([first, ..], _) if first.starts_with('#') => return Ok(()),
        (["case", id], None) => {
            *open = Some(Case {
                id: (*id).to_owned(),
                enter: false,
                fuel: 300,
                state: Name::ANY,
                counter: 0,
                init: Vec::new(),
                rules: Vec::new(),
                steps: Vec::new(),
                expected: Vec::new(),
            });
            return Ok(());
        }
        (_, None) => return Err("not in a case".into()),
        (_, Some(case)) => case,
    };
    match words.as_slice() {
        ["end"] => cases.extend(open.take()),
        ["opt", options @ ..] => {
            for option in options {
                match option.split_once('=') {
                    Some(("enter", value)) => case.enter = value == "1",
                    Some(("fuel", value)) => case.fuel = number(value)?,
                    _ => return Err(format!("`{option}` is no option")),
                }
            }
        }
        ["init", state, counter, actions @ ..] => {
            case.state = Name::parse(state)?;
            case.counter = number(counter)?;
            case.init = parse_actions(actions)?;
        }
        ["on", state, kind, content, guard, outcome, actions @ ..] => case.rules.push(Rule {
            state: Name::parse(state)?,
            kind: match *kind {
                "*" => None,
                kind => Some(parse_kind(kind)?),
            },
            content: Name::parse(content)?,
            guard: match guard.split_once('/') {
                Some((modulus, remainder)) => Some((number(modulus)?, number(remainder)?)),
                None if *guard == "-" => None,
                None => return Err(format!("`{guard}` is no guard")),
            },
            outcome: parse_outcome(outcome)?,
            actions: parse_actions(actions)?,
        }),
        [step, argument] => case.steps.push(parse_step(step, argument)?),
        _ => return Err("not understood".into()),
    }
    Ok(())
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|why: ParseIntError| format!("`{text}`: {why}"))
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    Ok(match text {
        "call" => Kind::Call,
        "cast" => Kind::Cast,
        "info" => Kind::Info,
        "int" => Kind::Inserted,
        "enter" => Kind::Enter,
        other => Kind::Timeout(parse_timeout(other)?),
    })
}

fn parse_timeout(text: &str) -> Result<Timeout, String> {
    match text {
        "st" => Ok(Timeout::State),
        "to" => Ok(Timeout::Event),
        other => match other.strip_prefix("gt.") {
            Some(name) => Ok(Timeout::Named(Name::parse(name)?)),
            None => Err(format!("`{other}` is no type of an event")),
        },
    }
}

fn parse_outcome(text: &str) -> Result<Outcome, String> {
    let parts: Vec<_> = text.split(':').collect();
    Ok(match parts.as_slice() {
        ["ks"] => Outcome::Keep(None),
        ["k", adds] => Outcome::Keep(Some(number(adds)?)),
        ["ns", state, adds] => Outcome::Next(Name::parse(state)?, number(adds)?),
        ["rs"] => Outcome::Repeat(None),
        ["r", adds] => Outcome::Repeat(Some(number(adds)?)),
        ["stop", reason] => Outcome::Stop(Name::parse(reason)?, None),
        ["stopd", reason, adds] => Outcome::Stop(Name::parse(reason)?, Some(number(adds)?)),
        ["sar", reason] => Outcome::StopAndReply(Name::parse(reason)?, None),
        ["sard", reason, adds] => Outcome::StopAndReply(Name::parse(reason)?, Some(number(adds)?)),
        ["bad"] => Outcome::Bad,
        ["crash"] => Outcome::Crash,
        _ => return Err(format!("`{text}` is no result")),
    })
}

fn parse_actions(words: &[&str]) -> Result<Vec<Action>, String> {
    words.iter().map(|word| parse_action(word)).collect()
}

fn parse_action(text: &str) -> Result<Action, String> {
    let parts: Vec<_> = text.split(':').collect();
    Ok(match parts.as_slice() {
        ["pp"] => Action::Postpone(None),
        ["pp", option] => Action::Postpone(Some(*option == "1")),
        ["hib"] => Action::Hibernate,
        ["save"] => Action::Save,
        ["re", value] => Action::Reply(Name::parse(value)?),
        ["rp", value] => Action::ReplyToSaved(Name::parse(value)?),
        ["nx", kind, content] => Action::Insert(parse_kind(kind)?, Name::parse(content)?),
        [timeout, "cancel"] => Action::Timer(parse_timeout(timeout)?, Request::Cancel),
        [timeout, request, content] => {
            let content = Name::parse(content)?;
            let request = match (*request, request.strip_prefix('@')) {
                ("upd", _) => Request::Update(content),
                ("inf", _) => Request::Never(content),
                (_, Some(at)) => Request::At(number(at)?, content),
                (after, None) => Request::After(number(after)?, content),
            };
            Action::Timer(parse_timeout(timeout)?, request)
        }
        _ => return Err(format!("`{text}` is no action")),
    })
}

fn parse_step(step: &str, argument: &str) -> Result<Step, String> {
    Ok(match step {
        "call" => Step::Call(Name::parse(argument)?),
        "cast" => Step::Cast(Name::parse(argument)?),
        "info" => Step::Info(Name::parse(argument)?),
        "stop" => Step::Stop(Name::parse(argument)?),
        "adv" => Step::Advance(number(argument)?),
        "jmp" => Step::Jump(number(argument)?),
        _ => return Err(format!("`{step}` is no step")),
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Call => f.write_str("call"),
            Kind::Cast => f.write_str("cast"),
            Kind::Info => f.write_str("info"),
            Kind::Inserted => f.write_str("int"),
            Kind::Enter => f.write_str("enter"),
            Kind::Timeout(timeout) => timeout.fmt(f),
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::State => f.write_str("st"),
            Timeout::Event => f.write_str("to"),
            Timeout::Named(name) => write!(f, "gt.{name}"),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}", self.id)?;
        writeln!(f, "opt enter={} fuel={}", u8::from(self.enter), self.fuel)?;
        write!(f, "init {} {}", self.state, self.counter)?;
        write_actions(&self.init, f)?;
        for rule in &self.rules {
            write!(f, "on {} ", rule.state)?;
            match rule.kind {
                Some(kind) => write!(f, "{kind} ")?,
                None => f.write_str("* ")?,
            }
            write!(f, "{} ", rule.content)?;
            match rule.guard {
                Some((modulus, remainder)) => write!(f, "{modulus}/{remainder} ")?,
                None => f.write_str("- ")?,
            }
            rule.outcome.fmt(f)?;
            write_actions(&rule.actions, f)?;
        }
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        f.write_str("end\n")
    }
}

fn write_actions(actions: &[Action], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for action in actions {
        write!(f, " {action}")?;
    }
    f.write_str("\n")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Keep(None) => f.write_str("ks"),
            Outcome::Keep(Some(adds)) => write!(f, "k:{adds}"),
            Outcome::Next(state, adds) => write!(f, "ns:{state}:{adds}"),
            Outcome::Repeat(None) => f.write_str("rs"),
            Outcome::Repeat(Some(adds)) => write!(f, "r:{adds}"),
            Outcome::Stop(reason, None) => write!(f, "stop:{reason}"),
            Outcome::Stop(reason, Some(adds)) => write!(f, "stopd:{reason}:{adds}"),
            Outcome::StopAndReply(reason, None) => write!(f, "sar:{reason}"),
            Outcome::StopAndReply(reason, Some(adds)) => write!(f, "sard:{reason}:{adds}"),
            Outcome::Bad => f.write_str("bad"),
            Outcome::Crash => f.write_str("crash"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Postpone(None) => f.write_str("pp"),
            Action::Postpone(Some(option)) => write!(f, "pp:{}", u8::from(*option)),
            Action::Hibernate => f.write_str("hib"),
            Action::Insert(kind, content) => write!(f, "nx:{kind}:{content}"),
            Action::Timer(timeout, request) => match request {
                Request::After(after, content) => write!(f, "{timeout}:{after}:{content}"),
                Request::At(at, content) => write!(f, "{timeout}:@{at}:{content}"),
                Request::Never(content) => write!(f, "{timeout}:inf:{content}"),
                Request::Update(content) => write!(f, "{timeout}:upd:{content}"),
                Request::Cancel => write!(f, "{timeout}:cancel"),
            },
            Action::Reply(value) => write!(f, "re:{value}"),
            Action::Save => f.write_str("save"),
            Action::ReplyToSaved(value) => write!(f, "rp:{value}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Call(content) => write!(f, "call {content}"),
            Step::Cast(content) => write!(f, "cast {content}"),
            Step::Info(content) => write!(f, "info {content}"),
            Step::Advance(by) => write!(f, "adv {by}"),
            Step::Jump(by) => write!(f, "jmp {by}"),
            Step::Stop(reason) => write!(f, "stop {reason}"),
        }
    }
}
