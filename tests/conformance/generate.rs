//! Random cases. A case depends on its seed, profile and number alone, so that one that fails is
//! made again from three words.

use std::fmt;
use std::str::FromStr;

use fastrand::Rng;

use crate::case::{Action, Case, Kind, Name, Outcome, Request, Rule, Step, Timeout};

/// What may occur in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What any port of gen_statem must have.
    Core,
    /// As core, and inserted events of every type, absolute and infinite times, a clock that jumps,
    /// hibernation, options to postpone, calls that are answered and postponed.
    Full,
    /// As full, and what gen_statem must reject: enter calls that change the state, postpone or
    /// insert; bad return values; exceptions.
    Err,
}

impl Profile {
    /// All of them, each with what the one before has.
    pub const ALL: [Profile; 3] = [Profile::Core, Profile::Full, Profile::Err];
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::Core => "core",
            Profile::Full => "full",
            Profile::Err => "err",
        })
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |profile: &Profile| profile.to_string() == text;
        let found = Profile::ALL.into_iter().find(named);
        found.ok_or_else(|| format!("`{text}` is no profile: core, full or err"))
    }
}

/// The case of this number.
#[must_use]
pub fn generate(seed: u16, profile: Profile, number: u64) -> Case {
    // Seeds that differ give sequences that have nothing in common, whichever bit differs.
    let seed = u64::from(seed) << 48 | (profile as u64) << 46 | number;
    let generator = Generator {
        rng: Rng::with_seed(seed),
        full: profile != Profile::Core,
        err: profile == Profile::Err,
        states: Vec::new(),
    };
    generator.case(number.to_string())
}

const fn names<const N: usize>(texts: [&str; N]) -> [Name; N] {
    let mut names = [Name::ANY; N];
    let mut place = 0;
    while place < N {
        names[place] = Name::constant(texts[place]);
        place += 1;
    }
    names
}

const STATES: [Name; 4] = names(["s0", "s1", "s2", "s3"]);
/// The contents of messages, of inserted events and of timeouts.
const MESSAGES: [Name; 4] = names(["a", "b", "c", "d"]);
const INSERTED: [Name; 3] = names(["i", "j", "k"]);
const TIMED: [Name; 3] = names(["x", "y", "z"]);

const NAMED: [Timeout; 3] = [
    Timeout::Named(Name::constant("p")),
    Timeout::Named(Name::constant("q")),
    Timeout::Named(Name::constant("r")),
];
const TIMEOUTS: [Timeout; 5] = [Timeout::State, Timeout::Event, NAMED[0], NAMED[1], NAMED[2]];

/// Times whose sums mostly differ, so that equal deadlines are rare.
fn times(timeout: Timeout) -> &'static [u64] {
    match timeout {
        Timeout::State => &[0, 0, 7, 19, 31],
        Timeout::Event => &[0, 0, 5, 17, 29],
        name if name == NAMED[0] => &[0, 3, 11, 41],
        name if name == NAMED[1] => &[0, 13, 23],
        Timeout::Named(_) => &[0, 2, 37],
    }
}

struct Generator {
    rng: Rng,
    full: bool,
    err: bool,
    states: Vec<Name>,
}

impl Generator {
    fn case(mut self, id: String) -> Case {
        let enter = self.rng.bool();
        self.states = STATES[..self.one_of(&[1, 2, 2, 3, 3, 4])].to_vec();
        let timers = self.one_of(&[0, 0, 0, 1, 2]);
        let mut init: Vec<_> = (0..timers).map(|_| self.timer()).collect();
        if self.with(0.15) {
            init.push(Action::Insert(Kind::Inserted, self.one_of(&INSERTED)));
        }
        let counter = self.one_of(&[0, 0, 1, 5]);
        Case {
            id,
            enter,
            fuel: 80,
            state: STATES[0],
            counter,
            init,
            rules: self.rules(enter),
            steps: self.steps(),
            expected: Vec::new(),
        }
    }

