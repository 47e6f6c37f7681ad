//! Room in the mailbox: who waits for it, and how it is made (N53, N56).

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use super::item::{Control, Item, Message};
use super::{Inner, Mailbox};
use crate::call_cell::Kept;
use crate::machine::Machine;
use crate::reply::callers_gone;
use crate::sync::atomic::Ordering;
use crate::watch::wake_all;

/// Those who wait.
pub(super) struct Crowd<M: Machine> {
    /// Askers that wait for room for a control request, by ticket.
    pub(super) askers: BTreeMap<u64, Waker>,
    /// Messages that wait for room, by ticket.
    pub(super) senders: VecDeque<Sender<M>>,
    last_ticket: u64,
    /// Abandoned requests that were removed to make room (N53).
    pub(super) removed: u64,
    /// The callers that had gone, of any machine, when the mailbox was last looked through. `None`
    /// as long as no call was forwarded here: the caller of one tells the machine that it called.
    pub(super) gone_before: Option<usize>,
}

/// A message that waits.
pub(super) struct Sender<M: Machine> {
    pub(super) ticket: u64,
    pub(super) message: Message<M>,
    pub(super) waker: Option<Waker>,
}

impl<M: Machine> Mailbox<M> {
    /// At the bound, requests whose callers have gone make room before anything live waits or is
    /// refused (N53).
    pub(super) fn make_room(&self, inner: &mut Inner<M>) -> Made<M> {
        let mut made = Made::default();
        if M::KEEP_ABANDONED {
            return made;
        }
        let told = self.abandoned.swap(false, Ordering::AcqRel);
        if !inner.more_have_gone() && !told {
            return made;
        }
        let mut kept = VecDeque::with_capacity(inner.items.len());
        for item in inner.items.drain(..) {
            match item {
                Item::Message(message)
                    if message.call.as_ref().is_some_and(|call| call.is_gone()) =>
                {
                    made.gone.push(message);
                    inner.messages -= 1;
                }
                Item::Control(Control::Kept(kept)) if kept.call.is_gone() => {
                    let Kept { event, call, .. } = *kept;
                    let call = Some(call);
                    made.gone.push(Message { event, call });
                    inner.messages -= 1;
                }
                item => kept.push_back(item),
            }
        }
        inner.items = kept;
        inner.crowd().removed += made.gone.len() as u64;
        made.admitted = inner.admit();
        made
    }
}

impl<M: Machine> Inner<M> {
    /// Lets waiting messages in while there is room. Gives the wakers of their senders.
    pub(super) fn admit(&mut self) -> Vec<Waker> {
        let mut admitted = Vec::new();
        while self.messages < self.capacity {
            let Some(sender) = self
                .crowd
                .as_mut()
                .and_then(|crowd| crowd.senders.pop_front())
            else {
                break;
            };
            self.put(sender.message);
            admitted.extend(sender.waker);
        }
        admitted
    }

    /// Whether callers of forwarded calls may have gone since this was last asked.
    fn more_have_gone(&mut self) -> bool {
        let before = self
            .crowd
            .as_mut()
            .and_then(|crowd| crowd.gone_before.as_mut());
        before.is_some_and(|before| {
            let gone = callers_gone();
            std::mem::replace(before, gone) != gone
        })
    }

    /// Takes out the calls that wait for room, in order. Casts stay, for their senders to take back.
    pub(super) fn take_calls(&mut self) -> Vec<Message<M>> {
        let mut calls = Vec::new();
        if let Some(crowd) = &mut self.crowd {
            for sender in std::mem::take(&mut crowd.senders) {
                if sender.message.call.is_some() {
                    calls.push(sender.message);
                } else {
                    crowd.senders.push_back(sender);
                }
            }
        }
        calls
    }

    pub(super) fn place_of(&self, ticket: u64) -> Option<usize> {
        self.crowd
            .as_ref()?
            .senders
            .binary_search_by_key(&ticket, |sender| sender.ticket)
            .ok()
    }

    /// Whether a message may be put now: not before those that wait (N56).
    pub(super) fn has_room(&self) -> bool {
        let nobody_waits = self
            .crowd
            .as_ref()
            .is_none_or(|crowd| crowd.senders.is_empty());
        nobody_waits && self.messages < self.capacity
    }

    pub(super) fn take_askers(&mut self) -> BTreeMap<u64, Waker> {
        self.crowd
            .as_mut()
            .map_or_else(BTreeMap::new, |crowd| std::mem::take(&mut crowd.askers))
    }

    pub(super) fn crowd(&mut self) -> &mut Crowd<M> {
        self.crowd.get_or_insert_with(|| {
            Box::new(Crowd {
                askers: BTreeMap::new(),
                senders: VecDeque::new(),
                last_ticket: 0,
                removed: 0,
                gone_before: None,
            })
        })
    }
}

impl<M: Machine> Crowd<M> {
    pub(super) fn next_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }
}

/// What making room leaves to be done without the lock, for all of it is foreign code.
pub(super) struct Made<M: Machine> {
    pub(super) gone: Vec<Message<M>>,
    pub(super) admitted: Vec<Waker>,
}

impl<M: Machine> Made<M> {
    pub(super) fn finish(self) {
        wake_all(self.admitted);
        for message in self.gone {
            // It is not the sender's fault, who only happens to need the room.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(message))) {
                crate::trace::warning!(
                    machine = M::GRAPH.name,
                    "the `Drop` of an abandoned event panicked"
                );
                std::mem::forget(payload);
            }
        }
    }
}

impl<M: Machine> Default for Made<M> {
    fn default() -> Self {
        Made {
            gone: Vec::new(),
            admitted: Vec::new(),
        }
    }
}
