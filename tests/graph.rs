//! The graph of a machine and the pictures made of it.

use statem::testing::Bench;
use statem::{Cx, Graph, Handler, Machine, Next, StateMachine};

/// A way through
/// a gate.
#[derive(StateMachine)]
#[machine(event = (), data = Vec<&'static str>)]
#[to(Broken = "kicked; #1")]
enum Gate {
    /// Nobody passes.
    #[initial]
    #[to(Open = "a \"coin\"")]
    Closed,
    #[to(Closed, Open)]
    Open(Open),
    /// For ever.
    #[terminal]
    Broken,
}

struct Open;

impl Handler for Gate {
    fn handle(
        state: GateAt<'_>,
        (): (),
        names: &mut Vec<&'static str>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        names.push(state.name());
        match state {
            GateAt::Closed(s) => s.go(Open),
            GateAt::Open(s) => s.go(Closed),
        }
    }
}

/// A constant, so that it can be used in one.
const GRAPH: Graph = Gate::GRAPH;

#[test]
fn the_graph_is_the_enum_in_the_order_of_the_source() {
    assert_eq!((GRAPH.name, GRAPH.docs), ("Gate", "A way through\na gate."));
    let states: Vec<_> = GRAPH
        .states
        .iter()
        .map(|state| (state.name, state.initial, state.terminal))
        .collect();
    assert_eq!(
        states,
        [
            ("Closed", true, false),
            ("Open", false, false),
            ("Broken", false, true)
        ]
    );
    let docs: Vec<_> = GRAPH.states.iter().map(|state| state.docs).collect();
    assert_eq!(docs, ["Nobody passes.", "", "For ever."]);
    let edges: Vec<Vec<_>> = GRAPH
        .states
        .iter()
        .map(|state| {
            state
                .edges
                .iter()
                .map(|edge| (edge.to, edge.label))
                .collect()
        })
        .collect();
    assert_eq!(
        edges,
        [
            vec![("Open", Some("a \"coin\"")), ("Broken", Some("kicked; #1"))],
            vec![
                ("Closed", None),
                ("Open", None),
                ("Broken", Some("kicked; #1"))
            ],
            vec![],
        ]
    );
}

#[test]
fn mermaid_shows_every_state_edge_and_label() {
    let expected = "\
stateDiagram-v2
    Closed
    [*] --> Closed
    Closed --> Open : a \"coin\"
    Closed --> Broken : kicked#59; #35;1
    Open
    Open --> Closed
    Open --> Open
    Open --> Broken : kicked#59; #35;1
    Broken
    Broken --> [*]
";
    assert_eq!(GRAPH.mermaid(), expected);
}

#[test]
fn dot_shows_every_state_edge_and_label() {
    let expected = r#"digraph "Gate" {
    rankdir=LR;
    node [shape=box, style=rounded];
    "[*]" [shape=point, label=""];
    "Closed";
    "[*]" -> "Closed";
    "Closed" -> "Open" [label="a \"coin\""];
    "Closed" -> "Broken" [label="kicked; #1"];
    "Open";
    "Open" -> "Closed";
    "Open" -> "Open";
    "Open" -> "Broken" [label="kicked; #1"];
    "Broken" [peripheries=2];
}
"#;
    assert_eq!(GRAPH.dot(), expected);
}

#[test]
fn a_state_knows_its_place_and_its_view_its_name() {
    assert_eq!(Gate::Closed.index(), 0);
    assert_eq!(Gate::Open(Open).index(), 1);
    assert_eq!(Gate::Broken.index(), 2);

    let mut gate = Bench::new(Closed, Vec::new());
    gate.send(());
    gate.send(());
    assert_eq!(gate.data()[..], ["Closed", "Open"]);
}
