//! The derive macros of `statem`. Use them through `statem::StateMachine` and `statem::Client`, which
//! document them.
//!
//! A derive runs through four stages, and mistakes flow through one `Report` only:
//!
//! | stage | from → to | what it knows |
//! |---|---|---|
//! | `parse` | tokens → `Ast` | the grammar of the attributes, in the table of `attr` |
//! | `model` | `Ast` → `Model` | which state a name means |
//! | `validate` | `Model` | the rules between places |
//! | `expand` | `Model` → tokens | the traits of statem; cannot fail |
//!
//! `expand` puts a picture of the machine into its documentation, which `diagram` draws.
//!
//! After a mistake `fallback` takes the place of `expand`: it writes stubs beside the errors, so
//! that one mistake is one error. The client has the same stages in `client`.

#![forbid(unsafe_code)]

mod attr;
mod client;
mod diagram;
mod expand;
mod fallback;
mod grammar;
mod hint;
mod model;
mod names;
mod parse;
mod report;
mod tokens;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

// Those from `end` on are here to be told how they are written; rustc would only say that they are
// unknown.
#[expect(missing_docs, reason = "documented where statem re-exports it")]
#[proc_macro_derive(
    StateMachine,
    attributes(
        machine,
        to,
        initial,
        terminal,
        end,
        r#final,
        next_state,
        transitions,
        gen_statem,
        callback_mode,
        state_functions,
        handle_event_function,
        state_enter,
    )
)]
pub fn derive_state_machine(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    state_machine(&parse_macro_input!(input as DeriveInput)).into()
}

// Those of Erlang are here to be told how they are written.
#[expect(missing_docs, reason = "documented where statem re-exports it")]
#[proc_macro_derive(Client, attributes(client, call, cast, handle_call, handle_cast))]
pub fn derive_client(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    client::client(&parse_macro_input!(input as DeriveInput)).into()
}

fn state_machine(input: &DeriveInput) -> TokenStream {
    let report = report::Report::new();
    let ast = parse::parse(input, &report);
    let model = model::resolve(&ast, &report);
    validate::validate(&model, &report);
    match report.finish() {
        Ok(()) => expand::expand(&model),
        Err(mistakes) => fallback::expand(&ast, &mistakes),
    }
}
