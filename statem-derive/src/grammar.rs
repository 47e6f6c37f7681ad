//! What reads the attributes of either derive, by its tables.

use proc_macro2::{Delimiter, Spacing, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, Lit, LitStr, Meta, Path, Result, Token};

use crate::hint;
use crate::report::Report;

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Enum,
    Variant,
    /// Within a variant: nothing belongs here.
    Field,
    /// On a parameter of the enum: nothing belongs here.
    Parameter,
}

impl Place {
    fn words(self) -> &'static str {
        match self {
            Place::Enum => "the enum",
            Place::Variant => "a variant",
            Place::Field => "a field",
            Place::Parameter => "a parameter",
        }
    }
}

/// One attribute of ours.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    /// Where it belongs, in words.
    pub(crate) belongs: &'static str,
    pub(crate) repeats: bool,
    /// How it is written.
    pub(crate) form: &'static str,
    pub(crate) argument: Argument,
}

pub(crate) enum Argument {
    List,
    /// Maybe a list; how it is written with one.
    Maybe(&'static str),
    /// None, and why if it is not plain.
    No(&'static str),
}

/// The attributes of one derive.
pub(crate) struct Attributes {
    pub(crate) rules: &'static [Rule],
    /// How what an attribute that is none of ours asks for is written.
    pub(crate) foreign: fn(&str) -> Option<&'static str>,
}

/// The attributes of ours in one place, each of them well placed.
#[derive(Default)]
pub(crate) struct Found<'a> {
    all: Vec<(&'static str, &'a Attribute)>,
    /// Whether there is more than this which was meant for us, so that what is not here may be
    /// there.
    pub(crate) mistaken: bool,
}

impl<'a> Found<'a> {
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &'a Attribute)> + '_ {
        self.all.iter().copied()
    }

    pub(crate) fn each(&self, rule: &Rule) -> Vec<&'a Attribute> {
        let ours = self.all().filter(|(name, _)| *name == rule.name);
        ours.map(|(_, attribute)| attribute).collect()
    }

    pub(crate) fn first(&self, rule: &Rule) -> Option<&'a Attribute> {
        self.each(rule).first().copied()
    }
}

/// Finds our attributes and reports those that are misplaced, repeated or of the wrong form.
pub(crate) fn find<'a>(
    ours: &Attributes,
    attributes: &'a [Attribute],
    place: Place,
    report: &Report,
) -> Found<'a> {
    let mut found = Found::default();
    let before = report.count();
    for attribute in attributes {
        let Some(name) = attribute.path().get_ident() else {
            // `#[statem::to(..)]` is rustc's to report, as one that is misspelt below.
            let last = attribute.path().segments.last();
            found.mistaken |=
                last.is_some_and(|last| ours.rules.iter().any(|rule| last.ident == rule.name));
            continue;
        };
        let text = name.unraw().to_string();
        if let Some(said) = (ours.foreign)(&text) {
            report.mistake(name.span(), format_args!("`#[{name}]` {said}"));
            continue;
        }
        let Some(rule) = ours.rules.iter().find(|rule| name == rule.name) else {
            // What is missing because of it is no mistake of its own.
            let names = ours.rules.iter().map(|rule| rule.name);
            found.mistaken |= hint::similar(&text, names).is_some();
            continue;
        };
        if !rule.places.contains(&place) {
            report.mistake(
                name.span(),
                format_args!(
                    "`#[{name}]` does not belong on {}: put `{}` {}",
                    place.words(),
                    rule.form,
                    rule.belongs
                ),
            );
            continue;
        }
        if let (Some(first), false) = (found.first(rule), rule.repeats) {
            let advice = match rule.argument {
                Argument::List => "put all its keys into one",
                Argument::Maybe(_) | Argument::No(_) => "remove this one",
            };
            let mut error = Error::new(
                name.span(),
                format_args!("`#[{name}]` is there twice: {advice}"),
            );
            error.combine(Error::new(
                first.path().span(),
                format_args!("the first `#[{name}]` is here"),
            ));
            report.push(error);
            continue;
        }
        if let Some(wrong) = wrong(attribute, rule) {
            report.mistake(attribute.meta.span(), format_args!("`#[{name}]` {wrong}"));
        }
        found.all.push((rule.name, attribute));
    }
    found.mistaken |= report.count() > before;
    found
}

/// What is wrong with the argument, or with there being one.
fn wrong(attribute: &Attribute, rule: &Rule) -> Option<String> {
    let (takes, why, form) = match (&attribute.meta, &rule.argument) {
        (Meta::List(_), Argument::List | Argument::Maybe(_))
        | (Meta::Path(_), Argument::Maybe(_) | Argument::No(_)) => return None,
        (Meta::NameValue(_), Argument::List) => {
            ("takes a list, not a value after `=`", "", rule.form)
        }
        (_, Argument::List) => ("takes a list", "", rule.form),
        (_, Argument::Maybe(form)) => ("takes a list, not a value after `=`", "", *form),
        (_, Argument::No(why)) => ("takes no argument", *why, rule.form),
    };
    Some(format!("{takes}{why}: write `{form}`"))
}

