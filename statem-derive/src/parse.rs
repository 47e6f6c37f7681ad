//! Tokens → [`Ast`]: what is written, with the names as they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, GenericParam, Generics, Lit, LitStr, Meta,
    Path, Result,
};
use syn::{Token, Type, Variant, Visibility, token};

use crate::attr::{self, Key, Value, Word};
use crate::grammar::{Place, find, list, token};
use crate::hint;
use crate::report::Report;
use crate::tokens::written;

/// The enum as it is written. Mistakes are in the report; what they were in is left out.
pub(crate) struct Ast<'a> {
    pub(crate) vis: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: Generics,
    pub(crate) docs: Docs<'a>,
    pub(crate) machine: Machine,
    pub(crate) edges: Targets,
    pub(crate) states: Vec<State<'a>>,
    /// Whether an attribute or a key that was meant to mark a state or to declare a transition
    /// could not be read, so that one which is not here may have been meant.
    pub(crate) misread: bool,
    /// Everything, for finding names that are not in it.
    pub(crate) tokens: TokenStream,
}

/// `#[machine(..)]`.
#[derive(Default)]
pub(crate) struct Machine {
    /// Where it is, if it is there.
    pub(crate) at: Option<Span>,
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
    pub(crate) edges: Targets,
    misread: bool,
}

/// All of `#[to(..)]` in one place.
#[derive(Default)]
pub(crate) struct Targets {
    pub(crate) list: Vec<Target>,
    /// Each `#[to()]`.
    pub(crate) none: Vec<Span>,
    /// Whether something in them could not be read.
    pub(crate) mistaken: bool,
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
    let found = find(&attr::ATTRIBUTES, &input.attrs, Place::Enum, report);
    let variants: Vec<&Variant> = match &input.data {
        Data::Enum(data) => different(&data.variants, report),
        Data::Struct(data) => {
            not_an_enum(data.struct_token.span, "struct", &input.ident, report);
            Vec::new()
        }
        Data::Union(data) => {
            not_an_enum(data.union_token.span, "union", &input.ident, report);
            Vec::new()
        }
    };
    let doubled = matches!(&input.data, Data::Enum(data) if data.variants.len() > variants.len());
    if let (Data::Enum(_), true) = (&input.data, variants.is_empty()) {
        let name = &input.ident;
        report.mistake(
            name.span(),
            format_args!(
                "`{name}` has no states: write a variant for each state that the machine can be in"
            ),
        );
    }
    let mut misread = found.mistaken || doubled;
    for param in &input.generics.params {
        let attributes = match param {
            GenericParam::Type(param) => &param.attrs,
            GenericParam::Lifetime(param) => &param.attrs,
            GenericParam::Const(param) => &param.attrs,
        };
        misread |= find(&attr::ATTRIBUTES, attributes, Place::Parameter, report).mistaken;
    }
    let (mut machine, about_states) = machine(found.first(&attr::MACHINE), report);
    // It may be on a variant, or under another name.
    let elsewhere = |variant: &&Variant| {
        let mut attributes = variant.attrs.iter();
        attributes.any(|attribute| attribute.path().is_ident(attr::MACHINE.name))
    };
    machine.mistaken |= found.mistaken || variants.iter().any(elsewhere);
    let edges = targets(&found.each(&attr::TO), report);
    let states: Vec<_> = variants
        .into_iter()
        .map(|variant| state(variant, report))
        .collect();
    misread |= about_states || states.iter().any(|state| state.misread);
    Ast {
        vis: &input.vis,
        name: &input.ident,
        generics: without_attributes(&input.generics),
        docs: Docs::of(&input.attrs),
        machine,
        edges,
        states,
        misread,
        tokens: input.to_token_stream(),
    }
}

/// The variants without those whose name is there before. That one is there twice is an error of the
/// enum itself, which rustc reports.
fn different<'a>(
    variants: &'a Punctuated<Variant, Token![,]>,
    report: &Report,
) -> Vec<&'a Variant> {
    let mut different: Vec<&Variant> = Vec::new();
    for variant in variants {
        let is_same = |other: &&Variant| other.ident.unraw() == variant.ident.unraw();
        if different.iter().any(is_same) {
            report.leave();
        } else {
            different.push(variant);
        }
    }
    different
}

