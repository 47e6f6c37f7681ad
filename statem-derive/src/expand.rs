//! [`Model`] → tokens. Nothing in here can fail.
//!
//! Paths are absolute and names are ones that the enum does not contain, so that nothing of the
//! user's can get in the way. `#[allow]` is only ever on an item of our own.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Generics, WherePredicate, parse_quote_spanned};

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
    let transitions = transitions(model);
    let initial = model
        .states
        .iter()
        .filter(|state| state.initial.is_some())
        .map(|state| initial(model, state));
    let machine = machine(model, &names);
    let view = view(model, &names);
    let handler = model.per_state.then(|| handler(model, &names));
    quote! {
        #(#units)*
        #view
        #machine
        #(#nodes)*
        #transitions
        #(#initial)*
        #handler
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
fn view(model: &Model, names: &Names) -> TokenStream {
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
        quote!(#[doc = #docs] #name(#statem::At<#life, #machine, #ty>))
    });
    let names_of: Vec<_> = model.living().map(|state| state.name).collect();
    let titles = model.living().map(State::title);
    let docs = format!(
        "Where a [`{title}`] is, as its handler sees it: one of its states, with the right to leave it."
    );
    // With the span of the enum, rustc shows the enum as the place that asks for the transition.
    let go = quote_spanned! {model.name.span()=>
        /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
        #vis fn go<#target>(self, #value: #target) -> #statem::Next<#machine>
        where
            #machine: #statem::To<#target, #machine>,
            #target: #statem::Node<#machine>,
        {
            match self {
                #(Self::#names_of(#at) => #statem::At::go_from_any(#at, #value),)*
            }
        }
    };
    quote! {
        #[doc = #docs]
        #[allow(dead_code, deprecated, non_camel_case_types, private_interfaces, unreachable_pub)]
        #vis enum #view<#params> #clause {
            #(#variants,)*
        }

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
    let shutdown = model.shutdown.map(|event| {
        quote! {
            fn shutdown() -> ::core::option::Option<Self::Event> {
                ::core::option::Option::Some(#event)
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
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Machine for #machine #arguments #clause {
            type Event = #event;
            type Data = #data;
            type Timeout = #timeout;
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

            fn view(#slot: #statem::__private::Slot<'_, Self>) -> Self::At<'_> {
                match #statem::__private::Slot::state(&#slot) {
                    #(#places)*
                }
            }

            #shutdown
        }
    }
}

fn vertex(model: &Model, state: &State) -> TokenStream {
    let statem = model.statem(Span::call_site());
    let (title, docs) = (state.title(), state.docs.expression());
    let (initial, terminal) = (state.initial.is_some(), state.terminal.is_some());
    let edges = edges(model, state).map(|edge| {
        let to = model.state(edge.to).title();
        let none = || quote!(::core::option::Option::None);
        let label = edge
            .label
            .map_or_else(none, |label| quote!(::core::option::Option::Some(#label)));
        quote!(#statem::graph::Edge::new(#to, #label))
    });
    quote!(#statem::graph::Vertex::new(#title, #docs, #initial, #terminal, &[#(#edges),*]))
}

/// Where the state may go: its own edges, then those of every state.
fn edges<'a>(model: &'a Model, state: &'a State) -> impl Iterator<Item = &'a Edge<'a>> {
    let shared = if state.terminal.is_none() {
        model.shared.as_slice()
    } else {
        &[]
    };
    state.edges.iter().chain(shared)
}

fn node(model: &Model, names: &Names, state: &State) -> TokenStream {
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
    let (wrapped, unwrapped) = match state.data {
        Data::Unit => (
            quote!(#machine::#name),
            quote!(#machine::#name => ::core::option::Option::Some(Self),),
        ),
        Data::Struct(_) => (
            // `self` is the one of the method below only with the same span.
            quote_spanned!(name.span()=> #machine::#name(self)),
            quote!(#machine::#name(#inner) => ::core::option::Option::Some(#inner),),
        ),
    };
    // Elision would not know which lifetime is meant in a machine that has some of its own.
    let life = model.generics.lifetimes().next().map(|_| &names.life);
    let params = life.map(|life| quote!(<#life>));
    let payload = match state.data {
        Data::Unit => None,
        Data::Struct(_) => Some(quote! {
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
    // With the span of the variant, rustc shows the states next to something that is none.
    quote_spanned! {name.span()=>
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
    }
}

fn initial(model: &Model, state: &State) -> TokenStream {
    let (machine, statem) = (model.name, model.statem(state.name.span()));
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let ty = state.ty();
    quote_spanned! {state.name.span()=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Initial<#machine #arguments> for #ty #clause {}
    }
}

/// An impl of `To` for each edge, and hidden ones that hold the other errors of `go` in shape.
fn transitions(model: &Model) -> TokenStream {
    let machine = model.name;
    let (impl_generics, arguments, clause) = model.generics.split_for_impl();
    let machine = quote!(#machine #arguments);
    let mut impls = TokenStream::new();
    let mut from = |ty: &TokenStream, edges: Vec<&Edge>| {
        for edge in edges {
            let (target, statem) = (model.state(edge.to).ty(), model.statem(edge.at));
            // With the span of the target, rustc shows the `#[to(..)]` next to an undeclared
            // transition.
            impls.extend(quote_spanned! {edge.at=>
                #[automatically_derived]
                #[allow(deprecated)]
                impl #impl_generics #statem::To<#target, #machine> for #ty #clause {}
            });
        }
        let statem = model.statem(Span::call_site());
        impls.extend(quote! {
            // With a single impl rustc would infer the target of `go` from it, and call an undeclared transition
            // "mismatched types".
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #statem::To<#statem::__private::Nowhere, #machine> for #ty #clause {}
            // `go(Machine::Variant)` is stopped by `Node`, whose message is the one that helps; without this impl
            // there would be two.
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #statem::To<#machine, #machine> for #ty #clause {}
        });
    };
    from(&machine, model.shared.iter().collect());
    for state in model.living() {
        from(&state.ty(), edges(model, state).collect());
    }
    impls
}

/// Joins the handlers of the states into the handler of the machine.
fn handler(model: &Model, names: &Names) -> TokenStream {
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
    let each = |call: &dyn Fn(&State, TokenStream) -> TokenStream| -> Vec<TokenStream> {
        let arm = |state: &State| {
            // All calls have the span of the variant and only its bound can fail, so a missing
            // handler is one error there.
            let (span, ty) = (state.name.span(), state.ty());
            let statem = model.statem(span);
            call(state, quote_spanned!(span=> <#ty as #statem::State<Self>>))
        };
        model.living().map(arm).collect()
    };
    // A unit state has no place in the enum that could be borrowed; any value of its struct is as
    // good.
    let borrowed = |of: &State| match (of.name, of.data) {
        (name, Data::Unit) => (quote!(Self::#name), quote!(&mut #name)),
        (name, Data::Struct(_)) => (quote!(Self::#name(#state)), quote!(#state)),
    };
    let enter = each(&|of, call| {
        let (pattern, value) = borrowed(of);
        quote_spanned!(of.name.span()=> #pattern => #call::enter(#value, #data, #cx),)
    });
    let handle = each(&|of, call| {
        let name = of.name;
        quote_spanned!(name.span()=> #view::#name(#at) => #call::handle(#at, #event, #data, #cx),)
    });
    let terminate = each(&|of, call| {
        let (pattern, value) = borrowed(of);
        let pattern = quote!(::core::option::Option::Some(#pattern));
        quote_spanned!(of.name.span()=> #pattern => #call::terminate(#value, #reason, #data),)
    });
    let refused = each(&|of, call| {
        let name = of.name;
        let (pattern, value) = match of.data {
            Data::Unit => (quote!(Self::#name), quote!(&#name)),
            Data::Struct(_) => (quote!(Self::#name(#state)), quote!(#state)),
        };
        quote_spanned!(name.span()=> #pattern => #call::refused(#value, #event, #data),)
    });
    let ended = model.states.iter().filter(|state| state.terminal.is_some());
    let ended = ended
        .map(|state| any(state, &quote!(Self)))
        .collect::<Vec<_>>();
    // With the span of the derive rustc would advise to write the impl by hand when a bound of it
    // fails.
    quote_spanned! {machine.span()=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #statem::Handler for #machine #arguments #clause {
            fn enter(&mut self, #data: &mut Self::Data, #cx: &mut #statem::EnterCx<Self>) {
                match self {
                    #(#enter)*
                    #(#ended => {})*
                }
            }

            fn handle(
                #state: Self::At<'_>,
                #event: Self::Event,
                #data: &mut Self::Data,
                #cx: &mut #statem::Cx<Self>,
            ) -> #statem::Next<Self> {
                match #state {
                    #(#handle)*
                }
            }

            fn terminate(
                #reason: &#statem::ExitReason,
                #state: ::core::option::Option<&mut Self>,
                #data: &mut Self::Data,
            ) {
                match #state {
                    #(#terminate)*
                    #(::core::option::Option::Some(#ended) => {})*
                    ::core::option::Option::None => {}
                }
            }

            fn refused(&self, #event: Self::Event, #data: &mut Self::Data) {
                match self {
                    #(#refused)*
                    #(#ended => {})*
                }
            }
        }
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

/// A pattern for the state with whatever data.
fn any(state: &State, machine: &TokenStream) -> TokenStream {
    let name = state.name;
    match state.data {
        Data::Unit => quote!(#machine::#name),
        Data::Struct(_) => quote!(#machine::#name(_)),
    }
}
