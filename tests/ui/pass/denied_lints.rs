//! What people deny in their own code the derived code does not do.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused, clippy::pedantic, clippy::all)]
#![deny(elided_lifetimes_in_paths, single_use_lifetimes, unused_qualifications, trivial_casts, unused_results)]
#![deny(unused_lifetimes, variant_size_differences, let_underscore_drop)]
#![forbid(unsafe_code)]

use statem::{At, Cx, Handler, Next, State, StateMachine, keep};

/// A machine that the world sees.
pub mod public {
    use super::{Cx, Handler, Next, StateMachine, keep};

    /// A door.
    #[derive(StateMachine, Debug)]
    #[machine(event = Event, data = u32, timeout = u8)]
    #[to(Broken)]
    pub enum Door {
        /// It is closed.
        #[initial]
        #[to(Open = "pushed")]
        Closed,
        /// It is open.
        #[deprecated]
        #[to(Closed)]
        Open(Open),
        /// It is gone.
        #[terminal]
        Broken,
    }

    /// An open door.
    #[derive(Debug)]
    pub struct Open {
        /// How wide.
        pub width: u32,
    }

    /// What happens to a door.
    #[derive(Clone, Copy, Debug)]
    pub enum Event {
        /// Somebody pushes.
        Push,
    }

    impl Handler for Door {
        #[allow(deprecated)]
        fn handle(state: DoorAt<'_>, Event::Push: Event, pushes: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
            *pushes += 1;
            match state {
                DoorAt::Closed(s) => s.go(Open { width: *pushes }),
                DoorAt::Open(s) if s.width > 1 => s.go(Broken),
                DoorAt::Open(_) => keep(),
            }
        }
    }
}

#[derive(StateMachine)]
#[machine(event = (), handlers = "per_state")]
enum Private {
    #[initial]
    #[to(Two)]
    One,
    #[to(Three)]
    Two(Two),
    #[terminal]
    Three,
}

struct Two;

impl State<Private> for One {
    fn handle(at: At<'_, Private, Self>, (): (), (): &mut (), _: &mut Cx<Private>) -> Next<Private> {
        at.go(Two)
    }
}

impl State<Private> for Two {
    fn handle(at: At<'_, Private, Self>, (): (), (): &mut (), _: &mut Cx<Private>) -> Next<Private> {
        at.go(Three)
    }
}

/// A machine of a crate's own.
mod inner {
    use super::StateMachine;

    #[derive(StateMachine)]
    #[machine(event = ())]
    pub(crate) enum Turnstile<T> {
        #[initial]
        #[to(Unlocked)]
        Locked,
        #[to(Locked)]
        Unlocked(Unlocked<T>),
    }

    pub(crate) struct Unlocked<T> {
        pub(crate) coins: T,
    }
}

impl Handler for inner::Turnstile<u32> {
    fn handle(state: inner::TurnstileAt<'_, u32>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match state {
            inner::TurnstileAt::Locked(s) => s.go(inner::Unlocked { coins: 1 }),
            inner::TurnstileAt::Unlocked(s) if s.coins == 0 => s.go(inner::Locked),
            inner::TurnstileAt::Unlocked(_) => keep(),
        }
    }
}

fn main() {}
