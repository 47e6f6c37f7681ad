//! The list of running machines.

use std::sync::{Arc, PoisonError, Weak};

use crate::engine::name_of;
use crate::machine::Machine;
use crate::sync::{Mutex, MutexGuard, shared};
use crate::watch::{Published, Status};

shared! {
    static LIST: Mutex<List> = Mutex::new(List {
        entries: Vec::new(),
        last: 0,
        full: ROOM,
    });
}

/// Entries before the list is first looked through for machines that have ended.
const ROOM: usize = 64;

/// A machine does nothing when it ends, so that one that is not listed pays for nothing: entries
/// are weak, and those of machines that have ended go when the list has doubled, or is read.
struct List {
    /// Oldest first.
    entries: Vec<Entry>,
    last: u64,
    /// How many entries there are when it is next looked through.
    full: usize,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    machine: &'static str,
    name: Arc<str>,
    published: Weak<Published>,
    state_name: fn(usize) -> &'static str,
}

/// A running machine, as [`running`] lists it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Running {
    /// Its number: no two machines of the program have the same, and later ones have a higher one.
    pub id: u64,
    /// The name of the machine's type.
    pub machine: &'static str,
    /// The name that [`Builder::list`](crate::Builder::list) gave it. Nothing keeps two machines
    /// from having the same one.
    pub name: Arc<str>,
    /// What it is doing: its state by name.
    pub status: Status,
}

/// The machines of this program that were started with [`Builder::list`](crate::Builder::list) and
/// run, oldest first.
///
/// Each is listed from its `spawn` or `build` until its end, or the drop of its driver; being listed
/// does not keep it alive. The list is a copy: a machine in it may have ended meanwhile, and then its
/// status says so. It asks the machines nothing, so one whose handler blocks is in it too.
///
/// ```
/// use statem::{Builder, Cx, Handler, Next, StateMachine, Status, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = ())]
/// enum Session {
///     #[initial]
///     #[to()]
///     Open,
/// }
///
/// impl Handler for Session {
///     fn handle(_: SessionAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let session = Builder::<Session>::new().list("203.0.113.7:4000").spawn(Open, ());
/// session.inspect().await.unwrap();
/// let running = statem::running();
/// assert_eq!((running[0].machine, &*running[0].name), ("Session", "203.0.113.7:4000"));
/// assert!(matches!(running[0].status, Status::Running("Open")));
/// session.stop().await;
/// assert!(statem::running().is_empty());
/// # });
/// ```
#[must_use]
pub fn running() -> Vec<Running> {
    // Looked through without the lock: the last to hold what a machine shows may be this.
    let entries = list().entries.clone();
    let (mut running, mut ended) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.running() {
            Some(entry) => running.push(entry),
            None => ended.push(entry.id),
        }
    }
    let mut list = list();
    list.entries
        .retain(|entry| ended.binary_search(&entry.id).is_err());
    list.full = (2 * list.entries.len()).max(ROOM);
    running
}

/// Adds a machine.
pub(super) fn add<M: Machine>(name: Arc<str>, published: &Arc<Published>) {
    let mut list = list();
    list.last += 1;
    let id = list.last;
    list.entries.push(Entry {
        id,
        machine: M::GRAPH.name,
        name,
        published: Arc::downgrade(published),
        state_name: name_of::<M>,
    });
    let full = list.entries.len() > list.full;
    drop(list);
    if full {
        let _ = running();
    }
}

impl Entry {
    /// `None` if it has ended.
    fn running(&self) -> Option<Running> {
        let status = self.published.upgrade()?.status(self.state_name);
        if matches!(status, Status::Stopped(_)) {
            return None;
        }
        Some(Running {
            id: self.id,
            machine: self.machine,
            name: self.name.clone(),
            status,
        })
    }
}

fn list() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}
