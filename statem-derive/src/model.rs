//! [`Ast`] → [`Model`]: every name resolved. An edge to a state that does not exist cannot be represented.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{
    Error, Expr, Fields, GenericParam, Generics, LitStr, Path, Type, Visibility, parse_quote,
};

use crate::attr::Word;
use crate::hint;
use crate::parse::{self, Ast, Docs};
use crate::report::Report;
use crate::tokens::{mentions, written};

/// A machine: states and edges in the order of the source.
pub(crate) struct Model<'a> {
    pub(crate) vis: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) docs: &'a Docs<'a>,
    pub(crate) states: Vec<State<'a>>,
    /// The edges of every state that is not terminal.
    pub(crate) shared: Edges<'a>,
    /// Whether a mark or an edge that is not here may have been meant.
    pub(crate) misread: bool,
    pub(crate) event: Type,
    pub(crate) data: Type,
    pub(crate) timeout: Type,
    pub(crate) per_state: bool,
    pub(crate) unexpected: Option<Word>,
    pub(crate) keep_abandoned: bool,
    pub(crate) shutdown: Option<&'a Expr>,
    /// The path of the library, if it is not the usual one.
    pub(crate) statem: Option<&'a Path>,
    pub(crate) tokens: &'a TokenStream,
}

pub(crate) struct State<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) docs: &'a Docs<'a>,
    pub(crate) data: Data<'a>,
    pub(crate) initial: Option<Span>,
    pub(crate) terminal: Option<Span>,
    pub(crate) edges: Edges<'a>,
}

/// The edges that one place declares.
pub(crate) struct Edges<'a> {
    pub(crate) list: Vec<Edge<'a>>,
    /// Each `#[to()]`: there are none, on purpose.
    pub(crate) none: &'a [Span],
    /// Whether there are more that could not be resolved.
    pub(crate) unresolved: bool,
}

/// What the state keeps.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a> {
    /// Nothing: the derive declares a unit struct with the name of the variant.
    Unit,
    /// The user's struct.
    Struct(&'a Type),
}

/// A transition to a state that exists.
pub(crate) struct Edge<'a> {
    pub(crate) to: StateId,
    pub(crate) label: Option<&'a LitStr>,
    pub(crate) at: Span,
}

/// A place in [`Model::states`]; only [`resolve`] makes one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateId(usize);

impl StateId {
    pub(crate) fn place(self) -> usize {
        self.0
    }
}

/// Resolves what can be resolved, so that the next stage sees all of it; what cannot is in the
/// report.
pub(crate) fn resolve<'a>(ast: &'a Ast<'a>, report: &Report) -> Model<'a> {
    let machine = &ast.machine;
    if machine.event.is_none() && !machine.mistaken {
        no_event(ast, report);
    }
    let states = ast.states.iter().map(|state| State {
        name: state.name,
        docs: &state.docs,
        data: data(state, &ast.generics, report),
        initial: state.initial,
        terminal: state.terminal,
        edges: edges(&state.edges, ast, report),
    });
    Model {
        vis: ast.vis,
        name: ast.name,
        generics: &ast.generics,
        docs: &ast.docs,
        states: states.collect(),
        shared: edges(&ast.edges, ast, report),
        misread: ast.misread,
        // Without an event type the report holds a mistake, and nothing is made of the model.
        event: machine.event.clone().unwrap_or_else(|| parse_quote!(())),
        data: machine.data.clone().unwrap_or_else(|| parse_quote!(())),
        timeout: machine
            .timeout
            .clone()
            .unwrap_or_else(|| parse_quote!(&'static str)),
        per_state: machine.per_state,
        unexpected: machine.unexpected,
        keep_abandoned: machine.keep_abandoned,
        shutdown: machine.shutdown.as_ref(),
        statem: machine.statem.as_ref(),
        tokens: &ast.tokens,
    }
}

fn no_event(ast: &Ast, report: &Report) {
    let name = ast.name;
    match ast.machine.at {
        Some(at) => report.mistake(
            at,
            format_args!(
                "the `#[machine(..)]` of `{name}` does not say what can happen to it: write `event = Event` in it, where \
                 `Event` is an enum of yours"
            ),
        ),
        None => report.mistake(
            name.span(),
            format_args!(
                "`{name}` has no `#[machine(..)]` that says what can happen to it\n\
                 write `#[machine(event = Event)]` above `enum {name}`, where `Event` is an enum of yours"
            ),
        ),
    }
}

fn edges<'a>(targets: &'a parse::Targets, ast: &Ast, report: &Report) -> Edges<'a> {
    let mut edges = Edges {
        list: Vec::new(),
        none: &targets.none,
        unresolved: targets.mistaken,
    };
    for parse::Target { name, label } in &targets.list {
        let is_meant = |state: &parse::State| state.name.unraw() == name.unraw();
        if let Some(place) = ast.states.iter().position(is_meant) {
            edges.list.push(Edge {
                to: StateId(place),
                label: label.as_ref(),
                at: name.span(),
            });
        } else {
            edges.unresolved = true;
            report.mistake(name.span(), unknown_target(name, ast));
        }
    }
    edges
}

