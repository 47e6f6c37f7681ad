//! Snapshots of other versions (R133, R134).

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use statem::snapshot::{Remaining, Save, Saved, SavedOf, Snapshot, Which};
use statem::testing::Bench;
use statem::{Cx, Handler, Next, StateMachine, keep};

use crate::scribe;

/// In version 1 the states were called otherwise, the data was a number, the event a text, and
/// names were texts.
#[derive(StateMachine, Serialize, Deserialize)]
#[machine(event = u32, data = Vec<u32>, timeout = char)]
enum Tally {
    #[initial]
    #[to()]
    Counting,
}

impl Save for Tally {
    const VERSION: u32 = 2;

    fn migrate<'de, D: Deserializer<'de>>(
        version: u32,
        older: D,
    ) -> Result<SavedOf<Self>, D::Error> {
        if version != 1 {
            return Err(D::Error::custom("too old"));
        }
        Saved::<String, u32, String, String>::deserialize(older)?.try_map(
            |state, number| match state.as_str() {
                "Started" => Ok((Tally::Counting, vec![number])),
                other => Err(D::Error::custom(format_args!("no state {other}"))),
            },
            |event| event.parse().map_err(D::Error::custom),
            |name| {
                name.chars()
                    .next()
                    .ok_or_else(|| D::Error::custom("no name"))
            },
        )
    }
}

impl Handler for Tally {
    fn handle(_: TallyAt<'_>, number: u32, all: &mut Vec<u32>, _: &mut Cx<Self>) -> Next<Self> {
        all.push(number);
        keep()
    }
}

const OLD: &str = r#"[1, { "state": "Started", "data": 5, "timeouts":
    [{ "which": { "Named": "retry" }, "remaining": "Zero", "event": "6" }],
    "postponed": [{ "origin": { "Timeout": { "Named": "retry" } }, "event": "7" }] }]"#;

#[test]
fn r133_code_change_an_older_snapshot_is_converted_and_restored() {
    let snapshot: Snapshot<Tally> = serde_json::from_str(OLD).unwrap();
    let timeout = &snapshot.saved.timeouts[0];
    assert_eq!(
        (timeout.which, timeout.remaining),
        (Which::Named('r'), Remaining::Zero)
    );
    let tally = Bench::restore(snapshot);
    assert_eq!(tally.data(), &[5, 6]);
    assert_eq!(tally.postponed().collect::<Vec<_>>(), [&7]);
    // What is written is of the new version.
    let text = tally.snapshot(|saving| serde_json::to_string(saving).unwrap());
    assert!(text.starts_with("[2,"), "{text}");
    assert_eq!(
        Bench::restore(serde_json::from_str::<Snapshot<Tally>>(&text).unwrap()).data(),
        &[5, 6]
    );
}

#[test]
fn r134_a_conversion_that_fails_is_an_error_of_reading() {
    for (old, new, error) in [
        ("Started", "Nowhere", "no state Nowhere"),
        ("\"6\"", "\"six\"", "invalid digit"),
        ("[1,", "[0,", "too old"),
        ("\"retry\"", "\"\"", "no name"),
    ] {
        let read = serde_json::from_str::<Snapshot<Tally>>(&OLD.replace(old, new));
        let told = read.unwrap_err().to_string();
        assert!(told.contains(error), "{told}");
    }
}

#[test]
fn n74_a_version_that_nobody_converts_is_refused_with_both_numbers() {
    let text = scribe::write(&scribe::bench()).replace("[1,", "[9,");
    let told = serde_json::from_str::<Snapshot<scribe::Scribe>>(&text).unwrap_err();
    let expected = "a snapshot of `Scribe` has version 9, and version 1 is read here: \
                    convert it in `Save::migrate`";
    assert!(told.to_string().starts_with(expected), "{told}");
}

#[test]
fn n74_what_is_no_snapshot_is_refused() {
    for text in ["[]", "[1]", "{}", "3", "[1, {}]", "[-1, {}]"] {
        assert!(
            serde_json::from_str::<Snapshot<Tally>>(text).is_err(),
            "{text}"
        );
    }
}

#[test]
fn n74_the_number_of_a_timer_leaves_numbers_for_others() {
    let text = |number: u64| {
        format!(
            r#"[1, {{ "state": {{ "Open": {{ "timers": [{number}] }} }},
                "data": {{ "timers": {{}}, "on_enter": [] }}, "timeouts": [], "postponed": [] }}]"#
        )
    };
    let read = |number| serde_json::from_str::<Snapshot<scribe::Scribe>>(&text(number));
    let told = read(u64::MAX).unwrap_err().to_string();
    assert!(
        told.starts_with("no timer is saved as 18446744073709551615"),
        "{told}"
    );
    let mut restored = Bench::restore(read(u64::MAX >> 1).unwrap());
    let timer = scribe::Ask::Timer(1, 5, Box::new(scribe::note("late")));
    restored.send(scribe::act("a", [timer], scribe::Then::Keep));
    restored.advance(scribe::ms(5));
    assert!(scribe::trace(&mut restored).contains("late@Timer("));
}
