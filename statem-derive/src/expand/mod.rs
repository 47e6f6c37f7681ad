//! [`Model`] → tokens. Nothing in here can fail.
//!
//! Paths are absolute and names are ones that the enum does not contain, so that nothing of the
//! user's can get in the way. `#[allow]` is only ever on an item of our own.

mod handler;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use self::handler::handler;
use crate::attr::Word;
use crate::model::{Data, Edge, Model, State};
use crate::names::Names;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let names = Names::new(model.name, model.tokens);
    let units = model
        .states
        .iter()
        .filter_map(|state| unit_struct(model, state));
    let nodes = model.states.iter().map(|state| node(model, &names, state));
    let transitions = transitions(model, &names);
    let initial = model
        .states
        .iter()
        .filter(|state| state.initial.is_some())
        .map(|state| initial(model, state));
    let machine = machine(model, &names);
    let picture = crate::diagram::svg(model);
    let page = page(model, &picture);
    let view = view(model, &names, &picture);
    let handler = model.per_state.then(|| handler(model, &names));
    quote! {
        #(#units)*
        #view
        #page
        #machine
        #(#nodes)*
        #transitions
        #(#initial)*
        #handler
    }
}

/// A derive cannot add to the documentation of the enum, but rustdoc shows that of an impl on the
/// enum's page, unfolded and before what the user has written. Only rustdoc sees it.
fn page(model: &Model, picture: &str) -> TokenStream {
    let machine = model.name;
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let docs = format!(
        "The states and the transitions they declare. A dot points at where the machine may start, a double border is \
         where it ends.\n\n{picture}"
    );
    quote! {
        #[cfg(doc)]
        #[doc = #docs]
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #machine #arguments #clause {}
    }
}

fn unit_struct(model: &Model, state: &State) -> Option<TokenStream> {
    let Data::Unit = state.data else { return None };
    let (vis, name) = (model.vis, state.name);
    let docs = state.docs.or(&format!(
        "The state `{}` of [`{}`].",
        state.title(),
        model.name.unraw()
    ));
    Some(quote_spanned! {name.span()=>
        #docs
        #[derive(
            ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default,
            ::core::cmp::PartialEq, ::core::cmp::Eq,
        )]
        #[allow(non_camel_case_types, unreachable_pub)]
        #vis struct #name;
    })
}

