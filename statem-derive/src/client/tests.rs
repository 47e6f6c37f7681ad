//! What can be seen without a compiler. What users see is in the compile-fail tests of the
//! workspace.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{client, model};

#[test]
fn the_same_input_gives_the_same_output() {
    let input = quote! {
        #[client(machine = Connection<T>, name = pub(crate) Redis)]
        pub enum Event<T: Transport = Tcp> {
            /// Gets it.
            #[call(limit = LIMIT)]
            Get { key: String, reply: Reply<T> },
            #[cast]
            Forget(String),
            Retry,
        }
    };
    let first = expand(input.clone());
    assert_eq!(first, expand(input));
    assert!(!first.contains("compile_error"), "{first}");
}

#[test]
fn methods_come_in_the_order_of_the_source() {
    let output = expand(quote! {
        #[client(machine = Machine)]
        enum Event {
            #[cast]
            Zebra,
            #[call]
            Ant(Reply<u8>),
            #[cast]
            Mole,
        }
    });
    let places: Vec<_> = ["fn zebra", "fn ant", "fn mole"]
        .iter()
        .map(|name| output.find(name))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
}

#[test]
fn every_path_of_the_library_can_be_moved() {
    let output = expand(quote! {
        #[client(machine = Machine, crate = other::place)]
        enum Event {
            #[call(limit = LIMIT)]
            Get(Reply<u8>),
            #[cast]
            Forget,
        }
    });
    assert!(output.contains("other :: place :: Handle"));
    assert!(!output.contains(":: statem"), "{output}");
}

#[test]
fn a_method_has_the_name_of_its_variant_in_snake_case() {
    for (variant, method) in [
        ("Get", "get"),
        ("GetURL", "get_url"),
        ("HTTPServer", "http_server"),
        ("Sha256Sum", "sha256_sum"),
        ("V2", "v2"),
        ("already_snake", "already_snake"),
        ("Match", "r#match"),
        ("Async", "r#async"),
        ("Self_", "self_"),
        ("Crate", "crate_"),
        ("__", "__"),
    ] {
        let name = model::snake(&format_ident!("{variant}"));
        assert_eq!(name.to_string(), method, "{variant}");
    }
}

#[test]
fn all_stages_report_in_one_build() {
    check(
        quote! {
            #[client(machine = "Machine", colour = 1)]
            enum Event {
                #[call(timeout = 5)]
                Get { key: String },
                #[cast]
                #[cast]
                GET(u8, u8),
            }
        },
        &[
            "`machine` takes the type of a machine, not a string",
            "`#[client(..)]` has no key `colour`",
            "`#[call(..)]` has no option `timeout`",
            "`#[cast]` is there twice",
            "the first `#[cast]` is here",
            "`Get` is a call without a way back",
            "the fields of `GET` become the parameters",
            "`GET` gives the client a second method `get`",
            "`Get`, which gives the first `get`, is here",
        ],
    );
}

#[test]
fn half_written_attributes_do_not_stop_the_rest() {
    check(
        quote!(
            #[client(machine = , = , name =)]
            enum Event {
                #[call(limit = , =)]
                Get(Reply<u8>),
                #[call(= 2)]
                Put(Reply<u8>),
            }
        ),
        &[
            "`machine` takes the type of a machine",
            "`#[client(..)]` has no key `=`",
            "`name` takes a name",
            "`limit` takes a `Duration`",
            "`#[call(..)]` has no option `=`",
            "`#[call(..)]` has no option `=`",
        ],
    );
}

#[test]
fn what_may_have_been_meant_is_no_second_mistake() {
    let one = |input, mistake| check(input, &[mistake]);
    one(
        quote!(
            #[client(machin = Machine)]
            enum Event {
                #[cast]
                Go,
            }
        ),
        "`#[client(..)]` has no key `machin`; did you mean `machine`?",
    );
    one(
        quote!(
            #[client(machine = Machine)]
            enum Event<#[call] T> {
                Go(T),
            }
        ),
        "`#[call]` does not belong on a parameter",
    );
    // rustc reports that there is no such attribute, and nothing is made of a client without a machine.
    let misspelt = quote!(
        #[clent(machine = Machine)]
        enum Event {
            #[cast]
            Go,
        }
    );
    assert_eq!(expand(misspelt), "");
    check(
        quote!(
            #[client(machine = Machine)]
            enum Event {
                #[cal]
                Go,
            }
        ),
        &[],
    );
}

/// Derives, and compares the beginnings of all errors, in order.
#[track_caller]
fn check(input: TokenStream, expected: &[&str]) {
    let output = expand(input);
    let errors: Vec<_> = output
        .split("compile_error ! {")
        .skip(1)
        .map(|rest| rest.trim_start_matches([' ', '"']))
        .collect();
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(
            error.starts_with(expected),
            "expected {expected}\n     got {error}"
        );
    }
}

fn expand(input: TokenStream) -> String {
    client(&syn::parse2(input).expect("an item")).to_string()
}
