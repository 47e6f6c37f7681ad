//! The pictures of machines where people see them: on the pages that rustdoc makes, and as figures
//! in documents.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use statem::{Graph, Machine};
use statem_examples::MACHINES;
use statem_examples::redis_client::server::{Listener, Session};

/// Examples whose machine is in the file of the program, and so on no page of the library.
const PROGRAMS: [&str; 2] = ["line_client", "turnstile"];
/// Examples whose machine is statem's own.
const READY: [&str; 2] = ["ready_client", "redis_client"];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent();
    root.expect("the tests are a folder of the workspace")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Has rustdoc write the pages of the examples and of the crate with the odd machines, as their
/// users would, and gives the folder.
fn pages() -> PathBuf {
    let this = std::env::current_exe().expect("this test is a file");
    let target = this
        .ancestors()
        .nth(3)
        .expect("a test is in target/<profile>/deps");
    let packages = ["statem", "statem_examples", "statem_lints"];
    let output = Command::new(env!("CARGO"))
        .args(["doc", "--locked", "--no-deps", "--lib", "--target-dir"])
        .arg(target)
        // The pages of statem link to all there is.
        .arg("--features=statem/tls,statem/test-util")
        .args(packages.map(|package| format!("-p={}", package.replace('_', "-"))))
        .current_dir(root())
        .env("RUSTDOCFLAGS", "-D warnings")
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target.join("doc")
}

/// A machine as its page shows it: each state and each transition with its texts, in order.
#[derive(Debug, PartialEq)]
enum Shown {
    State {
        name: String,
        /// What is shown when one points at it.
        hint: String,
        has_dot: bool,
        has_second_border: bool,
    },
    Transition {
        label: Option<String>,
        hint: String,
    },
}

fn of_graph(graph: &Graph) -> Vec<Shown> {
    let mut shown = Vec::new();
    for state in graph.states {
        let mark = match (state.initial, state.terminal) {
            (true, _) => " (initial)",
            (_, true) => " (terminal)",
            _ => "",
        };
        let docs = state.docs.lines().take_while(|line| !line.is_empty());
        let docs = docs.map(str::trim).collect::<Vec<_>>().join(" ");
        let docs = Some(docs).filter(|docs| !docs.is_empty());
        shown.push(Shown::State {
            name: state.name.to_owned(),
            hint: [state.name, mark, &said(docs.as_deref())].concat(),
            has_dot: state.initial,
            has_second_border: state.terminal,
        });
        for edge in state.edges {
            let label = edge.label.map(|label| label.replace(char::is_control, " "));
            let label = label.map(|label| label.split_whitespace().collect::<Vec<_>>().join(" "));
            let label = label.filter(|label| !label.is_empty());
            shown.push(Shown::Transition {
                hint: format!("{} → {}{}", state.name, edge.to, said(label.as_deref())),
                label,
            });
        }
    }
    shown
}

fn said(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {text}"))
}

fn of_page(svg: &str) -> Vec<Shown> {
    let groups = svg.split("<g>").skip(1);
    let groups = groups.map(|group| group.split("</g>").next().expect("a group has an end"));
    let shown = groups.map(|group| {
        let hint = inside(group, "<title>", "</title>").expect("each group has a title");
        let text = group.split_once("<text ").map(|(_, text)| text);
        let text = text.map(|text| inside(text, ">", "</text>").expect("a text has an end"));
        if group.contains("<rect ") {
            Shown::State {
                name: text.expect("a state has a name"),
                hint,
                has_dot: group.contains("<circle "),
                has_second_border: group.matches("<rect ").count() == 2,
            }
        } else {
            Shown::Transition { label: text, hint }
        }
    });
    shown.collect()
}

/// The text between two others, as a browser shows it.
fn inside(html: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = html.split_once(before)?;
    let (text, _) = rest.split_once(after)?;
    let names = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    let text = names.iter().fold(text.to_owned(), |text, (name, means)| {
        text.replace(name, means)
    });
    Some(text)
}

#[test]
fn the_page_of_every_machine_shows_its_picture() {
    let folder = pages();
    let examples = MACHINES.iter().copied();
    let examples = examples.filter(|(name, _)| !PROGRAMS.contains(name));
    let (ready, examples): (Vec<_>, Vec<_>) = examples.partition(|(name, _)| READY.contains(name));
    let examples = examples.into_iter().map(|(_, graph)| graph);
    let examples: Vec<_> = examples.chain([Listener::GRAPH, Session::GRAPH]).collect();
    let odd = statem_lints::pictures::GRAPHS.to_vec();
    assert!(examples.len() >= 2 && odd.len() >= 6);
    for (package, graphs) in [("statem_examples", examples), ("statem_lints", odd)] {
        let pages = files(&folder.join(package), "html");
        for graph in graphs {
            // Two pages show the machine: that of its enum and that of its view.
            for page in [
                format!("enum.{}.html", graph.name),
                format!("enum.{}At.html", graph.name),
            ] {
                assert_shown(&graph, &page, &pages);
            }
        }
    }
    // The view is nobody's but the machine's.
    let pages = files(&folder.join("statem"), "html");
    for (_, graph) in ready {
        assert_shown(&graph, &format!("enum.{}.html", graph.name), &pages);
    }
}

