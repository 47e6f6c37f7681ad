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

/// Words of Mermaid's for names, and labels that mean something to Mermaid or to Graphviz.
mod strange {
    use statem::StateMachine;

    #[derive(StateMachine)]
    #[machine(event = ())]
    #[to(Note = "a: b; c:::d")]
    pub(super) enum Strange {
        #[initial]
        #[to(Default_ = "%%{init: {}}%%", Note_ = "<b>&amp; \\ \"q\" 'q' `q`")]
        Default,
        #[initial]
        #[to(r#Default = "line\nbreak\ttab", Default_ = "")]
        Default_,
        #[to(Note_ = "größer → 大", Straße = " ")]
        Note_,
        #[to(Default = "a --> b [*] {c} |d| \\N \\l")]
        Straße,
        #[terminal]
        Note,
    }
}

#[test]
fn mermaid_takes_strange_names_and_labels_for_what_they_are() {
    let expected = r#"stateDiagram-v2
    state "Default" as Default__
    [*] --> Default__
    Default__ --> Default_ : #37;#37;{init#58; {}}#37;#37;
    Default__ --> Note_ : #60;b#62;#38;amp#59; \ "q" 'q' `q`
    Default__ --> Note__ : a#58; b#59; c#58;#58;#58;d
    Default_
    [*] --> Default_
    Default_ --> Default__ : line break tab
    Default_ --> Default_
    Default_ --> Note__ : a#58; b#59; c#58;#58;#58;d
    Note_
    Note_ --> Note_ : größer → 大
    Note_ --> Straße
    Note_ --> Note__ : a#58; b#59; c#58;#58;#58;d
    Straße
    Straße --> Default__ : a --#62; b [*] {c} |d| \N \l
    Straße --> Note__ : a#58; b#59; c#58;#58;#58;d
    state "Note" as Note__
    Note__ --> [*]
"#;
    assert_eq!(strange::Strange::GRAPH.mermaid(), expected);
}

#[test]
fn dot_takes_strange_labels_for_what_they_are() {
    let dot = strange::Strange::GRAPH.dot();
    for line in [
        r#""Default" -> "Note_" [label="<b>&amp;amp; \\ \"q\" 'q' `q`"];"#,
        "\"Default_\" -> \"Default\" [label=\"line\\nbreak\ttab\"];",
        r#""Default_" -> "Default_" [label=""];"#,
        r#""Straße" -> "Default" [label="a --> b [*] {c} |d| \\N \\l"];"#,
        r#""Note" [peripheries=2];"#,
    ] {
        assert!(
            dot.lines().any(|found| found.trim() == line),
            "no {line} in:\n{dot}"
        );
    }
}

#[test]
fn a_state_without_transitions_is_in_every_picture() {
    #[derive(StateMachine)]
    #[machine(event = ())]
    enum Alone {
        #[initial]
        Here,
    }
    assert_eq!(
        Alone::GRAPH.mermaid(),
        "stateDiagram-v2\n    Here\n    [*] --> Here\n"
    );
    assert!(
        Alone::GRAPH
            .dot()
            .contains("    \"Here\";\n    \"[*]\" -> \"Here\";\n}\n")
    );
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
