//! The machine of one device.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use statem::{
    Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, WeakHandle, keep, postpone,
};
use tokio::sync::mpsc;

use super::counts::Tally;
use super::router::{self, Router};

/// Questions to one device that wait for its answer, and as many that wait until it is online.
pub const QUESTIONS: usize = 4;

/// Which device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceId(pub u32);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}", self.0)
    }
}

/// What a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// That it is there.
    Alive,
    /// What it has measured: so much in so many seconds.
    Reading {
        /// How much.
        amount: u32,
        /// In how many seconds.
        seconds: u32,
    },
    /// The answer to a question.
    Answer {
        /// Of which question.
        number: u64,
        /// The answer.
        value: u32,
    },
}

/// What a device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To answer a question, by its number.
    Answer(u64),
    /// That the gateway has as many devices as it takes: to try again after a while.
    Full {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// An order on its way to a device.
pub type Down = (DeviceId, Order);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until the first reading.
    pub join: Duration,
    /// Without a word, until a device counts as silent,
    pub silent: Duration,
    /// and after that, until it counts as gone.
    pub gone: Duration,
    /// Between two reports of what it has read.
    pub report: Duration,
}

/// One device, as the gateway knows it.
#[derive(StateMachine)]
#[machine(event = Event, data = Facts)]
#[to(Gone = "quiet for too long, or told to leave")]
pub enum Device {
    /// It has spoken, but has read nothing yet. Questions wait.
    #[initial]
    #[to(Online = "first reading")]
    Joining,
    /// It speaks. Questions go to it.
    #[to(Silent = "not a word for a while")]
    Online(Online),
    /// It may be gone. Questions are refused.
    #[to(Online = "speaks again")]
    Silent,
    /// What it has read is reported, and the machine ends.
    #[terminal]
    Gone,
}

/// See [`Device::Online`].
#[derive(Default)]
pub struct Online {
    /// What it was asked, by number, oldest first.
    asked: VecDeque<(u64, Reply<u32, Refused>)>,
}

/// What a device has read since its last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// How many times.
    pub count: u64,
    /// The sum of what it read, each a second.
    pub sum: u64,
}

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The gateway does not know the device.
    Unknown,
    /// It has not been heard of for a while.
    Silent,
    /// As many questions wait for it as may, or the way to it is full.
    Busy,
    /// The gateway ends.
    Closing,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Unknown => {
                "the gateway knows no such device: it has not spoken, or not lately"
            }
            Refused::Silent => "the device has not been heard of for a while: ask again later",
            Refused::Busy => "the device has as many questions as it takes: ask again later",
            Refused::Closing => "the gateway ends",
        })
    }
}

impl Error for Refused {}

/// What happens to a device.
pub enum Event {
    /// It has spoken.
    Heard(Message),
    /// Somebody asks it something.
    Ask(Reply<u32, Refused>),
    /// It has been quiet for as long as its state allows.
    Quiet,
    /// It is time to report.
    Report,
    /// The gateway ends: the device says what it has not yet reported, and ends.
    Leave(Reply<Readings>),
}

/// What is kept of a device in all states.
pub struct Facts {
    /// Which one it is.
    pub id: DeviceId,
    /// How long things may take.
    pub times: Times,
    /// Who gets the reports: weak, since it owns this machine.
    pub router: WeakHandle<Router>,
    /// The way to the device. It is bounded: what finds it full is refused.
    pub down: mpsc::Sender<Down>,
    /// Where what happens is counted.
    pub tally: Tally,
    /// What was read and not yet reported.
    pub readings: Readings,
    /// The number of the last question; no other machine of the device has used those that follow.
    pub number: u64,
}

impl Handler for Device {
    fn enter(&mut self, facts: &mut Facts, cx: &mut EnterCx<Self>) {
        let times = facts.times;
        match self {
            Self::Joining => {
                cx.state_timeout(times.join, Event::Quiet);
                // It has a name, so it goes on in every state.
                cx.timeout("report", times.report, Event::Report);
            }
            Self::Online(_) => cx.state_timeout(times.silent, Event::Quiet),
            Self::Silent => cx.state_timeout(times.gone, Event::Quiet),
            Self::Gone => facts.report(),
        }
    }

