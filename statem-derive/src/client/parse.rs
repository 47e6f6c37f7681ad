//! Tokens → [`Ast`]: what is written, with the names as they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, GenericParam, Generics, Path, Type,
    Visibility,
};

use super::attr::{self, ATTRIBUTES, CALL, CLIENT, Entry};
use crate::grammar::{Found, Place, find, list};
use crate::report::Report;

/// The enum as it is written. Mistakes are in the report; what they were in is left out.
pub(super) struct Ast<'a> {
    pub(super) vis: &'a Visibility,
    pub(super) event: &'a Ident,
    pub(super) generics: Generics,
    pub(super) client: Client,
    pub(super) variants: Vec<Variant<'a>>,
    /// Everything, for finding names that are not in it.
    pub(super) tokens: TokenStream,
}

/// `#[client(..)]`.
#[derive(Default)]
pub(super) struct Client {
    /// The attribute, if there is one.
    pub(super) at: Option<Span>,
    pub(super) machine: Option<Type>,
    pub(super) name: Option<(Visibility, Ident)>,
    pub(super) statem: Option<Path>,
    /// Whether more was meant that could not be read, so that a key which is not here may be there.
    pub(super) mistaken: bool,
}

pub(super) struct Variant<'a> {
    pub(super) name: &'a Ident,
    /// Its attributes that belong on the method too: documentation and deprecation.
    pub(super) attributes: Vec<&'a Attribute>,
    pub(super) fields: &'a Fields,
    pub(super) mark: Option<Mark>,
    /// Whether there is more that was meant as a mark.
    pub(super) mistaken: bool,
}

#[allow(
    clippy::large_enum_variant,
    reason = "with the places that tokens have in tests alone"
)]
pub(super) enum Mark {
    Call { limit: Option<Expr> },
    Cast,
}

pub(super) fn parse<'a>(input: &'a DeriveInput, report: &Report) -> Ast<'a> {
    let found = find(&ATTRIBUTES, &input.attrs, Place::Enum, report);
    let name = &input.ident;
    let not_an_enum = |at: Span, what: &str| {
        report.mistake(
            at,
            format_args!(
                "`{name}` is a {what}, and a client is made of an enum of events:\nwrite `enum {name}` with a variant for \
                 each thing that can be asked"
            ),
        );
        Vec::new()
    };
    let variants: Vec<&syn::Variant> = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(data) => not_an_enum(data.struct_token.span, "struct"),
        Data::Union(data) => not_an_enum(data.union_token.span, "union"),
    };
    let mut generics = input.generics.clone();
    for param in &mut generics.params {
        let attributes = match param {
            GenericParam::Type(param) => &mut param.attrs,
            GenericParam::Lifetime(param) => &mut param.attrs,
            GenericParam::Const(param) => &mut param.attrs,
        };
        find(&ATTRIBUTES, attributes, Place::Parameter, report);
        attributes.clear();
    }
    let mut client = client(&found, report);
    // It may be on a variant.
    client.mistaken |= variants.iter().any(|variant| {
        let mut attributes = variant.attrs.iter();
        attributes.any(|attribute| attribute.path().is_ident(CLIENT.name))
    });
    Ast {
        vis: &input.vis,
        event: name,
        generics,
        client,
        variants: variants
            .into_iter()
            .map(|variant| self::variant(variant, report))
            .collect(),
        tokens: input.to_token_stream(),
    }
}

fn client(found: &Found, report: &Report) -> Client {
    let mut client = Client {
        mistaken: found.mistaken,
        ..Client::default()
    };
    let Some(attribute) = found.first(&CLIENT) else {
        return client;
    };
    client.at = Some(attribute.path().span());
    let mut seen = Vec::new();
    let (entries, errors) = list(attribute, |input| attr::client_entry(input, &mut seen));
    client.mistaken |= !errors.is_empty();
    for error in errors {
        report.push(error);
    }
    for entry in entries {
        match entry {
            Entry::Machine(machine) => client.machine = Some(machine),
            Entry::Name(vis, name) => client.name = Some((vis, name)),
            Entry::Crate(path) => client.statem = Some(path),
        }
    }
    client
}

fn variant<'a>(variant: &'a syn::Variant, report: &Report) -> Variant<'a> {
    let found = find(&ATTRIBUTES, &variant.attrs, Place::Variant, report);
    let mut mistaken = found.mistaken;
    for field in &variant.fields {
        mistaken |= find(&ATTRIBUTES, &field.attrs, Place::Field, report).mistaken;
    }
    let mut marks = found.all();
    let mark = marks.next();
    if let (Some((_, first)), Some((_, second))) = (mark, marks.next()) {
        report.push(both(&variant.ident, second, first));
    }
    let mark = mark.map(|(name, attribute)| {
        if name == CALL.name {
            Mark::Call {
                limit: limit(attribute, report),
            }
        } else {
            Mark::Cast
        }
    });
    Variant {
        name: &variant.ident,
        attributes: variant
            .attrs
            .iter()
            .filter(|attribute| {
                attribute.path().is_ident("doc") || attribute.path().is_ident("deprecated")
            })
            .collect(),
        fields: &variant.fields,
        mark,
        mistaken,
    }
}

fn both(name: &Ident, second: &Attribute, first: &Attribute) -> Error {
    let mut error = Error::new(
        second.path().span(),
        format_args!("`{name}` is either called or cast, not both: remove one of the attributes"),
    );
    let other = first.path().to_token_stream();
    error.combine(Error::new(
        first.path().span(),
        format_args!("the other one, `#[{other}]`, is here"),
    ));
    error
}

fn limit(attribute: &Attribute, report: &Report) -> Option<Expr> {
    let mut seen = Vec::new();
    let (limits, errors) = list(attribute, |input| attr::call_entry(input, &mut seen));
    for error in errors {
        report.push(error);
    }
    limits.into_iter().next()
}
