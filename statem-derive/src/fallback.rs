//! What to write beside the errors: stubs of everything that the derive declares, so that the rest
//! of the user's code still means something and one mistake is one error.
//!
//! Every transition is declared, every state initial, and a type that is not known is one with an
//! error in it, about which rustc says nothing further.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Field, Type};

use crate::model::{Data, Shape, library, taken};
use crate::names::Names;
use crate::parse::{Ast, State};
use crate::report::Mistakes;
use crate::tokens::mentions;

pub(crate) fn expand(ast: &Ast, mistakes: &Mistakes) -> TokenStream {
    let Ast {
        name: machine,
        generics,
        ..
    } = ast;
    let statem = statem(ast);
    let names = Names::new(machine, &ast.tokens);
    let mistake = format_ident!("{}Mistake", machine.unraw());
    let errors = mistakes.expand(&mistake);
    let (impl_generics, arguments, clause) = generics.split_for_impl();
    let machine_ty = quote!(#machine #arguments);

    let (mut declared, mut broken) = (TokenStream::new(), TokenStream::new());
    let (mut variants, mut nodes) = (TokenStream::new(), TokenStream::new());
    let mut types: Vec<TokenStream> = Vec::new();
    for state in &ast.states {
        let (name, life, stub) = (state.name, &names.life, Stub::of(state, ast));
        declared.extend(declaration(ast, name, &stub));
        if let Stub::Broken = stub {
            broken.extend(quote!(pub type #name = #mistake;));
        }
        let ty = match &stub {
            Stub::Struct(ty) => ty.clone(),
            Stub::Unit | Stub::Broken => name.to_token_stream(),
            Stub::Taken => mistake.to_token_stream(),
        };
        // Whatever is done with the state in a handler, rustc has nothing to say of a type that is
        // a mistake of ours.
        let seen = if mistakes.are_ours() {
            mistake.to_token_stream()
        } else {
            ty.clone()
        };
        variants.extend(quote!(#name(#statem::At<#life, #machine_ty, #seen>),));
        let known = matches!(stub, Stub::Unit | Stub::Struct(_));
        // By their names alone: with other paths or arguments they may mean the same.
        let is_new = |known: &TokenStream| name_of(known) != name_of(&ty);
        if known && types.iter().all(is_new) {
            nodes.extend(node(ast, &stub, &ty, &names));
            types.push(ty);
        }
    }
    let edges = edges(ast, &types, &machine_ty);
    let machine_impl = stub_machine(ast, &names, &mistake);
    let view = stub_view(ast, &names, &variants);
    let handler = ast.machine.per_state.then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #statem::Handler for #machine_ty #clause {
                fn handle(
                    _: <Self as #statem::Machine>::At<'_>,
                    _: <Self as #statem::Machine>::Event,
                    _: &mut <Self as #statem::Machine>::Data,
                    _: &mut #statem::Cx<Self>,
                ) -> #statem::Next<Self> {
                    ::core::unimplemented!()
                }
            }
        }
    });
    let mistakes = format_ident!("{}Mistakes", machine.unraw());
    quote! {
        // What comes by `*` gives way to what the user has declared: there may be a struct of the
        // name of a state that is broken.
        #[doc(hidden)]
        #[allow(missing_docs, dead_code, non_camel_case_types, non_snake_case, unreachable_pub)]
        mod #mistakes {
            #errors
            #broken
        }
        #[allow(unused_imports)]
        use #mistakes::*;

        #declared
        #view
        #machine_impl
        #nodes
        #edges
        #handler
    }
}

/// The last name in the path of a type, without its arguments.
fn name_of(ty: &TokenStream) -> String {
    let text = ty.to_string();
    let path = text.split('<').next().unwrap_or_default();
    path.rsplit("::")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// What stands for a state's struct.
enum Stub {
    Unit,
    Struct(TokenStream),
    /// The type with an error in it, under the name of the variant.
    Broken,
    /// The type with an error in it, because the name of the variant means something else.
    Taken,
}

impl Stub {
    fn of(state: &State, ast: &Ast) -> Self {
        let name = state.name;
        let unit = || match taken(name, ast.name, &ast.generics) {
            Some(_) => Stub::Taken,
            None => Stub::Unit,
        };
        match Shape::of(state, &ast.generics) {
            Shape::Good(Data::Unit) => unit(),
            Shape::Good(Data::Struct(ty)) => Stub::Struct(ty.to_token_stream()),
            Shape::Bad(_) if state.fields.is_empty() => unit(),
            // What is there can be used as it is, though it is no struct.
            Shape::Bad(_) if state.fields.len() == 1 && state.fields.iter().all(is_usable) => {
                let types = state.fields.iter().map(|field| &field.ty);
                Stub::Struct(quote!(#(#types)*))
            }
            Shape::Bad(_) => {
                // `Ready(Ready, u32)`: the user has a struct of that name, which is the one that is
                // meant.
                let mut own = state.fields.iter().map(|field| field.ty.to_token_stream());
                match own.find(|ty| name == &ty.to_string()) {
                    Some(ty) => Stub::Struct(ty),
                    None if mentions(&state.fields.to_token_stream(), &state.title()) => {
                        Stub::Taken
                    }
                    None => Stub::Broken,
                }
            }
        }
    }
}

fn is_usable(field: &Field) -> bool {
    let kind = matches!(
        field.ty,
        Type::Array(_) | Type::Reference(_) | Type::Tuple(_)
    );
    kind && field.ident.is_none() && !mentions(&field.ty.to_token_stream(), "Self")
}

fn declaration(ast: &Ast, name: &Ident, stub: &Stub) -> Option<TokenStream> {
    let vis = ast.vis;
    matches!(stub, Stub::Unit).then(|| {
        quote! {
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default,
                ::core::cmp::PartialEq, ::core::cmp::Eq,
            )]
            #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
            #vis struct #name;
        }
    })
}

fn node(ast: &Ast, stub: &Stub, ty: &TokenStream, names: &Names) -> TokenStream {
    let (statem, machine) = (statem(ast), ast.name);
    let (impl_generics, arguments, clause) = ast.generics.split_for_impl();
    let machine = quote!(#machine #arguments);
    let life = ast.generics.lifetimes().next().map(|_| &names.life);
    let params = life.map(|life| quote!(<#life>));
    let payload = matches!(stub, Stub::Struct(_)).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #statem::Payload<#machine> for #ty #clause {
                fn get #params(_: &#life #machine) -> ::core::option::Option<&#life Self> {
                    ::core::option::Option::None
                }

                fn get_mut #params(_: &#life mut #machine) -> ::core::option::Option<&#life mut Self> {
                    ::core::option::Option::None
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #statem::Living<#machine> for #ty #clause {}

        #[automatically_derived]
        impl #impl_generics #statem::Node<#machine> for #ty #clause {
            fn wrap(self) -> #machine {
                ::core::unimplemented!()
            }

            fn unwrap(_: #machine) -> ::core::option::Option<Self> {
                ::core::option::Option::None
            }
        }
        #payload
        #[automatically_derived]
        impl #impl_generics #statem::Initial<#machine> for #ty #clause {}
    }
}

