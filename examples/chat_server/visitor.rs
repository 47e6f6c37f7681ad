//! What a session has in every state.

use std::net::SocketAddr;

use super::Chat;
use super::codec::Fault;
use super::command::Command;
use super::names::{Name, is_name};

/// What a member is told about a name that cannot be one.
pub(super) const NO_NAME: &str = "* a name has 1 to 16 letters, digits, `-` and `_`";
const TAKEN: &str = "* somebody else has that name";

/// What a session knows of itself.
pub struct Visitor {
    pub(super) chat: Chat,
    peer: Option<SocketAddr>,
    /// A line of its was dropped, and the log knows.
    faulty: bool,
}

impl Visitor {
    /// A visitor of the chat, from this address if it has one.
    #[must_use]
    pub fn new(chat: Chat, peer: Option<SocketAddr>) -> Self {
        Visitor {
            chat,
            peer,
            faulty: false,
        }
    }

    /// Takes this name, or says why not.
    pub(super) fn name(&self, text: &str) -> Result<Name, &'static str> {
        if !is_name(text) {
            return Err(NO_NAME);
        }
        self.chat.names.take(text).ok_or(TAKEN)
    }

    /// What is wanted. The log hears of the first fault of a peer, and not of each.
    pub(super) fn command<'a>(
        &mut self,
        line: &'a Result<String, Fault>,
    ) -> Result<Command<'a>, Fault> {
        match line {
            Ok(line) => Ok(Command::parse(line)),
            Err(fault) => {
                if !std::mem::replace(&mut self.faulty, true) {
                    self.log(&fault.words()[2..]);
                }
                Err(*fault)
            }
        }
    }

    /// Tells the log.
    pub(super) fn log(&self, what: &str) {
        tracing::warn!(peer = ?self.peer, "{what}");
    }
}
