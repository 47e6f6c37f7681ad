//! Derived code under the lints that people deny in their own code: the compiler and clippy see this
//! file as theirs.

#![deny(warnings, missing_docs, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

use declared::Step;
use machines::{Closed, Counter, Counting, Door, Happened, Idle, Lamp, Off, Push, Switch};
use statem::Handler;
use statem::testing::Bench;

/// Machines that the world sees.
pub mod machines {
    use statem::{At, Cx, EnterCx, ExitReason, Handler, Next, State, StateMachine, keep};

    /// One handler for all states.
    #[derive(Debug, StateMachine)]
    #[machine(event = Push, data = u32, timeout = u8, shutdown = Push(0))]
    #[to(Broken = "kicked")]
    pub enum Door {
        /// Nobody passes.
        #[initial]
        #[to(Open = "pushed")]
        Closed,
        /// Everybody passes.
        #[to(Closed)]
        Open(Open),
        /// For ever.
        #[terminal]
        Broken,
    }

    /// An open door.
    #[derive(Debug)]
    pub struct Open {
        /// How wide.
        pub width: u32,
    }

    /// Somebody pushes a door this hard.
    #[derive(Clone, Copy, Debug)]
    pub struct Push(pub u32);

    impl Handler for Door {
        fn handle(state: DoorAt<'_>, push: Push, pushes: &mut u32, _: &mut Cx<Self>) -> Next<Self> {
            *pushes += 1;
            match state {
                kicked if push.0 > 9 => kicked.go(Broken),
                DoorAt::Closed(s) => s.go(Open { width: push.0 }),
                DoorAt::Open(s) if s.width > 1 => s.go(Closed),
                DoorAt::Open(_) => keep(),
            }
        }
    }

    /// A handler for each state.
    #[derive(Debug, StateMachine)]
    #[machine(event = Switch, data = u32, handlers = "per_state", unexpected = "stop")]
    pub enum Lamp {
        /// It is dark.
        #[initial]
        #[to(On)]
        Off,
        /// It is light.
        #[to(Off, Burnt)]
        On(On),
        /// It is dark for ever.
        #[terminal]
        Burnt,
    }

    /// A lamp that is on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct On {
        /// How bright.
        pub watts: u32,
    }

    /// Somebody turns the switch.
    #[derive(Clone, Copy, Debug)]
    pub struct Switch;

    impl State<Lamp> for Off {
        fn handle(
            at: At<'_, Lamp, Self>,
            Switch: Switch,
            _: &mut u32,
            _: &mut Cx<Lamp>,
        ) -> Next<Lamp> {
            at.go(On { watts: 60 })
        }
    }

    impl State<Lamp> for On {
        fn enter(&mut self, lit: &mut u32, _: &mut EnterCx<Lamp>) {
            *lit += 1;
        }

        fn handle(
            at: At<'_, Lamp, Self>,
            Switch: Switch,
            lit: &mut u32,
            _: &mut Cx<Lamp>,
        ) -> Next<Lamp> {
            if *lit > 1 { at.go(Burnt) } else { at.go(Off) }
        }

        fn terminate(&mut self, _: &ExitReason, lit: &mut u32) {
            *lit = 0;
        }
    }

    /// Has parameters.
    #[derive(Debug, StateMachine)]
    #[machine(event = Happened<T>, data = Vec<T>, keep_abandoned)]
    pub enum Counter<T, const N: usize>
    where
        T: Ord,
    {
        /// There is nothing to count.
        #[initial]
        #[to(Counting)]
        Idle,
        /// There is.
        #[to(Idle)]
        Counting(Counting<T>),
    }

    /// What is counted.
    #[derive(Debug)]
    pub struct Counting<T> {
        /// The largest so far.
        pub largest: T,
    }

    /// Something happened.
    #[derive(Debug)]
    pub enum Happened<T> {
        /// This came.
        Came(T),
    }

    impl<T: Ord + Copy + Send + 'static, const N: usize> Handler for Counter<T, N> {
        fn handle(
            state: CounterAt<'_, T, N>,
            Happened::Came(item): Happened<T>,
            items: &mut Vec<T>,
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            items.push(item);
            match state {
                CounterAt::Idle(s) => s.go(Counting { largest: item }),
                CounterAt::Counting(s) if items.len() == N => s.go(Idle),
                CounterAt::Counting(mut s) => {
                    s.largest = item.max(s.largest);
                    keep()
                }
            }
        }
    }
}