fn unknown_target(name: &Ident, ast: &Ast) -> String {
    let machine = ast.name;
    if ast.states.is_empty() {
        return format!("`{machine}` has no state `{name}`");
    }
    if name == "Self" || name == "self" {
        return format!(
            "`{name}` is not the name of a state: a state that may be entered anew has its own name in its `#[to(..)]`"
        );
    }
    let titles: Vec<String> = ast.states.iter().map(parse::State::title).collect();
    // Someone who wrote the struct's name means the variant that wraps it.
    let wraps = ast
        .states
        .iter()
        .find(|state| state.fields.iter().any(|field| is_named(&field.ty, name)));
    let hint = match (
        wraps,
        hint::similar(&name.to_string(), titles.iter().map(String::as_str)),
    ) {
        (Some(state), _) => format!("; `{name}` is the struct of `{0}`: write `{0}`", state.name),
        (None, Some(similar)) => format!("; did you mean `{similar}`?"),
        (None, None) => String::new(),
    };
    let listed: Vec<_> = titles.iter().map(|title| format!("`{title}`")).collect();
    format!(
        "`{machine}` has no state `{name}`{hint}\nits states are: {}",
        listed.join(", ")
    )
}

/// Whether this is the type `name`, with or without arguments and module.
fn is_named(ty: &Type, name: &Ident) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == *name),
        _ => false,
    }
}

/// A state's data is one struct of its own: it can be moved from state to state, and its type names
/// the state in `go`.
fn data<'a>(state: &parse::State<'a>, generics: &Generics, report: &Report) -> Data<'a> {
    match Shape::of(state, generics) {
        Shape::Good(data) => data,
        Shape::Bad(error) => {
            report.push(error);
            // The report holds a mistake, and nothing is made of the model.
            Data::Unit
        }
    }
}

/// What a variant looks like.
pub(crate) enum Shape<'a> {
    Good(Data<'a>),
    Bad(Error),
}

