//! What the documents and the manifests claim, checked.

mod layers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use syn::visit::Visit;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a folder of the workspace")
        .to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo prints text")
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{folder} has no Rust files");
    files
}

#[test]
fn the_engine_and_the_derive_stand_alone() {
    let tree = cargo(&[
        "tree",
        "-p",
        "statem",
        "--no-default-features",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--locked",
    ]);
    let names: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let allowed = [
        "futures-core",
        "heck",
        "proc-macro2",
        "quote",
        "statem",
        "statem-derive",
        "syn",
        "unicode-ident",
    ];
    assert_eq!(names, BTreeSet::from(allowed));
}

#[test]
fn the_engine_names_no_driver() {
    for file in rust_files("statem/src/engine") {
        let text = fs::read_to_string(&file).expect("the file can be read");
        for word in [
            "crate::driver",
            "crate::mailbox",
            "crate::net",
            "crate::testing",
            "tokio::",
            "std::thread",
            "std::net",
        ] {
            assert!(!text.contains(word), "{} names `{word}`", file.display());
        }
    }
}

#[test]
fn the_driver_names_no_socket() {
    for file in rust_files("statem/src/driver") {
        let text = fs::read_to_string(&file).expect("the file can be read");
        for word in ["crate::net", "tokio::net", "tokio_util"] {
            assert!(!text.contains(word), "{} names `{word}`", file.display());
        }
    }
}

/// The names at the ends of a `use`.
fn used(tree: &syn::UseTree, names: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(path) => used(&path.tree, names),
        syn::UseTree::Name(name) => names.push(name.ident.to_string()),
        syn::UseTree::Rename(rename) => names.push(rename.ident.to_string()),
        syn::UseTree::Glob(_) => names.push("*".to_owned()),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| used(tree, names)),
    }
}

fn uses(source: &str) -> Vec<syn::ItemUse> {
    let file = syn::parse_file(source).expect("the file is Rust");
    let items = file.items.into_iter();
    items
        .filter_map(|item| match item {
            syn::Item::Use(item) => Some(item),
            _ => None,
        })
        .collect()
}

/// The names that the library exports at its root.
fn exported() -> BTreeSet<String> {
    let mut names = Vec::new();
    for item in uses(&read("statem/src/lib.rs")) {
        if matches!(item.vis, syn::Visibility::Public(_)) {
            used(&item.tree, &mut names);
        }
    }
    BTreeSet::from_iter(names)
}

/// What a file of the library takes from the library that its users cannot.
fn private_parts(source: &str, exported: &BTreeSet<String>) -> Vec<String> {
    let mut found = layers::named(source);
    // What `net` shows of itself is public too.
    found.retain(|name| name != "net" && !exported.contains(name));
    let above = layers::outside_of_uses(source).filter(|line| line.contains("super::super"));
    found.extend(above.map(str::to_owned));
    found
}

#[test]
fn net_is_made_of_public_parts() {
    let exported = exported();
    assert!(exported.contains("CREDITS") && exported.len() > 20);
    for private in [
        "use crate::mailbox;",
        "use crate::mailbox::Mailbox;",
        "use crate::{Guard, mailbox::Mailbox};",
        "use crate::{Guard, Mailbox};",
        "use crate::*;",
        "fn f() {\n    crate::mailbox::f();\n}",
        "fn f() {\n    use crate::mailbox;\n}",
    ] {
        let found = private_parts(private, &exported).len();
        assert_eq!(found, 1, "the search finds `{private}`");
    }
    for file in rust_files("statem/src/net") {
        let text = fs::read_to_string(&file).expect("the file can be read");
        let private = private_parts(&text, &exported);
        assert!(
            private.is_empty(),
            "{} names {private:?}, which users cannot",
            file.display()
        );
    }
}

