//! What can be seen without a compiler. What users see is in the compile-fail tests of the
//! workspace.

mod diagram;
mod expansion;
mod recorded;

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
            #[to(Mole, Ant)]
            Zebra,
            #[to()]
            Ant,
            #[to()]
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
fn a_word_that_is_not_known_is_told_the_words_that_are() {
    for (key, word, told) in [
        ("handlers", "all", "`\\\"per_state\\\"`"),
        (
            "unexpected",
            "green",
            "`\\\"warn\\\"`, `\\\"stop\\\"` or `\\\"panic\\\"`",
        ),
    ] {
        let text =
            format!("#[machine(event = (), {key} = \"{word}\")] enum Machine {{ #[initial] One }}");
        let said = errors(text.parse().expect("Rust"));
        let expected = format!("`{key}` does not take `\\\"{word}\\\"`: it takes {told}");
        assert!(
            said.len() == 1 && said[0].starts_with(&expected),
            "{said:?}"
        );
    }
}

#[test]
fn a_string_that_is_no_event_is_not_taken_for_a_quoted_one() {
    let said = |event: &str| {
        let text = format!(
            "#[machine(event = (), shutdown = \"{event}\")] enum Machine {{ #[initial] One }}"
        );
        errors(text.parse().expect("Rust"))
    };
    assert!(said("Event::Drain")[0].contains("not a string"));
    assert!(!said("Drain")[0].contains("not a string"));
}

#[test]
fn attributes_of_others_hide_no_mistake() {
    let said = said_of(&["#[initial] #[to(B)] #[rustfmt::skip] A", "B"]);
    assert!(
        said.len() == 1 && said[0].starts_with("`B` has no way out"),
        "{said:?}"
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
            "`#[machine(..)]` has no key `=`",
            "`timeout` takes a type",
            "the label of `One` is a string",
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
        &["`#[to]` does not belong on a parameter"],
    );
}

/// What is said of a machine whose states have these attributes.
fn said_of(states: &[&str]) -> Vec<String> {
    let states = states.join(", ");
    let text = format!("#[machine(event = ())] enum Machine {{ {states} }}");
    errors(text.parse().expect("Rust"))
}

#[test]
fn of_states_that_are_cut_off_only_the_first_is_a_mistake() {
    let start = "#[initial] #[to(A)] Start";
    let said = said_of(&[start, "#[to(Start)] A", "#[to(C)] B", "#[to(A)] C"]);
    assert!(
        said.len() == 1 && said[0].starts_with("`B` is never reached"),
        "{said:?}"
    );

    // In a ring it is the first of the source, though it leads to others and is led to.
    let said = said_of(&[
        "#[terminal] End",
        start,
        "#[to(Start)] A",
        "#[to(C)] B",
        "#[to(B, End)] C",
    ]);
    assert!(
        said.len() == 1 && said[0].starts_with("`B` is never reached"),
        "{said:?}"
    );

    // Before a ring, but in the source after it.
    let said = said_of(&[
        start,
        "#[to(Start)] A",
        "#[to(C)] B",
        "#[to(B)] C",
        "#[to(C)] D",
    ]);
    assert!(
        said.len() == 1 && said[0].starts_with("`D` is never reached"),
        "{said:?}"
    );
}

#[test]
fn a_transition_forgotten_is_one_mistake_at_the_state_without_a_way_out() {
    let said = said_of(&["#[initial] A", "#[to(C)] B", "#[to(A)] C"]);
    assert!(
        said.len() == 1 && said[0].starts_with("`A` has no way out"),
        "{said:?}"
    );
}

#[test]
fn a_state_that_cannot_be_left_says_so_or_is_the_only_one() {
    assert_eq!(said_of(&["#[initial] A"]), [""; 0]);
    assert_eq!(said_of(&["#[initial] #[to()] A"]), [""; 0]);
    assert_eq!(said_of(&["#[initial] #[to(B)] A", "#[to()] B"]), [""; 0]);
    assert_eq!(said_of(&["#[initial] #[to(B)] A", "#[to(B)] B"]), [""; 0]);
    assert_eq!(
        said_of(&["#[initial] #[to(B)] A", "#[terminal] B"]),
        [""; 0]
    );
}

