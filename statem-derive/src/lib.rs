//! The derive macro of `statem`. Use it through `statem::StateMachine`, which documents it.
//!
//! Each derive runs through four stages, and mistakes flow through one `Report` only:
//!
//! | stage | from → to | what it knows |
//! |---|---|---|
//! | `parse` | tokens → `Ast` | the grammar of the attributes, in the table of `attr` |
//! | `model` | `Ast` → `Model` | which state a name means |
//! | `validate` | `Model` | the rules between places |
//! | `expand` | `Model` → tokens | the traits of statem; cannot fail |
//!
//! After a mistake `fallback` takes the place of `expand`: it writes stubs beside the errors, so
//! that one mistake is one error.

#![forbid(unsafe_code)]

mod attr;
mod expand;
mod fallback;
mod hint;
mod model;
mod names;
mod parse;
mod report;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

// `end` and `final` are here to be told that they are written `terminal`; rustc would only say that
// they are unknown.
#[expect(missing_docs, reason = "documented where statem re-exports it")]
#[proc_macro_derive(StateMachine, attributes(machine, to, initial, terminal, end, r#final))]
pub fn derive_state_machine(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    state_machine(&parse_macro_input!(input as DeriveInput)).into()
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
