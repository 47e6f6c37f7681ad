//! What to write beside the errors: the client with all the methods that could be understood, so
//! that code which uses it adds no error of its own.
//!
//! What a method answers is a type with an error in it, about which rustc says nothing further.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse_quote;

use super::expand;
use super::model::{self, Kind, Method, Model};
use crate::names::free;
use crate::report::Mistakes;

pub(super) fn expand(model: &Model, mistakes: &Mistakes) -> TokenStream {
    let name = &model.name;
    let mistake = format_ident!("{}Mistake", name.unraw());
    let errors = mistakes.expand(&mistake);
    if model.taken().is_some() {
        return errors;
    }
    let ident = |wanted| Ident::new(&free(&model.ast.tokens, wanted), Span::call_site());
    let (statem, event) = (model.statem(Span::call_site()), model.event);
    let (_, arguments, clause) = model.generics.split_for_impl();
    let impl_generics = expand::impl_generics(model.generics);
    let mut from = model.generics.clone();
    let (handle, unused) = if model.ast.client.machine.is_some() {
        (expand::handle(model), None)
    } else {
        // Parameters that nothing uses would be an error of their own.
        let unused = ident("__unused");
        let unused = quote!(#unused: ::core::marker::PhantomData<fn() -> #event #arguments>,);
        (mistake.to_token_stream(), Some(unused))
    };
    let handles = if unused.is_none() {
        handle.clone()
    } else {
        let machine = ident("__Machine");
        from.params.push(parse_quote!(#machine: #statem::Machine));
        quote!(#statem::Handle<#machine>)
    };
    let made = expand::from(model, &handles);
    let from = expand::impl_generics(&from);
    let declaration = expand::declaration(model, &handle, unused.as_ref());
    let mut names = Vec::new();
    let meant: Vec<_> = model::meant(model.ast).collect();
    let methods = model.methods.iter().chain(&meant).filter_map(|method| {
        let first = !names.contains(&&method.name);
        names.push(&method.name);
        first.then(|| stub(model, method, &mistake))
    });
    quote! {
        #errors
        #declaration

        #[automatically_derived]
        #[allow(missing_docs, dead_code, clippy::too_many_arguments, unreachable_pub, unused_variables)]
        impl #impl_generics #name #arguments #clause {
            #(#methods)*
        }

        #[automatically_derived]
        impl #from #made for #name #arguments #clause {
            fn from(_: #handles) -> Self {
                ::core::unimplemented!()
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::clone::Clone for #name #arguments #clause {
            fn clone(&self) -> Self {
                ::core::unimplemented!()
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::fmt::Debug for #name #arguments #clause {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::unimplemented!()
            }
        }
    }
}

fn stub(model: &Model, method: &Method, mistake: &Ident) -> TokenStream {
    let (vis, name) = (model.vis, &method.name);
    let parameters = expand::parameters(&method.parameters);
    // What it imports is used.
    let limit = match &method.kind {
        Kind::Call {
            limit: Some(limit), ..
        } => Some(quote!(let _: ::core::time::Duration = #limit;)),
        _ => None,
    };
    quote! {
        #vis fn #name(&self, #parameters) -> #mistake {
            #limit
            ::core::unimplemented!()
        }
    }
}
