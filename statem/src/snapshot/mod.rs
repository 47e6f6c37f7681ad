//! A machine written down, to be started again from what was written (feature `serde`; N74, N75).
//!
//! [`Saved`] is what is written; [`Saving`] borrows it from a machine at rest, [`Snapshot`] owns it
//! when it was read. The version stands first, so that a reader knows how to read the rest.

mod owners;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::machine::Machine;
pub(crate) use owners::Owners;

/// A machine that can be written down and started again.
///
/// State, data, events and names of timeouts are written by serde. Where one of them holds what
/// cannot be written it says what it is saved as, in serde's own words: a [`Guard`](crate::Guard)
/// is `#[serde(skip)]`, since the enter call starts its source again; a variant of the event that
/// is a call is `#[serde(skip)]`, since calls are not saved; a struct that holds a
/// [`Reply`](crate::Reply) has an `#[serde(into = .., from = ..)]`. A [`Timer`](crate::Timer) is
/// written as its number, and runs on for the value that was read in its place.
///
/// The names must own what they are made of, so `&'static str` will not do: say
/// `#[machine(timeout = Name)]`, or `timeout = ()` for a machine without named timeouts.
///
/// ```
/// use std::time::Duration;
/// use serde::{Deserialize, Serialize};
/// use statem::testing::Bench;
/// use statem::{Cx, EnterCx, Handler, Next, StateMachine, unexpected};
/// use statem::snapshot::{Save, Snapshot};
///
/// #[derive(StateMachine, Serialize, Deserialize)]
/// #[machine(event = Event, timeout = ())]
/// enum Lamp {
///     #[initial]
///     #[to(On)]
///     Off,
///     #[to(Off)]
///     On,
/// }
///
/// #[derive(Serialize, Deserialize)]
/// enum Event {
///     Push,
///     Late,
/// }
///
/// impl Save for Lamp {
///     const VERSION: u32 = 1;
/// }
///
/// impl Handler for Lamp {
///     fn handle(state: LampAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
///         match (state, event) {
///             (LampAt::Off(s), Event::Push) => {
///                 cx.state_timeout(Duration::from_secs(60), Event::Late);
///                 s.go(On)
///             }
///             (LampAt::On(s), Event::Late) => s.go(Off),
///             (_, event) => unexpected(event),
///         }
///     }
/// }
///
/// let mut lamp = Bench::new(Off, ());
/// lamp.send(Event::Push);
/// lamp.advance(Duration::from_secs(18));
/// let text = lamp.snapshot(|saving| serde_json::to_string(saving))?;
///
/// let snapshot: Snapshot<Lamp> = serde_json::from_str(&text)?;
/// let mut lamp = Bench::restore(snapshot);
/// lamp.advance(Duration::from_secs(42));
/// assert_eq!(lamp.path(), ["On", "Off"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Save:
    Machine<
        Event: Serialize + DeserializeOwned,
        Data: Serialize + DeserializeOwned,
        Timeout: Serialize + DeserializeOwned,
    > + Serialize
    + DeserializeOwned
{
    /// The version of what is written. Count it up when an older snapshot cannot be read any more
    /// as it is, and teach [`Save::migrate`] to read it.
    const VERSION: u32;

    /// Reads what another version wrote and converts it (R133). It is no transition: what it gives
    /// is restored as if it had been written so.
    ///
    /// `older` is a [`Saved`] of the types of that version, without its number. [`Saved::try_map`]
    /// converts one.
    ///
    /// ```
    /// # use serde::{Deserialize, Deserializer, Serialize, de::Error};
    /// # use statem::{Cx, Handler, Next, StateMachine, keep};
    /// # use statem::snapshot::{Save, Saved, SavedOf, Snapshot};
    /// # #[derive(StateMachine, Serialize, Deserialize)]
    /// # #[machine(event = Event, timeout = (), data = Data)]
    /// # enum Counter {
    /// #     #[initial]
    /// #     #[to()]
    /// #     Counting,
    /// # }
    /// # #[derive(Serialize, Deserialize)]
    /// # enum Event { Add }
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Data { total: u64, step: u64 }
    /// impl Save for Counter {
    ///     const VERSION: u32 = 2;
    ///
    ///     fn migrate<'de, D: Deserializer<'de>>(version: u32, older: D) -> Result<SavedOf<Self>, D::Error> {
    ///         match version {
    ///             // Version 1 had a number alone as its data.
    ///             1 => Saved::<Counter, u64, Event, ()>::deserialize(older)?.try_map(
    ///                 |state, total| Ok((state, Data { total, step: 1 })),
    ///                 Ok,
    ///                 Ok,
    ///             ),
    ///             _ => Err(D::Error::custom(format_args!("there is no version {version}"))),
    ///         }
    ///     }
    /// }
    ///
    /// let text = r#"[1, { "state": "Counting", "data": 5, "timeouts": [], "postponed": [] }]"#;
    /// let snapshot: Snapshot<Counter> = serde_json::from_str(text)?;
    /// assert_eq!(snapshot.saved.data.total, 5);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Unless it is written: always, with both versions. An error is that of reading the snapshot;
    /// no machine starts, and none is disturbed (R134).
    fn migrate<'de, D: Deserializer<'de>>(
        version: u32,
        older: D,
    ) -> Result<SavedOf<Self>, D::Error> {
        drop(older);
        Err(D::Error::custom(format_args!(
            "a snapshot of `{}` has version {version}, and version {} is read here: \
             convert it in `Save::migrate`",
            Self::GRAPH.name,
            Self::VERSION
        )))
    }
}

