//! Machines by name: [`Registry`].

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, PoisonError};

use super::Builder;
use super::handle::{Handle, WeakHandle};
use super::task::Driver;
use crate::engine::Engine;
use crate::handler::Handler;
use crate::machine::{Initial, Machine};
use crate::sync::{Mutex, MutexGuard};
use crate::watch::Status;

/// Machines of one type by name: at most one for each name at a time (R83).
///
/// It is a value: make one where it is needed and clone it for each user. A name is taken before
/// the machine's init runs, and free again when everything that the machine held has been dropped
/// and before its end is reported (N61): whoever has seen [`closed`](Handle::closed) may start the
/// next one. It has as many entries as machines are alive.
///
/// Names are compared, and for [`names`](Registry::names) cloned, under the registry's lock: how that
/// is done must not use the registry.
///
/// A registry does not keep its machines alive (N58): for one that is to live by its name alone
/// [`detach`](Handle::detach) the handle. Nor does it end them when it is dropped.
///
/// A machine that a supervisor starts again has its name in all its lives:
/// [`Spec::registered`](crate::supervisor::Spec::registered).
///
/// ```
/// use statem::{Builder, Cx, ExitReason, Handler, Next, Registry, Reply, StateMachine, keep};
///
/// #[derive(StateMachine)]
/// #[machine(event = Reply<u32>, data = u32)]
/// enum Room {
///     #[initial]
///     #[to()]
///     Open,
/// }
///
/// impl Handler for Room {
///     fn handle(_: RoomAt<'_>, reply: Reply<u32>, size: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
///         let _ = reply.send(*size);
///         keep()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let rooms: Registry<String, Room> = Registry::new();
/// let kitchen = rooms.spawn("kitchen".into(), Builder::new(), Open, 12).unwrap();
///
/// // Started already: whoever comes second gets the machine that holds the name.
/// let started = rooms.spawn("kitchen".into(), Builder::new(), Open, 99).unwrap_err();
/// let holder = started.holder.upgrade().unwrap();
/// assert_eq!(holder.call(|reply| reply).await.unwrap(), 12);
/// assert!(rooms.get("kitchen").is_some() && rooms.get("attic").is_none());
///
/// // The name is free when the end is known.
/// kitchen.stop().await;
/// assert!(rooms.names().is_empty());
/// rooms.spawn("kitchen".into(), Builder::new(), Open, 99).unwrap();
/// # });
/// ```
pub struct Registry<Name, M: Machine> {
    entries: Arc<Entries<Name, M>>,
}

/// One entry for each machine that is alive, made and removed by its [`Registered`].
struct Entries<Name, M: Machine>(Mutex<BTreeMap<Name, WeakHandle<M>>>);

/// The name was not free: the machine was not started, and its init has not run (R83).
///
/// A holder that has lost its last handle may still be ending: then `holder.upgrade()` gives
/// nothing, and the name is free after [`holder.closed()`](WeakHandle::closed).
pub struct AlreadyStarted<M: Machine> {
    /// The machine that has the name.
    pub holder: WeakHandle<M>,
}

impl<Name: Ord, M: Machine> Registry<Name, M> {
    /// A registry without machines.
    #[must_use]
    pub fn new() -> Self {
        Registry {
            entries: Arc::new(Entries(Mutex::new(BTreeMap::new()))),
        }
    }

