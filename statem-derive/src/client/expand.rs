//! [`Model`] → tokens. Nothing in here can fail.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Fields, GenericParam, Generics, Meta};

use super::model::{Kind, Method, Model, Parameter, Reply};
use crate::names::free;
use crate::tokens::written;

/// Names for what we declare; none of them is in the user's enum.
struct Names {
    handle: Ident,
    reply: Ident,
    limit: Ident,
    value: Ident,
    found: Ident,
    machine: Ident,
}

pub(super) fn expand(model: &Model) -> TokenStream {
    let ident = |wanted| Ident::new(&free(&model.ast.tokens, wanted), at(model));
    let names = Names {
        handle: ident("__handle"),
        reply: ident("__reply"),
        limit: ident("__limit"),
        value: ident("__value"),
        found: ident("__FOUND"),
        machine: ident("__Machine"),
    };
    let (name, handle) = (&model.name, handle(model));
    let declaration = declaration(model, &handle, None);
    let methods = model
        .methods
        .iter()
        .map(|method| self::method(model, &names, method));
    let (_, arguments, clause) = model.generics.split_for_impl();
    let impl_generics = impl_generics(model.generics);
    let (made, met) = (from(model, &handle), met(model, &names, &handle));
    let [from, clone, fmt] = bodies(model, &names);
    quote! {
        #declaration

        const _: () = {
            #met

            #[automatically_derived]
            #[allow(clippy::too_many_arguments, dead_code, deprecated, unreachable_pub)]
            impl #impl_generics #name #arguments #clause {
                #(#methods)*
            }

            #[automatically_derived]
            impl #impl_generics #made for #name #arguments #clause {
                #from
            }

            #[automatically_derived]
            impl #impl_generics ::core::clone::Clone for #name #arguments #clause {
                #clone
            }

            #[automatically_derived]
            impl #impl_generics ::core::fmt::Debug for #name #arguments #clause {
                #fmt
            }
        };
    }
}

/// The parameters of an `impl`, in brackets as those of the declaration.
pub(super) fn impl_generics(generics: &Generics) -> TokenStream {
    if generics.params.is_empty() {
        quote!(<>)
    } else {
        generics.split_for_impl().0.to_token_stream()
    }
}

/// The place of the machine's name. What depends on the machine has this span, so that a wrong one
/// is an error there, wherever rustc meets it, and always in the same words: those of the handle.
fn at(model: &Model) -> Span {
    Span::call_site().located_at(model.machine.span())
}

/// The trait that makes the client.
pub(super) fn from(model: &Model, handle: &TokenStream) -> TokenStream {
    quote_spanned!(at(model)=> ::core::convert::From<#handle>)
}

/// The machine as the methods name it: a type of which rustc has nothing to say if it is no machine,
/// because the constant in it is an error then, that of the handle. A constant cannot depend on
/// parameters, so that a machine which may have some is named as it is.
fn met(model: &Model, names: &Names, handle: &TokenStream) -> Option<TokenStream> {
    let (found, name, machine) = (&names.found, &names.machine, machine(model));
    is_plain(model).then(|| {
        quote_spanned! {at(model)=>
            const #found: usize = {
                let _ = ::core::marker::PhantomData::<#handle>;
                0
            };
            type #name = <[#machine; #found] as ::core::iter::IntoIterator>::Item;
        }
    })
}

fn is_plain(model: &Model) -> bool {
    model.generics.params.is_empty()
}

fn met_machine(model: &Model, names: &Names) -> TokenStream {
    if is_plain(model) {
        names.machine.to_token_stream()
    } else {
        machine(model)
    }
}

