//! What can be seen without a compiler. What users see is in the compile-fail tests of the
//! workspace.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{hint, report, state_machine};

#[test]
fn the_same_input_gives_the_same_output() {
    let input = quote! {
        #[machine(event = Event<T>, data = Client, handlers = "per_state", shutdown = Event::Drain)]
        #[to(Closed)]
        pub(crate) enum Connection<T: Transport> {
            /// Nothing there.
            #[initial]
            #[to(Connecting = "backoff")]
            Disconnected(Disconnected),
            #[to(Connected, Disconnected)]
            Connecting,
            #[to(Disconnected)]
            Connected(Connected<T>),
            #[terminal]
            Closed,
        }
    };
    let first = expand(input.clone());
    assert_eq!(first, expand(input));
    assert!(!first.contains("compile_error"), "{first}");
}

#[test]
fn declarations_come_in_the_order_of_the_source() {
    let output = expand(quote! {
        #[machine(event = ())]
        enum Machine {
            #[initial]
            Zebra,
            Ant,
            Mole,
        }
    });
    let places: Vec<_> = ["Zebra", "Ant", "Mole"]
        .iter()
        .map(|name| output.find(&format!("struct {name}")))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
}

#[test]
fn every_path_of_the_library_can_be_moved() {
    let output = expand(quote! {
        #[machine(event = (), handlers = "per_state", unexpected = "panic", crate = other::place)]
        #[to(Out)]
        enum Machine<T> {
            #[initial]
            In(In<T>),
            #[terminal]
            Out,
        }
    });
    assert!(output.contains("other :: place :: Machine"));
    assert!(!output.contains(":: statem"), "{output}");
}

#[test]
fn a_machine_without_mistakes_has_none() {
    check(
        quote!(
            #[machine(event = ())]
            enum Machine {
                #[initial]
                One,
            }
        ),
        &[],
    );
}

#[test]
fn all_stages_report_in_one_build() {
    check(
        quote! {
            #[machine(event = (), colour = 1)]
            enum Machine {
                #[to(Tow)]
                One,
                #[to(One, One)]
                Two { field: u32 },
            }
        },
        &[
            "`#[machine(..)]` has no key `colour`",
            "`Machine` has no state `Tow`; did you mean `Two`?",
            "the state `Two` has named fields",
            "`Machine` can start in none of its states",
            "the transition to `One` is declared twice",
            "the first transition to `One` is here",
        ],
    );
}

#[test]
fn a_key_that_may_have_been_meant_as_event_is_the_only_mistake() {
    check(
        quote!(
            #[machine(evnt = ())]
            enum Machine {
                #[initial]
                One,
            }
        ),
        &["`#[machine(..)]` has no key `evnt`; did you mean `event`?"],
    );
}

#[test]
fn half_written_attributes_do_not_stop_the_rest() {
    check(
        quote!(
            #[machine(event =, data = , = , timeout)]
            enum Machine {
                #[initial]
                #[to(One =, One)]
                One,
            }
        ),
        &[
            "`event` takes a type",
            "`data` takes a type",
            "expected a key of `#[machine(..)]`",
            "`timeout` takes a type",
            "a label is a string",
        ],
    );
}

#[test]
fn parameters_of_the_enum_have_no_attributes_of_ours() {
    check(
        quote!(
            #[machine(event = ())]
            enum Machine<#[to(One)] T> {
                #[initial]
                One(One<T>),
            }
        ),
        &["`#[to]` does not belong here"],
    );
}

#[test]
fn docs_that_are_no_literal_are_kept() {
    let output = expand(quote! {
        #[doc = include_str!("machine.md")]
        #[machine(event = ())]
        enum Machine {
            #[initial]
            One,
        }
    });
    assert!(
        output.contains(r#"concat ! (include_str ! ("machine.md"))"#),
        "{output}"
    );
}

#[test]
fn similar_words_are_found_and_others_are_not() {
    let choices = ["event", "data", "timeout", "keep_abandoned"];
    let similar = |word| hint::similar(word, choices.iter().copied());
    assert_eq!(similar("evnet"), Some("event"));
    assert_eq!(similar("Event"), Some("event"));
    assert_eq!(similar("keepabandoned"), Some("keep_abandoned"));
    assert_eq!(similar("date"), Some("data"));
    assert_eq!(similar("colour"), None);
    assert_eq!(similar(""), None);
}

#[test]
#[should_panic(expected = "dropped unfinished")]
fn a_report_must_be_finished() {
    drop(report::Report::new());
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
    assert_eq!(errors.len(), expected.len(), "{output}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(
            error.starts_with(expected),
            "expected {expected}\n     got {error}"
        );
    }
}

fn expand(input: TokenStream) -> String {
    state_machine(&syn::parse2(input).expect("an item")).to_string()
}
