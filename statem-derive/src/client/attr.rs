//! The grammar of the attributes of a client.

use proc_macro2::{Ident, Span};
use syn::parse::ParseStream;
use syn::{Error, Expr, Lit, Path, Result, Type, Visibility};

use crate::grammar::{Argument, Attributes, Names, Place, Rule, named, quoted, value};

pub(super) const CLIENT: Rule = Rule {
    name: "client",
    places: &[Place::Enum],
    belongs: "on the enum",
    repeats: false,
    form: "#[client(machine = Connection)]",
    argument: Argument::List,
};
pub(super) const CALL: Rule = Rule {
    name: "call",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[call]",
    argument: Argument::Maybe("#[call(limit = Duration::from_secs(2))]"),
};
pub(super) const CAST: Rule = Rule {
    name: "cast",
    places: &[Place::Variant],
    belongs: "on a variant",
    repeats: false,
    form: "#[cast]",
    argument: Argument::No(", as nobody waits for an answer"),
};
pub(super) const ATTRIBUTES: Attributes = Attributes {
    rules: &[CLIENT, CALL, CAST],
    foreign: of_erlang,
};

/// The callbacks of Erlang's processes, which people write for our attributes.
fn of_erlang(word: &str) -> Option<&'static str> {
    match word {
        "handle_call" => {
            Some("is no attribute of a client: a variant that is called is marked `#[call]`")
        }
        "handle_cast" => {
            Some("is no attribute of a client: a variant that is cast is marked `#[cast]`")
        }
        _ => None,
    }
}

/// Something read from `#[client(..)]`.
#[allow(
    clippy::large_enum_variant,
    reason = "with the places that tokens have in tests alone"
)]
pub(super) enum Entry {
    Machine(Type),
    Name(Visibility, Ident),
    Crate(Path),
}

/// The keys of `#[client(..)]`: the name, what it takes, an example.
const KEYS: [(&str, &str, &str); 3] = [
    ("machine", "the type of a machine", "machine = Connection"),
    ("name", "a name", "name = pub Redis"),
    ("crate", "a path", "crate = path::to::statem"),
];

/// Reads one `key = value` of `#[client(..)]`. `seen` has the keys before, for reporting one twice.
pub(super) fn client_entry(
    input: ParseStream,
    seen: &mut Vec<(&'static str, Span)>,
) -> Result<Entry> {
    let all = KEYS.map(|(name, ..)| name);
    let names = Names {
        of: "#[client(..)]",
        what: "key",
        all: &all,
        hint: client_hint,
    };
    let (place, at) = named(input, &names, seen)?;
    let (key, takes, form) = KEYS[place];
    let wrong = |at: Span| Error::new(at, format_args!("`{key}` takes {takes}: write `{form}`"));
    let at = value(input, at, wrong)?;
    quoted(input, key, takes, wrong, |_| true)?;
    let read = match key {
        "machine" => input.parse().and_then(|ty: Type| match ungrouped(&ty) {
            Type::Path(_) => Ok(Entry::Machine(ty)),
            _ => Err(input.error("a path")),
        }),
        "name" => input
            .parse()
            .and_then(|vis| Ok(Entry::Name(vis, input.parse()?))),
        _ => input.call(Path::parse_mod_style).map(Entry::Crate),
    };
    read.map_err(|_| wrong(at))
}

/// How a word that is no key of `#[client(..)]` is said.
fn client_hint(word: &str) -> Option<&'static str> {
    Some(match word {
        "server" | "server_ref" | "gen_server" | "gen_statem" | "module" | "handle" | "actor"
        | "process" | "of" => "the machine that it is a client of is `machine = Connection`",
        "vis" | "visibility" | "pub" | "public" => {
            "a visibility stands before the name, `name = pub Redis`"
        }
        "rename" | "ident" | "client" | "register" | "struct" | "type" => {
            "the name of the client is `name = Redis`"
        }
        "event" | "events" | "message" | "messages" => "the event is the enum that this stands on",
        "timeout" | "limit" | "call_limit" => {
            "the limit of a call is said at its variant, `#[call(limit = Duration::from_secs(2))]`"
        }
        "call" | "calls" | "cast" | "casts" | "api" | "methods" => {
            "what can be asked is marked at its variant, `#[call]` or `#[cast]`"
        }
        "krate" => "where statem is found is `crate = path`",
        _ => return None,
    })
}

/// Reads the options of `#[call(..)]`: its limit is the only one.
pub(super) fn call_entry(input: ParseStream, seen: &mut Vec<(&'static str, Span)>) -> Result<Expr> {
    let names = Names {
        of: "#[call(..)]",
        what: "option",
        all: &["limit"],
        hint: call_hint,
    };
    let (_, at) = named(input, &names, seen)?;
    let wrong = "`limit` takes a `Duration`: write `limit = Duration::from_secs(2)`";
    let at = value(input, at, |at| Error::new(at, wrong))?;
    let limit: Expr = input.parse().map_err(|_| Error::new(at, wrong))?;
    let message = match &limit {
        Expr::Lit(literal) => match &literal.lit {
            // Erlang counts milliseconds.
            Lit::Int(number) => format!(
                "`{number}` has no unit, and `limit` takes a `Duration`: write `limit = Duration::from_millis({})`",
                number.base10_digits()
            ),
            _ => wrong.into(),
        },
        Expr::Path(path) if path.path.is_ident("infinity") => {
            "`infinity` is a limit that never passes: write `limit = Duration::MAX`".into()
        }
        _ => return Ok(limit),
    };
    Err(Error::new(at, message))
}

/// How a word that is no option of `#[call(..)]` is said.
fn call_hint(word: &str) -> Option<&'static str> {
    Some(match word {
        "timeout" | "within" | "after" | "time" | "max" => {
            "how long to wait for the answer is `limit = Duration::from_secs(2)`"
        }
        "infinity" | "forever" | "no_limit" => {
            "a limit that never passes is `limit = Duration::MAX`"
        }
        "Duration" | "duration" | "secs" | "ms" => {
            "a limit has its name before it, `limit = Duration::from_secs(2)`"
        }
        "deadline" => "a deadline is set at the call, `client.get(key).deadline(at)`",
        "reply" | "reply_to" | "from" => "the reply is the field whose type is `Reply<..>`",
        "name" | "rename" | "method" => "a method is named like its variant",
        "pub" | "vis" | "visibility" => "the methods are as visible as the client",
        _ => return None,
    })
}

/// A type that came through a macro may be in invisible brackets.
pub(super) fn ungrouped(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}
