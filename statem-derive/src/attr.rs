//! The grammar of the attributes of a machine, as two tables. What they say about a name (where it belongs, what
//! it takes, whether it may be repeated) is what the messages say, so the two agree.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token, Type};

use crate::grammar::{Argument, Attributes, Names, Place, Rule, named, quoted, value};
use crate::hint;

pub(crate) const MACHINE: Rule = Rule {
    name: "machine",
    places: &[Place::Enum],
    belongs: "on the enum",
    repeats: false,
    form: "#[machine(event = Event)]",
    argument: Argument::List,
};
pub(crate) const TO: Rule = Rule {
    name: "to",
    places: &[Place::Variant, Place::Enum],
    belongs: "on a variant, or on the enum for every state",
    repeats: true,
    form: "#[to(Target, Other = \"label\")]",
    argument: Argument::List,
};
pub(crate) const INITIAL: Rule = Rule {
    name: "initial",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[initial]",
    argument: Argument::No(""),
};
pub(crate) const TERMINAL: Rule = Rule {
    name: "terminal",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[terminal]",
    argument: Argument::No(""),
};
pub(crate) const ATTRIBUTES: Attributes = Attributes {
    rules: &[MACHINE, TO, INITIAL, TERMINAL],
    foreign: hint::attribute,
};

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

/// Reads one `key` or `key = value` of `#[machine(..)]`.
pub(crate) fn machine_entry(
    input: ParseStream,
    seen: &mut Vec<(&'static str, Span)>,
) -> Result<(Key, Value)> {
    let all = KEYS.map(|rule| rule.name);
    let names = Names {
        of: "#[machine(..)]",
        what: "key",
        all: &all,
        hint: hint::key,
    };
    let (place, at) = named(input, &names, seen)?;
    let rule = &KEYS[place];
    let (text, form) = (rule.name, rule.form);
    if let Takes::Nothing = rule.takes {
        return if input.is_empty() || input.peek(Token![,]) {
            Ok((rule.key, Value::Nothing))
        } else {
            Err(input.error(format_args!("`{text}` takes no value: write it alone")))
        };
    }
    let takes = takes(rule.takes);
    let wrong = |at: Span| Error::new(at, format_args!("`{text}` takes {takes}: write `{form}`"));
    let at = value(input, at, wrong)?;
    if let Takes::Type | Takes::Event | Takes::Path = rule.takes {
        let is_event = matches!(rule.takes, Takes::Event);
        quoted(input, text, &takes, wrong, |path| {
            !is_event || path.get_ident().is_none()
        })?;
    }
    let value = match rule.takes {
        Takes::Type => input.parse().map(Value::Type),
        Takes::Event => input.parse().map(Value::Event),
        Takes::Path => input.call(Path::parse_mod_style).map(Value::Path),
        Takes::Nothing => Ok(Value::Nothing),
        Takes::Word(words) => {
            return word(input, rule, words)
                .map_or_else(|| Err(wrong(at)), |word| Ok((rule.key, Value::Word(word?))));
        }
    };
    value.map(|value| (rule.key, value)).map_err(|_| wrong(at))
}

/// Reads one of the words, or says what was read in its place; `None` if it is no word at all.
fn word(input: ParseStream, rule: &KeyRule, words: &[&str]) -> Option<Result<Word>> {
    let key = rule.name;
    let (given, at, quoted) = if let Ok(given) = input.parse::<LitStr>() {
        (given.value(), given.span(), true)
    } else {
        let given = input.parse::<Ident>().ok()?;
        (given.to_string(), given.span(), false)
    };
    let known = match given.as_str() {
        "per_state" => Some(Word::PerState),
        "warn" => Some(Word::Warn),
        "stop" => Some(Word::Stop),
        "panic" => Some(Word::Panic),
        _ => None,
    };
    let said = match known.filter(|_| words.contains(&given.as_str())) {
        Some(word) if quoted => return Some(Ok(word)),
        Some(_) => format!("`{given}` is a string here: write `{key} = \"{given}\"`"),
        None => {
            let choices = alternatives(words);
            let similar = hint::similar(&given, words.iter().copied());
            let given = if quoted {
                format!("\"{given}\"")
            } else {
                given
            };
            match (hint::word(key, given.trim_matches('"')), similar) {
                (Some(ours), _) => format!("`{key}` does not take `{given}`: {ours}"),
                (None, Some(similar)) => format!(
                    "`{key}` does not take `{given}`; did you mean `\"{similar}\"`?\nit takes {choices}"
                ),
                (None, None) => format!("`{key}` does not take `{given}`: it takes {choices}"),
            }
        }
    };
    Some(Err(Error::new(at, said)))
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
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