/// A transition from each state, and from the whole view, to each state.
fn edges(ast: &Ast, types: &[TokenStream], machine: &TokenStream) -> TokenStream {
    let statem = statem(ast);
    let (impl_generics, _, clause) = ast.generics.split_for_impl();
    let mut edges = TokenStream::new();
    for from in types.iter().chain([machine]) {
        for to in types {
            edges.extend(quote! {
                #[automatically_derived]
                impl #impl_generics #statem::To<#to, #machine> for #from #clause {
                    fn machine(_: #to) -> #machine {
                        ::core::unimplemented!()
                    }
                }
            });
        }
    }
    edges
}

fn stub_view(ast: &Ast, names: &Names, variants: &TokenStream) -> TokenStream {
    let (vis, machine, statem) = (ast.vis, ast.name, statem(ast));
    let Names {
        view, life, target, ..
    } = names;
    let (_, machine_arguments, _) = ast.generics.split_for_impl();
    let machine = quote!(#machine #machine_arguments);
    let generics = names.view_generics(&ast.generics);
    let (impl_generics, arguments, clause) = generics.split_for_impl();
    let params = &generics.params;
    // Parameters that nothing uses would be an error of their own.
    let unused = variants
        .is_empty()
        .then(|| quote!(#[doc(hidden)] Mistake(::core::marker::PhantomData<&#life #machine>)));
    quote! {
        #[allow(missing_docs, dead_code, non_camel_case_types, private_interfaces, unreachable_pub)]
        #vis enum #view<#params> #clause {
            #variants
            #unused
        }

        #[automatically_derived]
        #[allow(missing_docs, dead_code, unreachable_pub)]
        impl #impl_generics #view #arguments #clause {
            #vis fn go<#target>(self, _: #target) -> #statem::Next<#machine> {
                ::core::unimplemented!()
            }

            #[must_use]
            #vis fn name(&self) -> &'static str {
                ::core::unimplemented!()
            }
        }
    }
}

fn stub_machine(ast: &Ast, names: &Names, mistake: &Ident) -> TokenStream {
    let (machine, statem, keys) = (ast.name, statem(ast), &ast.machine);
    let Names { view, life, .. } = names;
    let (impl_generics, arguments, clause) = ast.generics.split_for_impl();
    let view_generics = names.view_generics(&ast.generics);
    let (_, view_arguments, _) = view_generics.split_for_impl();
    let event = keys
        .event
        .as_ref()
        .map_or_else(|| mistake.to_token_stream(), ToTokens::to_token_stream);
    // What was left out has its default, unless it may be what was meant by a key that could not be
    // read.
    let or = |key: &Option<syn::Type>, default: TokenStream| match key {
        Some(ty) => ty.to_token_stream(),
        None if keys.mistaken || keys.event.is_none() => mistake.to_token_stream(),
        None => default,
    };
    let data = or(&keys.data, quote!(()));
    let timeout = or(&keys.timeout, quote!(&'static str));
    quote! {
        #[automatically_derived]
        impl #impl_generics #statem::Machine for #machine #arguments #clause {
            type Event = #event;
            type Data = #data;
            type Timeout = #timeout;
            type At<#life>
                = #view #view_arguments
            where
                Self: #life;

            const GRAPH: #statem::Graph = #statem::Graph::new("", "", &[]);

            fn index(&self) -> usize {
                ::core::unimplemented!()
            }

            fn view(_: #statem::__private::Slot<'_, Self>) -> <Self as #statem::Machine>::At<'_> {
                ::core::unimplemented!()
            }
        }
    }
}

fn statem(ast: &Ast) -> TokenStream {
    library(ast.machine.statem.as_ref(), Span::call_site())
}