/// A machine that a macro declares: there clippy sees more of the derived code than elsewhere.
pub mod declared {
    use statem::{Cx, Handler, Next, StateMachine};

    macro_rules! two_states {
        ($machine:ident: $first:ident, $second:ident) => {
            /// It goes around.
            #[derive(Clone, Copy, Debug, StateMachine)]
            #[machine(event = ())]
            pub enum $machine {
                /// First.
                #[initial]
                #[to($second)]
                $first,
                /// Second.
                #[to($first)]
                $second,
            }
        };
    }

    two_states!(Step: Left, Right);

    impl Handler for Step {
        fn handle(state: StepAt<'_>, (): (), (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
            match state {
                StepAt::Left(s) => s.go(Right),
                StepAt::Right(s) => s.go(Left),
            }
        }
    }
}

/// A machine that nobody outside of its module can name.
pub mod private {
    use statem::testing::Bench;
    use statem::{Cx, Handler, Next, StateMachine, keep};

    #[derive(StateMachine)]
    #[machine(event = Turn, data = u32)]
    #[to(Locked)]
    enum Safe {
        #[initial]
        #[to(Unlocked = "the right key")]
        Locked,
        #[to(Unlocked)]
        Unlocked(Unlocked),
    }

    struct Unlocked {
        key: u32,
    }

    struct Turn(u32);

    impl Handler for Safe {
        fn handle(
            state: SafeAt<'_>,
            Turn(key): Turn,
            openings: &mut u32,
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            match state {
                SafeAt::Locked(s) if key > 9 => {
                    *openings += 1;
                    s.go(Unlocked { key })
                }
                SafeAt::Unlocked(s) if key > s.key => s.go(Unlocked { key }),
                state @ SafeAt::Unlocked(_) => state.go(Locked),
                SafeAt::Locked(_) => keep(),
            }
        }
    }

    /// Turns these keys, and tells how often the safe was opened.
    #[must_use]
    pub fn openings(keys: &[u32]) -> u32 {
        let mut safe = Bench::<Safe>::new(Locked, 0);
        for &key in keys {
            safe.send(Turn(key));
        }
        *safe.data()
    }
}

/// Sends these events, and gives the names of the states before a terminal one.
fn path<M: Handler>(bench: &mut Bench<M>, events: impl IntoIterator<Item = M::Event>) -> String {
    let mut names = vec![bench.state_name()];
    for event in events {
        bench.send(event);
        names.push(bench.state_name());
    }
    names.retain(|name| !name.is_empty());
    names.join(" ")
}

#[test]
fn machines_under_strict_lints_run() {
    let mut door = Bench::<Door>::new(Closed, 0);
    let pushes = [1, 1, 10].map(Push);
    assert_eq!(path(&mut door, pushes), "Closed Open Open");
    assert!(door.stopped().is_some());

    let mut lamp = Bench::<Lamp>::new(Off, 0);
    assert_eq!(path(&mut lamp, [Switch; 4]), "Off On Off On");
    assert!(lamp.stopped().is_some());

    let mut counter = Bench::<Counter<u8, 3>>::new(Idle, Vec::new());
    let events = [1, 2, 3].map(Happened::Came);
    assert_eq!(path(&mut counter, events), "Idle Counting Counting Idle");
    assert_eq!(Counting { largest: 1 }.largest, 1);

    let mut step = Bench::<Step>::new(declared::Left, ());
    assert_eq!(path(&mut step, [(), ()]), "Left Right Left");

    assert_eq!(private::openings(&[1, 10, 11, 0, 12]), 2);
}
