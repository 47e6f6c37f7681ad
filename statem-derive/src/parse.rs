//! Tokens → [`Ast`]: what is written, with the names as they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, GenericParam, Generics, Lit, LitStr, Meta,
    Path, Result,
};
use syn::{Token, Type, Variant, Visibility, token};

use crate::attr::{self, Key, Place, Value, Word};
use crate::report::Report;

/// The enum as it is written. Mistakes are in the report; what they were in is left out.
pub(crate) struct Ast<'a> {
    pub(crate) vis: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: Generics,
    pub(crate) docs: Docs<'a>,
    pub(crate) machine: Machine,
    pub(crate) edges: Vec<Target>,
    pub(crate) states: Vec<State<'a>>,
    /// Everything, for finding names that are not in it.
    pub(crate) tokens: TokenStream,
}

/// `#[machine(..)]`.
#[derive(Default)]
pub(crate) struct Machine {
    pub(crate) event: Option<Type>,
    pub(crate) data: Option<Type>,
    pub(crate) timeout: Option<Type>,
    /// Whether there is a `handlers` key, right or wrong.
    pub(crate) per_state: bool,
    pub(crate) unexpected: Option<Word>,
    pub(crate) keep_abandoned: bool,
    pub(crate) shutdown: Option<Expr>,
    pub(crate) statem: Option<Path>,
    /// Whether a key could not be read, so that one which is not here may have been meant.
    pub(crate) mistaken: bool,
}

pub(crate) struct State<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) docs: Docs<'a>,
    pub(crate) fields: &'a Fields,
    pub(crate) initial: Option<Span>,
    pub(crate) terminal: Option<Span>,
    pub(crate) edges: Vec<Target>,
}

/// One entry of `#[to(..)]`.
pub(crate) struct Target {
    pub(crate) name: Ident,
    pub(crate) label: Option<LitStr>,
}

/// Doc comments.
pub(crate) struct Docs<'a> {
    attributes: Vec<&'a Attribute>,
}

pub(crate) fn parse<'a>(input: &'a DeriveInput, report: &Report) -> Ast<'a> {
    let found = attr::find(&input.attrs, Place::Enum, report);
    let variants: Vec<&Variant> = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(data) => {
            not_an_enum(data.struct_token.span, "struct", &input.ident, report);
            Vec::new()
        }
        Data::Union(data) => {
            not_an_enum(data.union_token.span, "union", &input.ident, report);
            Vec::new()
        }
    };
    if let (Data::Enum(_), true) = (&input.data, variants.is_empty()) {
        let name = &input.ident;
        report.mistake(
            name.span(),
            format_args!(
                "`{name}` has no states: each variant of a machine's enum is one of its states"
            ),
        );
    }
    for param in &input.generics.params {
        let attributes = match param {
            GenericParam::Type(param) => &param.attrs,
            GenericParam::Lifetime(param) => &param.attrs,
            GenericParam::Const(param) => &param.attrs,
        };
        attr::find(attributes, Place::Elsewhere, report);
    }
    Ast {
        vis: &input.vis,
        name: &input.ident,
        generics: without_attributes(&input.generics),
        docs: Docs::of(&input.attrs),
        machine: machine(found.machine, report),
        edges: targets(&found.to, report),
        states: variants
            .into_iter()
            .map(|variant| state(variant, report))
            .collect(),
        tokens: input.to_token_stream(),
    }
}

fn not_an_enum(at: Span, what: &str, name: &Ident, report: &Report) {
    report.mistake(
        at,
        format_args!("a machine is an enum of its states, not a {what}: write `enum {name}` with a variant for each state"),
    );
}

fn without_attributes(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => param.attrs.clear(),
            GenericParam::Lifetime(param) => param.attrs.clear(),
            GenericParam::Const(param) => param.attrs.clear(),
        }
    }
    generics
}

fn machine(attribute: Option<&Attribute>, report: &Report) -> Machine {
    let mut machine = Machine::default();
    let Some(attribute) = attribute else {
        return machine;
    };
    let mut seen = Vec::new();
    let (entries, errors) = attr::list(attribute, |input| attr::machine_entry(input, &mut seen));
    machine.mistaken = !errors.is_empty() || !matches!(attribute.meta, Meta::List(_));
    for error in errors {
        report.push(error);
    }
    for entry in entries {
        match entry {
            (Key::Event, Value::Type(event)) => machine.event = Some(event),
            (Key::Data, Value::Type(data)) => machine.data = Some(data),
            (Key::Timeout, Value::Type(timeout)) => machine.timeout = Some(timeout),
            (Key::Unexpected, Value::Word(word)) => machine.unexpected = Some(word),
            (Key::KeepAbandoned, _) => machine.keep_abandoned = true,
            (Key::Shutdown, Value::Event(event)) => machine.shutdown = Some(event),
            (Key::Crate, Value::Path(path)) => machine.statem = Some(path),
            // `handlers` is looked for below; the table gives no other key another kind of value.
            _ => {}
        }
    }
    machine.per_state = seen.iter().any(|(key, _)| *key == Key::Handlers);
    machine
}

