//! The table of the rules, checked: RULES.md is complete, and what it names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The last numbers of OTP's rules and of statem's own.
const LAST: [(char, u16); 2] = [('R', 150), ('N', 84)];
/// Numbers that no rule has.
const UNUSED: &str = "N17 N18 N19 N29 N32 N33 N34 N43 N44 N67 N68 N69 N78 N79";
/// Rules between two numbers.
const BETWEEN: &str = "N54a N54b";
/// The parts of statem that are to come.
const LATER: [&str; 1] = ["net kit"];
/// The cases of OTP's suite.
const CASES: &str =
    "start1 start2 start3 start4 start5a start5b start6 start7 start8 start9 start10
    start11 start12 next_events stop1 stop2 stop3 stop4 stop5 stop6 stop7 stop8 stop9 stop10
    abnormal1 abnormal1clean abnormal1dirty abnormal2 abnormal3 abnormal4 shutdown loop_start_fail
    stop_and_reply state_enter event_order state_timeout timeout_cancel_and_update event_types
    generic_timers code_change sys1 call_format_status error_format_status terminate_crash_format
    format_all_status get_state replace_state hibernate auto_hibernate enter_loop undef_code_change
    undef_terminate1 undef_terminate2 undef_in_terminate pop_too_many format_log_1 format_log_2
    format_log_with_process_label reply_by_alias_with_payload
    send_request_receive_reqid_collection send_request_wait_reqid_collection
    send_request_check_reqid_collection";

/// A row of one of the tables.
struct Row {
    /// The number of a rule, or the name of a case.
    name: String,
    standing: String,
    /// What is said of it, and the tests.
    here: String,
}

/// A test that a row names, or all of a file that bear the number of a rule.
struct Named<'a> {
    file: &'a str,
    test: &'a str,
}

/// The functions that are tests, by file: below `tests`, or from the root for examples.
struct Tests(BTreeMap<String, BTreeSet<String>>);

impl Row {
    fn quoted(&self) -> impl Iterator<Item = &str> {
        self.here.split('`').skip(1).step_by(2)
    }

    fn tests(&self) -> impl Iterator<Item = Named<'_>> {
        self.quoted().filter_map(|quoted| {
            let (file, test) = quoted.split_once(": ")?;
            let is_rust = Path::new(file)
                .extension()
                .is_some_and(|found| found == "rs");
            is_rust.then_some(Named { file, test })
        })
    }

    /// The compile-fail cases.
    fn cases(&self) -> impl Iterator<Item = &str> {
        self.quoted().filter(|quoted| quoted.starts_with("ui/"))
    }

    /// The part of statem that it waits for.
    fn later(&self) -> Option<&str> {
        self.standing.strip_prefix("later: ")
    }

    /// Whether it has words of its own beside what it names.
    fn says(&self) -> bool {
        self.here
            .split('`')
            .step_by(2)
            .any(|words| words.chars().filter(|c| c.is_alphabetic()).count() > 3)
    }
}

impl Named<'_> {
    fn is(&self, file: &str, test: &str) -> bool {
        self.file == file
            && match self.test.strip_suffix("_…") {
                Some(rule) => rules_of(test)
                    .iter()
                    .any(|of| of.eq_ignore_ascii_case(rule)),
                None => self.test == test,
            }
    }
}

impl Tests {
    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(file, tests)| tests.iter().map(|test| (file.as_str(), test.as_str())))
    }

    #[track_caller]
    fn assert_there(&self, row: &Row) {
        for named in row.tests() {
            let Named { file, test } = named;
            let name = &row.name;
            assert!(self.0.contains_key(file), "{name}: no tests in {file}");
            assert!(
                self.all().any(|(file, test)| named.is(file, test)),
                "{name}: no test `{test}` in {file}"
            );
        }
        for case in row.cases() {
            for extension in ["rs", "stderr"] {
                let file = format!("tests/{case}.{extension}");
                assert!(root().join(&file).exists(), "{}: no {file}", row.name);
            }
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a folder of the workspace")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of all tables of RULES.md.
fn rows() -> Vec<Row> {
    let page = read(&root().join("RULES.md"));
    page.lines()
        .filter(|line| line.starts_with("| ") && !line.contains("| standing |"))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, words, standing, here] = cells[..] else {
                panic!("a row has four cells: {line}");
            };
            assert!(words.ends_with('.') || !is_rule(name), "a sentence: {line}");
            Row {
                name: name.into(),
                standing: standing.into(),
                here: here.into(),
            }
        })
        .collect()
}

