//! The mailbox M: a bounded queue of events by value behind one lock, with a waker for the driver.
//!
//! It knows no runtime. Its order is the order of arrival over messages and control requests
//! together (R18, R19); senders that wait for room stand behind it, first come, first served (N56).

mod item;
mod lives;
mod room;

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::call_cell::CallCell;
use crate::inspect::Question;
use crate::machine::Machine;
use crate::reason::ExitReason;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::watch::{Published, wake_all};
pub(crate) use item::{Control, Item, Message, Refused, Shut, Ticket, take_ahead, take_control};
use room::{Crowd, Made, Sender};

/// Questions that wait at once; more wait at their askers (N55).
const QUESTIONS: u32 = 64;
/// No shutdown was asked for.
const NEVER: u64 = u64::MAX;

pub(crate) struct Mailbox<M: Machine> {
    inner: Mutex<Inner<M>>,
    pub(crate) published: Arc<Published>,
    /// Strong handles.
    handles: AtomicUsize,
    killed: AtomicBool,
    /// Whether callers gave up requests since the last look: with none there is nothing to make
    /// room of (N53).
    abandoned: AtomicBool,
    /// When a shutdown becomes a stop, in nanoseconds since the start (N59). Not in the queue: it
    /// is ahead of it.
    shutdown_by: AtomicU64,
    /// What the machine's clock counts from.
    pub(crate) start: Instant,
    /// The limit of calls that say none.
    pub(crate) call_limit: Duration,
}

struct Inner<M: Machine> {
    items: VecDeque<Item<M>>,
    /// Messages in `items`, and those that the driver has taken and not settled.
    messages: u32,
    capacity: u32,
    /// Questions in `items`.
    questions: u32,
    /// Whether a stop was put. It stays in force, so that more of them change nothing.
    stops: bool,
    /// Whether a shutdown is in `items`.
    shuts_down: bool,
    /// Who waits for room. Made by the first one; most mailboxes are never full.
    crowd: Option<Box<Crowd<M>>>,
    /// The machine has ended, or is between two lives.
    shut: Option<Box<Shut>>,
    /// The driver's waker while it sleeps: who puts something takes it. A driver that runs looks
    /// before it parks.
    parked: Option<Waker>,
}

