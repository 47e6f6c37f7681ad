//! The grammar of our attributes, as two tables. What they say about a name (where it belongs, what
//! it takes, whether it may be repeated) is what the messages say, so the two agree.

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, LitStr, Meta, Path, Result, Token, Type};

use crate::hint;
use crate::report::Report;

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Enum,
    Variant,
    /// Within a variant, or on a parameter of the enum: nothing belongs here.
    Elsewhere,
}

/// One attribute of ours.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    places: &'static [Place],
    /// Where it belongs, in words.
    belongs: &'static str,
    repeats: bool,
    /// How it is written; without parentheses it takes no argument.
    form: &'static str,
}

pub(crate) const MACHINE: Rule = Rule {
    name: "machine",
    places: &[Place::Enum],
    belongs: "on the enum",
    repeats: false,
    form: "#[machine(event = Event)]",
};
pub(crate) const TO: Rule = Rule {
    name: "to",
    places: &[Place::Variant, Place::Enum],
    belongs: "on a variant, or on the enum for every state",
    repeats: true,
    form: "#[to(Target, Other = \"label\")]",
};
pub(crate) const INITIAL: Rule = Rule {
    name: "initial",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[initial]",
};
pub(crate) const TERMINAL: Rule = Rule {
    name: "terminal",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[terminal]",
};
const ATTRIBUTES: [Rule; 4] = [MACHINE, TO, INITIAL, TERMINAL];

/// The attributes of ours in one place, each of them well placed and with the right kind of
/// argument.
#[derive(Default)]
pub(crate) struct Found<'a> {
    pub(crate) machine: Option<&'a Attribute>,
    pub(crate) to: Vec<&'a Attribute>,
    pub(crate) initial: Option<&'a Attribute>,
    pub(crate) terminal: Option<&'a Attribute>,
}

/// Finds our attributes and reports those that are misplaced, repeated or of the wrong form.
pub(crate) fn find<'a>(attributes: &'a [Attribute], place: Place, report: &Report) -> Found<'a> {
    let mut seen: Vec<(&str, Span)> = Vec::new();
    let mut found = Found::default();
    for attribute in attributes {
        let Some(name) = attribute.path().get_ident() else {
            continue;
        };
        if let Some(ours) = hint::attribute(&name.unraw().to_string()) {
            report.mistake(
                name.span(),
                format_args!("a state in which the machine ends is marked `{ours}`"),
            );
            continue;
        }
        let Some(rule) = ATTRIBUTES.iter().find(|rule| name == rule.name) else {
            continue;
        };
        let form = rule.form;
        if !rule.places.contains(&place) {
            report.mistake(
                name.span(),
                format_args!(
                    "`#[{name}]` does not belong here: put `{form}` {}",
                    rule.belongs
                ),
            );
            continue;
        }
        let earlier = seen.iter().find(|(earlier, _)| *earlier == rule.name);
        if let (Some((_, first)), false) = (earlier, rule.repeats) {
            let advice = if rule.name == MACHINE.name {
                "put all its keys into one"
            } else {
                "remove this one"
            };
            let mut error = Error::new(
                name.span(),
                format_args!("`#[{name}]` is there twice: {advice}"),
            );
            error.combine(Error::new(
                *first,
                format_args!("the first `#[{name}]` is here"),
            ));
            report.push(error);
            continue;
        }
        seen.push((rule.name, name.span()));
        match (&attribute.meta, form.contains('(')) {
            (Meta::Path(_), false) | (Meta::List(_), true) => {}
            (_, true) => {
                report.mistake(
                    attribute.meta.span(),
                    format_args!("`#[{name}]` takes a list: write `{form}`"),
                );
            }
            (_, false) => {
                report.mistake(
                    attribute.meta.span(),
                    format_args!("`#[{name}]` takes no argument: write `{form}`"),
                );
            }
        }
        match rule.name {
            "machine" => found.machine = Some(attribute),
            "to" => found.to.push(attribute),
            "initial" => found.initial = Some(attribute),
            _ => found.terminal = Some(attribute),
        }
    }
    found
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
                    Err(input.error("expected `,` before this"))
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

/// A key of `#[machine(..)]`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Event,
    Data,
    Timeout,
    Handlers,
    Unexpected,
    KeepAbandoned,
    Shutdown,
    Crate,
}

/// What a key takes.
#[derive(Clone, Copy)]
enum Takes {
    Type,
    Event,
    Path,
    Nothing,
    Word(&'static [&'static str]),
}

struct KeyRule {
    key: Key,
    name: &'static str,
    takes: Takes,
    /// An example of it.
    form: &'static str,
}

const fn key(key: Key, name: &'static str, takes: Takes, form: &'static str) -> KeyRule {
    KeyRule {
        key,
        name,
        takes,
        form,
    }
}

