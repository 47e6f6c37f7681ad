#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "tokio")]
mod backoff;
mod call_cell;
mod context;
mod counts;
#[cfg(feature = "test-util")]
mod coverage;
#[cfg(feature = "tokio")]
mod driver;
pub mod engine;
mod error;
mod event;
pub mod graph;
mod guard;
// Pages of the documentation, and nothing else.
#[cfg(all(doc, feature = "net"))]
pub mod guide;
mod handler;
#[cfg(feature = "tokio")]
mod inspect;
mod machine;
#[cfg(feature = "tokio")]
mod mailbox;
#[cfg(feature = "net")]
pub mod net;
mod reason;
#[cfg(feature = "tokio")]
mod record;
mod reply;
mod scope;
mod slot;
#[cfg(feature = "serde")]
pub mod snapshot;
mod source;
#[cfg(feature = "tokio")]
pub mod supervisor;
mod sync;
#[cfg(feature = "test-util")]
pub mod testing;
mod trace;
mod transition;
mod view;
#[cfg(feature = "tokio")]
mod watch;

#[cfg(feature = "tokio")]
pub use backoff::Backoff;
#[doc(hidden)]
pub use context::Answering;
pub use context::{Actions, CREDITS, Cx, EnterCx};
pub use counts::Counts;
#[cfg(feature = "tokio")]
pub use driver::{
    AlreadyStarted, Builder, Call, Cast, Child, Closed, Details, Driver, Handle, Registry, Request,
    Running, Watch, WeakHandle, running, spawn,
};
#[cfg(feature = "tokio")]
pub use error::Panic;
pub use error::{CallError, CastError, CastErrorKind};
pub use event::{Origin, SourceId, TimerId};
pub use graph::Graph;
pub use guard::{Guard, Timer};
#[doc(hidden)]
pub use handler::Callbacks;
pub use handler::{Handler, State};
#[cfg(feature = "tokio")]
pub use inspect::{Inspection, Waiting};
pub use machine::{Initial, Machine, Node, Payload, To, Unexpected};
#[doc(hidden)]
pub use machine::{IsEvent, Living};
pub use reason::{Bound, ExitReason};
pub use reply::{Answer, Reply};
pub use source::Source;
/// Makes a client of an event enum: what can be asked of the machine, as methods.
///
/// A variant marked `#[call]` is a method that asks and waits for the answer, one marked `#[cast]` a
/// method that tells. Variants that are not marked stay the machine's own: nobody outside can forge a
/// timeout or an event of a socket, as long as the enum is private or no [`Handle`] is given out. The
/// client names neither the enum nor the machine, so both may be private where it is public.
///
/// | on a variant | method |
/// |---|---|
/// | `#[call]` | `fn get(&self, key: String) -> impl` [`Request<Value, Error>`](Request), awaited to `Result<Value, CallError<Error>>` |
/// | `#[call(limit = expression)]` | the same, with a limit in place of the machine's own; made at each call, from the parameters if it likes |
/// | `#[cast]` | `async fn forget(&self, key: String) -> Result<(),` [`CastErrorKind`]`>`, which waits for room in the mailbox |
///
/// | on the enum | |
/// |---|---|
/// | `#[client(machine = Connection)]` | the machine whose event it is; the one key that must be there |
/// | `name = pub Redis` | the client's name, after a visibility if it is not the enum's; `ConnectionClient` without |
/// | `crate = path` | where statem is, if not at `::statem` |
///
/// A method has the name of its variant in snake case, its documentation and its deprecation; it is
/// as visible as the client. Its parameters are the fields in their order, under their names; a field
/// alone that has none is `value`. The one field of a call whose type is written `Reply<..>` is no
/// parameter: it is the way back. It is to say both its types: behind an alias that hides one the
/// derive cannot see it. The client has the parameters of the enum, with bounds and defaults; the
/// enum needs the bounds that its machine has.
///
/// A cast is sent when it is polled; dropped while it waits for room it has sent nothing. On `Err` the
/// event is gone, and only the kind comes back. It has no limit. For [`Handle::try_cast`], which does
/// not wait, write a method of one's own on the handle.
///
/// The client is made `From` a [`Handle`], and is `Clone` and `Debug`. Like a handle it keeps the
/// machine alive. The handle is its field `handle`, which the module of the enum can use: there an
/// `impl Redis` adds what else is to be public, such as an end. Needs the feature `tokio`.
///
/// ```
/// use std::time::Duration;
/// use statem::{CallError, Request};
///
/// mod counter {
///     use std::time::Duration;
///     use statem::{Client, Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, spawn};
///
///     #[derive(StateMachine)]
///     #[machine(event = Event, data = u64)]
///     enum Machine {
///         #[initial]
///         #[to(Counting)]
///         Counting,
///     }
///
///     #[derive(Client)]
///     #[client(machine = Machine, name = pub Counter)]
///     enum Event {
///         /// The sum of all that was added, and this.
///         #[call(limit = Duration::from_secs(1))]
///         Add { number: u64, reply: Reply<u64, Overflow> },
///         /// Begins at zero again.
///         #[cast]
///         Clear,
///         /// Nobody outside can send this.
///         Tick,
///     }
///
///     /// The sum would be too large.
///     #[derive(Debug)]
///     pub struct Overflow;
///
///     impl Handler for Machine {
///         fn handle(_: MachineAt<'_>, event: Event, sum: &mut u64, _: &mut Cx<Self>) -> Next<Self> {
///             match event {
///                 Event::Add { number, reply } => match sum.checked_add(number) {
///                     Some(next) => {
///                         *sum = next;
///                         let _ = reply.send(next);
///                     }
///                     None => drop(reply.fail(Overflow)),
///                 },
///                 Event::Clear => *sum = 0,
///                 Event::Tick => {}
///             }
///             keep()
///         }
///     }
///
///     impl Counter {
///         pub fn start() -> Self {
///             spawn(Counting, 0).into()
///         }
///
///         pub async fn stop(&self) -> ExitReason {
///             self.handle.stop().await
///         }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let counter = counter::Counter::start();
/// assert_eq!(counter.add(2).await.unwrap(), 2);
/// let full = counter.add(u64::MAX).limit(Duration::from_millis(100)).await;
/// assert!(matches!(full, Err(CallError::Failed(counter::Overflow))));
/// counter.clear().await.unwrap();
/// assert_eq!(counter.add(3).await.unwrap(), 3);
/// counter.stop().await;
/// # });
/// ```
#[cfg(feature = "tokio")]
pub use statem_derive::Client;
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
/// | `#[to()]` | it stays here until it is stopped: a state has a way out or an edge to itself, is terminal, or says so |
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
/// On the page of the enum rustdoc shows a picture of the states and the transitions with their
/// labels. [`Machine::GRAPH`] has the same as data, and as Mermaid and DOT source.
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