#[test]
fn what_could_not_be_read_has_no_second_mistake() {
    for (at, states) in [
        (
            "`Machine` has no state `X`",
            ["#[initial] #[to(X)] A", "#[to(A)] B"],
        ),
        (
            "`\\\"B\\\"` is a string",
            ["#[initial] #[to(\"B\")] A", "#[to(A)] B"],
        ),
        ("`#[end]` is written", ["#[initial] #[to(B)] A", "#[end] B"]),
        (
            "`#[next_state]` is written",
            ["#[initial] #[next_state(B)] A", "#[terminal] B"],
        ),
        ("`#[machine]` does not belong", ["#[machine] A", "B"]),
    ] {
        let said = said_of(&states);
        assert!(said.len() == 1 && said[0].starts_with(at), "{at}: {said:?}");
    }
    check(
        quote!(
            #[initial]
            #[gen_statem(event = ())]
            enum Machine {
                One,
            }
        ),
        &[
            "`#[initial]` does not belong on the enum",
            "`#[gen_statem]` is written",
        ],
    );
    // The compiler reports these by itself.
    for states in [
        ["#[intial] A", "B"],
        ["#[initial] #[statem::to(B)] A", "B"],
        ["#[initial] A", "A"],
    ] {
        assert_eq!(said_of(&states), [""; 0], "{states:?}");
    }
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

    let states = [
        "On",
        "Off",
        "Disconnected",
        "Inactive",
        "Closed",
        "Unlocked",
    ];
    let similar = |word| hint::similar(word, states.iter().copied());
    assert_eq!(similar("Disconected"), Some("Disconnected"));
    assert_eq!(similar("DISCONNECTED"), Some("Disconnected"));
    assert_eq!(similar("Disconnnectde"), Some("Disconnected"));
    assert_eq!(similar("Clsoed"), Some("Closed"));
    assert_eq!(similar("nactive"), Some("Inactive"));
    assert_eq!(similar("on"), Some("On"));
    for other in [
        "Unconnected",
        "Connected",
        "Active",
        "Locked",
        "Opened",
        "In",
        "Of",
        "A",
        "Failed",
    ] {
        assert_eq!(similar(other), None, "{other}");
    }
}

#[test]
fn words_of_erlang_are_answered() {
    for word in [
        "next_state",
        "state_functions",
        "handle_event_function",
        "gen_statem",
        "callback_mode",
        "state_enter",
        "init",
        "terminate",
        "code_change",
        "hibernate",
        "state_timeout",
        "event_timeout",
        "generic_timeout",
        "postpone",
        "keep_state",
        "keep_state_and_data",
        "repeat_state",
        "stop",
        "stop_and_reply",
        "reply",
        "next_event",
        "format_status",
        "change_callback_module",
        "call",
        "cast",
        "info",
        "internal",
        "from",
        "start_link",
    ] {
        assert!(hint::key(word).is_some(), "{word}");
    }
    for word in ["state_functions", "handle_event_function"] {
        assert!(hint::word("handlers", word).is_some(), "{word}");
        assert_eq!(hint::word("unexpected", word), None, "{word}");
    }
    assert!(hint::about_states("init") && hint::about_states("next_state"));
    assert!(!hint::about_states("reply") && !hint::about_states("colour"));
}

#[test]
#[should_panic(expected = "dropped unfinished")]
fn a_report_must_be_finished() {
    drop(report::Report::new());
}

/// Derives, and compares the beginnings of all errors, in order.
#[track_caller]
fn check(input: TokenStream, expected: &[&str]) {
    let errors = errors(input);
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(
            error.starts_with(expected),
            "expected {expected}\n     got {error}"
        );
    }
}

fn errors(input: TokenStream) -> Vec<String> {
    let output = expand(input);
    let errors = output.split("compile_error ! {").skip(1);
    let errors = errors.map(|rest| rest.trim_start_matches([' ', '"']).to_owned());
    errors.collect()
}

fn expand(input: TokenStream) -> String {
    state_machine(&syn::parse2(input).expect("an item")).to_string()
}