    fn handle(
        state: DeviceAt<'_>,
        event: Event,
        facts: &mut Facts,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {DeviceAt as S, Event as E};
        match (state, event) {
            (S::Joining(s), E::Heard(message @ Message::Reading { .. })) => {
                facts.take(message);
                s.go(Online::default())
            }
            (S::Joining(_), E::Heard(message)) => {
                facts.take(message);
                keep()
            }
            // Until it is online; with what is left of the limit of the call.
            (S::Joining(_), event @ E::Ask(_)) => postpone(event),
            (S::Joining(s), E::Quiet) => {
                facts.tally.count(|counts| counts.never_joined += 1);
                s.go(Gone)
            }

            (S::Online(mut s), E::Heard(message)) => {
                facts.take(message);
                if let Message::Answer { number, value } = message {
                    s.answer(number, value);
                }
                cx.state_timeout(facts.times.silent, E::Quiet);
                keep()
            }
            (S::Online(mut s), E::Ask(reply)) => {
                s.ask(reply, facts);
                keep()
            }
            (S::Online(mut s), E::Quiet) => {
                for (_, reply) in s.asked.drain(..) {
                    let _ = reply.fail(Refused::Silent);
                }
                s.go(Silent)
            }

            (S::Silent(s), E::Heard(message)) => {
                facts.take(message);
                s.go(Online::default())
            }
            (S::Silent(_), E::Ask(reply)) => {
                let _ = reply.fail(Refused::Silent);
                keep()
            }
            (S::Silent(s), E::Quiet) => {
                facts.tally.count(|counts| counts.fell_silent += 1);
                s.go(Gone)
            }

            (_, E::Report) => {
                facts.report();
                cx.timeout("report", facts.times.report, E::Report);
                keep()
            }
            (state, E::Leave(reply)) => {
                facts.tally.count(|counts| counts.left += 1);
                let readings = std::mem::take(&mut facts.readings);
                // If nobody waits for it, it is lost.
                facts.readings = reply.send(readings).err().unwrap_or_default();
                state.go(Gone)
            }
        }
    }

    // Also after a panic: what was read and not reported is lost, and this says so.
    fn terminate(_: &ExitReason, _: Option<&mut Self>, facts: &mut Facts) {
        let unreported = facts.readings.count;
        facts.tally.count(|counts| counts.lost += unreported);
    }
}

impl Online {
    fn ask(&mut self, reply: Reply<u32, Refused>, facts: &mut Facts) {
        // Those whose callers have gone make room.
        self.asked.retain(|(_, reply)| !reply.is_closed());
        if self.asked.len() == QUESTIONS {
            let _ = reply.fail(Refused::Busy);
            return;
        }
        facts.number += 1;
        let order = (facts.id, Order::Answer(facts.number));
        if facts.down.try_send(order).is_err() {
            let _ = reply.fail(Refused::Busy);
            return;
        }
        self.asked.push_back((facts.number, reply));
    }

    fn answer(&mut self, number: u64, value: u32) {
        let place = self.asked.iter().position(|(asked, _)| *asked == number);
        // Nobody waits any more for an answer that comes late.
        if let Some((_, reply)) = place.and_then(|place| self.asked.remove(place)) {
            let _ = reply.send(value);
        }
    }
}

impl Facts {
    fn take(&mut self, message: Message) {
        if let Message::Reading { amount, seconds } = message {
            // The bug: nobody has thought of a device that measures for no time.
            self.readings.sum += u64::from(amount / seconds);
            self.readings.count += 1;
            self.tally.count(|counts| counts.readings += 1);
        }
        self.tally.count(|counts| counts.handled += 1);
    }

    /// Tells what was read. If the router has no room it is kept for the next report.
    fn report(&mut self) {
        if self.readings.count == 0 {
            return;
        }
        let event = router::Event::Reported(self.id, self.readings);
        if self.router.try_cast(event).is_ok() {
            self.readings = Readings::default();
        } else {
            self.tally.count(|counts| counts.put_off += 1);
        }
    }
}
