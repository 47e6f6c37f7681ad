//! What is put into a mailbox, and what becomes of it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::call_cell::{CallCell, Kept};
use crate::inspect::Question;
use crate::machine::Machine;
use crate::reason::ExitReason;

/// What waits in the mailbox.
pub(crate) enum Item<M: Machine> {
    Message(Message<M>),
    Control(Control<M>),
}

pub(crate) struct Message<M: Machine> {
    pub(crate) event: M::Event,
    /// The call it belongs to; a cast has none.
    pub(crate) call: Option<Arc<dyn CallCell>>,
}

/// What is asked of the driver rather than of the machine (N55).
pub(crate) enum Control<M: Machine> {
    /// In a box: a control request is not to be larger than the smallest message.
    Stop(Box<ExitReason>),
    /// The machine is to end by itself; by when the mailbox knows (N59).
    Shutdown,
    /// The last strong handle is gone (N58).
    NoHandles,
    /// In a box, as well.
    Ask(Box<Question<M>>),
    /// An event that was kept from an earlier life (N76); not asked of the driver, but as seldom as
    /// what is.
    Kept(Box<Kept<M::Event>>),
}

impl<M: Machine> Message<M> {
    pub(super) fn kept(self) -> Kept<M::Event> {
        let Message { event, call } = self;
        let is_call = call.is_some();
        Kept::new(event, call, is_call)
    }
}

impl<M: Machine> Item<M> {
    /// Whether it takes room.
    pub(super) fn is_message(&self) -> bool {
        matches!(self, Item::Message(_) | Item::Control(Control::Kept(_)))
    }

    pub(super) fn is_question(&self) -> bool {
        matches!(self, Item::Control(Control::Ask(_)))
    }

    /// Whether it asks the machine to end.
    pub(super) fn is_end(&self) -> bool {
        matches!(
            self,
            Item::Control(Control::Stop(_) | Control::Shutdown | Control::NoHandles)
        )
    }

    /// The event, to be kept.
    pub(super) fn kept(self) -> Result<Box<Kept<M::Event>>, Control<M>> {
        match self {
            Item::Message(message) => Ok(Box::new(message.kept())),
            Item::Control(Control::Kept(kept)) => Ok(kept),
            Item::Control(control) => Err(control),
        }
    }

    /// Whether it goes ahead of the messages that wait, while a chain does not end (N30). The other
    /// control requests keep their place: what was sent before them is handled first.
    pub(crate) fn goes_ahead(&self) -> bool {
        matches!(self, Item::Control(Control::Stop(_) | Control::Ask(_)))
    }

    /// Whether it is served while the machine is suspended (N72). A shutdown is an event, and waits.
    pub(super) fn is_served_suspended(&self) -> bool {
        self.goes_ahead() || matches!(self, Item::Control(Control::NoHandles))
    }
}

/// Why an item was not put.
pub(crate) enum Refused<T> {
    Full(T),
    Shut(T, Shut),
}

/// Why a mailbox takes nothing.
#[derive(Clone)]
pub(crate) enum Shut {
    /// The machine has ended.
    Stopped(ExitReason),
    /// So many lives of the machine have ended, and it is not said yet whether there is another: till
    /// then all is taken (N76).
    Between { lives: u64 },
    /// There is to be another; with `keeps` messages are taken all the same (N77).
    Restarting { lives: u64, keeps: bool },
}

/// What became of a message that waits for room.
pub(crate) enum Ticket<M: Machine> {
    Waiting,
    /// It is in the mailbox, or was.
    Sent,
    /// The machine ended first; a cast is given back.
    Shut(Option<Message<M>>, Shut),
}

/// Takes out what goes ahead, in order.
pub(crate) fn take_ahead<M: Machine>(items: &mut VecDeque<Item<M>>) -> Vec<Item<M>> {
    let mut ahead = Vec::new();
    // Mostly there is nothing.
    if items.iter().any(Item::goes_ahead) {
        let mut stay = VecDeque::with_capacity(items.len());
        for item in items.drain(..) {
            if item.goes_ahead() {
                ahead.push(item);
            } else {
                stay.push_back(item);
            }
        }
        *items = stay;
    }
    ahead
}

/// Takes out the first control request that is served while the machine is suspended. One at a time:
/// after a resume the others have their places among the messages again.
pub(crate) fn take_control<M: Machine>(items: &mut VecDeque<Item<M>>) -> Option<Control<M>> {
    let place = items.iter().position(Item::is_served_suspended)?;
    match items.remove(place) {
        Some(Item::Control(control)) => Some(control),
        _ => None,
    }
}
