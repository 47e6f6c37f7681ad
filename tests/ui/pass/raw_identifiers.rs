//! Raw identifiers, and states with the names of the derive's own variables.

#![allow(non_camel_case_types)]

use statem::{Cx, Handler, Machine, Next, StateMachine, keep};

#[derive(StateMachine)]
#[machine(event = r#fn)]
#[to(event, data, slot, at, machine, target)]
enum r#enum {
    #[initial]
    #[to(r#match, state)]
    r#type,
    #[to(r#type = "again")]
    r#match(r#struct),
    #[to(r#type)]
    state,
    event(event),
    data,
    slot(slot),
    at,
    #[terminal]
    machine,
    #[terminal]
    target(target),
}

struct r#struct;
struct r#fn;
struct event;
struct slot;
struct target;

impl Handler for r#enum {
    fn handle(here: enumAt<'_>, _: r#fn, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
        match here {
            enumAt::r#type(s) if false => s.go(state),
            enumAt::r#type(s) => s.go(r#struct),
            enumAt::r#match(s) => s.go(r#type),
            _ => keep(),
        }
    }
}

#[derive(StateMachine)]
#[machine(event = (), handlers = "per_state")]
enum Lower {
    #[initial]
    #[to(cx)]
    reason,
    #[to()]
    cx,
}

impl statem::State<Lower> for reason {
    fn handle(_: statem::At<'_, Lower, Self>, (): (), (): &mut (), _: &mut Cx<Lower>) -> Next<Lower> {
        keep()
    }
}

impl statem::State<Lower> for cx {
    fn handle(_: statem::At<'_, Lower, Self>, (): (), (): &mut (), _: &mut Cx<Lower>) -> Next<Lower> {
        keep()
    }
}

fn main() {
    assert_eq!(r#enum::GRAPH.name, "enum");
    assert_eq!(r#enum::GRAPH.states[0].name, "type");
    assert_eq!(r#enum::GRAPH.states[0].edges[0].to, "match");
    let _ = (r#fn, event, slot, target);
}
