//! `#[derive(Client)]`: the calls and casts of an event enum as methods of a client. Use it through
//! `statem::Client`, which documents it.
//!
//! The stages are those of the other derive, and so is what holds of them: mistakes flow through
//! one `Report`, `expand` cannot fail, and after a mistake `fallback` takes its place.

mod attr;
mod expand;
mod fallback;
mod model;
mod parse;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::report::Report;

pub(crate) fn client(input: &DeriveInput) -> TokenStream {
    let report = Report::new();
    let ast = parse::parse(input, &report);
    let model = model::resolve(&ast, &report);
    validate::validate(&model, &report);
    match report.finish() {
        // rustc does not find the attribute, and reports it.
        Ok(()) if ast.client.machine.is_none() => TokenStream::new(),
        Ok(()) => expand::expand(&model),
        Err(mistakes) => fallback::expand(&model, &mistakes),
    }
}
