//! What happened to the events of a machine, in numbers.

/// How often things happened (N48), each event counted once however often it was retried.
///
/// At rest, received = consumed + waiting + postponed now + refused + abandoned + discarded +
/// dropped at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Events that came in, from wherever.
    pub received: u64,
    /// Handler calls, retries included; enter calls are not events (R7).
    pub handled: u64,
    /// Events that a handler kept.
    pub consumed: u64,
    /// Times an event was postponed.
    pub postponed: u64,
    /// Events that could not be postponed for want of room (N45).
    pub refused: u64,
    /// Requests whose caller had gone (N52).
    pub abandoned: u64,
    /// Outputs whose source was dropped before they were handled (N36).
    pub discarded: u64,
    /// Events that a handler called unexpected; they count as consumed too.
    pub unexpected: u64,
    /// Events that were waiting or postponed when the machine ended.
    pub dropped_at_end: u64,
    /// Replies that were given in a transition, whichever machine's call they answer (R129).
    pub replied: u64,
}

/// The engine's own counts: those that most machines never need are in a box made for the first of
/// them.
#[derive(Default)]
pub(crate) struct Tally {
    /// Events that were received, handled and consumed, and nothing else: most of them.
    pub(crate) quiet: u64,
    /// The others.
    pub(crate) received: u64,
    pub(crate) handled: u64,
    pub(crate) consumed: u64,
    pub(crate) replied: u64,
    seldom: Option<Box<Seldom>>,
}

#[derive(Default)]
pub(crate) struct Seldom {
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) discarded: u64,
    pub(crate) unexpected: u64,
    pub(crate) dropped_at_end: u64,
}

impl Tally {
    pub(crate) fn seldom(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }

    /// The counts, with how often the queue of the postponed was added to.
    pub(crate) fn counts(&self, postponed: u64) -> Counts {
        let none = Seldom::default();
        let Seldom {
            refused,
            abandoned,
            discarded,
            unexpected,
            dropped_at_end,
        } = *self.seldom.as_deref().unwrap_or(&none);
        let Tally {
            quiet,
            received,
            handled,
            consumed,
            replied,
            ..
        } = *self;
        let (received, handled, consumed) = (received + quiet, handled + quiet, consumed + quiet);
        Counts {
            received,
            handled,
            consumed,
            postponed,
            refused,
            abandoned,
            discarded,
            unexpected,
            dropped_at_end,
            replied,
        }
    }
}
