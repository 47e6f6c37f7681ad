//! A client.

use std::time::Duration;

use machines::{Client, Cx, Handler, Next, Reply, StateMachine, keep};

/// A mixer.
#[derive(Debug, StateMachine)]
#[machine(crate = machines, event = Fader, data = u8)]
pub enum Mixer {
    /// It is on.
    #[initial]
    #[to()]
    Playing,
}

/// What can be asked of a mixer.
#[derive(Debug, Client)]
#[client(crate = machines, machine = Mixer, name = pub Desk)]
pub enum Fader {
    /// How loud it is.
    #[call(limit = Duration::from_secs(1))]
    Level {
        /// The answer.
        reply: Reply<u8>,
    },
    /// Sets how loud it is.
    #[cast]
    Set(u8),
    /// Nobody touches it.
    Tick,
}

impl Handler for Mixer {
    fn handle(_: MixerAt<'_>, event: Fader, level: &mut u8, _: &mut Cx<Self>) -> Next<Self> {
        match event {
            Fader::Level { reply } => drop(reply.send(*level)),
            Fader::Set(to) => *level = to,
            Fader::Tick => {}
        }
        keep()
    }
}