impl<M: Machine> Mailbox<M> {
    pub(crate) fn new(capacity: usize, call_limit: Duration, start: Instant) -> Self {
        // All items are as large as the largest, and nearly all are messages.
        const { assert!(size_of::<Control<M>>() <= size_of::<Option<Arc<dyn CallCell>>>()) }
        Mailbox {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                messages: 0,
                // A bound beyond 32 bits is none.
                capacity: capacity.try_into().unwrap_or(u32::MAX),
                questions: 0,
                stops: false,
                shuts_down: false,
                crowd: None,
                shut: None,
                parked: None,
            }),
            published: Arc::new(Published::new()),
            handles: AtomicUsize::new(1),
            killed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            shutdown_by: AtomicU64::new(NEVER),
            start,
            call_limit,
        }
    }

    /// Puts a message, if there is room and nobody waits for it (N56).
    pub(crate) fn try_put(&self, message: Message<M>) -> Result<(), Refused<Message<M>>> {
        self.try_put_by(message, Inner::put)
    }

    /// As [`Mailbox::try_put`], for a call that another machine has had (N54a): it waits again, and
    /// its deadline counts on this machine's clock. Both under the lock, for once it is in the
    /// mailbox a handler may get it.
    pub(crate) fn try_forward(&self, message: Message<M>) -> Result<(), Refused<Message<M>>> {
        self.try_put_by(message, |inner, message| {
            if let Some(call) = &message.call {
                call.set_start(self.start);
                // A machine that keeps abandoned requests will handle it all the same, so that its
                // caller is not to hear that it will not run.
                if !M::KEEP_ABANDONED {
                    call.release();
                }
            }
            inner.crowd().gone_before.get_or_insert(0);
            inner.put(message);
        })
    }

    fn try_put_by(
        &self,
        message: Message<M>,
        put: impl FnOnce(&mut Inner<M>, Message<M>),
    ) -> Result<(), Refused<Message<M>>> {
        let mut inner = self.lock();
        if let Some(shut) = inner.shuts_out() {
            return Err(Refused::Shut(message, shut.clone()));
        }
        if inner.has_room() {
            put(&mut inner, message);
            wake_driver(inner);
            return Ok(());
        }
        let made = self.make_room(&mut inner);
        let refused = if inner.has_room() {
            put(&mut inner, message);
            Ok(())
        } else {
            Err(Refused::Full(message))
        };
        wake_driver(inner);
        made.finish();
        refused
    }

    /// Puts a message behind those that wait for room.
    pub(crate) fn queue(
        &self,
        message: Message<M>,
        waker: &Waker,
    ) -> Result<u64, Refused<Message<M>>> {
        let mut inner = self.lock();
        if let Some(shut) = inner.shuts_out() {
            return Err(Refused::Shut(message, shut.clone()));
        }
        let crowd = inner.crowd();
        let ticket = crowd.next_ticket();
        crowd.senders.push_back(Sender {
            ticket,
            message,
            waker: Some(waker.clone()),
        });
        let mut made = self.make_room(&mut inner);
        made.admitted.append(&mut inner.admit());
        wake_driver(inner);
        made.finish();
        Ok(ticket)
    }

    /// What became of a waiting message; leaves the waker if it still waits.
    pub(crate) fn poll_ticket(&self, ticket: u64, waker: &Waker) -> Ticket<M> {
        let mut inner = self.lock();
        let Some(place) = inner.place_of(ticket) else {
            return Ticket::Sent;
        };
        if let Some(shut) = inner.shuts_out().cloned() {
            let sender = inner.crowd().senders.remove(place);
            return Ticket::Shut(sender.map(|sender| sender.message), shut);
        }
        let left = inner
            .crowd()
            .senders
            .get_mut(place)
            .and_then(|sender| sender.waker.replace(waker.clone()));
        drop(inner);
        drop(left);
        Ticket::Waiting
    }

    /// Takes a waiting message back: its sender has gone, so it was never sent (N56).
    pub(crate) fn withdraw(&self, ticket: u64) -> Option<Message<M>> {
        let sender = {
            let mut inner = self.lock();
            let place = inner.place_of(ticket)?;
            inner.crowd().senders.remove(place)
        };
        sender.map(|sender| sender.message)
    }

    /// Puts a stop or a shutdown, behind the messages in the mailbox and ahead of senders that wait
    /// (N55, N56). It needs no room: one of each is enough, and the first one counts.
    /// Between two lives of the machine it waits for the next one. Says how many lives have ended when
    /// that has not.
    pub(crate) fn put_control(&self, control: Control<M>) -> Result<u64, ExitReason> {
        self.put_control_by(control, None)
    }

    /// As [`Mailbox::put_control`], for a machine that is to end by this time since its start (N59).
    /// The earliest one asked for counts.
    pub(crate) fn put_control_by(
        &self,
        control: Control<M>,
        by: Option<Duration>,
    ) -> Result<u64, ExitReason> {
        let mut inner = self.lock();
        let lives = match inner.shut.as_deref() {
            Some(Shut::Stopped(reason)) => return Err(reason.clone()),
            Some(Shut::Between { lives } | Shut::Restarting { lives, .. }) => *lives,
            None => self.published.lives().0,
        };
        if let Some(by) = by {
            // Under the lock, so that it is meant for the same life.
            self.shut_down_by(by);
        }
        let merged = inner.put_control(control);
        wake_driver(inner);
        drop(merged);
        Ok(lives)
    }

    /// Puts a question, behind the messages in the mailbox and ahead of senders that wait (N55,
    /// N56). An asker that waits gets a ticket, to be given back with [`Mailbox::forget_asker`] if
    /// it goes.
    pub(crate) fn poll_ask(
        &self,
        question: &mut Option<Box<Question<M>>>,
        asker: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<Result<(), Shut>> {
        let mut inner = self.lock();
        match inner.shut.as_deref() {
            None | Some(Shut::Between { .. }) => {}
            // Also where messages wait for the next life: there is nothing to look at.
            Some(shut) => return Poll::Ready(Err(shut.clone())),
        }
        if inner.questions >= QUESTIONS {
            let crowd = inner.crowd();
            let ticket = *asker.get_or_insert_with(|| crowd.next_ticket());
            let left = crowd.askers.insert(ticket, waker.clone());
            drop(inner);
            drop(left);
            return Poll::Pending;
        }
        if let Some(question) = question.take() {
            inner.questions += 1;
            inner.items.push_back(Item::Control(Control::Ask(question)));
        }
        wake_driver(inner);
        Poll::Ready(Ok(()))
    }

    /// An asker has gone.
    pub(crate) fn forget_asker(&self, ticket: u64) {
        let mut inner = self.lock();
        let left = inner.crowd().askers.remove(&ticket);
        drop(inner);
        drop(left);
    }

    /// A strong handle was made of a strong handle.
    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A strong handle is to be made of a weak one: not if there is none left.
    pub(crate) fn upgrade(&self) -> bool {
        self.handles
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |handles| {
                (handles > 0).then_some(handles + 1)
            })
            .is_ok()
    }

    /// A strong handle was dropped. After the last one the machine handles what waits, and ends
    /// (N58).
    pub(crate) fn drop_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            // An ended machine needs it no more.
            let _ = self.put_control(Control::NoHandles);
        }
    }

    /// Kills the life that runs, or the first one; between two lives there is nobody to be killed.
    pub(crate) fn kill(&self) {
        let inner = self.lock();
        if inner.shut.is_none() {
            self.killed.store(true, Ordering::Release);
            wake_driver(inner);
        }
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    fn shut_down_by(&self, by: Duration) {
        self.shutdown_by.fetch_min(
            u64::try_from(by.as_nanos()).unwrap_or(NEVER),
            Ordering::Relaxed,
        );
    }

    /// When a shutdown becomes a stop.
    pub(crate) fn shutdown_by(&self) -> Option<Duration> {
        let by = self.shutdown_by.load(Ordering::Relaxed);
        (by != NEVER).then(|| Duration::from_nanos(by))
    }

    /// A caller gave up its request.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    /// Moves up to `most` items to the driver, whose batch is empty. They keep their room until
    /// they are settled.
    pub(crate) fn take(&self, batch: &mut VecDeque<Item<M>>, most: usize) {
        let mut inner = self.lock();
        let parked = inner.parked.take();
        if inner.items.len() <= most && inner.items.capacity() <= 2 * most {
            std::mem::swap(&mut inner.items, batch);
        } else {
            let taken = most.min(inner.items.len());
            batch.extend(inner.items.drain(..taken));
            // A queue that grew in a burst gives its room back.
            if inner.items.is_empty() {
                inner.items = VecDeque::new();
            }
        }
        if inner.questions > 0 || inner.shuts_down {
            for item in batch.iter() {
                match item {
                    Item::Control(Control::Ask(_)) => inner.questions -= 1,
                    Item::Control(Control::Shutdown) => inner.shuts_down = false,
                    Item::Control(_) | Item::Message(_) => {}
                }
            }
            let askers = inner.take_askers();
            drop(inner);
            wake_all(askers.into_values());
        } else {
            drop(inner);
        }
        drop(parked);
    }

    /// Takes back, in front of all others, what was taken and will not be handled soon: here it makes
    /// room if its callers go, or have gone (N53).
    pub(crate) fn take_back(&self, batch: &mut VecDeque<Item<M>>) {
        let mut inner = self.lock();
        while let Some(item) = batch.pop_back() {
            match &item {
                Item::Control(Control::Ask(_)) => inner.questions += 1,
                Item::Control(Control::Shutdown) => inner.shuts_down = true,
                Item::Control(_) | Item::Message(_) => {}
            }
            inner.items.push_front(item);
        }
        // Whoever looked for room meanwhile did not see them.
        self.abandon();
        let waits = inner
            .crowd
            .as_ref()
            .is_some_and(|crowd| !crowd.senders.is_empty());
        let made = if waits {
            self.make_room(&mut inner)
        } else {
            Made::default()
        };
        drop(inner);
        made.finish();
    }

    /// Takes out what goes ahead of the messages before it, in order (N30).
    pub(crate) fn take_ahead(&self) -> Vec<Item<M>> {
        let mut inner = self.lock();
        if inner.questions == 0 && !inner.stops {
            return Vec::new();
        }
        inner.questions = 0;
        let ahead = take_ahead(&mut inner.items);
        let askers = inner.take_askers();
        drop(inner);
        wake_all(askers.into_values());
        ahead
    }

    /// Takes out the next control request for a machine that is suspended.
    pub(crate) fn take_control(&self) -> Option<Control<M>> {
        let mut inner = self.lock();
        let control = take_control(&mut inner.items)?;
        if matches!(control, Control::Ask(_)) {
            inner.questions -= 1;
            let askers = inner.take_askers();
            drop(inner);
            wake_all(askers.into_values());
        }
        Some(control)
    }

    /// The driver has handled this many messages: their room is free, and those that wait are let
    /// in (N20 e).
    ///
    /// With a waker the driver wants to sleep. False if it may not: something waits, or it was
    /// killed. While the machine is suspended messages may wait.
    pub(crate) fn settle(&self, handled: u16, park: Option<&Waker>, suspended: bool) -> bool {
        let mut inner = self.lock();
        inner.messages -= u32::from(handled);
        let admitted = if inner.crowd.is_some() {
            inner.admit()
        } else {
            Vec::new()
        };
        let rests = (inner.items.is_empty()
            || suspended && !inner.items.iter().any(Item::is_served_suspended))
            && !self.is_killed();
        let parked = if rests {
            std::mem::replace(&mut inner.parked, park.cloned())
        } else {
            None
        };
        drop(inner);
        drop(parked);
        wake_all(admitted);
        rests
    }

    /// Messages that wait, and senders that wait for room.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        let inner = self.lock();
        (
            inner.messages as usize,
            inner.crowd.as_ref().map_or(0, |crowd| crowd.senders.len()),
        )
    }

    /// Abandoned requests that the machine never saw.
    pub(crate) fn removed(&self) -> u64 {
        self.lock().crowd.as_ref().map_or(0, |crowd| crowd.removed)
    }

    /// Closes the mailbox (N61 step 2): calls that come get the reason, casts are given back. Once
    /// more if the reason is replaced.
    pub(crate) fn close(&self, reason: &ExitReason) {
        let mut inner = self.lock();
        let replaced = inner.shut.replace(Box::new(Shut::Stopped(reason.clone())));
        let askers = inner.take_askers();
        let senders = inner.crowd.iter_mut().flat_map(|crowd| &mut crowd.senders);
        let senders: Vec<_> = senders.filter_map(|sender| sender.waker.take()).collect();
        drop(inner);
        drop(replaced);
        wake_all(askers.into_values().chain(senders));
    }

    /// What is left in a closed mailbox, in order (N61 step 7): the items, then the calls that
    /// waited for room. Casts that waited stay for their senders to take back.
    pub(crate) fn take_closed(&self) -> VecDeque<Item<M>> {
        let mut inner = self.lock();
        let mut closed = std::mem::take(&mut inner.items);
        closed.extend(inner.take_calls().into_iter().map(Item::Message));
        closed
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Inner<M> {
    fn put(&mut self, message: Message<M>) {
        self.messages += 1;
        self.items.push_back(Item::Message(message));
    }

    /// Of stops and of shutdowns one is enough, and the first one counts: gives back another, whose
    /// reason is the user's, to be dropped without the lock.
    fn put_control(&mut self, control: Control<M>) -> Option<Control<M>> {
        let is_merged = match &control {
            Control::Stop(_) => std::mem::replace(&mut self.stops, true),
            Control::Shutdown => std::mem::replace(&mut self.shuts_down, true),
            Control::NoHandles | Control::Ask(_) | Control::Kept(_) => false,
        };
        if is_merged {
            return Some(control);
        }
        self.items.push_back(Item::Control(control));
        None
    }
}

/// Wakes the driver if it sleeps. Wakers are foreign code: they run without the lock.
fn wake_driver<M: Machine>(mut inner: MutexGuard<'_, Inner<M>>) {
    let parked = inner.parked.take();
    drop(inner);
    if let Some(waker) = parked {
        waker.wake();
    }
}
