//! The rules between places of a [`Model`].

use proc_macro2::Span;
use syn::Error;
use syn::spanned::Spanned;

use crate::model::{Data, Edge, Model, State, taken, written};
use crate::report::Report;

pub(crate) fn validate(model: &Model, report: &Report) {
    check_initial(model, report);
    check_living(model, report);
    check_terminal(model, report);
    check_edges(model, report);
    check_structs(model, report);
    check_names(model, report);
}

/// Without an initial state the machine could not be started at all.
fn check_initial(model: &Model, report: &Report) {
    let Some(first) = model.living().next().map(|state| state.name) else {
        return;
    };
    if model.states.iter().any(|state| state.initial.is_some()) {
        return;
    }
    let name = model.name;
    report.mistake(
        name.span(),
        format_args!("`{name}` can start in none of its states: write `#[initial]` above `{first}`, or above another"),
    );
}

/// A machine of terminal states only has nothing to handle.
fn check_living(model: &Model, report: &Report) {
    if !model.states.is_empty() && model.living().next().is_none() {
        let name = model.name;
        report.mistake(
            name.span(),
            format_args!("all states of `{name}` are terminal, so it would end before it handled an event: mark only those as `#[terminal]` in which it ends"),
        );
    }
}

/// A machine that enters a terminal state ends, so nothing can be declared to come after it, and it
/// cannot start there.
fn check_terminal(model: &Model, report: &Report) {
    for state in &model.states {
        let (Some(terminal), name) = (state.terminal, state.name) else {
            continue;
        };
        for edge in &state.edges {
            report.push(two(
                edge.at,
                format!(
                    "the machine ends in `{name}`, so it cannot go on to `{}`: remove this, or the `#[terminal]`",
                    model.state(edge.to).name
                ),
                terminal,
                format!("`{name}` is marked as terminal here"),
            ));
        }
        if let Some(initial) = state.initial {
            report.push(two(
                initial,
                format!("the machine ends in `{name}`, so it cannot start there: remove this, or the `#[terminal]`"),
                terminal,
                format!("`{name}` is marked as terminal here"),
            ));
        }
    }
}

/// Declaring a transition twice says nothing new, and the diagram would have two arrows for it. An
/// edge that is declared on the enum is declared for every state.
fn check_edges(model: &Model, report: &Report) {
    check_list(model, None, &model.shared, report);
    for state in model.living() {
        check_list(model, Some(state), &state.edges, report);
    }
}

fn check_list(model: &Model, of: Option<&State>, edges: &[Edge], report: &Report) {
    for (place, edge) in edges.iter().enumerate() {
        let to = model.state(edge.to).name;
        let same = |other: &&Edge| other.to == edge.to;
        let shared = of.and_then(|_| model.shared.iter().find(same));
        if let Some(earlier) = edges[..place].iter().find(same) {
            report.push(two(
                edge.at,
                format!("the transition to `{to}` is declared twice: remove one of them"),
                earlier.at,
                format!("the first transition to `{to}` is here"),
            ));
        } else if let (Some(state), Some(shared)) = (of, shared) {
            report.push(two(
                edge.at,
                format!("`{}` has the transition to `{to}` already: remove this, or the one on the enum", state.name),
                shared.at,
                format!("the transition to `{to}` is declared for every state here"),
            ));
        }
    }
}

/// The struct names the state: `go` would not know which of two variants is meant.
fn check_structs(model: &Model, report: &Report) {
    let types: Vec<String> = model
        .states
        .iter()
        .map(|state| state.ty().to_string())
        .collect();
    for (place, state) in model.states.iter().enumerate() {
        let Some(earlier) = types[..place].iter().position(|ty| *ty == types[place]) else {
            continue;
        };
        let earlier = &model.states[earlier];
        // Two variants of one name are an error of the enum itself.
        if earlier.name == state.name {
            continue;
        }
        let name = state.name;
        report.push(two(
            at(state),
            format!(
                "`{}` is the data of two states, so `go` cannot tell which is meant: give `{name}` a struct of its own, \
                 as in `{name}({name})`",
                written(&state.ty())
            ),
            at(earlier),
            format!("it is the data of `{}` here", earlier.name),
        ));
    }
}

/// The unit struct of a variant without data must not get in the way of another name.
fn check_names(model: &Model, report: &Report) {
    for state in &model.states {
        let (Data::Unit, name) = (state.data, state.name) else {
            continue;
        };
        if let Some(what) = taken(name, model.name, model.generics) {
            report.mistake(
                name.span(),
                format_args!(
                    "`{name}` is the name of {what} already, and a state without data is a type of that name: rename it"
                ),
            );
        }
    }
}

fn at(state: &State) -> Span {
    match state.data {
        Data::Unit => state.name.span(),
        Data::Struct(ty) => ty.span(),
    }
}

/// A mistake between two places is shown at both.
fn two(at: Span, message: String, other_at: Span, other: String) -> Error {
    let mut error = Error::new(at, message);
    error.combine(Error::new(other_at, other));
    error
}