/// Reads a comma-separated list. After a mistake in one entry it goes on with the next.
pub(crate) fn list<T>(
    attribute: &Attribute,
    mut entry: impl FnMut(ParseStream) -> Result<T>,
) -> (Vec<T>, Vec<Error>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    let Meta::List(meta) = &attribute.meta else {
        return (entries, errors);
    };
    let parsed = (|input: ParseStream| {
        while !input.is_empty() {
            let read = entry(input).and_then(|entry| {
                if input.is_empty() || input.peek(Token![,]) {
                    Ok(entry)
                } else {
                    Err(input.error(separated(input)))
                }
            });
            match read {
                Ok(entry) => entries.push(entry),
                Err(error) => errors.push(error),
            }
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    })
    .parse2(meta.tokens.clone());
    errors.extend(parsed.err());
    (entries, errors)
}

fn separated(input: ParseStream) -> String {
    let next = token(input);
    if input.peek(Ident) || input.peek(Lit) {
        format!("`{next}` has no `,` before it: write `, {next}`")
    } else {
        format!("`{next}` does not belong here: what is in a list is separated by `,`")
    }
}

/// The next token for people.
pub(crate) fn token(input: ParseStream) -> String {
    let (ahead, mut text) = (input.fork(), String::new());
    while let Ok(tree) = ahead.parse::<TokenTree>() {
        match tree {
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                if punct.spacing() == Spacing::Joint {
                    continue;
                }
            }
            TokenTree::Group(group) => text.push_str(match group.delimiter() {
                Delimiter::Parenthesis => "(..)",
                Delimiter::Brace => "{..}",
                Delimiter::Bracket => "[..]",
                Delimiter::None => "..",
            }),
            tree => text.push_str(&tree.to_string()),
        }
        break;
    }
    text
}

/// The names that may stand in the list of an attribute.
pub(crate) struct Names<'a> {
    /// The attribute.
    pub(crate) of: &'a str,
    /// What they are called.
    pub(crate) what: &'a str,
    pub(crate) all: &'a [&'static str],
    /// How a word that is none of them is said.
    pub(crate) hint: fn(&str) -> Option<&'static str>,
}

/// Reads one of the names: its place among them, and where it is. `seen` has those before, for reporting one twice.
pub(crate) fn named(
    input: ParseStream,
    names: &Names,
    seen: &mut Vec<(&'static str, Span)>,
) -> Result<(usize, Span)> {
    let word = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), unknown(&token(input), None, names)))?;
    let text = word.unraw().to_string();
    let Some(place) = names.all.iter().position(|name| *name == text) else {
        let hint = (names.hint)(&text);
        return Err(Error::new(word.span(), unknown(&text, hint, names)));
    };
    let name = names.all[place];
    if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == name) {
        let mut error = Error::new(
            word.span(),
            format_args!("`{name}` is there twice: remove one of them"),
        );
        error.combine(Error::new(
            *first,
            format_args!("the first `{name}` is here"),
        ));
        return Err(error);
    }
    seen.push((name, word.span()));
    Ok((place, word.span()))
}

fn unknown(text: &str, hint: Option<&str>, names: &Names) -> String {
    let Names { of, what, all, .. } = names;
    let advice = match (hint, hint::similar(text, all.iter().copied())) {
        (Some(ours), _) => format!(": {ours}"),
        (None, Some(similar)) => format!("; did you mean `{similar}`?"),
        (None, None) => String::new(),
    };
    let listed: Vec<_> = all.iter().map(|name| format!("`{name}`")).collect();
    let listed = match listed.as_slice() {
        [one] => format!("its one {what} is {one}"),
        several => format!("its {what}s are: {}", several.join(", ")),
    };
    format!("`{of}` has no {what} `{text}`{advice}\n{listed}")
}

/// Reads the `=`; where the value stands.
pub(crate) fn value(input: ParseStream, name: Span, wrong: impl Fn(Span) -> Error) -> Result<Span> {
    let equals = input.parse::<Option<Token![=]>>()?;
    if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
        return Err(wrong(name));
    }
    Ok(input.span())
}

/// People who come from other macros quote types and paths: what they would write without quotes.
pub(crate) fn quoted(
    input: ParseStream,
    key: &str,
    takes: &str,
    wrong: impl Fn(Span) -> Error,
    is_meant: impl Fn(&Path) -> bool,
) -> Result<()> {
    let Ok(text) = input.fork().parse::<LitStr>() else {
        return Ok(());
    };
    let (at, text) = (text.span(), text.value());
    Err(match syn::parse_str(&text) {
        Ok(path) if is_meant(&path) => Error::new(
            at,
            format_args!("`{key}` takes {takes}, not a string: write `{key} = {text}`"),
        ),
        _ => wrong(at),
    })
}