/// The rows of rules, and those of OTP's cases.
fn tables() -> (Vec<Row>, Vec<Row>) {
    rows().into_iter().partition(|row| is_rule(&row.name))
}

fn is_rule(name: &str) -> bool {
    rules_in(name) == [name]
}

/// The numbers of rules that a text cites.
fn rules_in(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c: char| !is_part(c))
        .filter(|word| {
            let number = word.strip_prefix(['R', 'N']).unwrap_or_default();
            let number = number.strip_suffix(['a', 'b']).unwrap_or(number);
            (1..=3).contains(&number.len()) && number.chars().all(|c| c.is_ascii_digit())
        })
        .collect()
}

/// The rules that the name of a test begins with.
fn rules_of(test: &str) -> Vec<String> {
    test.split('_')
        .map(str::to_owned)
        .map_while(|mut word| {
            word.get_mut(..1)?.make_ascii_uppercase();
            is_rule(&word).then_some(word)
        })
        .collect()
}

/// The files of a folder by their extension, without the compile-fail cases.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.retain(|file| !file.starts_with(root().join("tests/ui")));
    assert!(!files.is_empty(), "nothing in {folder}");
    files.sort();
    files
}

fn tests() -> Tests {
    struct Found(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Found {
        fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
            let is_test = function.attrs.iter().any(|attribute| {
                let last = attribute.path().segments.last();
                last.is_some_and(|last| last.ident == "test")
            });
            if is_test {
                self.0.insert(function.sig.ident.to_string());
            }
            syn::visit::visit_item_fn(self, function);
        }
    }
    let mut tests = BTreeMap::new();
    for (folder, from) in [("tests", "tests"), ("examples", "")] {
        for file in files(folder, "rs") {
            let parsed = syn::parse_file(&read(&file)).expect("the file is Rust");
            let mut found = Found(BTreeSet::new());
            found.visit_file(&parsed);
            if !found.0.is_empty() {
                let name = file.strip_prefix(root().join(from)).expect("it is there");
                tests.insert(name.to_str().expect("a plain name").to_owned(), found.0);
            }
        }
    }
    Tests(tests)
}

/// All numbers that a rule has.
fn numbers() -> BTreeSet<String> {
    let mut numbers: BTreeSet<_> = BETWEEN.split(' ').map(str::to_owned).collect();
    for (letter, last) in LAST {
        numbers.extend((1..=last).map(|number| format!("{letter}{number}")));
    }
    for unused in UNUSED.split(' ') {
        assert!(numbers.remove(unused), "{unused} is no number");
    }
    numbers
}

