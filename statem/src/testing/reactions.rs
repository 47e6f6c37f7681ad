//! The reaction table: state × event, and what the handler does.

use std::fmt;
use std::time::Duration;

use crate::engine::{Engine, INSERTED, Limits, Move, POSTPONED, name_of};
use crate::error::CallError;
use crate::handler::Handler;
use crate::machine::{Node, Unexpected};
use crate::reason::ExitReason;
use crate::reply::Reply;

/// How a machine reacts to each event in each state, as a text for a snapshot test.
///
/// Give it samples, and print it. Every cell is the real handler's: a machine of its own starts in
/// the sample of the state, with its enter call, and handles the sample of the event. Samples are
/// closures, called for each cell, since neither states nor events need be `Clone`.
///
/// | a cell says | |
/// |---|---|
/// | `stays` | the event was kept, and nothing of the following happened |
/// | `→ Open` | it went there, which may be its own state by a declared self-edge |
/// | `→ Broken, ends` | it went to a terminal state |
/// | `repeats` | it entered its state again |
/// | `retries` | it stayed, and tries postponed events again |
/// | `replies`, `replies an error` | the caller has its answer: [`Reply::send`], [`Reply::fail`] |
/// | `holds the reply` | somebody has the reply, and it may come later: the machine, or a task |
/// | `drops the reply` | the caller is told that nobody answered |
/// | `postpones` | the event waits for a change of state |
/// | `unexpected` | the handler called it that |
/// | `stops`, `panics` | the machine ended; why is said below the table |
/// | `-` | the machine had ended before, by the enter call or in a terminal state; see below it too |
///
/// Where nothing says that it goes or ends, it stays. Inserted events, timeouts and sources are not
/// shown, and what an enter call queues is not handled before the event. Sources are not polled, so
/// no runtime is needed, unless making a source needs one, as `tokio::time::sleep` does outside of
/// an `async` block.
///
/// An event comes as a cast or as a call, whatever it comes of in real life; a handler that looks
/// at [`Cx::origin`](crate::Cx::origin) sees that.
///
/// The edges that the machines of a table take count in [`EdgeCoverage`](super::EdgeCoverage). A
/// panic in the machine is a cell, and is reported on the standard error as any other; a panic in a
/// sample is the test's own.
///
/// The table is Markdown too. Its columns are the states and its rows the events, in the order of the
/// samples. A state without a sample is named below it, if it is not terminal.
///
/// ```
/// use statem::testing::ReactionTable;
/// use statem::{Cx, Handler, Next, Reply, StateMachine, keep, unexpected};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// #[to(Broken)]
/// enum Door {
///     #[initial]
///     #[to(Open)]
///     Closed,
///     #[to(Closed)]
///     Open(Open),
///     #[terminal]
///     Broken,
/// }
///
/// struct Open {
///     visitors: u32,
/// }
///
/// enum Event {
///     Push,
///     Visit,
///     Kick,
///     Count(Reply<u32>),
/// }
///
/// impl Handler for Door {
///     fn handle(state: DoorAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (DoorAt::Closed(s), Event::Push) => s.go(Open { visitors: 0 }),
///             (DoorAt::Open(s), Event::Push) if s.visitors == 0 => s.go(Closed),
///             (DoorAt::Open(_), Event::Push) => keep(),
///             (DoorAt::Open(mut s), Event::Visit) => {
///                 s.visitors += 1;
///                 keep()
///             }
///             (DoorAt::Open(s), Event::Count(reply)) => {
///                 let _ = reply.send(s.visitors);
///                 keep()
///             }
///             (state, Event::Kick) => state.go(Broken),
///             (_, event) => unexpected(event),
///         }
///     }
/// }
///
/// let table = ReactionTable::<Door>::new(|| ())
///     .state(|| Closed)
///     .state(|| Open { visitors: 0 })
///     .labelled("busy", || Open { visitors: 2 })
///     .event("push", || Event::Push)
///     .event("visit", || Event::Visit)
///     .event("kick", || Event::Kick)
///     .call("count", Event::Count);
///
/// assert_eq!(
///     table.to_string(),
///     "\
/// | Door  | Closed         | Open           | Open (busy)    |
/// |-------|----------------|----------------|----------------|
/// | push  | → Open         | → Closed       | stays          |
/// | visit | unexpected     | stays          | stays          |
/// | kick  | → Broken, ends | → Broken, ends | → Broken, ends |
/// | count | unexpected     | replies        | replies        |
/// "
/// );
/// ```
#[must_use = "a table does nothing until it is printed"]
pub struct ReactionTable<'a, M: Handler> {
    data: Box<dyn Fn() -> M::Data + 'a>,
    states: Vec<StateSample<'a, M>>,
    events: Vec<EventSample<'a, M>>,
}