/// `ConnectionAt`: what the handler matches.
fn view(model: &Model, names: &Names, picture: &str) -> TokenStream {
    let Model {
        vis, name: machine, ..
    } = model;
    let Names {
        view,
        life,
        target,
        value,
        at,
        f,
        ..
    } = names;
    let statem = model.statem(machine.span());
    let title = machine.unraw().to_string();
    let generics = names.view_generics(model.generics);
    let (impl_generics, arguments, clause) = generics.split_for_impl();
    let (_, machine_arguments, _) = model.generics.split_for_impl();
    let (params, machine) = (&generics.params, quote!(#machine #machine_arguments));
    let variants = model.living().map(|state| {
        let (name, ty) = (state.name, state.ty());
        let docs = format!("The machine is in [`{title}::{}`].", state.title());
        // With the span of the variant, rustc shows the state next to a pattern that is wrong.
        let variant = quote_spanned!(name.span()=> #name(#statem::At<#life, #machine, #ty>));
        quote!(#[doc = #docs] #variant)
    });
    let names_of: Vec<_> = model.living().map(|state| state.name).collect();
    let titles = model.living().map(State::title);
    let docs = format!(
        "Where a [`{title}`] is, as its handler sees it: one of its states, with the right to leave it."
    );
    let picture = format!("\n{picture}");
    // With the span of the enum, rustc shows the enum as the place that asks for the transition.
    let go = quote_spanned! {model.name.span()=>
        /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
        #vis fn go<#target>(self, #value: #target) -> #statem::Next<#machine>
        where
            #machine: #statem::To<#target, #machine>,
        {
            match self {
                #(Self::#names_of(#at) => #statem::At::go_from_any(#at, #value),)*
            }
        }
    };
    // With the span of the enum, rustc shows the enum next to a state that it does not have.
    let declaration = quote_spanned! {model.name.span()=>
        #vis enum #view<#params> #clause {
            #(#variants,)*
        }
    };
    quote! {
        #[doc = #docs]
        #[cfg_attr(doc, doc = #picture)]
        #[allow(dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub)]
        #declaration

        #[automatically_derived]
        #[allow(dead_code, deprecated, unreachable_pub)]
        impl #impl_generics #view #arguments #clause {
            #go

            /// The name of the state.
            #[must_use]
            #vis const fn name(&self) -> &'static str {
                match self {
                    #(Self::#names_of(_) => #titles,)*
                }
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::fmt::Debug for #view #arguments #clause {
            fn fmt(&self, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Formatter::write_str(#f, self.name())
            }
        }
    }
}

fn machine(model: &Model, names: &Names) -> TokenStream {
    let unlisted = model.unlisted();
    let Model {
        name: machine,
        event,
        data,
        timeout,
        ..
    } = model;
    let statem = model.statem(Span::call_site());
    let Names {
        view, life, slot, ..
    } = names;
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let view_generics = names.view_generics(model.generics);
    let (_, view_arguments, _) = view_generics.split_for_impl();

    let (title, docs) = (machine.unraw().to_string(), model.docs.expression());
    let vertices = model.states.iter().map(|state| vertex(model, state));
    let unexpected = model.unexpected.map(|word| {
        let word = match word {
            Word::Stop => quote!(Stop),
            Word::Panic => quote!(Panic),
            Word::Warn | Word::PerState => quote!(Warn),
        };
        quote!(const UNEXPECTED: #statem::Unexpected = #statem::Unexpected::#word;)
    });
    let keep_abandoned = model.keep_abandoned.then(|| {
        quote!(
            const KEEP_ABANDONED: bool = true;
        )
    });
    let shutdown = model.shutdown.map(|made| {
        let of_machine = &names.event;
        // With the user's type, rustc shows where it was given next to an expression of another.
        quote! {
            fn shutdown() -> ::core::option::Option<<Self as #statem::Machine>::Event> {
                let #of_machine: #event = #made;
                ::core::option::Option::Some(#of_machine)
            }
        }
    });
    let patterns = model.states.iter().map(|state| any(state, &quote!(Self)));
    let indices = 0..model.states.len();
    let places = model.states.iter().map(|state| {
        let (name, pattern) = (state.name, any(state, &quote!(Self)));
        if state.terminal.is_none() {
            quote!(#pattern => #view::#name(#statem::At::new(#slot)),)
        } else {
            // The engine ends the machine before it would handle an event here.
            quote!(#pattern => ::core::unreachable!("a terminal state has no handler"),)
        }
    });
    // With the spans of the types, rustc shows the one that is more private than the machine.
    let types = [("Event", event), ("Data", data), ("Timeout", timeout)].map(|(name, ty)| {
        let name = Ident::new(name, Span::call_site());
        quote_spanned!(ty.span()=> type #name = #ty;)
    });
    let body = quote! {
        #(#types)*
        type At<#life>
            = #view #view_arguments
        where
            Self: #life;

        const GRAPH: #statem::Graph = #statem::Graph::new(#title, #docs, &[#(#vertices),*]);
        #unexpected
        #keep_abandoned

        fn index(&self) -> usize {
            match self {
                #(#patterns => #indices,)*
            }
        }

        fn view(#slot: #statem::__private::Slot<'_, Self>) -> <Self as #statem::Machine>::At<'_> {
            match #statem::__private::Slot::state(&#slot) {
                #(#places)*
            }
        }
        #shutdown
    };
    // With the span of the enum, rustc shows the machines next to a type that is none.
    quote_spanned! {machine.span()=>
        #unlisted
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Machine for #machine #arguments #clause {
            #body
        }
    }
}

fn vertex(model: &Model, state: &State) -> TokenStream {
    let statem = model.statem(Span::call_site());
    let (title, docs) = (state.title(), state.docs.expression());
    let (initial, terminal) = (state.initial.is_some(), state.terminal.is_some());
    let edges = model.edges(state).map(|edge| {
        let to = model.state(edge.to).title();
        let none = || quote!(::core::option::Option::None);
        let label = edge
            .label
            .map_or_else(none, |label| quote!(::core::option::Option::Some(#label)));
        quote!(#statem::graph::Edge::new(#to, #label))
    });
    quote!(#statem::graph::Vertex::new(#title, #docs, #initial, #terminal, &[#(#edges),*]))
}

fn node(model: &Model, names: &Names, state: &State) -> TokenStream {
    let unlisted = model.unlisted();
    let (machine, statem) = (model.name, model.statem(state.name.span()));
    let Names {
        state: inner,
        machine: whole,
        ..
    } = names;
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let (machine_ty, ty, name) = (quote!(#machine #arguments), state.ty(), state.name);
    // With one state there is nothing else it could be, and rustc warns about a pattern that never
    // matches.
    let none = (model.states.len() > 1).then(|| quote!(_ => ::core::option::Option::None,));
    // With its arguments, since rustc would ask for them if a struct of the enum were not known.
    let turbofish = arguments.as_turbofish();
    let variant = quote!(#machine #turbofish::#name);
    let (wrapped, unwrapped) = match state.data {
        Data::Unit => (
            variant.clone(),
            quote!(#variant => ::core::option::Option::Some(Self),),
        ),
        Data::Struct(_) => (
            // `self` is the one of the method below only with the same span.
            quote_spanned!(name.span()=> #variant(self)),
            quote!(#variant(#inner) => ::core::option::Option::Some(#inner),),
        ),
    };
    // Elision would not know which lifetime is meant in a machine that has some of its own.
    let life = model.generics.lifetimes().next().map(|_| &names.life);
    let params = life.map(|life| quote!(<#life>));
    let payload = match state.data {
        Data::Unit => None,
        Data::Struct(_) => Some(quote_spanned! {name.span()=>
            #unlisted
        #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #statem::Payload<#machine_ty> for #ty #clause {
                fn get #params(#whole: &#life #machine_ty) -> ::core::option::Option<&#life Self> {
                    match #whole {
                        #unwrapped
                        #none
                    }
                }

                fn get_mut #params(#whole: &#life mut #machine_ty) -> ::core::option::Option<&#life mut Self> {
                    match #whole {
                        #unwrapped
                        #none
                    }
                }
            }
        }),
    };
    let living = state.terminal.is_none().then(|| {
        quote_spanned! {name.span()=>
            #unlisted
        #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #statem::Living<#machine_ty> for #ty #clause {}
        }
    });
    // With the span of the variant, rustc shows the states next to something that is none.
    quote_spanned! {name.span()=>
        #unlisted
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Node<#machine_ty> for #ty #clause {
            fn wrap(self) -> #machine_ty {
                #wrapped
            }

            fn unwrap(#whole: #machine_ty) -> ::core::option::Option<Self> {
                match #whole {
                    #unwrapped
                    #none
                }
            }
        }
        #payload
        #living
    }
}

fn initial(model: &Model, state: &State) -> TokenStream {
    let unlisted = model.unlisted();
    let (machine, statem) = (model.name, model.statem(state.name.span()));
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let ty = state.ty();
    quote_spanned! {state.name.span()=>
        #unlisted
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Initial<#machine #arguments> for #ty #clause {}
    }
}

/// An impl of `To` for each edge.
fn transitions(model: &Model, names: &Names) -> TokenStream {
    let unlisted = model.unlisted();
    let (machine, value) = (model.name, &names.value);
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let machine = quote!(#machine #arguments);
    // With the derive's own brackets rustc does not advise to make a type that is missing a
    // parameter of the impl, which it would show as another error at `#[to(..)]`.
    let impl_generics = if model.generics.params.is_empty() {
        quote!(<>)
    } else {
        quote!(#impl_generics)
    };
    let mut impls = TokenStream::new();
    let mut from = |ty: &TokenStream, edges: Vec<&Edge>| {
        for edge in edges {
            let (target, statem) = (model.state(edge.to).ty(), model.statem(edge.at));
            // With the span of the target, rustc shows the `#[to(..)]` next to an undeclared
            // transition.
            impls.extend(quote_spanned! {edge.at=>
                #unlisted
                #[automatically_derived]
                #[allow(deprecated)]
                impl #impl_generics #statem::To<#target, #machine> for #ty #clause {
                    #[inline]
                    fn machine(#value: #target) -> #machine {
                        <#target as #statem::Node<#machine>>::wrap(#value)
                    }
                }
            });
        }
    };
    from(&machine, model.shared.list.iter().collect());
    for state in model.living() {
        from(&state.ty(), model.edges(state).collect());
    }
    impls.extend(ways_of_the_view(model));
    impls
}

/// What the library has for every state, for the machine: impls of `To` that hold the errors of the
/// view's `go` in shape.
fn ways_of_the_view(model: &Model) -> TokenStream {
    let (machine, statem) = (model.name, model.statem(Span::call_site()));
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let machine = quote!(#machine #arguments);
    let nowhere = quote!(#statem::__private::Nowhere);
    let ways = [nowhere.clone(), quote!(&#nowhere)].map(|target| {
        quote! {
            #[doc(hidden)]
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #statem::To<#target, #machine> for #machine #clause {
                fn machine(_: #target) -> #machine {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote!(#(#ways)*)
}

/// A pattern for the state with whatever data.
fn any(state: &State, machine: &TokenStream) -> TokenStream {
    let name = state.name;
    match state.data {
        Data::Unit => quote!(#machine::#name),
        Data::Struct(_) => quote!(#machine::#name(_)),
    }
}
