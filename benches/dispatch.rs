//! Dispatch: the same machine as a `match` by hand, on statem's engine and in statig, fed the same
//! random events.
//!
//! A connection of four states and five events. Half of the time every event is as likely as the
//! others, and about two of five change the state; the other half requests and ticks come nearly
//! always, so that the machine mostly keeps its state, as connections do. One step is one call that
//! is not inlined.

use crate::report::{Section, each, now};

const EVENTS: u32 = 100_000;
const ROUNDS: usize = 61;

#[derive(Clone, Copy)]
pub(crate) enum Event {
    Dial,
    Up(u32),
    Request(u32),
    Tick,
    Close,
}

/// What the machine keeps in every state; equal for all contenders at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    attempts: u64,
    requests: u64,
    ticks: u64,
    ignored: u64,
}

macro_rules! contenders {
    ($module:ident, $padding:literal) => {
        mod $module {
            use super::{Counters, Event};

            type Padding = [u64; $padding];
            const PADDING: Padding = [0; $padding];

            pub(super) mod by_hand {
                use super::{Counters, Event, PADDING, Padding};

                pub(in super::super) struct Connection {
                    state: State,
                    pub(in super::super) counters: Counters,
                }

                enum State {
                    Off { idle: u64, padding: Padding },
                    Dialling { attempt: u64, padding: Padding },
                    Up { requests: u64, padding: Padding },
                    Draining { left: u64, padding: Padding },
                }

                impl Connection {
                    pub(in super::super) const SIZE: usize = size_of::<State>();

                    pub(in super::super) fn new() -> Self {
                        let state = State::Off {
                            idle: 0,
                            padding: PADDING,
                        };
                        Connection {
                            state,
                            counters: Counters::default(),
                        }
                    }

                    #[inline(never)]
                    pub(in super::super) fn step(&mut self, event: Event) {
                        use {Event as E, State as S};
                        let data = &mut self.counters;
                        match (&mut self.state, event) {
                            (S::Off { padding, .. }, E::Dial) => {
                                self.state = S::Dialling {
                                    attempt: 1,
                                    padding: *padding,
                                };
                            }
                            (S::Off { idle, .. }, E::Tick) => *idle += 1,
                            (S::Dialling { attempt, padding }, E::Up(requests)) => {
                                data.attempts += *attempt;
                                self.state = S::Up {
                                    requests: requests.into(),
                                    padding: *padding,
                                };
                            }
                            (S::Dialling { attempt, .. }, E::Tick) => *attempt += 1,
                            (S::Dialling { padding, .. }, E::Close) => {
                                self.state = S::Off {
                                    idle: 0,
                                    padding: *padding,
                                };
                            }
                            (S::Up { requests, .. }, E::Request(n)) => *requests += u64::from(n),
                            (S::Up { .. }, E::Tick) => data.ticks += 1,
                            (S::Up { requests, padding }, E::Close) => {
                                data.requests += *requests;
                                self.state = S::Draining {
                                    left: *requests,
                                    padding: *padding,
                                };
                            }
                            (S::Draining { left, .. }, E::Request(n)) => *left ^= u64::from(n),
                            (S::Draining { left, padding }, E::Tick) => {
                                data.ticks += *left & 1;
                                self.state = S::Off {
                                    idle: 0,
                                    padding: *padding,
                                };
                            }
                            (S::Draining { padding, .. }, E::Dial) => {
                                self.state = S::Dialling {
                                    attempt: 1,
                                    padding: *padding,
                                };
                            }
                            _ => data.ignored += 1,
                        }
                    }
                }
            }

            pub(super) mod on_statem {
                use std::time::Duration;

                use statem::engine::Engine;
                use statem::{Cx, Handler, Next, StateMachine, keep};

                use super::{Counters, Event, PADDING, Padding};

                #[derive(StateMachine)]
                #[machine(event = Event, data = Counters)]
                pub(in super::super) enum Connection {
                    #[initial]
                    #[to(Dialling)]
                    Off(Off),
                    #[to(Up, Off)]
                    Dialling(Dialling),
                    #[to(Draining)]
                    Up(Up),
                    #[to(Off, Dialling)]
                    Draining(Draining),
                }

                pub(in super::super) struct Off {
                    idle: u64,
                    padding: Padding,
                }

                pub(in super::super) struct Dialling {
                    attempt: u64,
                    padding: Padding,
                }

                pub(in super::super) struct Up {
                    requests: u64,
                    padding: Padding,
                }

                pub(in super::super) struct Draining {
                    left: u64,
                    padding: Padding,
                }

                impl Connection {
                    pub(in super::super) const SIZE: usize = size_of::<Connection>();
                }

                impl Handler for Connection {
                    fn handle(
                        state: ConnectionAt<'_>,
                        event: Event,
                        data: &mut Counters,
                        _: &mut Cx<Self>,
                    ) -> Next<Self> {
                        use {ConnectionAt as S, Event as E};
                        match (state, event) {
                            (S::Off(s), E::Dial) => s.go_with(|old| Dialling {
                                attempt: 1,
                                padding: old.padding,
                            }),
                            (S::Off(mut s), E::Tick) => {
                                s.idle += 1;
                                keep()
                            }
                            (S::Dialling(s), E::Up(requests)) => {
                                data.attempts += s.attempt;
                                s.go_with(|old| Up {
                                    requests: requests.into(),
                                    padding: old.padding,
                                })
                            }
                            (S::Dialling(mut s), E::Tick) => {
                                s.attempt += 1;
                                keep()
                            }
                            (S::Dialling(s), E::Close) => s.go_with(|old| Off {
                                idle: 0,
                                padding: old.padding,
                            }),
                            (S::Up(mut s), E::Request(n)) => {
                                s.requests += u64::from(n);
                                keep()
                            }
                            (S::Up(_), E::Tick) => {
                                data.ticks += 1;
                                keep()
                            }
                            (S::Up(s), E::Close) => {
                                data.requests += s.requests;
                                s.go_with(|old| Draining {
                                    left: old.requests,
                                    padding: old.padding,
                                })
                            }
                            (S::Draining(mut s), E::Request(n)) => {
                                s.left ^= u64::from(n);
                                keep()
                            }
                            (S::Draining(s), E::Tick) => {
                                data.ticks += s.left & 1;
                                s.go_with(|old| Off {
                                    idle: 0,
                                    padding: old.padding,
                                })
                            }
                            (S::Draining(s), E::Dial) => s.go_with(|old| Dialling {
                                attempt: 1,
                                padding: old.padding,
                            }),
                            _ => {
                                data.ignored += 1;
                                keep()
                            }
                        }
                    }
                }

                pub(in super::super) fn new() -> Engine<Connection> {
                    let mut engine = Engine::new(
                        Off {
                            idle: 0,
                            padding: PADDING,
                        },
                        Counters::default(),
                    );
                    engine.start(&|| Duration::ZERO);
                    engine
                }

                /// As the driver does it: the event, then what the machine has queued for itself.
                #[inline(never)]
                pub(in super::super) fn step(engine: &mut Engine<Connection>, event: Event) {
                    engine.handle(event, &|| Duration::ZERO);
                    while engine.advance(&|| Duration::ZERO) {}
                }
            }

            pub(super) mod in_statig {
                use statig::blocking::{IntoStateMachineExt, StateMachine};
                use statig::prelude::*;

                use super::{Counters, Event, PADDING, Padding};

                pub(in super::super) struct Connection {
                    pub(in super::super) counters: Counters,
                }

                #[state_machine(initial = "State::off(0, PADDING)", state(derive()))]
                impl Connection {
                    #[state]
                    fn off(
                        &mut self,
                        idle: &mut u64,
                        padding: &mut Padding,
                        event: &Event,
                    ) -> Outcome<State> {
                        match event {
                            Event::Dial => return Transition(State::dialling(1, *padding)),
                            Event::Tick => *idle += 1,
                            _ => self.counters.ignored += 1,
                        }
                        Handled
                    }

                    #[state]
                    fn dialling(
                        &mut self,
                        attempt: &mut u64,
                        padding: &mut Padding,
                        event: &Event,
                    ) -> Outcome<State> {
                        match event {
                            Event::Up(requests) => {
                                self.counters.attempts += *attempt;
                                return Transition(State::up((*requests).into(), *padding));
                            }
                            Event::Tick => *attempt += 1,
                            Event::Close => return Transition(State::off(0, *padding)),
                            _ => self.counters.ignored += 1,
                        }
                        Handled
                    }

                    #[state]
                    fn up(
                        &mut self,
                        requests: &mut u64,
                        padding: &mut Padding,
                        event: &Event,
                    ) -> Outcome<State> {
                        match event {
                            Event::Request(n) => *requests += u64::from(*n),
                            Event::Tick => self.counters.ticks += 1,
                            Event::Close => {
                                self.counters.requests += *requests;
                                return Transition(State::draining(*requests, *padding));
                            }
                            _ => self.counters.ignored += 1,
                        }
                        Handled
                    }

                    #[state]
                    fn draining(
                        &mut self,
                        left: &mut u64,
                        padding: &mut Padding,
                        event: &Event,
                    ) -> Outcome<State> {
                        match event {
                            Event::Request(n) => *left ^= u64::from(*n),
                            Event::Tick => {
                                self.counters.ticks += *left & 1;
                                return Transition(State::off(0, *padding));
                            }
                            Event::Dial => return Transition(State::dialling(1, *padding)),
                            _ => self.counters.ignored += 1,
                        }
                        Handled
                    }
                }

                pub(in super::super) fn new() -> StateMachine<Connection> {
                    let mut machine = Connection {
                        counters: Counters::default(),
                    }
                    .state_machine();
                    machine.init();
                    machine
                }

                #[inline(never)]
                pub(in super::super) fn step(machine: &mut StateMachine<Connection>, event: Event) {
                    machine.handle(&event);
                }
            }

            pub(super) fn row(section: &mut super::Section, events: &[Event], what: &str) {
                assert_eq!(by_hand::Connection::SIZE, on_statem::Connection::SIZE);
                let name = format!("{what}, state of {} bytes", by_hand::Connection::SIZE);
                let expected = {
                    let mut connection = by_hand::Connection::new();
                    for event in events {
                        connection.step(*event);
                    }
                    connection.counters
                };
                let by_hand = || {
                    let mut connection = by_hand::Connection::new();
                    let took = super::run(events, |event| connection.step(event));
                    assert_eq!(connection.counters, expected);
                    took
                };
                let on_statem = || {
                    let mut engine = on_statem::new();
                    let took = super::run(events, |event| on_statem::step(&mut engine, event));
                    assert_eq!(engine.data(), Some(&expected));
                    took
                };
                let in_statig = || {
                    let mut machine = in_statig::new();
                    let took = super::run(events, |event| in_statig::step(&mut machine, event));
                    assert_eq!(machine.counters, expected);
                    took
                };
                section.row(
                    &name,
                    Some(1.1),
                    super::ROUNDS,
                    vec![Box::new(by_hand), Box::new(on_statem), Box::new(in_statig)],
                );
            }
        }
    };
}

