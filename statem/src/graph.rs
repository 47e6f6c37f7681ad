//! The graph of a machine: what the derive read off the enum, and the pictures made of it.

use std::fmt::Write;

/// The states of a machine and the transitions it declares, in the order of the source.
///
/// ```
/// use statem::{Machine, StateMachine};
///
/// #[derive(StateMachine)]
/// #[machine(event = ())]
/// enum Door {
///     #[initial]
///     #[to(Open = "pushed")]
///     Closed,
///     #[to(Closed)]
///     Open,
/// }
///
/// assert_eq!(Door::GRAPH.states[0].edges[0].to, "Open");
/// assert!(Door::GRAPH.mermaid().contains("Closed --> Open : pushed"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// The name of the machine's enum.
    pub name: &'static str,
    /// Its doc comment, lines joined by `\n`; empty if there is none.
    pub docs: &'static str,
    /// Its states.
    pub states: &'static [Vertex],
}

/// A state as the graph shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vertex {
    /// The name of the variant.
    pub name: &'static str,
    /// Its doc comment, lines joined by `\n`; empty if there is none.
    pub docs: &'static str,
    /// Whether a machine may start here.
    pub initial: bool,
    /// Whether the machine ends here.
    pub terminal: bool,
    /// Where it may go: its own edges, then those declared on the enum.
    pub edges: &'static [Edge],
}

/// A declared transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The name of the target state.
    pub to: &'static str,
    /// The label the user wrote: `#[to(Target = "label")]`.
    pub label: Option<&'static str>,
}

impl Graph {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, docs: &'static str, states: &'static [Vertex]) -> Self {
        Graph { name, docs, states }
    }

    /// The state diagram as Mermaid source.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for state in self.states {
            let name = state.name;
            // A declaration of its own shows states without any edge.
            let _ = writeln!(text, "    {name}");
            if state.initial {
                let _ = writeln!(text, "    [*] --> {name}");
            }
            for edge in state.edges {
                let to = edge.to;
                let _ = match edge.label {
                    Some(label) => writeln!(text, "    {name} --> {to} : {}", mermaid_text(label)),
                    None => writeln!(text, "    {name} --> {to}"),
                };
            }
            if state.terminal {
                let _ = writeln!(text, "    {name} --> [*]");
            }
        }
        text
    }

    /// The state diagram as DOT source, for Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text = format!(
            "digraph {} {{\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
            dot_text(self.name)
        );
        if self.states.iter().any(|state| state.initial) {
            text.push_str("    \"[*]\" [shape=point, label=\"\"];\n");
        }
        for state in self.states {
            let name = dot_text(state.name);
            let shape = if state.terminal {
                " [peripheries=2]"
            } else {
                ""
            };
            let _ = writeln!(text, "    {name}{shape};");
            if state.initial {
                let _ = writeln!(text, "    \"[*]\" -> {name};");
            }
            for edge in state.edges {
                let to = dot_text(edge.to);
                let _ = match edge.label {
                    Some(label) => {
                        writeln!(text, "    {name} -> {to} [label={}];", dot_text(label))
                    }
                    None => writeln!(text, "    {name} -> {to};"),
                };
            }
        }
        text.push_str("}\n");
        text
    }
}

impl Vertex {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        initial: bool,
        terminal: bool,
        edges: &'static [Edge],
    ) -> Self {
        Vertex {
            name,
            docs,
            initial,
            terminal,
            edges,
        }
    }
}

impl Edge {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(to: &'static str, label: Option<&'static str>) -> Self {
        Edge { to, label }
    }
}

/// Mermaid ends a label at a line break or a semicolon and reads `#` as the start of an entity.
fn mermaid_text(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '#' => text.push_str("#35;"),
            ';' => text.push_str("#59;"),
            '\n' => text.push(' '),
            other => text.push(other),
        }
    }
    text
}

fn dot_text(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
