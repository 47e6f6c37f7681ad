//! Names, each taken by one member at most.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Line;

/// The longest name of a member or of a room, in characters.
pub const LONGEST: usize = 16;

/// The names that are taken.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<BTreeSet<Line>>>);

/// A name that is taken, until this is dropped: it belongs to the state that has it.
pub struct Name {
    names: Names,
    text: Line,
}

impl Names {
    /// Takes a name; `None` if somebody has it.
    #[must_use]
    pub fn take(&self, text: &str) -> Option<Name> {
        let text = Line::from(text);
        let is_free = self.lock().insert(text.clone());
        is_free.then(|| Name {
            names: self.clone(),
            text,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Name {
    /// What it is.
    #[must_use]
    pub fn text(&self) -> &Line {
        &self.text
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.names.lock().remove(&self.text);
    }
}

/// Whether this may be the name of a member or of a room: one that no line of the server's can be
/// mistaken for.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed)
}
