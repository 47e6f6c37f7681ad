//! statem does what gen_statem did, on every layer; no Erlang is needed. And the harness can fail.

use std::sync::Arc;

use statem_conformance::case::{self, Case};
use statem_conformance::compare::Tally;
use statem_conformance::generate::{Profile, generate};
use statem_conformance::golden_set::{self, Golden};
use statem_conformance::shrink::shrink;
use statem_conformance::{Layer, Runner, mutation};

/// All of the golden set, by layer and by rule: a case that is compared in another way than before
/// must not go unseen.
const TALLY: &str = "   engine   driver   derive
      481      423      481  compared to the end, as recorded
     2555     2611     2555  compared to the end, translated
        1        3        1  compared up to a point, and listed
        0        0        0  different
     1844     1844     1844  R1, N7: an info event is a cast that says so
       24       24       24  R2, N50: a call has one outcome: a further answer reaches nobody
      864      864      864  R8, N7: an inserted event of another type is an insert that says so
      389      389      389  R29, N4: of several options to postpone the last alone is carried out
     1392     1392     1392  R34, N13: next state equal to the current one is `keep`
      232      232      232  R64, N25: infinity is a cancel
       18       18       18  R79, N6: enter may insert; the machine stops as OTP's does
        1        1        1  R80, N4: enter cannot undo a postpone; compared up to that call
        5        5        5  R81, R96, N11: a panic in enter shows the state and data as they are
       12       12       12  R103, N6: enter cannot change the state; the machine stops as OTP's does
       14       14       14  R106, N6: enter cannot postpone; the machine stops as OTP's does
       24       24       24  R107, N4: a bad return value has no type; the machine stops as OTP's does
        0       45        0  R120, N64: a handle stops a machine with normal or shutdown alone
      351      351      351  R135: hibernation is left out
        0      642        0  R123, N70: a handle is not shown what the timers that run will send
        0        2        0  R148, N21: a past time started beside timers that are due waits for them; compared up to that step
        4        4        4  R149, N26: equal deadlines fire in the order started, as OTP's happen to do
";

fn compare(set: &[Golden]) -> Tally {
    let runner = Runner::new().expect("a runtime");
    let mut tally = Tally::default();
    for (case, trace) in set {
        for layer in Layer::ALL {
            let comparison = runner.compare(case, trace, layer);
            tally.count(layer, &comparison);
            if let Some(difference) = comparison.difference {
                panic!("on layer {layer}:\n\n{case}\n{difference}");
            }
        }
    }
    tally
}

fn recorded(profile: Profile) -> Vec<Golden> {
    let recorded = golden_set::recorded(profile).expect("the recording");
    assert_eq!(recorded.len(), 1000);
    recorded
}

fn by_hand(id: &str) -> Golden {
    let mut cases = golden_set::by_hand().expect("cases").into_iter();
    cases
        .find(|(case, _)| case.to_string().starts_with(&format!("case {id}\n")))
        .expect(id)
}

#[test]
fn every_case_made_by_hand_does_the_same_on_every_layer() {
    let cases = golden_set::by_hand().expect("the cases");
    assert_eq!(cases.len(), 37);
    compare(&cases);
}

#[test]
fn a_thousand_core_cases_do_what_was_recorded_on_otp() {
    compare(&recorded(Profile::Core));
}

#[test]
fn a_thousand_full_cases_do_what_was_recorded_on_otp() {
    compare(&recorded(Profile::Full));
}

#[test]
fn a_thousand_cases_with_errors_do_what_was_recorded_on_otp() {
    compare(&recorded(Profile::Err));
}

#[test]
fn what_is_translated_or_listed_is_known_by_rule_and_layer() {
    let tally = compare(&golden_set::all().expect("the set")).to_string();
    println!("{tally}");
    assert_eq!(tally, TALLY);
}

#[test]
fn a_trace_without_one_of_its_lines_is_noticed_on_every_layer() {
    let runner = Runner::new().expect("a runtime");
    let (case, trace) = by_hand("enter_actions");
    let lines: Vec<_> = trace.lines().collect();
    for missing in 0..lines.len() {
        let mut lines = lines.clone();
        lines.remove(missing);
        let trace = lines.join("\n") + "\n";
        for layer in Layer::ALL {
            let comparison = runner.compare(&case, &trace, layer);
            assert!(
                comparison.difference.is_some(),
                "without line {missing}, on {layer}"
            );
        }
    }
}

#[test]
fn every_word_of_a_line_counts() {
    let runner = Runner::new().expect("a runtime");
    let (case, trace) = by_hand("postponed_call_reply");
    for (right, wrong) in [
        ("H s1 call q#1 0", "H s1 call q#2 0"),
        ("H s0 cast go 0", "H s0 cast go 1"),
        ("H s0 cast go 0", "H s0 info go 0"),
        ("R 1 yes", "R 1 no"),
        ("@ 3 0", "@ 3 1"),
        ("post=-", "post=call:q#1"),
    ] {
        let trace = trace.replacen(right, wrong, 1);
        for layer in Layer::ALL {
            let comparison = runner.compare(&case, &trace, layer);
            assert!(
                comparison.difference.is_some(),
                "{right} as {wrong}, on {layer}"
            );
        }
    }
}

