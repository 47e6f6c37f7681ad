//! What derived code looks like. The files are formatted source for people to read; a change of
//! `expand` shows as a change of theirs: `UPDATE_EXPECT=1 cargo test -p statem-derive`.

use expect_test::expect_file;
use proc_macro2::TokenStream;
use quote::quote;

use crate::state_machine;

#[test]
fn plain() {
    check(
        "plain",
        quote! {
            /// A door.
            #[machine(event = Event, data = Visitors, timeout = Name, unexpected = "stop", shutdown = Event::Shut)]
            pub enum Door {
                /// Nobody passes.
                #[initial]
                #[to(Open = "pushed")]
                Closed,
                #[to(Closed, Open = "pushed")]
                Open(Open),
            }
        },
    );
}

#[test]
fn generic() {
    check(
        "generic",
        quote! {
            #[machine(event = Event<T>)]
            pub(crate) enum Counter<'a, T: Ord + 'static, const N: usize = 3>
            where
                T: Clone,
            {
                #[initial]
                #[to(Counting)]
                Idle,
                #[to(Idle)]
                Counting(module::Counting<'a, T>),
            }
        },
    );
}

#[test]
fn per_state() {
    check(
        "per_state",
        quote! {
            #[machine(event = Switch, data = u32, handlers = "per_state", crate = vendored::machines)]
            enum Lamp<T> {
                #[initial]
                #[to(On)]
                Off,
                #[to(Off, r#Broken)]
                On(On<T>),
                #[terminal]
                r#Broken,
            }
        },
    );
}

#[test]
fn shared_edges() {
    check(
        "shared_edges",
        quote! {
            #[machine(event = Event, keep_abandoned)]
            #[to(Broken = "kicked", Idle)]
            enum Machine {
                #[initial]
                #[to(Busy = "asked")]
                Idle,
                Busy(Busy),
                #[terminal]
                Broken(Broken),
            }
        },
    );
}

/// rustc resolves `cfg` and `cfg_attr` before the derive is called: what is left are repeated `#[to]`
/// and attributes that are not ours.
#[test]
fn cfg() {
    check(
        "cfg",
        quote! {
            #[doc = include_str!("link.md")]
            #[machine(event = Event)]
            #[non_exhaustive]
            #[allow(dead_code)]
            pub enum Link {
                /// Not shown.
                #[doc(hidden)]
                #[initial]
                #[to(Up)]
                #[to(Down = "with the feature")]
                Down,
                #[deprecated]
                #[allow(clippy::large_enum_variant)]
                #[to(Down)]
                Up(Up),
            }
        },
    );
}

#[test]
fn one_state() {
    check(
        "one_state",
        quote! {
            #[machine(event = Event, unexpected = "panic")]
            enum Machine {
                #[initial]
                Only,
            }
        },
    );
}

/// What stands for a machine beside its mistakes.
#[test]
fn mistaken() {
    check(
        "mistaken",
        quote! {
            #[machine(data = u32, colour = 1)]
            pub enum Machine {
                #[initial]
                #[to(Named, Two)]
                Unit,
                Named { field: u32 },
                Two(Two, u32),
                Other(u32, u8),
                One(One),
                Same(place::One),
                Pair((u32, u8)),
                OfItself(&'static Self),
                Machine,
                Braced {},
                Nested(Vec<Nested>, u32),
                Held { pair: (u8, u8) },
            }
        },
    );
}

#[test]
fn mistaken_key() {
    check(
        "mistaken_key",
        quote! {
            #[machine(event = Event, dota = u32)]
            enum Machine {
                #[initial]
                Only,
            }
        },
    );
}

#[test]
fn mistaken_generic() {
    check(
        "mistaken_generic",
        quote! {
            #[machine(event = Event, timeout = Name, handlers = "per_state", crate = vendored)]
            pub(crate) enum Machine<'a, T: Ord>
            where
                T: Clone,
            {
                #[initial]
                #[to(Ready)]
                Idle,
                Ready(Ready<'a, T>),
                T,
            }
        },
    );
}

#[test]
fn mistaken_empty() {
    check(
        "mistaken_empty",
        quote! {
            #[machine(event = Event)]
            enum Machine<T> {}
        },
    );
}

#[test]
fn client() {
    check_client(
        "client",
        quote! {
            #[client(machine = Connection, name = pub(crate) Redis)]
            pub enum Event {
                /// Gets it.
                #[call(limit = Duration::from_secs(5))]
                Get { key: String, reply: Reply<String> },
                #[call]
                Put(Reply<(), Full>, Vec<u8>),
                #[cast]
                #[deprecated]
                Forget(String),
                #[cast]
                Flush,
                Retry,
            }
        },
    );
}

#[test]
fn client_generic() {
    check_client(
        "client_generic",
        quote! {
            #[client(machine = Connection<'a, T, N>, crate = vendored::machines)]
            enum Event<'a, T: Transport = Tcp, const N: usize = 3>
            where
                T: Clone,
            {
                #[call]
                Get(&'a T, Reply<u8>),
                #[cast]
                Forget { key: T },
            }
        },
    );
}

/// What stands for a client beside its mistakes.
#[test]
fn client_mistaken() {
    check_client(
        "client_mistaken",
        quote! {
            #[client(machine = Connection, colour = 1)]
            pub enum Event {
                #[call(limit = LIMIT)]
                Get { key: String, reply: Reply<String> },
                #[call]
                Put { key: String },
                #[cast]
                GET(u8),
                #[cal]
                Meant(u8),
            }
        },
    );
}

#[test]
fn client_without_a_machine() {
    check_client(
        "client_without_a_machine",
        quote! {
            #[client(name = Redis)]
            enum Event<T> {
                #[call]
                Get(T, Reply<u8>),
            }
        },
    );
}

fn check(name: &str, input: TokenStream) {
    compare(name, state_machine(&syn::parse2(input).expect("an item")));
}

fn check_client(name: &str, input: TokenStream) {
    compare(
        name,
        crate::client::client(&syn::parse2(input).expect("an item")),
    );
}

fn compare(name: &str, output: TokenStream) {
    let file = syn::parse2(output).expect("the output is Rust");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/expansion");
    expect_file![format!("{folder}/{name}.rs")]
        .assert_eq(&without_pictures(&prettyplease::unparse(&file)));
}

/// Pictures have tests of their own and nothing of Rust in them.
fn without_pictures(source: &str) -> String {
    let mut parts = source.split("<svg");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once("</svg>").expect("a picture has an end");
        text.push_str("<svg/>");
        text.push_str(rest);
    }
    text
}