const KEYS: [KeyRule; 8] = [
    key(Key::Event, "event", Takes::Type, "event = Event"),
    key(Key::Data, "data", Takes::Type, "data = Client"),
    key(Key::Timeout, "timeout", Takes::Type, "timeout = Timeout"),
    key(
        Key::Handlers,
        "handlers",
        Takes::Word(&["per_state"]),
        "handlers = \"per_state\"",
    ),
    key(
        Key::Unexpected,
        "unexpected",
        Takes::Word(&["warn", "stop", "panic"]),
        "unexpected = \"stop\"",
    ),
    key(
        Key::KeepAbandoned,
        "keep_abandoned",
        Takes::Nothing,
        "keep_abandoned",
    ),
    key(
        Key::Shutdown,
        "shutdown",
        Takes::Event,
        "shutdown = Event::Drain",
    ),
    key(Key::Crate, "crate", Takes::Path, "crate = path::to::statem"),
];

/// What a key was given.
pub(crate) enum Value {
    Type(Type),
    Event(Expr),
    Path(Path),
    Nothing,
    Word(Word),
}

/// The words that keys take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    PerState,
    Warn,
    Stop,
    Panic,
}

/// Reads one `key` or `key = value` of `#[machine(..)]`. `seen` has the keys before, for reporting
/// one twice.
pub(crate) fn machine_entry(
    input: ParseStream,
    seen: &mut Vec<(Key, Span)>,
) -> Result<(Key, Value)> {
    let name = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), expected_key()))?;
    let text = name.unraw().to_string();
    let Some(rule) = KEYS.iter().find(|rule| rule.name == text) else {
        return Err(Error::new(name.span(), unknown_key(&text)));
    };
    let form = rule.form;
    if let Some((_, first)) = seen.iter().find(|(key, _)| *key == rule.key) {
        let mut error = Error::new(
            name.span(),
            format_args!("`{text}` is there twice: remove one of them"),
        );
        error.combine(Error::new(
            *first,
            format_args!("the first `{text}` is here"),
        ));
        return Err(error);
    }
    seen.push((rule.key, name.span()));

    if let Takes::Nothing = rule.takes {
        return if input.is_empty() || input.peek(Token![,]) {
            Ok((rule.key, Value::Nothing))
        } else {
            Err(input.error(format_args!(
                "`{text}` takes no value: write `{form}` alone"
            )))
        };
    }
    let wrong = |at: Span| {
        Error::new(
            at,
            format_args!("`{text}` takes {}: write `{form}`", takes(rule.takes)),
        )
    };
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(wrong(name.span()));
    }
    let at = if input.is_empty() {
        name.span()
    } else {
        input.span()
    };
    let value = match rule.takes {
        Takes::Type => input.parse().map(Value::Type),
        Takes::Event => input.parse().map(Value::Event),
        Takes::Path => input.call(Path::parse_mod_style).map(Value::Path),
        Takes::Nothing => Ok(Value::Nothing),
        Takes::Word(words) => {
            let given = input.parse::<LitStr>().map_err(|_| wrong(at))?;
            return Ok((rule.key, Value::Word(word(&given, words)?)));
        }
    };
    value.map(|value| (rule.key, value)).map_err(|_| wrong(at))
}

fn word(given: &LitStr, words: &[&str]) -> Result<Word> {
    let text = given.value();
    let known = words.iter().find(|word| **word == text);
    match known.copied() {
        Some("per_state") => Ok(Word::PerState),
        Some("warn") => Ok(Word::Warn),
        Some("stop") => Ok(Word::Stop),
        Some("panic") => Ok(Word::Panic),
        _ => {
            let hint = match (
                hint::word(&text),
                hint::similar(&text, words.iter().copied()),
            ) {
                (Some(ours), _) => format!("; {ours}"),
                (None, Some(similar)) => format!("; did you mean `\"{similar}\"`?"),
                (None, None) => String::new(),
            };
            Err(Error::new(
                given.span(),
                format_args!("expected {}{hint}", alternatives(words)),
            ))
        }
    }
}

fn takes(takes: Takes) -> String {
    match takes {
        Takes::Type => "a type".into(),
        Takes::Event => "an event".into(),
        Takes::Path => "a path".into(),
        Takes::Nothing => "no value".into(),
        Takes::Word(words) => alternatives(words),
    }
}

fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    quoted.join(" or ")
}

fn unknown_key(text: &str) -> String {
    let what = match (
        hint::key(text),
        hint::similar(text, KEYS.iter().map(|rule| rule.name)),
    ) {
        (Some(ours), _) => format!("`#[machine(..)]` has no key `{text}`: {ours}"),
        (None, Some(similar)) => {
            format!("`#[machine(..)]` has no key `{text}`; did you mean `{similar}`?")
        }
        (None, None) => format!("`#[machine(..)]` has no key `{text}`"),
    };
    format!("{what}\nits keys are: {}", keys())
}

fn expected_key() -> String {
    format!("expected a key of `#[machine(..)]`: {}", keys())
}

fn keys() -> String {
    let names: Vec<_> = KEYS.iter().map(|rule| format!("`{}`", rule.name)).collect();
    names.join(", ")
}