    /// With some chance a rule for each state, type and content, then some for all states.
    fn rules(&mut self, enter: bool) -> Vec<Rule> {
        let mut rules = Vec::new();
        for state in self.states.clone() {
            let named = self.one_of(&NAMED);
            let likely: [(Kind, &[Name], f64); 7] = [
                (Kind::Call, &MESSAGES, 0.45),
                (Kind::Cast, &MESSAGES, 0.5),
                (Kind::Info, &MESSAGES[..2], 0.25),
                (Kind::Inserted, &INSERTED, 0.6),
                (Kind::Timeout(Timeout::Event), &TIMED, 0.3),
                (Kind::Timeout(Timeout::State), &TIMED, 0.4),
                (Kind::Timeout(named), &TIMED, 0.5),
            ];
            for (kind, contents, chance) in likely {
                for content in contents {
                    if self.with(chance) {
                        let rule = self.rule(state, kind, *content, true);
                        let guarded = rule.guard.is_some();
                        rules.push(rule);
                        if guarded && self.with(0.5) {
                            rules.push(self.rule(state, kind, *content, true));
                        }
                    }
                }
            }
            if enter && self.with(0.8) {
                rules.push(self.rule(state, Kind::Enter, Name::ANY, true));
                if self.with(0.3) {
                    let previous = self.state();
                    rules.push(self.rule(state, Kind::Enter, previous, true));
                }
            }
        }
        for kind in [
            Kind::Call,
            Kind::Cast,
            Kind::Inserted,
            Kind::Timeout(Timeout::Event),
            Kind::Timeout(Timeout::State),
            Kind::Timeout(NAMED[0]),
        ] {
            if self.with(0.25) {
                rules.push(self.rule(Name::ANY, kind, Name::ANY, false));
            }
        }
        rules
    }

    fn rule(&mut self, state: Name, kind: Kind, content: Name, guard: bool) -> Rule {
        let mut outcome = if kind == Kind::Enter {
            self.enter_outcome(state)
        } else {
            self.outcome()
        };
        let mut guard = (guard && self.with(0.35)).then(|| self.guard(&[2, 3]));
        if kind == Kind::Enter && matches!(outcome, Outcome::Repeat(_)) {
            // Else it would repeat for ever.
            let (modulus, remainder) = self.guard(&[3, 4]);
            guard = Some((modulus, remainder));
            let adds = if modulus == 3 {
                self.one_of(&[1, 2])
            } else {
                1
            };
            outcome = Outcome::Repeat(Some(adds));
        }
        let mut actions = self.actions(kind, outcome.adds().is_some());
        match outcome {
            Outcome::StopAndReply(..) => actions
                .retain(|action| matches!(action, Action::Reply(_) | Action::ReplyToSaved(_))),
            Outcome::Stop(..) | Outcome::Bad | Outcome::Crash => actions.clear(),
            _ => {}
        }
        Rule {
            state,
            kind: Some(kind),
            content,
            guard,
            outcome,
            actions,
        }
    }

    fn guard(&mut self, moduli: &[u64]) -> (u64, u64) {
        let modulus = self.one_of(moduli);
        (modulus, self.rng.u64(..modulus))
    }

    fn enter_outcome(&mut self, here: Name) -> Outcome {
        let adds = self.one_of(&[0, 1, 1, 2, 3]);
        let chance = self.rng.f64();
        match chance {
            _ if self.err && chance < 0.06 => Outcome::Next(self.state(), adds),
            _ if self.err && chance < 0.09 => self.one_of(&[Outcome::Bad, Outcome::Crash]),
            ..0.45 => Outcome::Keep(Some(adds)),
            ..0.80 => Outcome::Keep(None),
            ..0.86 => Outcome::Next(here, adds),
            ..0.93 => Outcome::Repeat(Some(adds)),
            ..0.94 => Outcome::Stop(Name::constant("enterstop"), None),
            _ => Outcome::Keep(None),
        }
    }

    fn outcome(&mut self) -> Outcome {
        let adds = self.one_of(&[0, 1, 1, 2, 3]);
        let chance = self.rng.f64();
        match chance {
            _ if self.err && chance < 0.015 => self.one_of(&[Outcome::Bad, Outcome::Crash]),
            ..0.36 => Outcome::Next(self.state(), adds),
            ..0.60 => Outcome::Keep(Some(adds)),
            ..0.82 => Outcome::Keep(None),
            ..0.90 => Outcome::Repeat(Some(adds)),
            ..0.97 => Outcome::Repeat(None),
            _ => match self.rng.f64() {
                ..0.3 => Outcome::Stop(self.one_of(&names(["normal", "shutdown", "why"])), None),
                ..0.6 => {
                    let reason = self.one_of(&names(["normal", "shutdown.s", "why"]));
                    Outcome::Stop(reason, Some(adds))
                }
                ..0.8 => Outcome::StopAndReply(Name::constant("why"), None),
                _ => Outcome::StopAndReply(Name::constant("normal"), Some(adds)),
            },
        }
    }

