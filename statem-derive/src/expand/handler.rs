//! The handler of a machine with `handlers = "per_state"`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Generics, WherePredicate, parse_quote_spanned};

use super::any;
use crate::model::{Data, Model, State};
use crate::names::Names;

/// Joins the handlers of the states into the handler of the machine.
pub(super) fn handler(model: &Model, names: &Names) -> TokenStream {
    let (machine, statem) = (model.name, model.statem(model.name.span()));
    let Names {
        view,
        at,
        state,
        event,
        data,
        cx,
        reason,
        ..
    } = names;
    let (_, arguments, _) = model.generics.split_for_impl();
    let generics = handler_generics(model);
    let (impl_generics, _, clause) = generics.split_for_impl();
    let constants = constants(model);
    let each = |name: &str, arm: &dyn Fn(&State, TokenStream) -> TokenStream| -> Vec<_> {
        model
            .living()
            .map(|of| arm(of, callback(model, of, name)))
            .collect()
    };
    // A unit state has no place in the enum that could be borrowed; any value of its struct is as
    // good.
    let borrowed = |of: &State| match (of.name, of.data) {
        (name, Data::Unit) => (quote!(Self::#name), quote!(&mut #name)),
        (name, Data::Struct(_)) => (quote!(Self::#name(#state)), quote!(#state)),
    };
    let enter = each("enter", &|of, call| {
        let (pattern, value) = borrowed(of);
        quote_spanned!(of.name.span()=> #pattern => #call(#value, #data, #cx),)
    });
    let handle = each("handle", &|of, call| {
        let name = of.name;
        quote_spanned!(name.span()=> #view::#name(#at) => #call(#at, #event, #data, #cx),)
    });
    let terminate = each("terminate", &|of, call| {
        let (pattern, value) = borrowed(of);
        let pattern = quote!(::core::option::Option::Some(#pattern));
        quote_spanned!(of.name.span()=> #pattern => #call(#value, #reason, #data),)
    });
    let refused = each("refused", &|of, call| {
        let name = of.name;
        let (pattern, value) = match of.data {
            Data::Unit => (quote!(Self::#name), quote!(&#name)),
            Data::Struct(_) => (quote!(Self::#name(#state)), quote!(#state)),
        };
        quote_spanned!(name.span()=> #pattern => #call(#value, #event, #data),)
    });
    let ended = model.states.iter().filter(|state| state.terminal.is_some());
    let ended = ended
        .map(|state| any(state, &quote!(Self)))
        .collect::<Vec<_>>();
    // With the span of the derive rustc would advise to write the impl by hand when a bound of it
    // fails.
    let joined = quote_spanned! {machine.span()=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Handler for #machine #arguments #clause {
            fn enter(&mut self, #data: &mut <Self as #statem::Machine>::Data, #cx: &mut #statem::EnterCx<Self>) {
                match self {
                    #(#enter)*
                    #(#ended => {})*
                }
            }

            fn handle(
                #state: <Self as #statem::Machine>::At<'_>,
                #event: <Self as #statem::Machine>::Event,
                #data: &mut <Self as #statem::Machine>::Data,
                #cx: &mut #statem::Cx<Self>,
            ) -> #statem::Next<Self> {
                match #state {
                    #(#handle)*
                }
            }

            fn terminate(
                #reason: &#statem::ExitReason,
                #state: ::core::option::Option<&mut Self>,
                #data: &mut <Self as #statem::Machine>::Data,
            ) {
                match #state {
                    #(#terminate)*
                    #(::core::option::Option::Some(#ended) => {})*
                    ::core::option::Option::None => {}
                }
            }

            fn refused(&self, #event: <Self as #statem::Machine>::Event, #data: &mut <Self as #statem::Machine>::Data) {
                match self {
                    #(#refused)*
                    #(#ended => {})*
                }
            }
        }
    };
    quote! {
        const _: () = {
            #constants
            #joined
        };
    }
}

/// The callbacks of each state as a constant. The bound that a missing handler does not meet is in
/// one place, so that it is one error, at the variant: here, or in the where clause of a machine with
/// parameters, whose constants could not have them.
fn constants(model: &Model) -> TokenStream {
    let machine = model.name;
    let constants = model.living().filter(|_| has_constants(model)).map(|of| {
        let (span, ty, constant) = (of.name.span(), of.ty(), constant(of));
        let statem = model.statem(span);
        quote_spanned! {span=>
            #[allow(non_upper_case_globals)]
            const #constant: #statem::Callbacks<#machine, #ty> = #statem::Callbacks::new();
        }
    });
    quote!(#(#constants)*)
}

fn has_constants(model: &Model) -> bool {
    model.generics.params.is_empty()
}

fn constant(of: &State) -> Ident {
    format_ident!("__of_{}", of.name.unraw(), span = of.name.span())
}

/// What is called for a callback of a state.
fn callback(model: &Model, of: &State, name: &str) -> TokenStream {
    let (span, ty) = (of.name.span(), of.ty());
    let (statem, name) = (model.statem(span), Ident::new(name, span));
    if has_constants(model) {
        let constant = constant(of);
        quote_spanned!(span=> (#constant.#name))
    } else {
        quote_spanned!(span=> <#ty as #statem::State<Self>>::#name)
    }
}

/// A generic machine's states may have handlers for some of its parameters only, so the machine has
/// one where they have. Without parameters such bounds could only be true or an error.
fn handler_generics(model: &Model) -> Generics {
    let mut generics = model.generics.clone();
    if generics.type_params().next().is_none() && generics.const_params().next().is_none() {
        return generics;
    }
    let machine = model.name;
    let (_, arguments, _) = model.generics.split_for_impl();
    let bounds: Vec<WherePredicate> = model
        .living()
        .map(|state| {
            let (ty, statem) = (state.ty(), model.statem(state.name.span()));
            parse_quote_spanned!(state.name.span()=> #ty: #statem::State<#machine #arguments>)
        })
        .collect();
    generics.make_where_clause().predicates.extend(bounds);
    generics
}
