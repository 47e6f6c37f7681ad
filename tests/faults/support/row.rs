//! A row of the matrix, as a user sees it: its line of the guide, `statem/src/net/faults.md`.
//!
//! Each row checks its own line. `UPDATE_EXPECT=1 cargo test -p statem-tests --test faults` writes
//! them anew.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The groups of the matrix, by their first rows.
const GROUPS: [(&str, &str); 6] = [
    ("F01", "Starting"),
    ("F09", "The connection breaks"),
    ("F16", "It breaks again and again; many break at once"),
    ("F20", "Half open"),
    ("F25", "Requests"),
    ("F36", "Stopping and changing"),
];

const HEAD: &str = "\
# What a user sees when the network fails

Written by `tests/faults`, from what happened in them; each checks its own line.
`UPDATE_EXPECT=1 cargo test -p statem-tests --test faults` writes them anew.

The texts are those that a caller gets as `RequestError`. In every row, besides: each call has exactly one outcome, no
caller gets another's answer, what was not sent is not executed, nothing is executed twice unless it may be, the
counters of the client balance, and neither a task nor a socket is left.

What decides a row: *memory*, a network in memory on a paused clock; *wire*, a connection whose bytes the test orders one
by one; *loopback*, sockets of this computer, through a relay that makes the faults; *redis*, a redis-server that is
killed or stopped; *namespaces*, two network namespaces between which packets vanish, where the tests run as root (the
run prints where they did not, and loopback decides); *simulation*, turmoil, with seeds.

F43 moves the clock of *memory*. A computer that is suspended is another matter: on Linux this clock stands still meanwhile,
and timers go on where they were.
";

/// A row that is being filled in.
pub(crate) struct Row {
    id: &'static str,
    fault: &'static str,
    tiers: &'static str,
    sees: Vec<String>,
}

impl Row {
    pub(crate) fn new(id: &'static str, fault: &'static str, tiers: &'static str) -> Self {
        Row {
            id,
            fault,
            tiers,
            sees: Vec::new(),
        }
    }

    /// Something that a user sees, in words. The test has asserted it.
    pub(crate) fn sees(&mut self, what: impl Display) {
        self.sees.push(what.to_string());
    }

    /// What a call was told, and when that is.
    pub(crate) fn told(&mut self, who: &str, error: &impl Display) {
        self.sees
            .push(format!("{who}: “{}”", masked(&error.to_string())));
    }

    /// Checks the line of this row, or writes it.
    pub(crate) fn end(self) {
        assert!(!self.sees.is_empty(), "{} shows nothing", self.id);
        // Namespaces say themselves whether they could.
        let tiers = self.tiers.replace(", namespaces", "");
        tell(self.id, format!("decided by {tiers}"));
        let sees = self.sees.join("; ").replace('|', "\\|").replace('\n', " ");
        let line = format!("| {} | {} | {sees} | {} |", self.id, self.fault, self.tiers);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            static WRITING: Mutex<()> = Mutex::new(());
            let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
            let mut lines = lines();
            lines.insert(self.id.to_owned(), line);
            fs::write(path(), page(&lines)).expect("the table can be written");
        } else {
            let lines = lines();
            let found = lines.get(self.id).map(String::as_str);
            assert_eq!(
                found,
                Some(line.as_str()),
                "statem/src/net/faults.md says otherwise of {}; UPDATE_EXPECT=1 writes it",
                self.id
            );
        }
    }
}

/// Tells whoever runs the tests something, also when the row passes.
pub(crate) fn tell(row: &str, what: impl Display) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{row}: {what}");
}

/// The table, from its lines by their rows.
pub(crate) fn page(lines: &BTreeMap<String, String>) -> String {
    let mut page = HEAD.to_owned();
    for (index, (first, group)) in GROUPS.iter().enumerate() {
        let end = GROUPS.get(index + 1).map_or("F99", |(first, _)| first);
        let _ = write!(
            page,
            "\n## {group}\n\n| row | fault | what a user sees | decided by |\n|---|---|---|---|\n"
        );
        for line in lines
            .range((*first).to_owned()..end.to_owned())
            .map(|(_, line)| line)
        {
            page.push_str(line);
            page.push('\n');
        }
    }
    page
}

/// The lines of the table as it is.
pub(crate) fn lines() -> BTreeMap<String, String> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let rows = text.lines().filter(|line| line.starts_with("| F"));
    rows.map(|line| (line[2..5].to_owned(), line.to_owned()))
        .collect()
}

pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../statem/src/net/faults.md")
}

/// The ports of this run, made the same in every run.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(place) = rest.find("127.0.0.1:") {
        let (before, after) = rest.split_at(place + "127.0.0.1:".len());
        masked.push_str(before);
        masked.push_str("4000");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    masked + rest
}
