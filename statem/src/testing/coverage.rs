//! Edge coverage: the declared edges, and how often machines have taken them.

use std::any::type_name;
use std::fmt;

use crate::coverage;
use crate::machine::Machine;

/// How often each declared edge of a machine was taken in this process, up to now.
///
/// With the feature `test-util` every machine counts: on a [`Bench`](super::Bench), in an
/// [`Engine`](crate::engine::Engine) by hand or as a task of a runtime, on whatever thread. An edge
/// is taken when `go` or `go_with` of a state or of the whole view has left the one state for the
/// other, also for itself; what happens after that, in the enter call for one, does not undo it.
/// Starting, `keep`, `repeat` and [`Engine::replace`](crate::engine::Engine::replace) take no
/// edge. An edge declared on the enum is an edge of each state that is not terminal, and counted
/// for each. An edge is counted before anybody gets the replies of its transition, so a test that
/// has its answer has the count too.
///
/// # At the end of a suite
///
/// Test functions run in any order, and under some runners each in a process of its own, where no
/// count of another one is seen. So the test that asserts calls the others: a `#[test]` function is
/// a function, and so is what `#[tokio::test]` makes of an `async fn` (call it from a plain
/// `#[test]`, outside of any runtime).
///
/// ```
/// use statem::testing::{Bench, EdgeCoverage};
/// # use statem::{Cx, Handler, Next, StateMachine, unexpected};
/// #
/// # #[derive(StateMachine)]
/// # #[machine(event = Event)]
/// # #[to(Broken = "kicked")]
/// # enum Door {
/// #     #[initial]
/// #     #[to(Open = "pushed")]
/// #     Closed,
/// #     #[to(Closed)]
/// #     Open,
/// #     #[terminal]
/// #     Broken,
/// # }
/// #
/// # enum Event {
/// #     Push,
/// #     Shut,
/// #     Kick,
/// # }
/// #
/// # impl Handler for Door {
/// #     fn handle(state: DoorAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
/// #         match (state, event) {
/// #             (DoorAt::Closed(s), Event::Push) => s.go(Open),
/// #             (DoorAt::Open(s), Event::Shut) => s.go(Closed),
/// #             (state, Event::Kick) => state.go(Broken),
/// #             (_, event) => unexpected(event),
/// #         }
/// #     }
/// # }
///
/// // #[test]
/// fn a_push_opens() {
///     let mut door = Bench::new(Closed, ());
///     door.send(Event::Push);
///     assert_eq!(door.state_name(), "Open");
/// }
///
/// // #[test]
/// fn a_kick_breaks() {
///     let mut door = Bench::new(Closed, ());
///     door.send(Event::Kick);
///     assert!(door.stopped().is_some());
/// }
///
/// // #[test]
/// fn every_edge_is_taken() {
///     a_push_opens();
///     a_kick_breaks();
///     let coverage = EdgeCoverage::of::<Door>();
///     println!("{coverage}");
/// #   assert_eq!(coverage.to_string(), "\
/// # `Door`: 2 of 4 edges taken
/// #     1  Closed → Open    pushed
/// #     1  Closed → Broken  kicked
/// # never  Open   → Closed
/// # never  Open   → Broken  kicked
/// # ");
///     coverage.assert_complete();
/// }
/// # assert!(std::panic::catch_unwind(every_edge_is_taken).is_err());
/// ```
///
/// prints, in the order of the source,
///
/// ```text
/// `Door`: 2 of 4 edges taken
///     1  Closed → Open    pushed
///     1  Closed → Broken  kicked
/// never  Open   → Closed
/// never  Open   → Broken  kicked
/// ```
///
/// and fails, with the two edges in its message. A suite with a `main` of its own (`harness =
/// false`) asserts when its tests have run.
///
/// # What counts as one machine
///
/// All machines of a type, told from others by [`type_name`], which leaves out lifetimes. Each
/// instantiation of a generic machine counts by itself, as `Line<u8>` and `Line<u16>` do. Two types
/// of one name count together: two enums in two blocks of one function, for one.
///
/// A [`ReactionTable`](super::ReactionTable) runs the machine as well, and its edges count.
#[derive(Clone, Debug)]
pub struct EdgeCoverage {
    machine: &'static str,
    edges: Vec<EdgeCount>,
}

/// A declared edge, and how often it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeCount {
    /// The name of the state that it leaves.
    pub from: &'static str,
    /// The name of the state that it enters.
    pub to: &'static str,
    /// The label the user wrote: `#[to(Target = "label")]`.
    pub label: Option<&'static str>,
    /// How often machines have taken it.
    pub taken: u64,
}

impl EdgeCoverage {
    /// The counts of a machine's edges at this moment. A machine that never ran has them all at
    /// zero.
    #[must_use]
    pub fn of<M: Machine>() -> Self {
        let states = M::GRAPH.states;
        let mut edges = Vec::new();
        for (from, state) in states.iter().enumerate() {
            for edge in state.edges {
                let to = states.iter().position(|state| state.name == edge.to);
                edges.push(EdgeCount {
                    from: state.name,
                    to: edge.to,
                    label: edge.label,
                    taken: to.map_or(0, |to| coverage::taken(type_name::<M>(), from, to)),
                });
            }
        }
        EdgeCoverage {
            machine: M::GRAPH.name,
            edges,
        }
    }

    /// All declared edges, in the order of the source: a state's own, then those declared on the
    /// enum.
    pub fn edges(&self) -> impl Iterator<Item = EdgeCount> + '_ {
        self.edges.iter().copied()
    }

    /// The edges that nobody has taken, in the order of the source.
    pub fn untaken(&self) -> impl Iterator<Item = EdgeCount> + '_ {
        self.edges().filter(|edge| edge.taken == 0)
    }

    /// Fails the test if there is an edge that nobody has taken.
    ///
    /// # Panics
    ///
    /// If there is one. The message names the machine and each such edge.
    #[track_caller]
    pub fn assert_complete(&self) {
        let untaken: Vec<String> = self.untaken().map(|edge| format!("\n    {edge}")).collect();
        assert!(
            untaken.is_empty(),
            "nobody has taken {} of the {} edges of `{}`:{}\n\
             have this test call one that takes it, for others may run later or in another process; or remove \
             it from `#[to(..)]`",
            untaken.len(),
            self.edges.len(),
            self.machine,
            untaken.concat()
        );
    }
}

/// All declared edges as a table: how often, from where, to where, and the label.
impl fmt::Display for EdgeCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NEVER: &str = "never";
        let all = self.edges.len();
        let taken = all - self.untaken().count();
        writeln!(f, "`{}`: {taken} of {all} edges taken", self.machine)?;
        let lines: Vec<[String; 4]> = self
            .edges()
            .map(|edge| {
                let times = match edge.taken {
                    0 => NEVER.to_owned(),
                    times => times.to_string(),
                };
                let label = edge.label.unwrap_or_default().replace('\n', " ");
                [times, edge.from.to_owned(), edge.to.to_owned(), label]
            })
            .collect();
        let width = |column: usize| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let (times, from, to) = (width(0).max(NEVER.len()), width(1), width(2));
        for [count, leaves, enters, label] in &lines {
            let line = format!("{count:>times$}  {leaves:from$} → {enters:to$}  {label}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Display for EdgeCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.from, self.to)?;
        match self.label {
            Some(label) => write!(f, " : {label}"),
            None => Ok(()),
        }
    }
}