impl<M: Handler> fmt::Debug for ReactionTable<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactionTable")
            .field("machine", &M::GRAPH.name)
            .finish_non_exhaustive()
    }
}

struct StateSample<'a, M> {
    label: Option<String>,
    make: Box<dyn Fn() -> M + 'a>,
}

struct EventSample<'a, M: Handler> {
    name: String,
    give: Box<Give<'a, M>>,
}

/// Has the engine handle an event, and says what its caller sees then.
type Give<'a, M> = dyn Fn(&mut Engine<M>) -> Seen + 'a;

/// What the caller sees when the transition is complete.
#[derive(Clone, Copy)]
enum Seen {
    Nothing,
    Answer,
    Failure,
    NotAnswered,
    /// What the end of the machine or `unexpected` says to it; or there is no caller.
    Other,
}

/// Samples.
impl<'a, M: Handler> ReactionTable<'a, M> {
    /// A table without samples. The data is made for each cell.
    pub fn new(data: impl Fn() -> M::Data + 'a) -> Self {
        ReactionTable {
            data: Box::new(data),
            states: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A sample of a state, whether a machine may start there or not.
    pub fn state<S: Node<M>>(self, sample: impl Fn() -> S + 'a) -> Self {
        self.sample(None, sample)
    }

    /// Another sample of a state, with a label that says which: `Open (busy)`.
    pub fn labelled<S: Node<M>>(
        self,
        label: impl Into<String>,
        sample: impl Fn() -> S + 'a,
    ) -> Self {
        self.sample(Some(label.into()), sample)
    }

    /// An event that is cast.
    pub fn event(mut self, name: impl Into<String>, sample: impl Fn() -> M::Event + 'a) -> Self {
        self.events.push(EventSample {
            name: name.into(),
            give: Box::new(move |engine| {
                engine.handle(sample(), &|| Duration::ZERO);
                Seen::Other
            }),
        });
        self
    }

    /// An event that is made of a reply: a call.
    pub fn call<T, E>(
        mut self,
        name: impl Into<String>,
        sample: impl Fn(Reply<T, E>) -> M::Event + 'a,
    ) -> Self
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.events.push(EventSample {
            name: name.into(),
            give: Box::new(move |engine| {
                let mut answer = engine.call(&sample, &|| Duration::ZERO);
                match answer.try_take() {
                    None => Seen::Nothing,
                    Some(Ok(_)) => Seen::Answer,
                    Some(Err(CallError::Failed(_))) => Seen::Failure,
                    Some(Err(CallError::NotAnswered { .. })) => Seen::NotAnswered,
                    Some(Err(_)) => Seen::Other,
                }
            }),
        });
        self
    }

    fn sample<S: Node<M>>(mut self, label: Option<String>, sample: impl Fn() -> S + 'a) -> Self {
        self.states.push(StateSample {
            label,
            make: Box::new(move || sample().wrap()),
        });
        self
    }
}

/// Runs the machine, anew for each cell and each time.
impl<M: Handler> fmt::Display for ReactionTable<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes = Vec::new();
        let mut header = vec![M::GRAPH.name.to_owned()];
        header.extend(self.events.iter().map(|event| event.name.clone()));
        let mut cells = vec![header];
        let mut sampled = vec![false; M::GRAPH.states.len()];
        for state in &self.states {
            let Started {
                engine,
                place,
                name,
            } = self.started(state);
            sampled[place] = true;
            let mut row = vec![name.clone()];
            if let Some(reason) = engine.stopped() {
                row.resize(self.events.len() + 1, "-".to_owned());
                notes.push(if M::GRAPH.states[place].terminal && reason.is_normal() {
                    format!("`{name}`: the machine ends here")
                } else {
                    format!("`{name}`: the enter call ends the machine: {reason}")
                });
                cells.push(row);
                continue;
            }
            for event in &self.events {
                let (reaction, reason) = self.reaction(state, event);
                row.push(reaction);
                if let Some(reason) = reason {
                    notes.push(format!("`{name}`, `{}`: {reason}", event.name));
                }
            }
            cells.push(row);
        }
        let unsampled = M::GRAPH.states.iter().zip(sampled);
        let unsampled: Vec<_> = unsampled
            .filter(|(state, sampled)| !sampled && !state.terminal)
            .map(|(state, _)| format!("`{}`", state.name))
            .collect();
        if !unsampled.is_empty() {
            notes.push(format!("no sample of {}", unsampled.join(", ")));
        }

