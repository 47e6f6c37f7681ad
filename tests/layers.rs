//! The modules of the library stand on each other in one direction.

use std::collections::BTreeMap;
use std::fs;

use syn::visit::Visit;

use crate::{read, root, rust_files, used, uses};

/// The modules of the library, from what stands alone to what stands on it: each names only those
/// before it.
const ORDER: &str =
    "statem_derive sync reason event counts graph coverage slot source backoff trace error
    call_cell scope reply guard machine __private transition view watch record snapshot
    inspect mailbox context handler engine driver net supervisor";

/// The modules of `net`, in the same way.
const ORDER_OF_NET: &str = "codec error io feed link connect request client server";

/// The lines of a file but for its `use`, its comments and its own tests, which may name anything.
pub(crate) fn outside_of_uses(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]\nmod tests").next();
    let lines = code.unwrap_or_default().lines();
    let is_use = |line: &str| line.starts_with("use ") || line.starts_with("pub(crate) use ");
    lines.filter(move |line| !is_use(line) && !line.trim_start().starts_with("//"))
}

/// What a file of the library names of the library: the words behind `crate::`.
pub(crate) fn named(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for item in uses(source) {
        let syn::UseTree::Path(path) = &item.tree else {
            continue;
        };
        if path.ident == "crate" {
            let trees = match &*path.tree {
                syn::UseTree::Group(group) => group.items.iter().collect(),
                tree => vec![tree],
            };
            for tree in trees {
                found.push(match tree {
                    syn::UseTree::Name(name) => name.ident.to_string(),
                    syn::UseTree::Rename(rename) => rename.ident.to_string(),
                    syn::UseTree::Path(path) => path.ident.to_string(),
                    _ => "*".to_owned(),
                });
            }
        }
    }
    // And without `use`, or by a `use` inside of a function.
    for line in outside_of_uses(source) {
        for path in line.split("crate::").skip(1) {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
            found.push(path[..end.unwrap_or(path.len())].to_owned());
        }
    }
    found
}

/// The modules that a module names although they stand on it, and those that have no place.
fn upwards(module: &str, source: &str, homes: &BTreeMap<String, String>) -> Vec<String> {
    let place = |module: &str| ORDER.split_whitespace().position(|known| known == module);
    let mut found = named(source);
    for name in &mut found {
        if let Some(home) = homes.get(name) {
            home.clone_into(name);
        }
    }
    found.retain(|name| name != module && place(name).is_none_or(|at| Some(at) > place(module)));
    found
}

#[test]
fn no_module_of_the_library_names_one_that_stands_on_it() {
    // Where the names are from that the library exports at its root.
    let mut homes = BTreeMap::new();
    for item in uses(&read("statem/src/lib.rs")) {
        if let syn::UseTree::Path(path) = &item.tree {
            let mut names = Vec::new();
            used(&path.tree, &mut names);
            homes.extend(names.into_iter().map(|name| (name, path.ident.to_string())));
        }
    }
    for upward in [
        "use crate::engine::Engine;",
        "use crate::{Reply, engine::Engine};",
        "pub(crate) use crate::engine::record;",
        "use crate::Handler;",
        "fn f() {\n    crate::driver::f();\n}",
        "use crate::unknown;",
    ] {
        let found = upwards("mailbox", upward, &homes);
        assert_eq!(found.len(), 1, "the search finds `{upward}`: {found:?}");
    }
    let source = root().join("statem/src");
    for file in rust_files("statem/src") {
        let path = file.strip_prefix(&source).expect("it is below");
        let first = path.iter().next().expect("it has a name").to_string_lossy();
        let module = first.trim_end_matches(".rs");
        // `testing` may name everything, and nothing names it.
        if module == "lib" || module == "testing" {
            continue;
        }
        let found = upwards(
            module,
            &fs::read_to_string(&file).expect("it can be read"),
            &homes,
        );
        assert!(
            found.is_empty(),
            "{}: `{module}` names {found:?}, which stand on it",
            path.display()
        );
    }
}

