//! The recorded messages as a whole: what every one of them must keep to, and the table of them in
//! `ui/README.md`. `UPDATE_EXPECT=1 cargo test -p statem-tests --test diagnostics` writes the table
//! anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

/// Where a mistake is found, in the order of the derive's work.
const STAGES: [&str; 5] = ["parse", "attribute", "model", "validate", "types"];

/// One mistake: a program, and what the compiler says of it.
struct Case {
    stage: &'static str,
    rule: String,
    program: String,
    said: String,
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the programs in a folder, without `.rs`.
fn programs(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.file_stem().expect("a file has a name");
            name.to_str().expect("names are text").to_owned()
        })
        .collect()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for stage in STAGES {
        let folder = ui().join(stage);
        for rule in programs(&folder) {
            cases.push(Case {
                stage,
                program: read(&folder.join(format!("{rule}.rs"))),
                said: read(&folder.join(format!("{rule}.stderr"))),
                rule,
            });
        }
    }
    cases
}

impl Case {
    fn name(&self) -> String {
        format!("{}/{}", self.stage, self.rule)
    }

    /// What the user did, from the first line of the program.
    fn mistake(&self) -> &str {
        let first = self.program.lines().next().unwrap_or_default();
        let told = first
            .strip_prefix("//! ")
            .filter(|told| told.ends_with('.'));
        told.unwrap_or_else(|| panic!("{} does not begin with a `//!` sentence", self.name()))
    }

    /// The messages, each from its `error` line to the last line of its text, without the excerpts.
    fn messages(&self) -> Vec<Vec<&str>> {
        let mut messages: Vec<Vec<&str>> = Vec::new();
        let mut in_text = false;
        for line in self.said.lines() {
            if line.starts_with("error") {
                messages.push(Vec::new());
                in_text = true;
            }
            in_text &= !line.trim_start().starts_with("-->");
            if let (true, Some(message)) = (in_text, messages.last_mut()) {
                message.push(line);
            }
        }
        messages
    }

    fn first_line(&self) -> &str {
        self.said
            .lines()
            .next()
            .expect("the compiler says something")
    }
}

/// Fails with all complaints at once: they are mended in one go.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn one_mistake_is_one_error() {
    let mut complaints = Vec::new();
    for case in cases() {
        let messages = case.messages();
        // A mistake between two places is marked at both, and the second message says just that.
        let mistakes = messages
            .iter()
            .filter(|message| !message[0].ends_with(" here"));
        let count = mistakes.count();
        let several = case.rule.contains("several");
        if (several && count < 2) || (!several && count != 1) {
            complaints.push(format!("{} is {count} errors", case.name()));
        }
    }
    none(&complaints);
}

#[test]
fn no_message_shows_what_is_hidden() {
    let mut complaints = Vec::new();
    for case in cases() {
        // Generated names begin with two underscores; the compiler draws arrows with more of them.
        let words = case.said.split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_hidden = |word: &&str| {
            let named = word.strip_prefix("__");
            *word == "Nowhere" || named.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
        };
        for hidden in words.filter(is_hidden) {
            if !case.program.contains(hidden) {
                complaints.push(format!("{} shows `{hidden}`", case.name()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn our_own_messages_are_short_and_name_what_the_user_wrote() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for case in cases() {
        // What is found in the types is in the compiler's words, around texts of our traits.
        if case.stage == "types" {
            continue;
        }
        for message in case.messages() {
            // Those with a number are the compiler's.
            let Some(first) = message[0].strip_prefix("error: ") else {
                continue;
            };
            checked += 1;
            if message.len() > 12 {
                complaints.push(format!("{} says {} lines", case.name(), message.len()));
            }
            let mut tokens = first.split('`').skip(1).step_by(2);
            if !tokens.any(|token| case.program.contains(token.trim_matches(['#', '[', ']']))) {
                let name = case.name();
                complaints.push(format!("{name} does not name what the user wrote: {first}"));
            }
        }
    }
    none(&complaints);
    assert!(checked > 40, "only {checked} messages are our own");
}

#[test]
fn every_mistake_has_its_corrected_twin() {
    let mut complaints = Vec::new();
    for stage in STAGES {
        let (programs, twins) = (
            programs(&ui().join(stage)),
            programs(&ui().join("pass").join(stage)),
        );
        for rule in programs.symmetric_difference(&twins) {
            complaints.push(format!("{stage}/{rule} is without its twin"));
        }
        for rule in programs.intersection(&twins) {
            let program = read(&ui().join(stage).join(format!("{rule}.rs")));
            let told: String = program
                .lines()
                .skip(1)
                .flat_map(|line| [line, "\n"])
                .collect();
            let twin = read(&ui().join("pass").join(stage).join(format!("{rule}.rs")));
            let changed = lines_missing_in(&told, &twin) + lines_missing_in(&twin, &told);
            if told.trim() == twin.trim() {
                complaints.push(format!("{stage}/{rule} is not corrected"));
            }
            // Two that differ in much do not show the mistake.
            if changed > 16 {
                complaints.push(format!(
                    "{stage}/{rule} and its twin differ in {changed} lines"
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn the_guide_shows_what_the_compiler_says() {
    let cases = cases();
    let page = read(&ui().join("../../statem/src/guide/compiler.md"));
    let shown: Vec<_> = page.split("```text\n").skip(1).collect();
    assert!(shown.len() > 4, "{page}");
    for shown in shown {
        let shown = shown.split("```").next().expect("a block ends");
        assert!(
            cases
                .iter()
                .any(|case| lines_missing_in(shown, &case.said) == 0),
            "rustc says of no mistake:\n{shown}"
        );
    }
}

/// How many lines of one text the other does not have.
fn lines_missing_in(one: &str, other: &str) -> usize {
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for line in other.lines() {
        *there.entry(line.trim()).or_default() += 1;
    }
    let missing = one.lines().filter(|line| match there.get_mut(line.trim()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => !line.trim().is_empty(),
    });
    missing.count()
}

#[test]
fn the_table_has_every_mistake() {
    let cases = cases();
    let different: BTreeSet<&str> = cases.iter().map(Case::first_line).collect();
    assert!(different.len() >= 70, "only {} messages", different.len());

    let mut table = String::from(HEAD);
    let _ = writeln!(
        table,
        "{} mistakes, {} different first lines.",
        cases.len(),
        different.len()
    );
    for stage in STAGES {
        let _ = writeln!(
            table,
            "\n## {stage}\n\n| rule | mistake | first line of what is said |\n|---|---|---|"
        );
        for case in cases.iter().filter(|case| case.stage == stage) {
            let said = case.first_line().replace('|', "\\|");
            let (rule, mistake) = (&case.rule, case.mistake().replace('|', "\\|"));
            let _ = writeln!(
                table,
                "| [{rule}]({stage}/{rule}.rs) | {mistake} | {said} |"
            );
        }
    }
    expect_file!["ui/README.md"].assert_eq(&table);
}

const HEAD: &str = "\
# What the compiler says

Every mistake that we know of, with a program that makes it. The folder is the stage that finds it: `parse` to `validate`
are the derives', `types` is rustc's with our texts where a trait of ours is not met. `RULE.stderr` beside a program is
all that is said, and `pass/STAGE/RULE.rs` is the same program corrected. How to add one is in CONTRIBUTING.md.

";