    /// The machine of this name. `None` also when it has lost its last handle and is about to end.
    #[must_use]
    pub fn get<Q>(&self, name: &Q) -> Option<Handle<M>>
    where
        Name: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let holder = self.entries.lock().get(name).cloned();
        holder?.upgrade()
    }

    /// The names of the machines that are alive, in order. With [`Registry::get`] and
    /// [`Handle::status`] the list of what runs, and in which states.
    #[must_use]
    pub fn names(&self) -> Vec<Name>
    where
        Name: Clone,
    {
        self.entries.lock().keys().cloned().collect()
    }

    /// Starts a machine under a name, as [`Builder::spawn`].
    ///
    /// # Errors
    ///
    /// [`AlreadyStarted`] with the machine that has the name; then `state` and `data` are dropped.
    ///
    /// # Panics
    ///
    /// As [`Builder::spawn`]; the name is free then.
    pub fn spawn(
        &self,
        name: Name,
        builder: Builder<M>,
        state: impl Initial<M>,
        data: M::Data,
    ) -> Result<Handle<M>, AlreadyStarted<M>>
    where
        Name: Clone + Send + 'static,
        M: Handler + Send + 'static,
        M::Event: Send,
        M::Data: Send,
    {
        let (handle, driver) = self.build(name, builder, state, data)?;
        drop(tokio::spawn(driver));
        Ok(handle)
    }

    /// As [`Builder::build`], under a name: for a machine that runs on the task one is in (R93), or
    /// as the [child](crate::Actions::start) of another one. The name is taken from here on, until
    /// the driver has ended or is dropped.
    ///
    /// # Errors
    ///
    /// As [`Registry::spawn`].
    pub fn build(
        &self,
        name: Name,
        builder: Builder<M>,
        state: impl Initial<M>,
        data: M::Data,
    ) -> Result<(Handle<M>, Driver<M>), AlreadyStarted<M>>
    where
        Name: Clone + Send + 'static,
        M: Handler + 'static,
        M::Event: Send,
    {
        let handle = builder.handle();
        let registered = self.register(name, handle.downgrade())?;
        let mut driver = builder.driver(&handle, |limits| {
            Engine::with_limits(state.wrap(), data, limits)
        });
        driver.set_name(Box::new(registered));
        Ok((handle, driver))
    }

    /// The name belongs to the machine until what is returned is dropped.
    pub(crate) fn register(
        &self,
        name: Name,
        machine: WeakHandle<M>,
    ) -> Result<Registered<Name, M>, AlreadyStarted<M>>
    where
        Name: Clone,
    {
        // A name is a value of the user's: this one is cloned and dropped without the lock.
        let key = name.clone();
        let mut entries = self.entries.lock();
        if let Some(holder) = entries.get(&name).cloned() {
            drop(entries);
            return Err(AlreadyStarted { holder });
        }
        entries.insert(key, machine);
        drop(entries);
        Ok(Registered {
            entries: self.entries.clone(),
            name,
        })
    }
}

impl<Name, M: Machine> Entries<Name, M> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, WeakHandle<M>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Name, M: Machine> Clone for Registry<Name, M> {
    fn clone(&self) -> Self {
        Registry {
            entries: self.entries.clone(),
        }
    }
}

impl<Name: Ord, M: Machine> Default for Registry<Name, M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Name, M: Machine> fmt::Debug for Registry<Name, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("machine", &M::GRAPH.name)
            .field("machines", &self.entries.lock().len())
            .finish()
    }
}

/// Owns a name; the machine's driver has it, or what outlives its lives.
pub(crate) struct Registered<Name: Ord, M: Machine> {
    entries: Arc<Entries<Name, M>>,
    name: Name,
}

impl<Name: Ord, M: Machine> Drop for Registered<Name, M> {
    fn drop(&mut self) {
        // The name is dropped without the lock.
        let entry = self.entries.lock().remove_entry(&self.name);
        drop(entry);
    }
}

impl<M: Machine> fmt::Debug for AlreadyStarted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlreadyStarted")
            .field("holder", &self.holder)
            .finish()
    }
}

impl<M: Machine> fmt::Display for AlreadyStarted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = M::GRAPH.name;
        match self.holder.status() {
            Some(Status::Running(state)) => write!(
                f,
                "a `{machine}` of this name runs already, in state `{state}`: use its handle"
            ),
            Some(Status::Starting | Status::Restarting) => write!(
                f,
                "a `{machine}` of this name was started already: use its handle"
            ),
            Some(Status::Stopped(_)) | None => write!(
                f,
                "a `{machine}` of this name had been started and has ended meanwhile: try again"
            ),
        }
    }
}

impl<M: Machine> Error for AlreadyStarted<M> {}
