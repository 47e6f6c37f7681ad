//! What the gateway does not see: devices, and those who ask them, made from a seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use statem::{Builder, CallError, ExitReason, Request as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counts::{Counts, Tally};
use super::device::{DeviceId, Down, Message, Order, Refused, Times};
use super::router::{Devices, Gateway, Open};

/// How long things may take in the simulation.
pub const TIMES: Times = Times {
    join: Duration::from_secs(40),
    silent: Duration::from_secs(45),
    gone: Duration::from_secs(90),
    report: Duration::from_secs(60),
};

/// How long those who ask wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions under way at once.
const QUESTIONS: usize = 256;
/// Orders on their way to the devices at once.
const DOWN: usize = 256;

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// How many devices there are.
    pub devices: u32,
    /// How many of them the gateway takes at once.
    pub limit: usize,
    /// For how many seconds.
    pub seconds: u32,
    /// The same seed does the same.
    pub seed: u64,
}

/// What came of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Of the gateway.
    pub counts: Counts,
    /// Messages that devices have sent.
    pub sent: u64,
    /// Those of them that the gateway has a bug for.
    pub planted: u64,
    /// Questions that were asked,
    pub asked: u64,
    /// and what became of them.
    pub outcomes: BTreeMap<Outcome, u64>,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The device has answered.
    Answered,
    /// Another one has.
    Mismatched,
    /// The gateway knows no such device.
    Unknown,
    /// The device is silent.
    Silent,
    /// The device has too many questions.
    Busy,
    /// Nobody has answered in time.
    TooLate,
    /// The machine of the device ended first.
    Ended,
    /// Anything else.
    Other,
}

/// Runs a simulation in the time of the runtime.
///
/// # Errors
///
/// When the gateway ends by itself, or in another way than it is to.
pub async fn run(simulation: Simulation) -> Result<Summary, Box<dyn Error>> {
    let tally = Tally::default();
    let (down, orders) = mpsc::channel(DOWN);
    let devices = Devices::new(simulation.limit, TIMES, down, tally.clone());
    let gateway = Gateway::from(Builder::new().spawn(Open, devices));
    let mut field = Field::new(simulation, gateway.clone(), orders);
    field.live(simulation.seconds).await?;
    while let Some(outcome) = field.asking.join_next().await {
        field.settle(outcome?);
    }
    match gateway.close(Duration::from_secs(60)).await {
        ExitReason::Shutdown => {}
        reason => return Err(format!("the gateway has ended: {reason}").into()),
    }
    Ok(Summary {
        counts: tally.counts(),
        ..field.summary
    })
}

/// All devices.
struct Field {
    gateway: Gateway,
    orders: mpsc::Receiver<Down>,
    random: fastrand::Rng,
    units: Vec<Unit>,
    /// What is to be done, the next thing first: when, in milliseconds, the how many-th, and what.
    plan: BinaryHeap<Reverse<(u64, u64, Act)>>,
    planned: u64,
    start: Instant,
    asking: JoinSet<Outcome>,
    summary: Summary,
}

/// One device.
struct Unit {
    kind: Kind,
    /// It does not speak before this time, in milliseconds, and hears nothing.
    away_until: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Steady,
    /// Falls silent now and then.
    Sleepy,
    /// Speaks, but never reads anything.
    Idle,
    /// Reads something now and then that the gateway has a bug for.
    Odd,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Speak(u32),
    Answer(u32, u64),
    Ask,
}

impl Field {
    fn new(simulation: Simulation, gateway: Gateway, orders: mpsc::Receiver<Down>) -> Self {
        let mut field = Field {
            gateway,
            orders,
            random: fastrand::Rng::with_seed(simulation.seed),
            units: Vec::new(),
            plan: BinaryHeap::new(),
            planned: 0,
            start: now(),
            asking: JoinSet::new(),
            summary: Summary {
                counts: Counts::default(),
                sent: 0,
                planted: 0,
                asked: 0,
                outcomes: BTreeMap::new(),
            },
        };
        for device in 0..simulation.devices {
            // Each kind is there from a few devices on.
            let kind = match device % 200 {
                7 => Kind::Odd,
                3 | 103 => Kind::Idle,
                other if other % 10 == 5 => Kind::Sleepy,
                _ => Kind::Steady,
            };
            field.units.push(Unit {
                kind,
                away_until: 0,
            });
            let first = field.random.u64(0..20_000);
            field.plan(first, Act::Speak(device));
        }
        field.plan(1000, Act::Ask);
        field
    }

    fn plan(&mut self, at: u64, act: Act) {
        self.planned += 1;
        self.plan.push(Reverse((at, self.planned, act)));
    }

    async fn live(&mut self, seconds: u32) -> Result<(), Box<dyn Error>> {
        let end = u64::from(seconds) * 1000;
        while let Some(&Reverse((at, _, act))) = self.plan.peek() {
            let at = at.min(end);
            let due = self.start + Duration::from_millis(at);
            // In this order, so that the same seed does the same.
            tokio::select! {
                biased;
                Some((device, order)) = self.orders.recv() => self.obey(device, order),
                Some(outcome) = self.asking.join_next() => self.settle(outcome?),
                () = tokio::time::sleep_until(due) => {
                    if at == end {
                        return Ok(());
                    }
                    self.plan.pop();
                    self.perform(at, act).await?;
                }
            }
        }
        Ok(())
    }

    fn time(&self) -> u64 {
        let passed = now().duration_since(self.start).as_millis();
        u64::try_from(passed).unwrap_or(u64::MAX)
    }

