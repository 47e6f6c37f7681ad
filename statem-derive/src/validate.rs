//! The rules between places of a [`Model`].

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, GenericParam, PathSegment, Type};

use crate::model::{Data, Edge, Model, State, taken};
use crate::report::Report;
use crate::tokens::{mentions, written};

pub(crate) fn validate(model: &Model, report: &Report) {
    check_initial(model, report);
    check_living(model, report);
    check_terminal(model, report);
    check_edges(model, report);
    check_none(model, report);
    check_ways(model, report);
    check_structs(model, report);
    check_names(model, report);
}

/// Without an initial state the machine could not be started at all.
fn check_initial(model: &Model, report: &Report) {
    let Some(first) = model.living().next().map(|state| state.name) else {
        return;
    };
    if model.misread || model.states.iter().any(|state| state.initial.is_some()) {
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
    // One that is initial too is the mistake of its own below.
    let is_start = model.states.iter().any(|state| state.initial.is_some());
    if !model.states.is_empty() && !is_start && model.living().next().is_none() {
        let name = model.name;
        report.mistake(
            name.span(),
            format_args!(
                "`{name}` has terminal states only, so it would end before it handled an event\n\
                 mark only those as `#[terminal]` in which it ends"
            ),
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
        let marked = || format!("`{name}` is marked as terminal here");
        for edge in &state.edges.list {
            report.push(two(
                edge.at,
                format!(
                    "the machine ends in `{name}`, so it cannot go on to `{}`: remove this, or the `#[terminal]`",
                    model.state(edge.to).name
                ),
                terminal,
                marked(),
            ));
        }
        for none in state.edges.none {
            report.push(two(
                *none,
                format!("the machine ends in `{name}`, so it does not stay there, as `#[to()]` says: remove this, or the `#[terminal]`"),
                terminal,
                marked(),
            ));
        }
        if let Some(initial) = state.initial {
            report.push(two(
                initial,
                format!("the machine ends in `{name}`, so it cannot start there: remove this, or the `#[terminal]`"),
                terminal,
                marked(),
            ));
        }
    }
}

/// Declaring a transition twice says nothing new, and the diagram would have two arrows for it. An
/// edge that is declared on the enum is declared for every state.
fn check_edges(model: &Model, report: &Report) {
    check_list(model, None, &model.shared.list, report);
    for state in model.living() {
        check_list(model, Some(state), &state.edges.list, report);
    }
}

fn check_list(model: &Model, of: Option<&State>, edges: &[Edge], report: &Report) {
    for (place, edge) in edges.iter().enumerate() {
        let to = model.state(edge.to).name;
        let same = |other: &&Edge| other.to == edge.to;
        let shared = of.and_then(|_| model.shared.list.iter().find(same));
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

/// `#[to()]` says that a state has no way out, so it must have none.
fn check_none(model: &Model, report: &Report) {
    for none in model.shared.none {
        report.mistake(
            *none,
            "`#[to()]` on the enum declares no transition: leave it out, or name the states that every state may go to",
        );
    }
    for (place, state) in model.states.iter().enumerate() {
        let (Some(none), None) = (state.edges.none.first(), state.terminal) else {
            continue;
        };
        let name = state.name;
        if let Some(second) = state.edges.none.get(1) {
            report.push(two(
                *second,
                format!("`#[to()]` above `{name}` is there twice: remove one of them"),
                *none,
                "the first `#[to()]` is here".into(),
            ));
        }
        let says = format!("`#[to()]` says that `{name}` cannot be left, but");
        if let Some(own) = state.edges.list.first() {
            let to = model.state(own.to).name;
            report.push(two(
                *none,
                format!("{says} it goes on to `{to}`: remove one of them"),
                own.at,
                format!("the transition of `{name}` to `{to}` is here"),
            ));
        } else if let Some(shared) = away(model, place) {
            let to = model.state(shared.to).name;
            report.push(two(
                *none,
                format!(
                    "{says} every state goes on to `{to}`: remove this, or the one on the enum"
                ),
                shared.at,
                format!("the transition to `{to}` is declared for every state here"),
            ));
        }
    }
}

/// The first transition of every state that leads away from this one.
fn away<'a>(model: &'a Model, place: usize) -> Option<&'a Edge<'a>> {
    let mut shared = model.shared.list.iter();
    shared.find(|edge| edge.to.place() != place)
}

/// A state that the machine cannot come to, or not leave, is most often a transition forgotten.
fn check_ways(model: &Model, report: &Report) {
    if model.misread {
        return;
    }
    let lost = unreachable(model);
    // Whether a state that is never reached can be left is a question for later.
    let is_reached = |place: &usize| lost.as_ref().is_none_or(|lost| lost.reached[*place]);
    let places = 0..model.states.len();
    let ends = places
        .filter(is_reached)
        .filter(|place| is_dead_end(model, *place));
    let ends: Vec<_> = ends.collect();
    for place in &ends {
        let name = model.states[*place].name;
        report.mistake(
            name.span(),
            format_args!(
                "`{name}` has no way out: no transition leaves it, and it is not terminal\n\
                 write `#[to(..)]` above it with the states that may come next, `#[terminal]` if the machine ends there,\n\
                 or `#[to()]` if it stays there until it is stopped"
            ),
        );
    }
    // The transition that is missing there may be the one that leads here.
    let Some(lost) = lost.filter(|_| ends.is_empty()) else {
        return;
    };
    for state in lost.roots {
        let name = model.states[state].name;
        report.mistake(
            name.span(),
            format_args!(
                "`{name}` is never reached: no transition leads to it from an initial state\n\
                 name it in the `#[to(..)]` of the state before it, mark it `#[initial]` if the machine may start there,\n\
                 or remove it"
            ),
        );
    }
}

fn is_dead_end(model: &Model, place: usize) -> bool {
    let state = &model.states[place];
    let unresolved = state.edges.unresolved || model.shared.unresolved;
    let exempt = state.terminal.is_some() || !state.edges.none.is_empty() || unresolved;
    // A machine with one state has nowhere to go, and an edge to itself says that a state stays.
    model.states.len() > 1 && !exempt && state.edges.list.is_empty() && away(model, place).is_none()
}

struct Lost {
    reached: Vec<bool>,
    /// Those from which the other states come that are not reached: of states that lead to each
    /// other, the first.
    roots: Vec<usize>,
}

/// `None` where another mistake may be the reason.
fn unreachable(model: &Model) -> Option<Lost> {
    let states = &model.states;
    let mut lists = states.iter().map(|state| &state.edges);
    let unresolved = model.shared.unresolved || lists.any(|edges| edges.unresolved);
    let mut initial = states.iter().filter(|state| state.initial.is_some());
    let no_start = initial.clone().next().is_none();
    if unresolved || no_start || initial.any(|state| state.terminal.is_some()) {
        return None;
    }
    let from: Vec<_> = (0..states.len())
        .map(|place| reach(model, &[place]))
        .collect();
    let starts: Vec<_> = (0..states.len())
        .filter(|place| states[*place].initial.is_some())
        .collect();
    let reached = reach(model, &starts);
    let is_root = |place: &usize| {
        let before = |other: usize| {
            let leads_here = other != *place && !reached[other] && from[other][*place];
            leads_here && (other < *place || !from[*place][other])
        };
        !reached[*place] && !(0..states.len()).any(before)
    };
    let roots = (0..states.len()).filter(is_root).collect();
    Some(Lost { reached, roots })
}

/// The states that the machine can come to from these, and these.
fn reach(model: &Model, from: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; model.states.len()];
    let mut waiting = from.to_vec();
    while let Some(place) = waiting.pop() {
        if std::mem::replace(&mut reached[place], true) {
            continue;
        }
        let edges = model.edges(&model.states[place]);
        waiting.extend(edges.map(|edge| edge.to.place()));
    }
    reached
}

/// The struct names the state: `go` would not know which of two variants is meant.
fn check_structs(model: &Model, report: &Report) {
    for (place, state) in model.states.iter().enumerate() {
        let mut before = model.states[..place].iter();
        let Some(earlier) = before.find(|earlier| may_be_one(model, earlier, state)) else {
            continue;
        };
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

/// Whether two states have the same struct, for all that can be seen: paths that differ in what they
/// start from, or in an argument that is a parameter of the machine, may mean the same.
fn may_be_one(model: &Model, one: &State, other: &State) -> bool {
    let (Data::Struct(Type::Path(left)), Data::Struct(Type::Path(right))) = (one.data, other.data)
    else {
        return one.ty().to_string() == other.ty().to_string();
    };
    let here = |segment: &&PathSegment| segment.ident != "crate" && segment.ident != "self";
    let [left, right] = [left, right].map(|path| path.path.segments.iter().filter(here));
    let same = |(left, right): (&PathSegment, &PathSegment)| {
        let [left_arguments, right_arguments] =
            [left, right].map(|segment| segment.arguments.to_token_stream());
        let is_open = |arguments: &TokenStream| {
            let mut params = model.generics.params.iter();
            params.any(|param| match param {
                GenericParam::Type(param) => mentions(arguments, &param.ident.to_string()),
                GenericParam::Const(param) => mentions(arguments, &param.ident.to_string()),
                GenericParam::Lifetime(_) => false,
            })
        };
        left.ident == right.ident
            && (left_arguments.to_string() == right_arguments.to_string()
                || is_open(&left_arguments)
                || is_open(&right_arguments))
    };
    left.clone().count() == right.clone().count() && left.zip(right).all(same)
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
