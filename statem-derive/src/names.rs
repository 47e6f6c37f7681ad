//! The names of what derived code declares.

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{GenericParam, Generics, Lifetime, LifetimeParam};

use crate::tokens::mentions;

/// Names for what we declare. None of them is in the user's enum; those of values begin with `__`,
/// because a pattern `state` would be a constant and no name if there were a unit struct `state` in
/// the user's module.
pub(crate) struct Names {
    /// The view of the machine.
    pub(crate) view: Ident,
    /// The lifetime of the view.
    pub(crate) life: Lifetime,
    pub(crate) target: Ident,
    pub(crate) value: Ident,
    pub(crate) machine: Ident,
    pub(crate) slot: Ident,
    pub(crate) at: Ident,
    pub(crate) state: Ident,
    pub(crate) event: Ident,
    pub(crate) data: Ident,
    pub(crate) cx: Ident,
    pub(crate) reason: Ident,
    pub(crate) f: Ident,
}

impl Names {
    pub(crate) fn new(machine: &Ident, tokens: &TokenStream) -> Self {
        let ident = |wanted| Ident::new(&free(tokens, wanted), Span::call_site());
        Names {
            view: format_ident!("{}At", machine.unraw(), span = machine.span()),
            life: Lifetime::new(&format!("'{}", free(tokens, "a")), Span::call_site()),
            target: ident("Target"),
            value: ident("__target"),
            machine: ident("__machine"),
            slot: ident("__slot"),
            at: ident("__at"),
            state: ident("__state"),
            event: ident("__event"),
            data: ident("__data"),
            cx: ident("__cx"),
            reason: ident("__reason"),
            f: ident("__f"),
        }
    }

    /// The generics of the view: those of the enum after the lifetime of the view.
    pub(crate) fn view_generics(&self, generics: &Generics) -> Generics {
        let mut generics = generics.clone();
        generics.params.insert(
            0,
            GenericParam::Lifetime(LifetimeParam::new(self.life.clone())),
        );
        generics
    }
}

/// A name like this one that is nowhere in the tokens.
pub(crate) fn free(tokens: &TokenStream, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while mentions(tokens, &name) {
        name.push('_');
    }
    name
}
