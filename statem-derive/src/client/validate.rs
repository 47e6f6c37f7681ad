//! The rules between places.

use syn::Error;

use super::model::Model;
use crate::report::Report;

pub(super) fn validate(model: &Model, report: &Report) {
    check_the_name_is_free(model, report);
    check_methods_differ(model, report);
    check_methods_hide_nothing(model, report);
    check_there_is_a_method(model, report);
}

/// rustc would report every use of either type.
fn check_the_name_is_free(model: &Model, report: &Report) {
    let Some(taken) = model.taken() else { return };
    let name = &model.name;
    report.mistake(
        name.span(),
        format_args!(
            "`{name}` is {taken}, and the client is a type of its own: write another name"
        ),
    );
}

/// rustc would point at the derive.
fn check_methods_differ(model: &Model, report: &Report) {
    for (place, method) in model.methods.iter().enumerate() {
        let mut before = model.methods[..place].iter();
        if let Some(first) = before.find(|first| first.name == method.name) {
            let (name, one, other) = (&method.name, first.variant, method.variant);
            // A variant twice is rustc's to report.
            if one == other {
                continue;
            }
            let mut error = Error::new(
                other.span(),
                format_args!(
                    "`{other}` gives the client a second method `{name}`: rename one of the variants"
                ),
            );
            error.combine(Error::new(
                one.span(),
                format_args!("`{one}`, which gives the first `{name}`, is here"),
            ));
            report.push(error);
        }
    }
}

/// A method goes before the one of a trait: `client.clone()` would be a call, and `Client::from` too.
fn check_methods_hide_nothing(model: &Model, report: &Report) {
    for method in &model.methods {
        let (name, variant) = (&method.name, method.variant);
        let hidden = if name == "clone" {
            "which makes another client of the same machine"
        } else if name == "from" {
            "which makes a client of a handle"
        } else {
            continue;
        };
        report.mistake(
            variant.span(),
            format_args!(
                "`{variant}` gives the client a method `{name}` that hides the one {hidden}: rename the variant"
            ),
        );
    }
}

/// A client that can do nothing is a misunderstanding. After another mistake it may be the same one.
fn check_there_is_a_method(model: &Model, report: &Report) {
    if !model.methods.is_empty() || model.mistaken || report.count() > 0 {
        return;
    }
    let event = model.event;
    report.mistake(
        event.span(),
        format_args!(
            "`{event}` has nothing that a client could send:\nmark the variants that ask for an answer with `#[call]` and \
             those that do not with `#[cast]`"
        ),
    );
}