/// The packages that a library needs to run, with the compiler each asks for.
fn normal_dependencies(metadata: &Value, package: &str) -> BTreeMap<String, Option<String>> {
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (package["id"].as_str().expect("an id"), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| (node["id"].as_str().expect("an id"), node))
        .collect();
    let start = packages
        .iter()
        .find(|(_, value)| value["name"] == package)
        .expect("the package is there")
        .0;
    let mut found = BTreeMap::new();
    let mut waiting = vec![*start];
    while let Some(id) = waiting.pop() {
        let name = packages[id]["name"].as_str().expect("a name").to_owned();
        if found
            .insert(
                name,
                packages[id]["rust_version"].as_str().map(str::to_owned),
            )
            .is_some()
        {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().expect("dependencies") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(dependency["pkg"].as_str().expect("an id"));
            }
        }
    }
    found
}

fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().expect("a number"));
    (
        parts.next().expect("a major version"),
        parts.next().unwrap_or(0),
    )
}

#[test]
fn no_dependency_needs_a_newer_compiler() {
    let text = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--all-features",
        "--locked",
    ]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo prints JSON");
    for library in ["statem", "statem-derive"] {
        let dependencies = normal_dependencies(&metadata, library);
        assert_eq!(
            dependencies[library].as_deref(),
            Some("1.85"),
            "{library} declares its compiler"
        );
        for (name, needed) in dependencies {
            if let Some(needed) = needed {
                assert!(
                    version(&needed) <= (1, 85),
                    "{library} needs {name}, which needs Rust {needed}"
                );
            }
        }
    }
}

/// Finds `let` inside of `&&` and `||`, which Rust 1.85 does not have.
struct LetChains(usize);

impl<'ast> Visit<'ast> for LetChains {
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        for side in [&binary.left, &binary.right] {
            if matches!(**side, syn::Expr::Let(_)) {
                self.0 += 1;
            }
        }
        syn::visit::visit_expr_binary(self, binary);
    }
}

fn let_chains(source: &str) -> usize {
    let mut chains = LetChains(0);
    chains.visit_file(&syn::parse_file(source).expect("the file is Rust"));
    chains.0
}

#[test]
fn no_let_chains_in_the_libraries() {
    assert_eq!(
        let_chains("fn f() { if let Some(x) = a && x { } }"),
        1,
        "the search finds them"
    );
    for folder in ["statem/src", "statem-derive/src"] {
        for file in rust_files(folder) {
            let chains = let_chains(&fs::read_to_string(&file).expect("the file can be read"));
            assert_eq!(chains, 0, "{}", file.display());
        }
    }
}

#[test]
fn the_libraries_forbid_unsafe_code() {
    for library in ["statem/src/lib.rs", "statem-derive/src/lib.rs"] {
        assert!(
            read(library).contains("#![forbid(unsafe_code)]"),
            "{library}"
        );
    }
}

#[test]
fn the_gate_runs_the_command_of_the_readme() {
    assert!(read("README.md").contains("bash .ci/test"));
    let gate = read(".ci/run");
    let commands: Vec<_> = gate
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("set ") && !line.is_empty())
        .collect();
    assert_eq!(
        commands,
        ["cd \"$(dirname \"$0\")/..\"", "exec bash .ci/test"]
    );
}

/// The example but for the line that says how the program is used, which is no part of a turnstile.
fn turnstile() -> String {
    let example = read("examples/turnstile.rs");
    let is_usage = |line: &&str| line.starts_with("    statem_examples::arguments::none(");
    assert_eq!(example.lines().filter(is_usage).count(), 1);
    let lines = example.split_inclusive('\n');
    lines.filter(|line| !is_usage(line)).collect()
}

#[test]
fn the_readme_shows_the_turnstile() {
    let example = turnstile();
    assert!(
        read("README.md").contains(example.trim()),
        "README.md does not show examples/turnstile.rs as it is"
    );
    assert!(example.lines().count() <= 30, "the turnstile has grown");
}

/// The example without its imports and its `main`.
fn line_client() -> String {
    let example = read("examples/line_client.rs");
    let from = example.find("#[derive").expect("it derives");
    let to = example.find("\n#[tokio::main").expect("it has a main");
    example[from..to].to_owned()
}

#[test]
fn the_readme_shows_the_line_client() {
    let client = line_client();
    assert!(
        read("README.md").contains(&client),
        "README.md does not show examples/line_client.rs as it is"
    );
    let lines = client.lines().count();
    assert!(lines <= 75, "the line client has {lines} lines");
}