/// What a machine of this type is saved as.
pub type SavedOf<M> =
    Saved<M, <M as Machine>::Data, <M as Machine>::Event, <M as Machine>::Timeout>;

/// A machine at rest, in values: what a snapshot holds beside its version.
///
/// It is read, changed and [converted](Saved::try_map), but not built: a machine may have more to save
/// one day, and what an enter call starts need not be written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Saved<State, Data, Event, Timeout> {
    /// The state.
    pub state: State,
    /// The data.
    pub data: Data,
    /// The timeouts that run: zero ones in the order they will come, then the others in the order
    /// they are due. The event timeout is not among them: it means silence, which a restart is not.
    pub timeouts: Vec<SavedTimeout<Event, Timeout>>,
    /// The postponed events that are neither calls nor outputs of sources, oldest first.
    pub postponed: Vec<SavedEvent<Event, Timeout>>,
    /// What there was besides.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// A timeout that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedTimeout<Event, Timeout> {
    /// Which one.
    pub which: Which<Timeout>,
    /// The time until it fires.
    pub remaining: Remaining,
    /// What it sends.
    pub event: Event,
}

/// Which timeout: the kinds that are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Which<Timeout> {
    /// The state timeout.
    State,
    /// The named timeout of this name.
    Named(Timeout),
    /// The [`Timer`](crate::Timer) that is saved as this number. Restored only if the timer was
    /// read in a state, the data or an event: without its owner it would be cancelled at once.
    Timer(u64),
}

/// The time until a timeout fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Remaining {
    /// A timeout of zero, which needs no clock (R67).
    Zero,
    /// So much; none if it is due.
    Time(Duration),
    /// It never fires (N25).
    Never,
}

/// A postponed event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedEvent<Event, Timeout> {
    /// Where it came from, for it is not asked again (N7).
    pub origin: SavedOrigin<Timeout>,
    /// The event.
    pub event: Event,
}

/// Where a saved event came from; see [`Origin`](crate::Origin).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SavedOrigin<Timeout> {
    /// A cast.
    Cast,
    /// [`Actions::insert`](crate::Actions::insert).
    Inserted,
    /// The event timeout.
    EventTimeout,
    /// Another timeout. That of a [`Timer`](crate::Timer) is restored as [`Which::Timer`] says.
    Timeout(Which<Timeout>),
}

/// How much of a machine a snapshot leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Postponed calls: their callers wait for the machine that was saved.
    pub calls: usize,
    /// Outputs of sources: postponed ones, and those that a suspended machine has not handled (N73).
    pub outputs: usize,
    /// Sources; those that the enter call starts are there again.
    pub sources: usize,
    /// Whether the event timeout ran.
    pub event_timeout: bool,
    /// Events in the queue: more than none only between two parts of a long chain (N30), or in an
    /// engine that is not at rest.
    pub queued: usize,
}

/// A machine at rest that lends what is to be written: serialize it, as [`Save::VERSION`] and a
/// [`Saved`].
#[non_exhaustive]
pub struct Saving<'a, M: Machine> {
    /// What will be written. It may be changed before that.
    pub saved: SavedRef<'a, M>,
}

/// A [`Saved`] that borrows.
pub type SavedRef<'a, M> =
    Saved<&'a M, &'a <M as Machine>::Data, &'a <M as Machine>::Event, <M as Machine>::Timeout>;

/// A machine that was written down, read again.
///
/// Deserialize it; what another version wrote goes through [`Save::migrate`]. Start it by
/// [`Builder::restore`](crate::Builder::restore), [`Engine::restore`](crate::engine::Engine::restore)
/// or [`Bench::restore`](crate::testing::Bench::restore).
///
/// A restored machine *starts* (N75, R88). Its timeouts run on with the time that remained, counted
/// from its start, and its postponed events wait for a change of state. Then the enter call of its
/// state runs, with the state's own name as the previous one, so that its sources are there again:
/// what it asks for takes the place of a restored timeout of the same name (R56), and its updates
/// find restored timeouts running. An init that a [`Builder`](crate::Builder) was given runs before
/// it, to give the data what could not be saved.
///
/// There may be more postponed events than the machine's bound: they all stay, and no other is
/// postponed before there is room.
pub struct Snapshot<M: Machine> {
    /// What was read. It may be changed before the start.
    pub saved: SavedOf<M>,
    /// To whom the timers of the state and the data report.
    pub(crate) owners: Owners,
}

