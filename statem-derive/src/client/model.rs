//! [`Ast`] → [`Model`]: each marked variant as a method, with its parameters and its reply.

use heck::ToSnakeCase;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, Field, Fields, GenericArgument, Generics, Path, PathArguments, Type,
    Visibility, parse_quote,
};

use super::attr::ungrouped;
use super::parse::{Ast, Mark, Variant};
use crate::model::library;
use crate::report::Report;
use crate::tokens::{mentions, written};

/// A client: its methods in the order of the source.
pub(super) struct Model<'a> {
    pub(super) vis: &'a Visibility,
    pub(super) name: Ident,
    pub(super) event: &'a Ident,
    pub(super) generics: &'a Generics,
    pub(super) machine: Type,
    pub(super) methods: Vec<Method<'a>>,
    /// Whether there is more that was meant as a mark, so that a method may be missing.
    pub(super) mistaken: bool,
    /// The path of the library, if it is not the usual one.
    pub(super) statem: Option<&'a Path>,
    pub(super) ast: &'a Ast<'a>,
}

pub(super) struct Method<'a> {
    pub(super) name: Ident,
    pub(super) variant: &'a Ident,
    pub(super) attributes: &'a [&'a Attribute],
    pub(super) parameters: Vec<Parameter<'a>>,
    pub(super) fields: &'a Fields,
    pub(super) kind: Kind<'a>,
}

/// A field that the caller gives.
pub(super) struct Parameter<'a> {
    pub(super) name: Ident,
    /// The name of the field, if it has one.
    pub(super) field: Option<&'a Ident>,
    pub(super) ty: &'a Type,
}

pub(super) enum Kind<'a> {
    Call {
        reply: Reply<'a>,
        limit: Option<&'a Expr>,
    },
    Cast,
    /// What it answers is not known. The report holds a mistake, and nothing is made of the model.
    Unknown,
}

/// The field that is the way back.
pub(super) struct Reply<'a> {
    /// Its place among the fields.
    pub(super) place: usize,
    /// Its name; `None` among unnamed ones.
    pub(super) name: Option<&'a Ident>,
    pub(super) ty: &'a Type,
    /// The arguments of `Reply<..>`.
    pub(super) arguments: Vec<&'a Type>,
}

/// Resolves what can be resolved, so that the next stage sees all of it; what cannot is in the
/// report.
pub(super) fn resolve<'a>(ast: &'a Ast<'a>, report: &Report) -> Model<'a> {
    let client = &ast.client;
    let event = ast.event;
    if client.machine.is_none() && !client.mistaken {
        let (at, write) = match client.at {
            None => (
                event.span(),
                format!("write `#[client(machine = Connection)]` above `enum {event}`,"),
            ),
            Some(at) => (at, "add `machine = Connection` to `#[client(..)]`,".into()),
        };
        report.mistake(
            at,
            format_args!(
                "nothing says whose event `{event}` is: {write}\nwhere `Connection` is the machine with \
                 `#[machine(event = {event})]`"
            ),
        );
    }
    let (vis, name) = match &client.name {
        Some((Visibility::Inherited, name)) => (ast.vis, name.clone()),
        Some((vis, name)) => (vis, name.clone()),
        None => (ast.vis, default_name(ast)),
    };
    let methods = ast
        .variants
        .iter()
        .filter_map(|variant| method(variant, report))
        .collect();
    Model {
        vis,
        name,
        event,
        generics: &ast.generics,
        // Without a machine the report holds a mistake, and nothing is made of the model.
        machine: client.machine.clone().unwrap_or_else(|| parse_quote!(())),
        methods,
        mistaken: ast.variants.iter().any(|variant| variant.mistaken),
        statem: client.statem.as_ref(),
        ast,
    }
}

/// `ConnectionClient`, as the view of the machine is `ConnectionAt`.
fn default_name(ast: &Ast) -> Ident {
    let of = match ast.client.machine.as_ref().map(ungrouped) {
        Some(Type::Path(machine)) => machine.path.segments.last().map(|last| &last.ident),
        _ => None,
    };
    let of = of.unwrap_or(ast.event);
    format_ident!("{}Client", of.unraw(), span = of.span())
}

fn method<'a>(variant: &'a Variant<'a>, report: &Report) -> Option<Method<'a>> {
    let mark = variant.mark.as_ref()?;
    let name = variant.name;
    let (replies, parameters) = replies(variant);
    let before = report.count();
    if let (Fields::Unnamed(_), 2..) = (variant.fields, parameters.len()) {
        let message = unnamed(name, &parameters, &replies);
        report.push(Error::new_spanned(variant.fields, message));
    }
    for field in &parameters {
        if let Some(at) = own(&field.ty.to_token_stream()) {
            report.mistake(
                at,
                "`Self` would be the client in a method of it: write the name of the enum instead",
            );
        }
    }
    let kind = kind(variant, mark, &replies, report);
    let known = report.count() == before;
    let kind = kind.filter(|_| known).unwrap_or(Kind::Unknown);
    Some(of_kind(variant, parameters, kind))
}

fn of_kind<'a>(variant: &'a Variant<'a>, parameters: Vec<&'a Field>, kind: Kind<'a>) -> Method<'a> {
    Method {
        name: snake(variant.name),
        variant: variant.name,
        attributes: &variant.attributes,
        parameters: self::parameters(parameters),
        fields: variant.fields,
        kind,
    }
}

/// The methods of variants that were meant to be marked: where none is, those with a way back.
pub(super) fn meant<'a>(ast: &'a Ast<'a>) -> impl Iterator<Item = Method<'a>> {
    let none = ast.variants.iter().all(|variant| variant.mark.is_none());
    ast.variants.iter().filter_map(move |variant| {
        let (replies, parameters) = replies(variant);
        let meant = variant.mark.is_none() && (variant.mistaken || none && !replies.is_empty());
        meant.then(|| of_kind(variant, parameters, Kind::Unknown))
    })
}

