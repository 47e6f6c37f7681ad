//! The network, and what is counted.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use statem::{CallError, EnterCx, Guard, Machine, spawn};
use turmoil::net::UdpSocket;

use super::machine::{
    Account, Asker, Asking, Event, Idle, Incoming, Message, Received, Serving, Teller, Unknown,
};

/// How often the asker asks.
pub const REQUESTS: u64 = 40;

/// The request before which the network breaks in two, and for how long.
const PARTITION: (u64, Duration) = (20, Duration::from_millis(1500));

/// What each end does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The asker asks again when no answer comes.
    pub repeats: bool,
    /// The teller knows a request that it has carried out.
    pub remembers: bool,
}

impl Promise {
    /// All four, the strongest last.
    pub const ALL: [Promise; 4] = [
        Promise::new(false, false),
        Promise::new(false, true),
        Promise::new(true, false),
        Promise::new(true, true),
    ];

    const fn new(repeats: bool, remembers: bool) -> Self {
        Promise { repeats, remembers }
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests of the asker.
    pub asked: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those of which the asker does not know what became of them.
    pub unknown: u64,
    /// Answers to another request than the one that got it.
    pub mismatched: u64,
    /// Messages with a request.
    pub sent: u64,
    /// Answers that came when nobody waited for them.
    pub late: u64,
    /// Requests that were carried out, once at least.
    pub carried_out: u64,
    /// How often one was carried out once more.
    pub again: u64,
    /// Requests that were known, and not carried out again.
    pub remembered: u64,
}

/// Where what happens is told and counted. A clone is the same one.
#[derive(Clone, Default)]
pub struct Story(Arc<Mutex<(Counts, Vec<String>)>>);

impl Story {
    /// Changes the counts.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock().0);
    }

    /// The counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().0
    }

    /// What was told.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lock().1.clone()
    }

    pub(super) fn asks_again(&self, reference: u64) {
        self.tell(format_args!("asker   no answer to {reference}: asks again"));
    }

    pub(super) fn gives_up(&self, reference: u64) {
        self.tell(format_args!(
            "asker   no answer to {reference}: gives up, and cannot know"
        ));
    }

    pub(super) fn drops_late(&self, reference: u64) {
        self.count(|counts| counts.late += 1);
        self.tell(format_args!(
            "asker   an answer to {reference} that nobody waits for: dropped"
        ));
    }

    pub(super) fn carries_out(&self, reference: u64, times: u32) {
        if times == 1 {
            return self.count(|counts| counts.carried_out += 1);
        }
        self.count(|counts| counts.again += 1);
        self.tell(format_args!(
            "teller  carries out {reference} for the {times}. time"
        ));
    }

    pub(super) fn remembers(&self, reference: u64) {
        self.count(|counts| counts.remembered += 1);
        self.tell(format_args!(
            "teller  has carried out {reference} before: does not do it again"
        ));
    }

    fn tell(&self, what: fmt::Arguments<'_>) {
        let time = turmoil::sim_elapsed().unwrap_or_default();
        let line = format!("{:>6} ms  {what}", time.as_millis());
        self.lock().1.push(line);
    }

    fn lock(&self) -> MutexGuard<'_, (Counts, Vec<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the network at a node. turmoil loses and delays what goes through it; that a message
/// may arrive twice is done here.
pub struct Wire {
    socket: Arc<UdpSocket>,
    random: fastrand::Rng,
    incoming: Guard,
}

impl Wire {
    async fn open(seed: u64) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
        Ok(Wire {
            socket: Arc::new(socket),
            random: fastrand::Rng::with_seed(seed),
            incoming: Guard::inert(),
        })
    }

    /// Takes what comes in as events, for as long as this lives.
    pub(super) fn listen<M: Machine<Event: 'static>>(
        &mut self,
        cx: &mut EnterCx<M>,
        event: fn(Received) -> M::Event,
    ) {
        let incoming = Incoming::new(self.socket.clone());
        self.incoming = cx.stream(incoming, move |item| {
            event(item.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())))
        });
    }

    /// Sends a message, which may get lost.
    pub(super) fn send(&mut self, message: Message, to: SocketAddr) {
        let copies = if self.random.u8(..) < 26 { 2 } else { 1 };
        for _ in 0..copies {
            // Whoever asks finds out by the silence.
            let _ = self.socket.try_send_to(&message.encode(), to);
        }
    }
}

const PORT: u16 = 4000;

/// Runs both nodes until the asker has asked [`REQUESTS`] times. The same seed gives the same story.
///
/// # Errors
///
/// When a node fails.
pub fn run(promise: Promise, seed: u64) -> Result<Story, Box<dyn std::error::Error>> {
    let story = Story::default();
    let mut simulation = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(Duration::from_secs(600))
        .tick_duration(Duration::from_millis(5))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(100))
        // Of the messages about every sixth finds the network broken.
        .fail_rate(0.15)
        .repair_rate(0.8)
        .build();

    let told = story.clone();
    simulation.host("teller", move || {
        let story = told.clone();
        async move {
            let account = Account {
                wire: Wire::open(seed ^ 1).await?,
                remembers: promise.remembers,
                last: None,
                carried_out: std::collections::BTreeMap::new(),
                story,
            };
            spawn::<Teller>(Serving, account).closed().await;
            Ok(())
        }
    });

    let told = story.clone();
    simulation.client("asker", async move {
        let asking = Asking {
            wire: Wire::open(seed).await?,
            peer: (turmoil::lookup("teller"), PORT).into(),
            repeats: promise.repeats,
            patience: Duration::from_millis(120),
            reference: 0,
            story: told.clone(),
        };
        let asker = spawn::<Asker>(Idle, asking);
        for number in 1..=REQUESTS {
            if number == PARTITION.0 {
                told.tell(format_args!("network breaks in two"));
                turmoil::partition("asker", "teller");
                let told = told.clone();
                drop(tokio::spawn(async move {
                    tokio::time::sleep(PARTITION.1).await;
                    told.tell(format_args!("network is whole again"));
                    turmoil::repair("asker", "teller");
                }));
            }
            // Each is about another amount, so that an answer to another request shows.
            let answer = asker.call(|reply| Event::Deposit(number, reply));
            let answer = answer.limit(Duration::from_secs(60)).await;
            told.count(|counts| {
                counts.asked += 1;
                match answer {
                    Ok(amount) => {
                        counts.answered += 1;
                        counts.mismatched += u64::from(amount != number);
                    }
                    Err(CallError::Failed(Unknown)) => counts.unknown += 1,
                    Err(_) => {}
                }
            });
        }
        // What is under way arrives.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    });
    simulation.run()?;
    Ok(story)
}
