//! statem compared with Erlang's gen_statem, trace by trace.
//!
//! A *case* is a machine as data and a script of events for it ([`case`] has the format). OTP's own
//! gen_statem runs it under a virtual clock (`oracle.erl` says how) and an interpreter machine runs
//! it on statem; both write a *trace*, and the traces must be equal, line by line.
//!
//! ```text
//! H STATE KIND CONTENT N     a callback is entered, with counter N; a call shows C#ID
//! R ID V                     the call ID is answered
//! @ I NOW                    step I begins
//! T REASON STATE N           terminate
//! E STATE N post=L tmr=L     the end: postponed events, oldest first; running timers by name
//! E dead                     the end of a machine that has stopped
//! ```
//!
//! # Layers
//!
//! Each case runs on three layers ([`Layer`]): on the engine, driven by hand; on the tokio driver,
//! as a task on a paused clock, through a handle; and on the engine again as another machine, whose
//! states are variants with a handler each where the first two have one variant (`machines.rs` has
//! what differs).
//!
//! # What is compared
//!
//! Every callback with its state, event, caller and data, in order, and so the order of all queues;
//! every answer and its order; the step in which each timer fires, and its time through those that
//! are started then; how and with what the machine ends; what is postponed and running when the
//! script is over. Beyond the trace, each layer checks that the engine tells every event's origin
//! (N7), and that every answer reaches its caller: by hand when its transition is complete, on the
//! driver in the order given (N9). By hand the counts must come out even (N48).
//!
//! # What is not
//!
//! Where statem differs on purpose or the types forbid what a case does, the case is *translated*
//! and compared to its end, or *listed* and compared up to that point, under the number of the rule
//! (`rule.rs` has them all). None is left out, and the tests assert how many there are of each.
//!
//! Some differences no case can touch. When an answer becomes visible (R45, N9): the trace has it
//! where it is given, as OTP's has. What comes first of messages and timers that wait together (R18,
//! N20, N23): the machine comes to rest after each step. What OTP has no word for: sources, bounds,
//! callers that go, `keep_and_retry`.
//!
//! Timers of equal deadlines are compared although OTP leaves their order open (R149): statem fixes
//! it to what OTP does (N26).
//!
//! # Use
//!
//! | | |
//! |---|---|
//! | `cargo test -p statem-conformance` | the cases made by hand, and 3 × 1,000 random ones that were recorded; needs no Erlang |
//! | `cargo run --release -p statem-conformance -- --cases 30000 --seed 7` | fresh cases of all profiles on all layers; needs Erlang (Debian: `erlang-base`) |
//! | `.. --seed 7 --profile err --only 123` | one of them again, shrunk, with both traces |
//! | `.. --file tests/conformance/hand.txt` | the cases of a file, and whether gen_statem does what is written beside them |
//! | `.. --record` | records the golden sets anew |
//! | `cargo run -p statem-conformance --bin mutations` | breaks the library in more than fifty ways (`mutations.txt`), one at a time in a copy; the golden set must see each |

mod by_hand;
pub mod case;
pub mod compare;
#[cfg(feature = "driver")]
mod driver;
mod event;
pub mod generate;
pub mod golden_set;
mod interpreter;
mod machines;
pub mod mutation;
pub mod oracle;
mod rule;
pub mod shrink;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use case::Case;
use compare::Comparison;
use interpreter::Log;
use machines::{Single, Variants};

/// What a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The engine, driven by hand; the state is data of a machine with one variant.
    Engine,
    /// The tokio driver; the same machine.
    Driver,
    /// The engine, driven by hand; each state is a variant, and each variant has its handler.
    Derive,
}

impl Layer {
    /// All of them.
    pub const ALL: [Layer; 3] = [Layer::Engine, Layer::Driver, Layer::Derive];
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Layer::Engine => "engine",
            Layer::Driver => "driver",
            Layer::Derive => "derive",
        })
    }
}

impl FromStr for Layer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Layer::ALL
            .into_iter()
            .find(|layer| layer.to_string() == text);
        found.ok_or_else(|| format!("`{text}` is no layer: engine, driver or derive"))
    }
}

/// Runs cases, one after the other.
pub struct Runner {
    #[cfg(feature = "driver")]
    driver: driver::Driver,
}

impl Runner {
    /// # Errors
    ///
    /// The runtime of the driver cannot be made.
    pub fn new() -> std::io::Result<Self> {
        Ok(Runner {
            #[cfg(feature = "driver")]
            driver: driver::Driver::new()?,
        })
    }

    /// Runs a case on a layer, and compares the trace with the one that OTP recorded.
    #[must_use]
    pub fn compare(&self, case: &Arc<Case>, recorded: &str, layer: Layer) -> Comparison {
        compare::compare(case, recorded, layer, self.run(case, layer))
    }

    #[cfg_attr(
        not(feature = "driver"),
        expect(clippy::unused_self, reason = "only the driver has something to keep")
    )]
    fn run(&self, case: &Arc<Case>, layer: Layer) -> Log {
        match layer {
            Layer::Engine => by_hand::run::<Single>(case),
            Layer::Derive => by_hand::run::<Variants>(case),
            #[cfg(feature = "driver")]
            Layer::Driver => self.driver.run(case),
            #[cfg(not(feature = "driver"))]
            Layer::Driver => panic!("built without the feature `driver`"),
        }
    }
}