        Grid::new(transposed(&cells)).fmt(f)?;
        if !notes.is_empty() {
            writeln!(f)?;
        }
        for note in notes {
            writeln!(f, "- {}", one_line(&note))?;
        }
        Ok(())
    }
}

/// A machine that has started in a sample.
struct Started<M: Handler> {
    engine: Engine<M>,
    /// The state's place in the graph.
    place: usize,
    /// The state and its label.
    name: String,
}

impl<M: Handler> ReactionTable<'_, M> {
    fn started(&self, state: &StateSample<'_, M>) -> Started<M> {
        let sample = (state.make)();
        let place = sample.index();
        let name = match &state.label {
            Some(label) => format!("{} ({label})", name_of::<M>(place)),
            None => name_of::<M>(place).to_owned(),
        };
        let limits = Limits::new(POSTPONED, INSERTED);
        let mut engine = Engine::with_limits(sample, (self.data)(), limits);
        engine.start(&|| Duration::ZERO);
        Started {
            engine,
            place,
            name,
        }
    }

    /// The text of a cell; why the machine ended, if it is not plain.
    fn reaction(
        &self,
        state: &StateSample<'_, M>,
        event: &EventSample<'_, M>,
    ) -> (String, Option<ExitReason>) {
        let mut engine = self.started(state).engine;
        let seen = (event.give)(&mut engine);
        // Enter calls postpone nothing and handle no event: these counts are the handler's.
        let counts = engine.counts();
        let (postponed, unexpected) = (counts.postponed > 0, counts.unexpected > 0);
        let mut parts: Vec<String> = Vec::new();
        let mut part = |text: &str| parts.push(text.to_owned());
        match seen {
            Seen::Answer => part("replies"),
            Seen::Failure => part("replies an error"),
            Seen::NotAnswered => part("drops the reply"),
            Seen::Nothing if !postponed => part("holds the reply"),
            Seen::Nothing | Seen::Other => {}
        }
        if postponed {
            part("postpones");
        }
        if unexpected {
            part("unexpected");
        }
        let mut terminal = false;
        match engine.moved() {
            Some((Move::Go, to)) => {
                part(&format!("→ {}", name_of::<M>(to)));
                terminal = M::GRAPH.states[to].terminal;
            }
            Some((Move::Repeat, _)) => part("repeats"),
            Some((Move::Retry, _)) => part("retries"),
            Some((Move::Keep, _)) | None => {}
        }
        let mut reason = engine.stopped().cloned();
        match &reason {
            None => {}
            Some(ExitReason::Panicked { .. }) => part("panics"),
            Some(ExitReason::Normal) if terminal => {
                part("ends");
                reason = None;
            }
            Some(_) => part("stops"),
        }
        if parts.is_empty() {
            parts.push("stays".to_owned());
        }
        if unexpected && M::UNEXPECTED != Unexpected::Warn {
            // The word says why.
            reason = None;
        }
        (parts.join(", "), reason)
    }
}

/// An aligned table, its first row and its first column being the names.
struct Grid {
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
}

impl Grid {
    fn new(mut rows: Vec<Vec<String>>) -> Self {
        for cell in rows.iter_mut().flatten() {
            *cell = one_line(cell).replace('|', "\\|");
        }
        let columns = rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let widths = (0..columns).map(width).collect();
        Grid { rows, widths }
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, row) in self.rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&self.widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if place == 0 {
                for width in &self.widths {
                    write!(f, "|{:-<1$}", "", width + 2)?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

fn transposed(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns)
        .map(|column| rows.iter().map(|row| row[column].clone()).collect())
        .collect()
}

/// The lines of a text as one.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}
