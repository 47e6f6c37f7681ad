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

fn check(name: &str, input: TokenStream) {
    let output = state_machine(&syn::parse2(input).expect("an item"));
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