/// Names the handle with its type first, so that it is this bound of which rustc speaks.
fn keep(model: &Model, names: &Names) -> TokenStream {
    let (name, machine, at) = (&names.handle, met_machine(model, names), at(model));
    let statem = model.statem(at);
    quote_spanned!(at=> let #name: &#statem::Handle<#machine> = &self.handle;)
}

/// The methods of the traits.
fn bodies(model: &Model, names: &Names) -> [TokenStream; 3] {
    let (at, handle) = (at(model), handle(model));
    let (keep, kept) = (keep(model, names), &names.handle);
    let (value, title) = (&names.value, model.name.unraw().to_string());
    [
        quote_spanned! {at=>
            fn from(#value: #handle) -> Self {
                Self { handle: #value }
            }
        },
        quote_spanned! {at=>
            fn clone(&self) -> Self {
                #keep
                Self { handle: ::core::clone::Clone::clone(#kept) }
            }
        },
        quote_spanned! {at=>
            fn fmt(&self, #value: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #keep
                ::core::fmt::DebugStruct::finish(::core::fmt::DebugStruct::field(
                    &mut ::core::fmt::Formatter::debug_struct(#value, #title),
                    "handle",
                    #kept,
                ))
            }
        },
    ]
}

/// The type of the machine, all of it in one place.
fn machine(model: &Model) -> TokenStream {
    moved(model.machine.to_token_stream(), at(model))
}

fn moved(tokens: TokenStream, at: Span) -> TokenStream {
    let tree = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            tree = Group::new(group.delimiter(), moved(group.stream(), at)).into();
        }
        // It means the crate of the macro it comes from, which only its own span knows.
        if tree.to_string() != "$crate" {
            tree.set_span(at);
        }
        tree
    };
    tokens.into_iter().map(tree).collect()
}

/// The type of the handle.
pub(super) fn handle(model: &Model) -> TokenStream {
    let (machine, at) = (machine(model), at(model));
    let statem = model.statem(at);
    quote_spanned!(at=> #statem::Handle<#machine>)
}

/// The client with what it keeps.
pub(super) fn declaration(
    model: &Model,
    handle: &TokenStream,
    others: Option<&TokenStream>,
) -> TokenStream {
    let (vis, name, clause) = (model.vis, &model.name, &model.generics.where_clause);
    // The brackets stand there even with nothing in them, as rustc advises to declare a type that it
    // does not know as a parameter, and would advise that in each place that has none.
    let params = &model.generics.params;
    let params = quote!(<#params>);
    let docs = format!(
        " A client of `{}`: what can be asked of it, as methods.",
        written(&model.machine.to_token_stream())
    );
    quote! {
        #[doc = #docs]
        ///
        /// Its clones are clients of the same machine, which ends when the last of them and of its
        /// handles is dropped.
        #[allow(dead_code, unreachable_pub)]
        #vis struct #name #params #clause {
            handle: #handle,
            #others
        }
    }
}

fn method(model: &Model, names: &Names, method: &Method) -> TokenStream {
    let (vis, name, attributes) = (model.vis, &method.name, method.attributes);
    let parameters = parameters(&method.parameters);
    let docs = docs(method);
    let (value, kept, at) = (&names.value, &names.handle, at(model));
    let keep = keep(model, names);
    let statem = model.statem(at);
    // What is wrong with there being this method is the variant's. What a method with parameters
    // answers has bounds of the machine in it.
    let here = if is_plain(model) {
        Span::call_site().located_at(method.variant.span())
    } else {
        at
    };
    match &method.kind {
        Kind::Call { reply, limit } => {
            let event = value_of(model, names, method, Some(reply));
            let (request, given) = (request(model, reply, here), &names.reply);
            let arguments = &reply.arguments;
            let given = quote_spanned!(at=> #given: #statem::Reply<#(#arguments),*>);
            let call = quote_spanned!(at=> #statem::Handle::call(#kept, move |#given| #event));
            let body = match limit {
                None => quote_spanned!(at=> #keep #call),
                Some(limit) => {
                    // Before the parameters are moved, so that it may be one of them.
                    let name = &names.limit;
                    let duration = quote_spanned!(limit.span()=> ::core::time::Duration);
                    quote_spanned! {at=>
                        #keep
                        let #name: #duration = #limit;
                        #statem::Call::limit(#call, #name)
                    }
                }
            };
            let body = quote_spanned!(at=> { #body });
            quote_spanned! {here=>
                #(#attributes)*
                #docs
                #vis fn #name(&self, #parameters) -> #request #body
            }
        }
        Kind::Unknown => TokenStream::new(),
        Kind::Cast => {
            let event = value_of(model, names, method, None);
            let body = quote_spanned! {at=> {
                #keep
                ::core::result::Result::map_err(
                    #statem::Handle::cast(#kept, #event).await,
                    |#value| #value.kind,
                )
            }};
            let statem = model.statem(here);
            quote_spanned! {here=>
                #(#attributes)*
                #docs
                #vis async fn #name(
                    &self, #parameters
                ) -> ::core::result::Result<(), #statem::CastErrorKind> #body
            }
        }
    }
}

/// The event, as the machine wants it.
fn value_of(model: &Model, names: &Names, method: &Method, reply: Option<&Reply>) -> TokenStream {
    let (given, event, variant) = (&names.reply, model.event, method.variant);
    let field = |name: Option<&Ident>, value: &Ident| {
        let name = name.map(|name| quote!(#name:));
        quote!(#name #value)
    };
    let mut values: Vec<TokenStream> = method
        .parameters
        .iter()
        .map(|parameter| field(parameter.field, &parameter.name))
        .collect();
    if let Some(reply) = reply {
        let mut given = given.clone();
        given.set_span(reply.ty.span().resolved_at(given.span()));
        values.insert(reply.place, field(reply.name, &given));
    }
    let fields = match method.fields {
        Fields::Named(_) => quote!({ #(#values),* }),
        Fields::Unnamed(_) => quote!((#(#values),*)),
        Fields::Unit => TokenStream::new(),
    };
    let (at, machine) = (at(model), met_machine(model, names));
    let (statem, arguments) = (model.statem(at), model.generics.split_for_impl().1);
    let mut this = event.clone();
    this.set_span(at);
    quote_spanned! {at=>
        <#this #arguments as #statem::IsEvent<<#machine as #statem::Machine>::Event>>::into_event(
            #event::#variant #fields
        )
    }
}

pub(super) fn parameters(parameters: &[Parameter]) -> TokenStream {
    let (names, types) = (
        parameters.iter().map(|parameter| &parameter.name),
        parameters.iter().map(|parameter| parameter.ty),
    );
    quote!(#(#names: #types),*)
}

/// `impl Request<Value, Error> + '_`: it names neither the machine nor its event, which need not be
/// as public as the client.
fn request(model: &Model, reply: &Reply, at: Span) -> TokenStream {
    let arguments = &reply.arguments;
    let (statem, generics) = (model.statem(at), model.generics);
    // Before edition 2024 a type names only the lifetimes that it says.
    let lives = if generics.lifetimes().next().is_some() {
        let params = generics.params.iter().map(|param| match param {
            GenericParam::Type(param) => param.ident.to_token_stream(),
            GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
            GenericParam::Const(param) => param.ident.to_token_stream(),
        });
        quote_spanned!(at=> use<'_, #(#params),*>)
    } else {
        quote_spanned!(at=> '_)
    };
    quote_spanned!(at=> impl #statem::Request<#(#arguments),*> + #lives)
}

/// What is said of a method beside what the user says.
fn docs(method: &Method) -> TokenStream {
    let said = method.attributes.iter().any(
        |attribute| matches!(&attribute.meta, Meta::NameValue(meta) if meta.path.is_ident("doc")),
    );
    let title = method.variant.unraw().to_string();
    let (mut docs, call) = (TokenStream::new(), matches!(method.kind, Kind::Call { .. }));
    if !said {
        let text = if call {
            format!(" Asks the machine by `{title}` and waits for the answer.")
        } else {
            format!(" Tells the machine by `{title}`.")
        };
        docs.extend(quote!(#[doc = #text]));
    }
    if let Kind::Call {
        limit: Some(limit), ..
    } = &method.kind
    {
        let text = format!(
            " Its limit is `{}` unless it is given another one.",
            written(&limit.to_token_stream())
        );
        docs.extend(quote!(#[doc = ""] #[doc = #text]));
    }
    docs
}