/// The fields that are a way back, and the others.
fn replies<'a>(variant: &Variant<'a>) -> (Vec<Reply<'a>>, Vec<&'a Field>) {
    let mut replies = Vec::new();
    let mut parameters = Vec::new();
    for (place, field) in variant.fields.iter().enumerate() {
        match reply(place, field) {
            Some(reply) => replies.push(reply),
            None => parameters.push(field),
        }
    }
    (replies, parameters)
}

fn kind<'a>(
    variant: &'a Variant,
    mark: &'a Mark,
    replies: &[Reply<'a>],
    report: &Report,
) -> Option<Kind<'a>> {
    let name = variant.name;
    match (mark, replies) {
        (Mark::Cast, []) => Some(Kind::Cast),
        (Mark::Cast, [reply, ..]) => {
            report.push(Error::new_spanned(
                reply.ty,
                format_args!(
                    "`{name}` is a cast, and nobody waits for its reply: mark it `#[call]`, or remove this field"
                ),
            ));
            None
        }
        (Mark::Call { .. }, []) => {
            report.mistake(
                name.span(),
                format_args!(
                    "`{name}` is a call without a way back: give it a field of type `Reply<..>`, or mark it `#[cast]`"
                ),
            );
            None
        }
        (Mark::Call { .. }, [reply]) if reply.arguments.is_empty() => {
            report.push(Error::new_spanned(
                reply.ty,
                "`Reply` does not say here what is answered: write `Reply<Value>`, or `Reply<Value, Error>`",
            ));
            None
        }
        (Mark::Call { limit }, [reply]) => Some(Kind::Call {
            reply: Reply {
                arguments: reply.arguments.clone(),
                ..*reply
            },
            limit: limit.as_ref(),
        }),
        (Mark::Call { .. }, [first, second, ..]) => {
            let mut error = Error::new_spanned(
                second.ty,
                format_args!(
                    "`{name}` has two replies, but a call has one answer: remove one of the fields"
                ),
            );
            error.combine(Error::new_spanned(first.ty, "the first `Reply` is here"));
            report.push(error);
            None
        }
    }
}

/// The field as the way back, if its type is written `Reply<..>`.
fn reply(place: usize, field: &Field) -> Option<Reply<'_>> {
    let Type::Path(path) = ungrouped(&field.ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    if last.ident != "Reply" {
        return None;
    }
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some(Reply {
        place,
        name: field.ident.as_ref(),
        ty: &field.ty,
        arguments,
    })
}

/// Parameters have the names of the fields; a single one without a name is a `value`.
fn parameters(fields: Vec<&Field>) -> Vec<Parameter<'_>> {
    let alone = fields.len() == 1;
    let name = |(place, field): (usize, &Field)| match &field.ident {
        Some(name) => name.clone(),
        None if alone => Ident::new("value", Span::call_site()),
        None => format_ident!("value_{place}"),
    };
    fields
        .into_iter()
        .enumerate()
        .map(|(place, field)| Parameter {
            name: name((place, field)),
            field: field.ident.as_ref(),
            ty: &field.ty,
        })
        .collect()
}

fn unnamed(name: &Ident, parameters: &[&Field], replies: &[Reply]) -> String {
    let names = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let mut fields: Vec<String> = parameters
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let name = names
                .get(place)
                .map_or_else(|| format!("value_{place}"), |name| (*name).to_owned());
            format!("{name}: {}", written(&field.ty.to_token_stream()))
        })
        .collect();
    for reply in replies {
        fields.push(format!("reply: {}", written(&reply.ty.to_token_stream())));
    }
    format!(
        "the fields of `{name}` become the parameters of a method, which have names:\nwrite `{name} {{ {} }}`",
        fields.join(", ")
    )
}

/// Where `Self` is named.
fn own(tokens: &TokenStream) -> Option<Span> {
    mentions(tokens, "Self").then(|| {
        let mut found = None;
        let mut waiting = vec![tokens.clone()];
        while let Some(tokens) = waiting.pop() {
            for tree in tokens {
                match tree {
                    proc_macro2::TokenTree::Ident(ident) if ident == "Self" => {
                        found = Some(ident.span());
                    }
                    proc_macro2::TokenTree::Group(group) => waiting.push(group.stream()),
                    _ => {}
                }
            }
        }
        found.unwrap_or_else(|| tokens.span())
    })
}

/// The name of the method of a variant.
pub(super) fn snake(variant: &Ident) -> Ident {
    let text = variant.unraw().to_string().to_snake_case();
    // Nothing is left of a name without letters or digits.
    let text = if text.is_empty() { "_".into() } else { text };
    let mut name = match text.as_str() {
        // These cannot be raw.
        "self" | "super" | "crate" | "_" => format_ident!("{text}_"),
        _ => syn::parse_str(&text).unwrap_or_else(|_| format_ident!("r#{text}")),
    };
    name.set_span(variant.span());
    name
}

impl Model<'_> {
    /// What else has the name of the client.
    pub(super) fn taken(&self) -> Option<&'static str> {
        let name = self.name.unraw();
        let machine = match ungrouped(&self.machine) {
            Type::Path(machine) if machine.path.segments.len() == 1 => machine.path.segments.last(),
            _ => None,
        };
        if name == self.event.unraw() {
            Some("the event")
        } else if machine.is_some_and(|machine| machine.ident.unraw() == name) {
            Some("the machine")
        } else {
            None
        }
    }

    /// The path of the library.
    pub(super) fn statem(&self, span: Span) -> TokenStream {
        library(self.statem, span)
    }
}