fn state<'a>(variant: &'a Variant, report: &Report) -> State<'a> {
    let found = attr::find(&variant.attrs, Place::Variant, report);
    for field in &variant.fields {
        attr::find(&field.attrs, Place::Elsewhere, report);
    }
    State {
        name: &variant.ident,
        docs: Docs::of(&variant.attrs),
        fields: &variant.fields,
        initial: found.initial.map(|attribute| attribute.path().span()),
        terminal: found.terminal.map(|attribute| attribute.path().span()),
        edges: targets(&found.to, report),
    }
}

fn targets(attributes: &[&Attribute], report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    for attribute in attributes {
        let (found, errors) = attr::list(attribute, target);
        if let (Meta::List(meta), true, true) =
            (&attribute.meta, found.is_empty(), errors.is_empty())
        {
            report.mistake(
                meta.span(),
                "this `#[to(..)]` names no state: leave it out where a state has no transitions",
            );
        }
        targets.extend(found);
        for error in errors {
            report.push(error);
        }
    }
    targets
}

/// Reads one `Target` or `Target = "label"`, and knows the other ways in which people name a state.
fn target(input: ParseStream) -> Result<Target> {
    let at = input.span();
    if let Some(text) = input.parse::<Option<LitStr>>()? {
        let name = text.value();
        return Err(Error::new(
            at,
            format_args!("a target is a variant's name without quotes: write `{name}`"),
        ));
    }
    let path = input.call(Path::parse_mod_style).map_err(|_| {
        Error::new(
            at,
            "expected a variant's name, as in `#[to(Target, Other = \"label\")]`",
        )
    })?;
    let Some(name) = path.get_ident().cloned() else {
        let last = path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        return Err(Error::new_spanned(
            &path,
            format_args!("a target is a variant's name alone: write `{last}`"),
        ));
    };
    if input.peek(token::Paren) || input.peek(token::Brace) || input.peek(Token![<]) {
        let message =
            format_args!("a target is a variant's name alone, without its data: write `{name}`");
        return Err(Error::new(name.span(), message));
    }
    let mut label = None;
    if input.parse::<Option<Token![=]>>()?.is_some() {
        let at = if input.is_empty() {
            name.span()
        } else {
            input.span()
        };
        let wrong = |_| {
            Error::new(
                at,
                format_args!("a label is a string: write `{name} = \"label\"`"),
            )
        };
        label = Some(input.parse::<LitStr>().map_err(wrong)?);
    }
    Ok(Target { name, label })
}

impl<'a> Docs<'a> {
    fn of(attributes: &'a [Attribute]) -> Self {
        Docs {
            attributes: attributes
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"))
                .collect(),
        }
    }

    /// The doc attributes as they are, to repeat them on an item, or else one that says `or`.
    pub(crate) fn or(&self, or: &str) -> TokenStream {
        let attributes = &self.attributes;
        if self.text().is_empty() {
            quote!(#(#attributes)* #[doc = #or])
        } else {
            quote!(#(#attributes)*)
        }
    }

    /// The lines joined by `\n`, as an expression.
    pub(crate) fn expression(&self) -> TokenStream {
        let lines = self.text();
        let literal: Option<Vec<String>> = lines.iter().map(|line| literal(line)).collect();
        if let Some(lines) = literal {
            // The space after `///` belongs to the comment, not to the text.
            let lines: Vec<_> = lines
                .iter()
                .map(|line| line.strip_prefix(' ').unwrap_or(line))
                .collect();
            return lines.join("\n").to_token_stream();
        }
        let first = lines.first();
        let others = lines.iter().skip(1);
        quote!(::core::concat!(#first #(, "\n", #others)*))
    }

    /// The lines, which need not be literals: `#[doc = include_str!(..)]`.
    fn text(&self) -> Vec<&'a Expr> {
        let mut lines = Vec::new();
        for attribute in &self.attributes {
            if let Meta::NameValue(meta) = &attribute.meta {
                lines.push(&meta.value);
            }
        }
        lines
    }
}

fn literal(line: &Expr) -> Option<String> {
    match line {
        Expr::Lit(line) => match &line.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

impl State<'_> {
    /// The name for people and diagrams.
    pub(crate) fn title(&self) -> String {
        self.name.unraw().to_string()
    }
}
