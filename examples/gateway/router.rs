//! The machine that starts the others and routes to them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use statem::{
    Actions, Builder, CallError, Child, Client, Cx, EnterCx, ExitReason, Handle, Handler, Next,
    Reply, StateMachine, keep, stop, unexpected,
};
use tokio::sync::mpsc;

use super::counts::Tally;
use super::device::{
    self, Device, DeviceId, Down, Facts, Joining, Message, Order, QUESTIONS, Readings, Refused,
    Times,
};

/// Messages that wait for one device.
const MAILBOX: usize = 8;
/// Devices that are told to leave at once.
const LEAVING: usize = 64;
/// How long the devices have to leave, all together.
const FAREWELL: Duration = Duration::from_secs(10);
/// When a device that found no place may try again.
pub const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Knows the devices.
#[derive(StateMachine)]
#[machine(event = Event, data = Devices, shutdown = Event::Close)]
pub enum Router {
    /// Devices come and go.
    #[initial]
    #[to(Closing = "told to end")]
    Open,
    /// No device is let in, and those that are here leave, so many at a time. The machine ends when
    /// all have left or their time is over.
    #[to()]
    Closing(Closing),
}

/// See [`Router::Closing`].
#[derive(Default)]
pub struct Closing {
    waiting: VecDeque<DeviceId>,
    leaving: usize,
}

/// What happens to the router.
#[derive(Client)]
#[client(machine = Router, name = pub Gateway)]
pub enum Event {
    /// A device has said something. Waits for room.
    ///
    /// # Errors
    ///
    /// When the gateway has ended.
    #[cast]
    Heard {
        /// Which device.
        device: DeviceId,
        /// What it said.
        message: Message,
    },
    /// Asks a device, which answers itself.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    #[call]
    Ask {
        /// Which device.
        device: DeviceId,
        /// The way back, also from there.
        reply: Reply<u32, Refused>,
    },
    /// A device reports.
    Reported(DeviceId, Readings),
    /// A device that was told to leave has said its last, or has ended before.
    Left(Result<Readings, CallError>),
    /// The machine of a device has ended.
    Ended(DeviceId, ExitReason),
    /// The gateway is to end.
    Close,
    /// It has taken too long.
    TooLate,
}

impl Gateway {
    /// Ends the gateway: the devices leave, and report what they have read. Waits for it, no longer
    /// than the limit.
    ///
    /// Cancel safety: once it has been polled the request stays in force.
    pub async fn close(&self, limit: Duration) -> ExitReason {
        self.handle.shutdown(limit).await
    }
}

/// The devices that have a machine.
pub struct Devices {
    limit: usize,
    times: Times,
    down: mpsc::Sender<Down>,
    tally: Tally,
    /// Machines that were started.
    started: u64,
    /// Each is owned here, and so ends with the router if not before.
    here: BTreeMap<DeviceId, Child<Device>>,
}

impl Handler for Router {
    fn enter(&mut self, devices: &mut Devices, cx: &mut EnterCx<Self>) {
        if let Self::Closing(closing) = self {
            cx.state_timeout(FAREWELL, Event::TooLate);
            closing.waiting = devices.here.keys().copied().collect();
            devices.say_goodbye(closing, cx);
        }
    }

    fn handle(
        state: RouterAt<'_>,
        event: Event,
        devices: &mut Devices,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {Event as E, RouterAt as S};
        match (state, event) {
            (S::Open(_), E::Heard { device, message }) => {
                devices.heard(device, message, cx);
                keep()
            }
            (S::Open(_), E::Ask { device, reply }) => {
                devices.ask(device, reply);
                keep()
            }
            (S::Open(_), E::Ended(device, reason)) => {
                devices.forget(device, &reason);
                keep()
            }
            (S::Open(s), E::Close) => s.go(Closing::default()),

            (S::Closing(mut s), E::Left(last)) => {
                s.leaving -= 1;
                if let Ok(readings) = last {
                    devices.reported(readings);
                }
                devices.say_goodbye(&mut s, cx);
                keep()
            }
            (S::Closing(mut s), E::Ended(device, reason)) => {
                devices.forget(device, &reason);
                devices.say_goodbye(&mut s, cx);
                keep()
            }
            (S::Closing(_), E::TooLate) => stop(ExitReason::Shutdown),
            (S::Closing(_), E::Heard { .. }) => {
                devices.tally.count(|counts| {
                    counts.heard += 1;
                    counts.refused += 1;
                });
                keep()
            }
            (S::Closing(_), E::Ask { reply, .. }) => {
                let _ = reply.fail(Refused::Closing);
                keep()
            }

            (_, E::Reported(_, readings)) => {
                devices.reported(readings);
                keep()
            }
            (S::Closing(_), E::Close) => keep(),
            (_, event) => unexpected(event),
        }
    }

