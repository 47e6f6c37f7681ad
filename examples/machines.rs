//! All machines of the examples, for those who draw them.

use statem::net::ClientMachine;
use statem::{Graph, Machine};

use crate::{
    chat_server, code_lock, dns_client, gateway, guarantees, redis_client, smtp_session, two_nodes,
};

/// What `cargo run --example diagram` can draw: the machine of each example, in the order of their
/// names.
pub const MACHINES: &[(&str, Graph)] = &[
    ("chat_server", chat_server::machine::ChatSession::GRAPH),
    ("code_lock", code_lock::machine::Door::GRAPH),
    ("dns_client", dns_client::machine::Resolver::GRAPH),
    ("gateway", gateway::device::Device::GRAPH),
    ("guarantees", guarantees::patient::Patient::GRAPH),
    ("line_client", line_client::GRAPH),
    ("ready_client", CLIENT),
    ("redis_client", CLIENT),
    ("smtp_session", smtp_session::machine::Smtp::GRAPH),
    ("turnstile", turnstile::GRAPH),
    ("two_nodes", two_nodes::machine::Asker::GRAPH),
];

/// That of every ready client: it is the same whatever the protocol is.
const CLIENT: Graph = ClientMachine::<redis_client::protocol::Commands>::GRAPH;

/// That of `turnstile.rs`, from which nothing can be taken out: it is a program in one file, as the
/// README shows it. A test compares the two.
mod turnstile {
    use statem::{Graph, Machine, StateMachine};

    #[derive(StateMachine)]
    #[machine(event = &'static str)]
    enum Turnstile {
        #[initial]
        #[to(Unlocked = "coin")]
        Locked,
        #[to(Locked = "push")]
        Unlocked,
    }

    pub(super) const GRAPH: Graph = Turnstile::GRAPH;
}

/// That of `line_client.rs`, another such program.
mod line_client {
    use statem::{Graph, Machine, StateMachine};

    #[derive(StateMachine)]
    #[machine(event = Event, data = Peer)]
    enum Line {
        #[initial]
        #[to(Connecting = "back-off over")]
        Disconnected,
        #[to(Connected = "dialled", Disconnected = "refused or too late")]
        Connecting,
        #[to(Disconnected = "lost")]
        Connected(Connected),
    }

    struct Event;
    struct Peer;
    struct Connected;

    pub(super) const GRAPH: Graph = Line::GRAPH;
}