#[test]
fn the_readme_shows_the_ready_client() {
    let example = read("examples/ready_client.rs");
    let from = example.find("struct Echo;").expect("it has a protocol");
    let to = example.find("\n#[tokio::main").expect("it has a main");
    assert!(
        read("README.md").contains(&example[from..to]),
        "README.md does not show examples/ready_client.rs as it is"
    );
    let begin = example.find("use ").expect("it uses the library");
    let lines = example[begin..to].lines().filter(|line| !line.is_empty());
    let lines = lines.count();
    assert!(
        lines <= 25,
        "the user of a ready client writes {lines} lines"
    );
}

#[test]
fn the_readme_shows_the_reactions_of_the_code_lock() {
    let example = read("examples/code_lock/machine.rs");
    let table = example.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<_> = table.collect();
    assert!(rows.len() > 5, "{rows:?}");
    let readme = read("README.md");
    for row in rows {
        assert!(readme.contains(row), "README.md does not show {row}");
    }
}

#[test]
fn the_readme_shows_what_the_compiler_says_of_the_turnstile() {
    let case = read("tests/ui/types/undeclared_edge_of_the_turnstile.rs");
    let taken = r#"(TurnstileAt::Unlocked(s), "coin") => s.go(Unlocked),"#;
    let declared = r#"(TurnstileAt::Unlocked(s), "push") => s.go(Locked),"#;
    // The first lines differ: each says what its program is there for.
    let below = |program: &str| {
        let (_, rest) = program.split_once('\n').expect("a program has lines");
        rest.to_owned()
    };
    assert_eq!(below(&case.replace(taken, declared)), below(&turnstile()));

    let said = read("tests/ui/types/undeclared_edge_of_the_turnstile.stderr");
    let readme = read("README.md");
    let shown = readme
        .split("```text\n")
        .find(|block| block.starts_with("error[E0277]"));
    let shown = shown
        .and_then(|block| block.split("```").next())
        .expect("an error");
    for line in shown.lines() {
        assert!(
            said.lines().any(|said| said.trim() == line.trim()),
            "rustc does not say:\n{line}"
        );
    }
    assert!(shown.lines().count() > 4, "{shown}");
}

#[test]
fn the_figures_of_the_readme_are_those_of_the_tables() {
    let page = read("benches/README.md");
    let tables: Vec<_> = page.split("```").skip(1).step_by(2).collect();
    let measured: BTreeSet<_> = tables.iter().flat_map(|table| numbers(table)).collect();
    assert!(measured.len() > 100, "{measured:?}");
    let readme = read("README.md");
    let figures = readme
        .split("\n## Figures\n")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a section");
    let rows = figures.lines().filter(|line| line.starts_with("| "));
    let mut checked = 0;
    for row in rows {
        // What a row is called has numbers of its own.
        let cells = row.split('|').skip(2);
        for number in cells.flat_map(numbers) {
            assert!(
                measured.contains(number),
                "benches/README.md has no {number}:\n{row}"
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} figures were found");
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit()))
}

#[test]
fn every_test_that_the_architecture_names_is_there() {
    let mut names = String::new();
    for folder in ["tests", "examples"] {
        for file in rust_files(folder) {
            names.push_str(&fs::read_to_string(&file).expect("the file can be read"));
            // A compile-fail case is a file.
            let name = file.file_stem().expect("a file has a name");
            let _ = write!(names, "\nfn {}(\n", name.display());
        }
    }
    let page = read("ARCHITECTURE.md");
    let invariants = page
        .split("## Invariants")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a section");
    let mut checked = 0;
    for quoted in invariants.split('`').skip(1).step_by(2) {
        if quoted.starts_with("tests/") {
            let file = quoted.split(':').next().unwrap_or(quoted);
            assert!(root().join(file).exists(), "{file} is not there");
            checked += 1;
        }
        let name = quoted.rsplit(' ').next().unwrap_or(quoted);
        let is_test = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…".contains(c));
        if let Some(rule) = name.strip_suffix("_…") {
            assert!(names.contains(&format!("fn {rule}_")), "no test of {rule}");
            checked += 1;
        } else if is_test && name.matches('_').count() > 2 {
            assert!(names.contains(&format!("fn {name}(")), "no test `{name}`");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} names were found");
}