#[test]
fn what_is_listed_is_compared_up_to_its_point() {
    let runner = Runner::new().expect("a runtime");
    for (id, right, layer) in [
        ("enter_undoes_postpone", "H s0 cast a 0", Layer::Engine),
        ("past_time_beside_due_timers", "@ 1 0", Layer::Driver),
    ] {
        let (case, trace) = by_hand(id);
        assert!(
            runner.compare(&case, &trace, layer).difference.is_none(),
            "{id}"
        );
        let trace = trace.replacen(right, "H s0 cast b 0", 1);
        let found = runner.compare(&case, &trace, layer).difference;
        assert_eq!(found.is_some(), id == "enter_undoes_postpone", "{id}");
    }
}

#[test]
fn a_case_survives_being_written_and_read() {
    for profile in Profile::ALL {
        for number in 0..200 {
            let text = generate(3, profile, number).to_string();
            let read = case::parse(&text).expect("what was written can be read");
            assert_eq!(read.len(), 1);
            assert_eq!(read[0].to_string(), text);
        }
    }
}

#[test]
fn a_case_depends_on_seed_profile_and_number_alone() {
    let text = |seed, profile, number| generate(seed, profile, number).to_string();
    assert_eq!(text(1, Profile::Full, 5), text(1, Profile::Full, 5));
    let body = |seed, profile| {
        let text = text(seed, profile, 5);
        text.split_once('\n').expect("lines").1.to_owned()
    };
    assert_ne!(body(1, Profile::Full), body(2, Profile::Full));
    assert_ne!(body(1, Profile::Full), body(1, Profile::Err));
}

#[test]
fn the_recorded_cases_use_every_word_of_the_format() {
    let all = golden_set::all().expect("the set");
    let text = golden_set::text(all.iter().map(|(case, _)| &**case));
    for word in [
        "enter=0",
        "enter=1",
        "\ncall ",
        "\ncast ",
        "\ninfo ",
        "\nadv ",
        "\njmp ",
        "\nstop ",
        " ks",
        " k:",
        " ns:",
        " rs",
        " r:",
        " stop:",
        " stopd:",
        " sar:",
        " sard:",
        " bad",
        " crash",
        " pp\n",
        " pp:0",
        " pp:1",
        " hib",
        " nx:int:",
        " nx:cast:",
        " nx:info:",
        " nx:call:",
        " nx:st:",
        " nx:to:",
        " nx:gt.p:",
        ":cancel",
        ":upd:",
        ":inf:",
        ":@",
        ":0:",
        " re:",
        " save",
        " rp:",
    ] {
        let uses = text.matches(word).count();
        assert!(uses >= 20, "`{word}` occurs {uses} times");
    }
}

#[test]
fn a_line_that_is_not_understood_is_named() {
    let error =
        case::parse("case one\ninit s0 0\non s0 cast a - jump\nend\n").expect_err("a mistake");
    assert_eq!(error, "line 3: `on s0 cast a - jump`: `jump` is no result");
    assert!(case::parse("case one\ninit s0 0\n").is_err());
    assert!(case::parse("cast a\n").is_err());
}

#[test]
fn a_case_is_shrunk_to_what_makes_it_differ() {
    let differs = |case: &Case| {
        let text = case.to_string();
        text.contains("cast b\n") && text.contains("st:7:x") && text.matches("\non ").count() > 1
    };
    let candidates = (0..1000).map(|number| generate(1, Profile::Core, number));
    let case = candidates
        .into_iter()
        .find(differs)
        .expect("a case that differs");
    let small = shrink(case, |cases| Ok(cases.iter().map(differs).collect())).expect("an answer");
    let text = small.to_string();
    assert_eq!(text.matches("\non ").count(), 2, "{text}");
    assert_eq!(text.lines().count(), 7, "{text}");
    let rules = text.lines().filter(|line| line.starts_with("on "));
    let actions: usize = rules.map(|rule| rule.split(' ').count() - 6).sum();
    assert_eq!(actions, 1, "{text}");
}

#[test]
fn every_mutation_fits_the_source() {
    let mutations = mutation::all().expect("the mutations");
    assert!(mutations.len() >= 50);
    for mutation in mutations {
        let file = format!("{}/../../{}", env!("CARGO_MANIFEST_DIR"), mutation.file);
        let source = std::fs::read_to_string(&file).expect(&file);
        let mutated = mutation.apply(&source).expect("it fits");
        assert_ne!(mutated, source, "{}", mutation.name);
    }
}

#[test]
fn a_runner_leaves_nothing_from_one_case_to_the_next() {
    let runner = Runner::new().expect("a runtime");
    let (case, trace) = by_hand("periodic");
    let mut other = case::parse(&case.to_string()).expect("a case");
    let again = Arc::new(other.remove(0));
    for layer in Layer::ALL {
        for case in [&case, &again] {
            assert!(runner.compare(case, &trace, layer).difference.is_none());
        }
    }
}
