//! The events of the interpreter machines, and those who wait for an answer.

use std::fmt;
use std::sync::{Arc, Mutex};

use statem::{Origin, Reply};

use crate::case::{Kind, Name, Timeout};
use crate::interpreter::lock;

/// An event. It tells its type itself, as one that was inserted under another type has none.
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) content: Name,
    pub(crate) caller: Option<Arc<Caller>>,
    /// Whether it was inserted by the machine.
    pub(crate) inserted: bool,
}

impl Event {
    pub(crate) fn new(kind: Kind, content: Name) -> Self {
        Event {
            kind,
            content,
            caller: None,
            inserted: false,
        }
    }

    pub(crate) fn call(content: Name, id: usize, reply: Reply<Name>) -> Self {
        let caller = Caller {
            id,
            reply: Mutex::new(Some(reply)),
        };
        Event {
            caller: Some(Arc::new(caller)),
            ..Event::new(Kind::Call, content)
        }
    }

    pub(crate) fn inserted(kind: Kind, content: Name, caller: Option<Arc<Caller>>) -> Self {
        Event {
            kind,
            content,
            caller,
            inserted: true,
        }
    }

    /// The origin that the engine must tell.
    pub(crate) fn origin(&self) -> Origin<Name> {
        match self.kind {
            _ if self.inserted => Origin::Inserted,
            Kind::Call => Origin::Call,
            Kind::Cast | Kind::Info => Origin::Cast,
            Kind::Timeout(Timeout::State) => Origin::StateTimeout,
            Kind::Timeout(Timeout::Event) => Origin::EventTimeout,
            Kind::Timeout(Timeout::Named(name)) => Origin::Timeout(name),
            Kind::Inserted | Kind::Enter => Origin::Inserted,
        }
    }
}

/// As traces show it: a call with the number of its caller.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.content.fmt(f)?;
        match &self.caller {
            Some(caller) => write!(f, "#{}", caller.id),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.kind)
    }
}

/// OTP's `From` is a plain value: it can be kept and used at once. A reply is used once, so those
/// who hold a caller share it.
pub(crate) struct Caller {
    pub(crate) id: usize,
    reply: Mutex<Option<Reply<Name>>>,
}

impl Caller {
    /// The reply, the first time.
    pub(crate) fn take(&self) -> Option<Reply<Name>> {
        lock(&self.reply).take()
    }
}