    /// `carries`: the result carries data, so that a caller taken out of the queue stays out.
    fn actions(&mut self, kind: Kind, carries: bool) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut replied = false;
        for _ in 0..self.one_of(&[0, 0, 1, 1, 2, 3]) {
            if kind == Kind::Enter {
                actions.extend(self.enter_action(carries));
            } else {
                actions.extend(self.action(kind, carries, &mut replied));
            }
        }
        let postpones = |action: &Action| matches!(action, Action::Postpone(_));
        // The reply is a value that is either used or kept.
        if replied && !self.full {
            actions.retain(|action| !postpones(action));
        }
        let open = kind == Kind::Call && !replied && !actions.contains(&Action::Postpone(None));
        if open && self.with(0.6) {
            let reply = !carries || self.with(0.6);
            actions.push(if reply {
                Action::Reply(self.one_of(&TIMED))
            } else {
                Action::Save
            });
        }
        actions
    }

    fn enter_action(&mut self, carries: bool) -> Option<Action> {
        let chance = self.rng.f64();
        match chance {
            ..0.7 => Some(self.timer()),
            _ if chance < 0.85 && carries => Some(Action::ReplyToSaved(self.one_of(&TIMED))),
            _ if self.full && chance < 0.9 => Some(Action::Hibernate),
            _ if self.err && chance < 0.97 => Some(self.one_of(&[
                Action::Postpone(None),
                Action::Postpone(Some(false)),
                Action::Insert(Kind::Inserted, INSERTED[0]),
            ])),
            _ => None,
        }
    }

    fn action(&mut self, kind: Kind, carries: bool, replied: &mut bool) -> Option<Action> {
        let call = kind == Kind::Call;
        let chance = self.rng.f64();
        match chance {
            ..0.22 => Some(self.insert(call)),
            ..0.37 => Some(Action::Postpone(None)),
            ..0.72 => Some(self.timer()),
            _ if chance < 0.82 && call => {
                (!std::mem::replace(replied, true)).then(|| Action::Reply(self.one_of(&TIMED)))
            }
            _ if chance < 0.90 && call && carries => {
                (!std::mem::replace(replied, true)).then_some(Action::Save)
            }
            _ if chance < 0.97 && carries => Some(Action::ReplyToSaved(self.one_of(&TIMED))),
            _ if self.full => Some(self.one_of(&[
                Action::Hibernate,
                Action::Postpone(Some(false)),
                Action::Postpone(Some(true)),
            ])),
            _ => None,
        }
    }

    fn insert(&mut self, call: bool) -> Action {
        let chance = self.rng.f64();
        match chance {
            _ if self.full && chance < 0.12 => {
                let timeout = self.one_of(&TIMEOUTS);
                Action::Insert(Kind::Timeout(timeout), self.one_of(&TIMED))
            }
            _ if self.full && chance < 0.2 => Action::Insert(Kind::Info, self.one_of(&MESSAGES)),
            _ if self.full && chance < 0.28 && call => {
                Action::Insert(Kind::Call, self.one_of(&MESSAGES))
            }
            ..0.7 => Action::Insert(Kind::Inserted, self.one_of(&INSERTED)),
            _ => Action::Insert(Kind::Cast, self.one_of(&MESSAGES)),
        }
    }

    fn timer(&mut self) -> Action {
        let timeout = self.one_of(&TIMEOUTS);
        let content = self.one_of(&TIMED);
        let chance = self.rng.f64();
        let request = match chance {
            ..0.12 => Request::Cancel,
            ..0.22 => Request::Update(content),
            _ if self.full && chance < 0.27 => Request::Never(content),
            _ if self.full && chance < 0.35 => {
                Request::At(self.one_of(&[1, 4, 26, 53, 77, 101]), content)
            }
            _ => Request::After(self.one_of(times(timeout)), content),
        };
        Action::Timer(timeout, request)
    }

    fn steps(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..self.rng.usize(6..25) {
            let chance = self.rng.f64();
            steps.push(match chance {
                ..0.30 => Step::Cast(self.one_of(&MESSAGES)),
                ..0.55 => Step::Call(self.one_of(&MESSAGES)),
                ..0.63 => Step::Info(self.one_of(&MESSAGES[..2])),
                _ if chance < 0.98 || !self.full => {
                    Step::Advance(self.one_of(&[1, 2, 3, 5, 8, 13, 30]))
                }
                _ => Step::Jump(self.one_of(&[4, 20, 50])),
            });
        }
        if self.with(0.05) {
            steps.push(Step::Stop(
                self.one_of(&names(["normal", "shutdown", "boo"])),
            ));
        }
        steps
    }

    fn state(&mut self) -> Name {
        self.states[self.rng.usize(..self.states.len())]
    }

    fn with(&mut self, chance: f64) -> bool {
        self.rng.f64() < chance
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.usize(..choices.len())]
    }
}