    // The devices that have not left end with this one.
    fn terminate(_: &ExitReason, _: Option<&mut Self>, devices: &mut Devices) {
        let left = devices.here.len() as u64;
        devices.tally.count(|counts| counts.left += left);
    }
}

impl Devices {
    /// None yet. At most so many at once; orders to them go down there.
    #[must_use]
    pub fn new(limit: usize, times: Times, down: mpsc::Sender<Down>, tally: Tally) -> Self {
        Devices {
            limit,
            times,
            down,
            tally,
            started: 0,
            here: BTreeMap::new(),
        }
    }

    fn heard(&mut self, id: DeviceId, message: Message, cx: &mut Cx<Router>) {
        self.tally.count(|counts| counts.heard += 1);
        if !self.here.contains_key(&id) {
            if self.here.len() >= self.limit {
                return self.turn_away(id);
            }
            let device = self.start(id, cx);
            self.here.insert(id, device);
        }
        let Some(device) = self.here.get(&id) else {
            return;
        };
        // A device that speaks faster than its machine listens harms nobody else: it is not waited
        // for.
        let was_sent = device.try_cast(device::Event::Heard(message)).is_ok();
        self.tally.count(|counts| {
            if was_sent {
                counts.routed += 1;
            } else {
                counts.refused += 1;
            }
        });
    }

    fn start(&mut self, id: DeviceId, cx: &mut Actions<Router>) -> Child<Device> {
        self.started += 1;
        let facts = Facts {
            id,
            times: self.times,
            router: cx.handle(),
            down: self.down.clone(),
            tally: self.tally.clone(),
            readings: Readings::default(),
            // A late answer to a machine that has ended is none to this one.
            number: self.started << 32,
        };
        let builder = Builder::new().mailbox(MAILBOX).postponed(QUESTIONS);
        let at_once = self.here.len() + 1;
        self.tally.count(|counts| {
            counts.started += 1;
            counts.most = counts.most.max(at_once);
        });
        cx.start(builder.build(Joining, facts), move |reason| {
            Event::Ended(id, reason)
        })
    }

    /// At the limit a device is told so, and when to try again.
    fn turn_away(&self, id: DeviceId) {
        self.tally.count(|counts| counts.turned_away += 1);
        let order = Order::Full {
            retry_after: RETRY_AFTER,
        };
        // If the way down is full, too, it hears nothing, and speaks again when it likes.
        let _ = self.down.try_send((id, order));
    }

    /// Gives the question to the machine of the device, with what is left of its limit: from here on
    /// the call is between that one and the caller.
    fn ask(&self, id: DeviceId, reply: Reply<u32, Refused>) {
        let Some(device) = self.here.get(&id) else {
            let _ = reply.fail(Refused::Unknown);
            return;
        };
        if let Err(refused) = device.try_forward(reply, device::Event::Ask)
            && let device::Event::Ask(reply) = refused.into_event()
        {
            let _ = reply.fail(Refused::Busy);
        }
    }

    fn forget(&mut self, id: DeviceId, reason: &ExitReason) {
        drop(self.here.remove(&id));
        if matches!(reason, ExitReason::Panicked { .. }) {
            self.tally.count(|counts| counts.panicked += 1);
        }
    }

    fn reported(&self, readings: Readings) {
        self.tally.count(|counts| {
            counts.reports += u64::from(readings.count > 0);
            counts.reported += readings.count;
            counts.sum += readings.sum;
        });
    }

    /// Tells the next ones to leave, and stops when nobody is left.
    fn say_goodbye(&self, closing: &mut Closing, cx: &mut Actions<Router>) {
        while closing.leaving < LEAVING {
            let Some(id) = closing.waiting.pop_front() else {
                break;
            };
            // It may have ended by itself meanwhile.
            if let Some(device) = self.here.get(&id) {
                let device = Handle::clone(device);
                // Its last report comes as the answer, for which there is room whatever else comes.
                let last = async move { device.call(device::Event::Leave).await };
                cx.state_task(last, Event::Left);
                closing.leaving += 1;
            }
        }
        // Without any handle left this machine ends in the same way by itself.
        let this = cx.handle().upgrade();
        if let (true, 0, Some(this)) = (self.here.is_empty(), closing.leaving, this) {
            // A stop keeps its place behind the messages that wait: among them may be reports, for an
            // end comes from a source and so before a message.
            let stopped = async move { this.stop_with(ExitReason::Shutdown).await };
            cx.state_task(stopped, |_| Event::TooLate);
        }
    }
}