impl<State, Data, Event, Timeout> Saved<State, Data, Event, Timeout> {
    /// Converts state and data, each event, and each name of a timeout: for [`Save::migrate`].
    ///
    /// # Errors
    ///
    /// The first error of a conversion.
    pub fn try_map<State2, Data2, Event2, Timeout2, E>(
        self,
        values: impl FnOnce(State, Data) -> Result<(State2, Data2), E>,
        mut event: impl FnMut(Event) -> Result<Event2, E>,
        mut timeout: impl FnMut(Timeout) -> Result<Timeout2, E>,
    ) -> Result<Saved<State2, Data2, Event2, Timeout2>, E> {
        let mut which = |which| {
            Ok(match which {
                Which::State => Which::State,
                Which::Named(name) => Which::Named(timeout(name)?),
                Which::Timer(number) => Which::Timer(number),
            })
        };
        let (state, data) = values(self.state, self.data)?;
        let mut timeouts = Vec::with_capacity(self.timeouts.len());
        for saved in self.timeouts {
            timeouts.push(SavedTimeout {
                which: which(saved.which)?,
                remaining: saved.remaining,
                event: event(saved.event)?,
            });
        }
        let mut postponed = Vec::with_capacity(self.postponed.len());
        for saved in self.postponed {
            postponed.push(SavedEvent {
                origin: match saved.origin {
                    SavedOrigin::Cast => SavedOrigin::Cast,
                    SavedOrigin::Inserted => SavedOrigin::Inserted,
                    SavedOrigin::EventTimeout => SavedOrigin::EventTimeout,
                    SavedOrigin::Timeout(timeout) => SavedOrigin::Timeout(which(timeout)?),
                },
                event: event(saved.event)?,
            });
        }
        Ok(Saved {
            state,
            data,
            timeouts,
            postponed,
            left_out: self.left_out,
        })
    }
}

impl<M: Machine> Snapshot<M> {
    /// Takes time that passed while the machine was written down off its timeouts. Without this it
    /// does not count.
    ///
    /// Those that have become due fire in the machine's first turn, in the order they were due.
    #[must_use]
    pub fn after(mut self, elapsed: Duration) -> Self {
        for timeout in &mut self.saved.timeouts {
            if let Remaining::Time(remaining) = &mut timeout.remaining {
                *remaining = remaining.saturating_sub(elapsed);
            }
        }
        self
    }
}

impl<M: Save> Serialize for Saving<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (M::VERSION, &self.saved).serialize(serializer)
    }
}

impl<'de, M: Save> Deserialize<'de> for Snapshot<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (saved, owners) =
            Owners::collect(|| deserializer.deserialize_tuple(2, Versioned(PhantomData)))?;
        Ok(Snapshot { saved, owners })
    }
}

/// Reads the version, then what it says how to read.
struct Versioned<M>(PhantomData<M>);

impl<'de, M: Save> Visitor<'de> for Versioned<M> {
    type Value = SavedOf<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the version and the values of a saved `{}`",
            M::GRAPH.name
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SavedOf<M>, A::Error> {
        let version = seq
            .next_element()?
            .ok_or_else(|| A::Error::invalid_length(0, &self))?;
        seq.next_element_seed(OfVersion::<M>(version, PhantomData))?
            .ok_or_else(|| A::Error::invalid_length(1, &self))
    }
}

struct OfVersion<M>(u32, PhantomData<M>);

impl<'de, M: Save> serde::de::DeserializeSeed<'de> for OfVersion<M> {
    type Value = SavedOf<M>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<SavedOf<M>, D::Error> {
        if self.0 == M::VERSION {
            Saved::deserialize(deserializer)
        } else {
            M::migrate(self.0, deserializer)
        }
    }
}

impl<M: Machine> fmt::Debug for Saving<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show::<M, _, _, _>(&self.saved, "Saving", f)
    }
}

impl<M: Machine> fmt::Debug for Snapshot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show::<M, _, _, _>(&self.saved, "Snapshot", f)
    }
}

/// In counts: values may be secret, and need not have a `Debug`.
fn show<M: Machine, S, D, E>(
    saved: &Saved<S, D, E, M::Timeout>,
    name: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.debug_struct(name)
        .field("machine", &M::GRAPH.name)
        .field("timeouts", &saved.timeouts.len())
        .field("postponed", &saved.postponed.len())
        .field("left_out", &saved.left_out)
        .finish()
}
