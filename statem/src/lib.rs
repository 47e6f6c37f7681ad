#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod call_cell;
mod context;
mod counts;
#[cfg(feature = "tokio")]
mod driver;
pub mod engine;
mod error;
mod event;
pub mod graph;
mod guard;
mod handler;
#[cfg(feature = "tokio")]
mod inspect;
mod machine;
#[cfg(feature = "tokio")]
mod mailbox;
#[cfg(feature = "net")]
pub mod net;
mod reason;
mod reply;
mod scope;
mod slot;
mod source;
#[cfg(feature = "test-util")]
pub mod testing;
mod trace;
mod transition;
mod view;
#[cfg(feature = "tokio")]
mod watch;

pub use context::{Actions, CREDITS, Cx, EnterCx};
pub use counts::Counts;
#[cfg(feature = "tokio")]
pub use driver::{Builder, Call, Cast, Closed, Details, Driver, Handle, Watch, WeakHandle, spawn};
pub use error::{CallError, CastError, CastErrorKind};
pub use event::{Origin, SourceId, TimerId};
pub use graph::Graph;
pub use guard::{Guard, Timer};
pub use handler::{Handler, State};
#[cfg(feature = "tokio")]
pub use inspect::{Inspection, Waiting};
pub use machine::{Initial, Machine, Node, Payload, To, Unexpected};
pub use reason::{Bound, ExitReason};
pub use reply::{Answer, Reply};
pub use source::Source;
/// Makes a machine of an enum of states.
///
/// A variant is a state. It wraps the struct of the same state's data, or has none; then the
/// derive declares a unit struct of its name, so that every state can be a target:
/// `s.go(Connecting)`. The derive also declares the view that a handler is given: for
/// `Connection` it is `ConnectionAt`, with an [`At`] for each state that is not terminal.
///
/// | on a variant | |
/// |---|---|
/// | `#[initial]` | a machine may start here, and only where this stands |
/// | `#[to(A, B = "label")]` | where it may go, by the names of variants; to itself too, if it says so |
/// | `#[terminal]` | the machine ends here with [`ExitReason::Normal`] when its enter call has run; no edges, no handler (N16) |
///
/// | on the enum | |
/// |---|---|
/// | `#[to(..)]` | edges of every state that is not terminal; the whole view can take them: `state.go(Offline)` |
/// | `#[machine(event = Event)]` | what can happen; the one key that must be there |
/// | `data = Data` | what it keeps in every state; `()` without |
/// | `timeout = Name` | the type of the names of timeouts; `&'static str` without |
/// | `handlers = "per_state"` | a [`State`] for each state in place of one [`Handler`] |
/// | `unexpected = "warn"` | or `"stop"` or `"panic"`: what [`unexpected`] does besides counting |
/// | `keep_abandoned` | requests whose caller has gone are handled all the same (N52) |
/// | `shutdown = Event::Drain` | the event that asks it to end by itself (N59) |
/// | `crate = path` | where statem is, if not at `::statem` |
///
/// `#[to(..)]` may be repeated; an edge goes under a condition by `#[cfg_attr(condition, to(A))]`, a
/// state by `#[cfg(condition)]`. Type parameters of the enum may have any names. The structs of the
/// states must be as public as the enum; publish a client that wraps the handle rather than the
/// machine.
///
/// ```
/// use statem::{Cx, Handler, Machine, Next, StateMachine, unexpected};
///
/// #[derive(StateMachine)]
/// #[machine(event = Event)]
/// #[to(Broken = "kicked")]
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
///     Shut,
///     Kick,
/// }
///
/// impl Handler for Door {
///     fn handle(state: DoorAt<'_>, event: Event, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (DoorAt::Closed(s), Event::Push) => s.go(Open { visitors: 0 }),
///             (DoorAt::Open(mut s), Event::Visit) => {
///                 s.visitors += 1;
///                 statem::keep()
///             }
///             (DoorAt::Open(s), Event::Shut) => s.go(Closed),
///             (state, Event::Kick) => state.go(Broken),
///             (_, event) => unexpected(event),
///         }
///     }
/// }
///
/// assert_eq!(Door::GRAPH.states.len(), 3);
/// ```
pub use statem_derive::StateMachine;
pub use transition::{Next, keep, keep_and_retry, postpone, repeat, stop, unexpected};
pub use view::At;
#[cfg(feature = "tokio")]
pub use watch::Status;