contenders!(small, 0);
contenders!(large, 24);

pub(crate) fn rows(filter: &str) {
    let mut section = Section::new(
        filter,
        "dispatch",
        "ns an event",
        &["match by hand", "statem", "statig"],
    );
    let often = events([1, 1, 1, 1, 1]);
    let seldom = events([1, 1, 45, 45, 1]);
    for (events, what) in [
        (&often, "changes state often"),
        (&seldom, "keeps, changes state seldom"),
    ] {
        small::row(&mut section, events, what);
        large::row(&mut section, events, what);
    }
}

fn run(events: &[Event], mut step: impl FnMut(Event)) -> f64 {
    let start = now();
    for event in events {
        step(*event);
    }
    each(start.elapsed(), EVENTS)
}

/// Events by these weights, the same in every run.
fn events(weights: [u64; 5]) -> Vec<Event> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let total: u64 = weights.iter().sum();
    (0..EVENTS)
        .map(|n| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut drawn = (random >> 32) % total;
            let kind = weights.iter().position(|weight| {
                let found = drawn < *weight;
                drawn = drawn.wrapping_sub(*weight);
                found
            });
            match kind {
                Some(0) => Event::Dial,
                Some(1) => Event::Up(n),
                Some(2) => Event::Request(n),
                Some(3) => Event::Tick,
                _ => Event::Close,
            }
        })
        .collect()
}