fn assert_shown(graph: &Graph, page: &str, pages: &[PathBuf]) {
    let name = graph.name;
    // What is exported from a private module has a page there that sends its readers on.
    let sends_on = |file: &Path| read(file).contains("http-equiv=\"refresh\"");
    let mut found = pages
        .iter()
        .filter(|file| file.ends_with(page) && !sends_on(file));
    let file = found.next().unwrap_or_else(|| panic!("there is no {page}"));
    assert_eq!(found.next(), None, "{page} is there twice");
    let html = read(file);
    let parts: Vec<_> = html.split("<svg role=\"img\"").collect();
    let [before, picture] = parts[..] else {
        panic!("{page} has {} pictures", parts.len() - 1);
    };
    let (picture, after) = picture.split_once("</svg>").expect("it has an end");

    assert_eq!(of_page(picture), of_graph(graph), "{page}");
    let label = format!(" aria-label=\"States and transitions of {name}\" ");
    assert!(picture.starts_with(&label), "{page}");
    // Nothing to unfold, nothing to load, nothing of the label's that became a tag.
    let above = before.split("id=\"implementations-list\"").last();
    assert!(page.contains("At.") || above.is_some_and(|html| !html.contains("<details")));
    for word in ["<script", "href", "url("] {
        assert!(!picture.contains(word), "{page} has a picture with {word}");
    }
    assert!(after.starts_with("\n</div>"), "{page}");
}

/// The Mermaid sources in a document, or in the doc comments of a program.
fn figures(text: &str, is_program: bool) -> Vec<String> {
    let mut figures: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = if is_program {
            let comment = line.trim_start();
            let comment = ["//!", "///"]
                .iter()
                .find_map(|mark| comment.strip_prefix(mark));
            let Some(comment) = comment else {
                inside = false;
                continue;
            };
            comment.strip_prefix(' ').unwrap_or(comment)
        } else {
            line
        };
        if let (true, Some(figure)) = (inside && !line.starts_with("```"), figures.last_mut()) {
            figure.push_str(line);
            figure.push('\n');
        } else if inside {
            inside = false;
        } else if line == "```mermaid" {
            figures.push(String::new());
            inside = true;
        }
    }
    figures
}

#[test]
fn every_figure_is_the_diagram_of_a_machine() {
    let figure = "stateDiagram-v2\n    A\n";
    let document = format!("Text.\n```mermaid\n{figure}```\n```text\nA\n```\n");
    assert_eq!(figures(&document, false), [figure], "the search finds it");
    let program = "//! ```mermaid\n//! stateDiagram-v2\n//!     A\n//! ```\nfn f() {}\n";
    assert_eq!(figures(program, true), [figure], "the search finds it");

    let known: Vec<_> = MACHINES.iter().map(|(_, graph)| graph.mermaid()).collect();
    let mut shown = 0;
    let mut check = |file: &Path, is_program| {
        for figure in figures(&read(file), is_program) {
            assert!(
                known.contains(&figure),
                "{} shows what is the diagram of no example (it was, if its machine has changed: \
                 `cargo run --example diagram`):\n{figure}",
                file.display()
            );
            shown += 1;
        }
    };
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        check(&root().join(document), false);
    }
    for folder in ["examples", "statem/src", "statem-derive/src"] {
        for file in files(&root().join(folder), "rs") {
            check(&file, true);
        }
    }
    assert!(shown > 0, "the README shows one");
}

#[test]
fn the_readme_shows_the_picture_of_the_turnstile() {
    let turnstile = MACHINES.iter().find(|(name, _)| *name == "turnstile");
    let (_, graph) = turnstile.expect("it is an example");
    let shown = figures(&read(&root().join("README.md")), false);
    assert!(shown.contains(&graph.mermaid()), "{shown:?}");
}

/// The first enum of a program.
fn machine(items: &[syn::Item]) -> Option<syn::Item> {
    items.iter().find_map(|item| match item {
        syn::Item::Enum(_) => Some(item.clone()),
        syn::Item::Mod(inner) => machine(&inner.content.as_ref()?.1),
        _ => None,
    })
}

#[test]
fn the_programs_that_are_drawn_are_those_that_run() {
    let file = |path: &str| syn::parse_file(&read(&root().join(path))).expect("the file is Rust");
    let copies = file("examples/machines.rs");
    for program in PROGRAMS {
        let copy = copies.items.iter().find_map(|item| match item {
            syn::Item::Mod(module) if module.ident == program => module.content.as_ref(),
            _ => None,
        });
        let (_, drawn) = copy.expect("the machine is drawn");
        let runs = file(&format!("examples/{program}.rs")).items;
        let machine = machine(&runs);
        assert!(machine.is_some(), "{program}");
        assert_eq!(self::machine(drawn), machine, "{program}");
    }
}