impl<'a> Shape<'a> {
    pub(crate) fn of(state: &parse::State<'a>, generics: &Generics) -> Self {
        let name = state.name;
        match state.fields {
            Fields::Unit => Shape::Good(Data::Unit),
            fields if fields.is_empty() => {
                let brackets = match fields {
                    Fields::Named(_) => " {}",
                    _ => "()",
                };
                let message = format_args!(
                    "`{name}{brackets}` has brackets without data in them: write `{name}`"
                );
                Shape::Bad(Error::new_spanned(fields, message))
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => match fields.unnamed.first() {
                Some(field) => Self::of_type(name, &field.ty, generics),
                None => Shape::Good(Data::Unit),
            },
            Fields::Unnamed(_) => one_struct(name, "several fields", state.fields, generics),
            Fields::Named(_) => one_struct(name, "named fields", state.fields, generics),
        }
    }

    fn of_type(name: &Ident, ty: &'a Type, generics: &Generics) -> Self {
        let bad = |message: String| Shape::Bad(Error::new_spanned(ty, message));
        let mut inner = ty;
        // A type that came through a macro may be in invisible brackets.
        while let Type::Group(group) = inner {
            inner = &group.elem;
        }
        let Type::Path(path) = inner else {
            let arguments = arguments_in(&ty.to_token_stream(), generics);
            let what = match inner {
                Type::Array(_) => "an array",
                Type::FnPtr(_) => "a function pointer",
                Type::Ptr(_) => "a pointer",
                Type::Reference(_) => "a reference",
                Type::TraitObject(_) => "a trait object",
                Type::Tuple(_) => "a tuple",
                _ => "no struct",
            };
            return bad(format!(
                "the data of `{name}` is {what}, and not a struct of its own, which names the state in `go`\n\
                 write `{name}({name}{arguments})` here and a `struct {name}{arguments}` with this as a field"
            ));
        };
        if mentions(&path.to_token_stream(), "Self") {
            return bad(format!(
                "`{}` says `Self`, which the struct of a state cannot: write the machine's name instead",
                written(&path.to_token_stream())
            ));
        }
        match generics
            .type_params()
            .find(|param| path.path.is_ident(&param.ident))
        {
            None => Shape::Good(Data::Struct(inner)),
            Some(param) => {
                let param = &param.ident;
                bad(format!(
                    "`{param}` is a type parameter, and the data of a state is a struct of its own\n\
                     write `{name}({name}<{param}>)` here and a `struct {name}<{param}>` with this as a field"
                ))
            }
        }
    }
}

fn one_struct<'a>(name: &Ident, what: &str, fields: &Fields, generics: &Generics) -> Shape<'a> {
    let arguments = arguments_in(&fields.to_token_stream(), generics);
    let message = format_args!(
        "the state `{name}` has {what}; its data is one struct, so that it moves as one and names the state in `go`\n\
         write `{name}({name}{arguments})` here and `struct {name}{arguments} {{ .. }}` with these fields"
    );
    Shape::Bad(Error::new_spanned(fields, message))
}

/// The parameters of the machine that are in the tokens, as arguments.
fn arguments_in(tokens: &TokenStream, generics: &Generics) -> String {
    let mentioned = |name: &Ident| mentions(tokens, &name.to_string());
    let used: Vec<_> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) if mentioned(&param.ident) => Some(param.ident.to_string()),
            GenericParam::Const(param) if mentioned(&param.ident) => Some(param.ident.to_string()),
            GenericParam::Lifetime(param) if mentioned(&param.lifetime.ident) => {
                Some(param.lifetime.to_string())
            }
            _ => None,
        })
        .collect();
    if used.is_empty() {
        String::new()
    } else {
        format!("<{}>", used.join(", "))
    }
}

/// Why a variant without data cannot have this name, if it cannot: the derive declares a unit
/// struct for it, next to the enum.
pub(crate) fn taken(name: &Ident, machine: &Ident, generics: &Generics) -> Option<&'static str> {
    let is = |param: &GenericParam| match param {
        GenericParam::Type(param) => param.ident == *name,
        GenericParam::Const(param) => param.ident == *name,
        GenericParam::Lifetime(_) => false,
    };
    if name.unraw() == machine.unraw() {
        Some("the machine")
    } else if *name == format!("{}At", machine.unraw()) {
        Some("what the machine's handler is given")
    } else if generics.params.iter().any(is) {
        Some("a parameter of the machine")
    } else {
        None
    }
}

impl Model<'_> {
    pub(crate) fn state(&self, id: StateId) -> &State<'_> {
        &self.states[id.0]
    }

    /// The path of the library; see [`library`].
    pub(crate) fn statem(&self, span: Span) -> TokenStream {
        library(self.statem, span)
    }

    /// Keeps rustc from listing the machine's impls where those of another one are missing, for a
    /// machine of the library itself: whoever made the mistake has not written it.
    pub(crate) fn unlisted(&self) -> Option<TokenStream> {
        let own = self.statem.is_some_and(|path| path.is_ident("crate"));
        own.then(|| quote!(#[diagnostic::do_not_recommend]))
    }

    /// Where the state may go: its own edges, then those of every state.
    pub(crate) fn edges<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a Edge<'a>> {
        let shared = if state.terminal.is_none() {
            self.shared.list.as_slice()
        } else {
            &[]
        };
        state.edges.list.iter().chain(shared)
    }

    /// The states that have a handler and may be left.
    pub(crate) fn living(&self) -> impl Iterator<Item = &State<'_>> {
        self.states.iter().filter(|state| state.terminal.is_none())
    }
}

impl State<'_> {
    /// The state's struct.
    pub(crate) fn ty(&self) -> TokenStream {
        match self.data {
            Data::Unit => self.name.to_token_stream(),
            Data::Struct(ty) => ty.to_token_stream(),
        }
    }

    pub(crate) fn title(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// The path of the library, with the span of what it is named for.
pub(crate) fn library(path: Option<&Path>, span: Span) -> TokenStream {
    path.map_or_else(
        || quote_spanned!(span=> ::statem),
        ToTokens::to_token_stream,
    )
}