fn not_an_enum(at: Span, what: &str, name: &Ident, report: &Report) {
    report.mistake(
        at,
        format_args!("`{name}` is a {what}, and a machine is an enum of its states: write `enum {name}` with a variant for each"),
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

/// What the attribute says, and whether it has keys of other machines that are about states.
fn machine(attribute: Option<&Attribute>, report: &Report) -> (Machine, bool) {
    let (mut machine, mut about_states) = (Machine::default(), false);
    let Some(attribute) = attribute else {
        return (machine, about_states);
    };
    machine.at = Some(attribute.path().span());
    let mut seen = Vec::new();
    let (entries, errors) = list(attribute, |input| {
        let key = input.fork().call(Ident::parse_any);
        about_states |= key.is_ok_and(|key| hint::about_states(&key.unraw().to_string()));
        attr::machine_entry(input, &mut seen)
    });
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
    machine.per_state = seen.iter().any(|(key, _)| *key == "handlers");
    (machine, about_states)
}

fn state<'a>(variant: &'a Variant, report: &Report) -> State<'a> {
    let found = find(&attr::ATTRIBUTES, &variant.attrs, Place::Variant, report);
    let mut misread = found.mistaken;
    for field in &variant.fields {
        misread |= find(&attr::ATTRIBUTES, &field.attrs, Place::Field, report).mistaken;
    }
    State {
        name: &variant.ident,
        docs: Docs::of(&variant.attrs),
        fields: &variant.fields,
        initial: found
            .first(&attr::INITIAL)
            .map(|attribute| attribute.path().span()),
        terminal: found
            .first(&attr::TERMINAL)
            .map(|attribute| attribute.path().span()),
        edges: targets(&found.each(&attr::TO), report),
        misread,
    }
}

fn targets(attributes: &[&Attribute], report: &Report) -> Targets {
    let mut all = Targets::default();
    for attribute in attributes {
        let (found, errors) = list(attribute, target);
        match attribute.meta {
            Meta::List(_) if found.is_empty() && errors.is_empty() => {
                all.none.push(attribute.path().span());
            }
            Meta::List(_) => all.mistaken |= !errors.is_empty(),
            _ => all.mistaken = true,
        }
        all.list.extend(found);
        for error in errors {
            report.push(error);
        }
    }
    all
}

/// Reads one `Target` or `Target = "label"`, and knows the other ways in which people name a state.
fn target(input: ParseStream) -> Result<Target> {
    let at = input.span();
    let shown = token(input);
    let no_name = || {
        let message = format_args!(
            "`{shown}` is not the name of a state: a target is a variant's name, as in `#[to(Target, Other = \"label\")]`"
        );
        Error::new(at, message)
    };
    if let Some(text) = input.parse::<Option<LitStr>>()? {
        let name = text.parse::<Ident>().map_err(|_| no_name())?;
        return Err(Error::new(
            at,
            format_args!(
                "`{shown}` is a string, and a target is a variant's name without quotes: write `{name}`"
            ),
        ));
    }
    let path = input.call(Path::parse_mod_style).map_err(|_| no_name())?;
    let Some(name) = path.get_ident().cloned() else {
        let last = path.segments.last().map(|segment| &segment.ident);
        return Err(Error::new_spanned(
            &path,
            format_args!(
                "`{}` is a path, and a target is a variant's name alone: write `{}`",
                written(&path.to_token_stream()),
                last.to_token_stream()
            ),
        ));
    };
    if input.peek(token::Paren) || input.peek(token::Brace) || input.peek(Token![<]) {
        let more = token(input);
        let more = if more == "<" { "<..>" } else { &more };
        let message = format_args!(
            "`{name}{more}` is more than a name, and a target is a variant's name alone: write `{name}`"
        );
        return Err(Error::new(name.span(), message));
    }
    if input.peek(Token![=>]) || input.peek(Token![->]) {
        let arrow = token(input);
        let message = format_args!(
            "`{name} {arrow}` names the state that is left: `#[to(..)]` stands above it, and names its targets alone"
        );
        return Err(Error::new(name.span(), message));
    }
    if input.peek(Token![:]) && !input.peek(Token![::]) {
        let message = format_args!(
            "`{name}:` is not how a label is given: write `{name} = \"label\"`, or the name alone"
        );
        return Err(Error::new(name.span(), message));
    }
    if input.peek(syn::Ident) || input.peek(Token![if]) {
        let word = input.fork().call(Ident::parse_any)?;
        if word == "when" || word == "if" {
            let message = format_args!(
                "`{name} {word}` says when the transition is taken, which the handler decides: write `{name}`, or \
                 `{name} = \"label\"`"
            );
            return Err(Error::new(word.span(), message));
        }
    }
    let mut label = None;
    if input.parse::<Option<Token![=]>>()?.is_some() {
        let at = if input.is_empty() {
            name.span()
        } else {
            input.span()
        };
        let ahead = input.fork();
        let meant = match ahead.parse::<Ident>() {
            Ok(ident) if ahead.is_empty() || ahead.peek(Token![,]) => ident.to_string(),
            _ => "label".to_owned(),
        };
        let wrong = |_| {
            Error::new(
                at,
                format_args!("the label of `{name}` is a string: write `{name} = \"{meant}\"`"),
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

    /// The first paragraph in one line, as far as it is written down here.
    pub(crate) fn summary(&self) -> Option<String> {
        let lines = self.text().into_iter().map_while(literal);
        let lines: Vec<_> = lines
            .map(|line| line.trim().to_owned())
            .take_while(|line| !line.is_empty())
            .collect();
        (!lines.is_empty()).then(|| lines.join(" "))
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