/// The paths of each `use`, wherever it is, with their groups taken apart.
#[derive(Default)]
struct Paths {
    before: Vec<String>,
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_use_tree(&mut self, tree: &'ast syn::UseTree) {
        let last = match tree {
            syn::UseTree::Path(path) => {
                self.before.push(path.ident.to_string());
                self.visit_use_tree(&path.tree);
                self.before.pop();
                return;
            }
            syn::UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|tree| self.visit_use_tree(tree));
            }
            syn::UseTree::Name(name) => name.ident.to_string(),
            syn::UseTree::Rename(rename) => rename.ident.to_string(),
            syn::UseTree::Glob(_) => "*".to_owned(),
        };
        let words = self.before.iter().chain([&last]).map(String::as_str);
        self.found.push(words.collect::<Vec<_>>().join("::"));
    }
}

/// What a file of `net`, so many modules below it, names of `net`: by its whole path, or as `super`.
fn named_of_net(depth: usize, source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next();
    let code = code.unwrap_or_default();
    let mut uses = Paths::default();
    uses.visit_file(&syn::parse_file(code).expect("the file is Rust"));
    let mut found = Vec::new();
    // And without `use`, also in what is given to a macro.
    let others = outside_of_uses(source).map(str::to_owned);
    for text in uses.found.into_iter().chain(others) {
        for path in ["crate::net::".to_owned(), "super::".repeat(depth)] {
            for (place, _) in text.match_indices(&path) {
                let further = text[..place].ends_with("super::");
                let rest = &text[place + path.len()..];
                if further || rest.starts_with("super::") {
                    continue;
                }
                let ends = |c: char| !c.is_alphanumeric() && c != '_';
                let name = rest.split(ends).next().unwrap_or_default();
                found.extend((!name.is_empty()).then(|| name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn no_module_of_net_names_one_that_stands_on_it() {
    assert_eq!(
        named_of_net(2, "use super::super::link::Io;"),
        ["link"],
        "two modules up"
    );
    assert_eq!(
        named_of_net(1, "use super::{Io, link};\nfn f() { super::connect::f() }"),
        ["Io", "link", "connect"]
    );
    assert_eq!(
        named_of_net(3, "use crate::net::Io;\nuse super::x;"),
        ["Io"]
    );
    for several in [
        "use crate::net::{a::{b}, d};",
        "use crate::{Handle, net::{a::b, d}};",
        "fn f() {\n    use super::{\n        a::{b, self},\n        d as c,\n    };\n}",
    ] {
        let mut found = named_of_net(1, several);
        found.dedup();
        assert_eq!(found, ["a", "d"], "the search finds all of `{several}`");
    }
    let mut homes = BTreeMap::new();
    for item in uses(&read("statem/src/net/mod.rs")) {
        if let syn::UseTree::Path(path) = &item.tree {
            let mut names = Vec::new();
            used(&path.tree, &mut names);
            homes.extend(names.into_iter().map(|name| (name, path.ident.to_string())));
        }
    }
    let order: Vec<_> = ORDER_OF_NET.split(' ').collect();
    let source = root().join("statem/src/net");
    for file in rust_files("statem/src/net") {
        let path = file.strip_prefix(&source).expect("it is below");
        let words: Vec<_> = path.iter().map(|word| word.to_string_lossy()).collect();
        let module = words[0].trim_end_matches(".rs");
        if module == "mod" {
            continue;
        }
        let place = order.iter().position(|known| *known == module);
        assert!(place.is_some(), "`{module}` has no place in the order");
        let depth = words.len() - usize::from(words.last().is_some_and(|last| last == "mod.rs"));
        let text = fs::read_to_string(&file).expect("it can be read");
        for name in named_of_net(depth, &text) {
            let home = homes.get(&name).map_or(&*name, String::as_str);
            let stands_on_it = order
                .iter()
                .position(|known| *known == home)
                .is_some_and(|at| Some(at) > place);
            assert!(
                !stands_on_it,
                "{}: `{module}` names `{name}` of `{home}`, which stands on it",
                path.display()
            );
        }
    }
}
