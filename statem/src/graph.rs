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
    ///
    /// Every state, transition and label is in it, in the order of the source. What means something
    /// else to Mermaid is escaped, and a state whose name is a word of Mermaid's, such as `Default`,
    /// has another identifier there and shows its own name.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for state in self.states {
            let name = self.mermaid_name(state.name);
            // A declaration of its own shows states without any edge.
            let _ = if name == state.name {
                writeln!(text, "    {name}")
            } else {
                writeln!(text, "    state \"{}\" as {name}", state.name)
            };
            if state.initial {
                let _ = writeln!(text, "    [*] --> {name}");
            }
            for edge in state.edges {
                let to = self.mermaid_name(edge.to);
                // Mermaid takes no empty label.
                let label = edge.label.filter(|label| !label.trim().is_empty());
                let _ = match label {
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

    /// The identifier of a state, which no other state has.
    fn mermaid_name(&self, state: &str) -> String {
        let mut name = state.to_owned();
        if MERMAID.contains(&state.to_ascii_lowercase().as_str()) {
            name.push('_');
            while self.states.iter().any(|other| other.name == name) {
                name.push('_');
            }
        }
        name
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

/// The words that Mermaid, which knows no upper case, does not take for names of states.
const MERMAID: [&str; 10] = [
    "class",
    "classdef",
    "click",
    "default",
    "href",
    "note",
    "scale",
    "state",
    "statediagram",
    "style",
];

/// Mermaid ends a label at a line break, a semicolon or a second colon, takes `#` for the start of
/// an entity, `%%` for that of a comment or a directive, and shows a label as HTML.
fn mermaid_text(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '#' | '%' | '&' | ':' | ';' | '<' | '>' => {
                let _ = write!(text, "#{};", u32::from(character));
            }
            control if control.is_control() => text.push(' '),
            other => text.push(other),
        }
    }
    text
}

/// Graphviz reads entities in a label.
fn dot_text(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('&', "&amp;")
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
