//! A turnstile, driven by hand: no runtime, no clock. `cargo run --example turnstile`
use statem::{Cx, Handler, Next, StateMachine, engine::Engine, keep};
#[derive(StateMachine)]
#[machine(event = &'static str)]
enum Turnstile {
    #[initial]
    #[to(Unlocked = "coin")]
    Locked,
    #[to(Locked = "push")]
    Unlocked,
}

impl Handler for Turnstile {
    fn handle(state: TurnstileAt<'_>, event: &str, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (TurnstileAt::Locked(s), "coin") => s.go(Unlocked),
            (TurnstileAt::Unlocked(s), "push") => s.go(Locked),
            _ => keep(), // a push against locked arms, a coin too many
        }
    }
}

fn main() {
    statem_examples::arguments::none("turnstile", "Drives a turnstile by hand.");
    let mut turnstile = Engine::<Turnstile>::new(Locked, ());
    turnstile.start(&|| std::time::Duration::ZERO);
    for event in ["push", "coin", "coin", "push"] {
        turnstile.handle(event, &|| std::time::Duration::ZERO);
        println!("{event}: {}", turnstile.state_name());
    }
}