#[test]
fn every_rule_has_one_row() {
    let mut missing = numbers();
    for row in tables().0 {
        assert!(missing.remove(&row.name), "{} is there twice", row.name);
    }
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn every_rule_has_one_of_five_standings_and_what_belongs_to_it() {
    let tests = tests();
    for row in tables().0 {
        let name = &row.name;
        match row.standing.as_str() {
            "implemented" => assert!(row.tests().count() > 0, "{name} names no test"),
            "impossible by type" => assert!(row.cases().count() > 0, "{name} names no case"),
            "different" => assert!(row.says(), "{name} does not say what is different"),
            "not applicable" => assert!(row.says(), "{name} does not say why"),
            other => {
                let part = row.later();
                assert!(
                    part.is_some_and(|part| LATER.contains(&part)),
                    "{name}: `{other}` is no standing"
                );
            }
        }
        tests.assert_there(&row);
    }
}

#[test]
fn every_test_of_a_rule_is_named_under_it() {
    let (rules, _) = tables();
    let rules: BTreeMap<_, _> = rules.iter().map(|row| (row.name.as_str(), row)).collect();
    let mut checked = 0;
    for (file, test) in tests().all() {
        for rule in rules_of(test) {
            let row = rules.get(rule.as_str());
            let row = row.unwrap_or_else(|| panic!("{file}: {test}: there is no rule {rule}"));
            assert!(
                row.tests().any(|named| named.is(file, test)),
                "RULES.md does not name `{file}: {test}` under {rule}"
            );
            // An example has its tests for what is to come.
            assert!(
                row.later().is_none() || file.starts_with("examples/"),
                "{rule} has tests and is not there yet"
            );
            checked += 1;
        }
    }
    assert!(checked > 300, "only {checked} tests were found");
}

#[test]
fn every_rule_that_is_cited_has_a_row() {
    let numbers = numbers();
    let mut pages: Vec<_> = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    ]
    .map(|page| root().join(page))
    .into();
    for folder in ["statem", "statem-derive", "tests", "examples", "benches"] {
        pages.extend(files(folder, "rs"));
    }
    // This file has the numbers that are not used.
    pages.retain(|page| !page.ends_with("tests/rules.rs"));
    let mut checked = 0;
    for page in pages {
        for rule in rules_in(&read(&page)) {
            assert!(numbers.contains(rule), "{} cites {rule}", page.display());
            checked += 1;
        }
    }
    for row in rows() {
        for rule in rules_in(&row.here) {
            assert!(numbers.contains(rule), "{} cites {rule}", row.name);
        }
    }
    assert!(checked > 300, "only {checked} citations were found");
}

#[test]
fn what_the_architecture_calls_different_is_not_called_implemented() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let section = page.split("## Differences from OTP").nth(1);
    let section = section.and_then(|rest| rest.split("\n## ").next());
    let table = section.expect("a section").lines();
    let differing: Vec<&str> = table
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| rules_in(cell.split(':').next().unwrap_or(cell)))
        .collect();
    assert!(differing.len() > 20, "only {differing:?}");
    let (rules, _) = tables();
    for rule in differing {
        let row = rules.iter().find(|row| row.name == rule);
        let standing = &row.expect("a row").standing;
        assert!(
            ["different", "impossible by type"].contains(&standing.as_str()),
            "{rule} is called {standing}"
        );
    }
}

#[test]
fn every_case_of_otps_suite_has_one_row() {
    let tests = tests();
    let (_, cases) = tables();
    let mut missing: BTreeSet<_> = CASES.split_whitespace().collect();
    for row in &cases {
        let name = row.name.as_str();
        assert!(missing.remove(name), "{name} is no case, or there twice");
        match row.standing.as_str() {
            "here" => assert!(row.tests().count() > 0, "{name} names no test"),
            "in part" => {
                let later = row.here.split("later: ").nth(1).unwrap_or_default();
                let part = later.split('.').next().unwrap_or_default();
                assert!(LATER.contains(&part), "{name} waits for `{part}`");
                assert!(row.tests().count() > 0, "{name} names no test");
            }
            "impossible by type" => assert!(row.cases().count() > 0, "{name} names no case"),
            "not applicable" => assert!(!row.here.is_empty(), "{name} does not say why"),
            other => {
                let part = row.later();
                assert!(
                    part.is_some_and(|part| LATER.contains(&part)),
                    "{name}: `{other}` is no standing"
                );
            }
        }
        tests.assert_there(row);
    }
    assert!(missing.is_empty(), "no row for {missing:?}");
    // And nothing in their folder is left unnamed.
    for (file, test) in tests.all().filter(|(file, _)| file.starts_with("otp/")) {
        assert!(
            cases
                .iter()
                .any(|row| row.tests().any(|named| named.is(file, test))),
            "RULES.md does not name `{file}: {test}`"
        );
    }
}