    fn obey(&mut self, DeviceId(device): DeviceId, order: Order) {
        let time = self.time();
        let Some(unit) = self.units.get_mut(device as usize) else {
            return;
        };
        match order {
            Order::Full { retry_after } => {
                let wait = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
                unit.away_until = time.saturating_add(wait);
            }
            // Some questions get lost.
            Order::Answer(number) if unit.away_until <= time && self.random.u8(..) > 25 => {
                let at = time + self.random.u64(50..500);
                self.plan(at, Act::Answer(device, number));
            }
            Order::Answer(_) => {}
        }
    }

    async fn perform(&mut self, time: u64, act: Act) -> Result<(), Box<dyn Error>> {
        match act {
            Act::Speak(device) => {
                let Some(Unit { kind, away_until }) = self.units.get_mut(device as usize) else {
                    return Ok(());
                };
                if time < *away_until {
                    let again = *away_until;
                    self.plan(again, act);
                    return Ok(());
                }
                let kind = *kind;
                let mut pause = self.random.u64(10_000..20_000);
                if kind == Kind::Sleepy && self.random.u8(..) < 32 {
                    pause = self.random.u64(40_000..200_000);
                    *away_until = time + pause;
                }
                self.plan(time + pause, act);
                let message = self.word(kind);
                self.send(device, message).await?;
            }
            Act::Answer(device, number) => {
                // So that an answer of another device shows.
                let value = device;
                self.send(device, Message::Answer { number, value }).await?;
            }
            Act::Ask => {
                let device = self.random.usize(0..self.units.len());
                self.ask(DeviceId(u32::try_from(device)?));
                // The more devices, the more questions.
                let pause = 1_000_000 / (self.units.len() as u64);
                self.plan(time + pause.clamp(5, 1000), Act::Ask);
            }
        }
        Ok(())
    }

    fn word(&mut self, kind: Kind) -> Message {
        if kind == Kind::Idle || self.random.u8(..) < 85 {
            return Message::Alive;
        }
        let amount = self.random.u32(0..1000);
        let seconds = if kind == Kind::Odd && self.random.u8(..) < 16 {
            self.summary.planted += 1;
            0
        } else {
            self.random.u32(1..10)
        };
        Message::Reading { amount, seconds }
    }

    async fn send(&mut self, device: u32, message: Message) -> Result<(), Box<dyn Error>> {
        self.summary.sent += 1;
        // Waits for room: what is sent faster than the gateway takes it slows the field down.
        self.gateway.heard(DeviceId(device), message).await?;
        Ok(())
    }

    fn ask(&mut self, device: DeviceId) {
        if self.asking.len() == QUESTIONS {
            return;
        }
        self.summary.asked += 1;
        let gateway = self.gateway.clone();
        self.asking.spawn(async move {
            match gateway.ask(device).limit(PATIENCE).await {
                Ok(value) if value == device.0 => Outcome::Answered,
                Ok(_) => Outcome::Mismatched,
                Err(CallError::Failed(Refused::Unknown)) => Outcome::Unknown,
                Err(CallError::Failed(Refused::Silent)) => Outcome::Silent,
                Err(CallError::Failed(Refused::Busy)) => Outcome::Busy,
                Err(CallError::TimedOut { .. }) => Outcome::TooLate,
                Err(CallError::Stopped { .. } | CallError::NotAnswered { .. }) => Outcome::Ended,
                Err(_) => Outcome::Other,
            }
        });
    }

    fn settle(&mut self, outcome: Outcome) {
        *self.summary.outcomes.entry(outcome).or_default() += 1;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
fn now() -> Instant {
    Instant::now()
}

impl Summary {
    /// How many questions had this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Compares what was counted at one place with what was counted at another.
    ///
    /// # Errors
    ///
    /// What does not fit, in words.
    pub fn check(&self) -> Result<(), String> {
        let counts = &self.counts;
        let sum = self.outcomes.values().sum::<u64>();
        for (what, one, other) in [
            ("messages sent and heard", self.sent, counts.heard),
            (
                "messages heard, and routed, refused or turned away",
                counts.heard,
                counts.routed + counts.refused + counts.turned_away,
            ),
            (
                "readings, and those reported or lost",
                counts.readings,
                counts.reported + counts.lost,
            ),
            ("machines started and ended", counts.started, counts.ended()),
            ("questions and outcomes", self.asked, sum),
            (
                "answers of another device",
                self.outcome(Outcome::Mismatched),
                0,
            ),
            ("unforeseen outcomes", self.outcome(Outcome::Other), 0),
        ] {
            if one != other {
                return Err(format!("{what}: {one} and {other}"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let of = |outcome| self.outcome(outcome);
        writeln!(
            f,
            "messages   sent {}, routed {}, refused {}, turned away at the limit {}",
            self.sent, counts.routed, counts.refused, counts.turned_away
        )?;
        writeln!(
            f,
            "           handled {}, ended with their machine {}",
            counts.handled,
            counts.routed.saturating_sub(counts.handled)
        )?;
        writeln!(
            f,
            "readings   {}, of which reported {}, lost {}; {} reports, {} put off",
            counts.readings, counts.reported, counts.lost, counts.reports, counts.put_off
        )?;
        writeln!(
            f,
            "machines   started {}, at most {} at once",
            counts.started, counts.most
        )?;
        writeln!(
            f,
            "           ended: without a reading {}, silent {}, panicked {}, with the gateway {}",
            counts.never_joined, counts.fell_silent, counts.panicked, counts.left
        )?;
        write!(
            f,
            "questions  {}: answered {}, unknown {}, silent {}, busy {}, too late {}, ended {}",
            self.asked,
            of(Outcome::Answered),
            of(Outcome::Unknown),
            of(Outcome::Silent),
            of(Outcome::Busy),
            of(Outcome::TooLate),
            of(Outcome::Ended)
        )
    }
}
