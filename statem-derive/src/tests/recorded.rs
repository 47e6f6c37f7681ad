//! What the compiler was recorded to say in `tests/ui` of the workspace is what the derives say here,
//! at the same places; what compiles there has no mistake here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;
use syn::{Attribute, DeriveInput, ItemEnum, ItemStruct, ItemUnion, LitStr};

/// The stages whose mistakes are the derives' own; the messages of `types` are the compiler's.
const STAGES: [&str; 4] = ["parse", "attribute", "model", "validate"];

/// Messages by line and column.
type Messages = BTreeMap<(usize, usize), Vec<String>>;

#[test]
fn every_mistake_is_told_in_the_recorded_words_and_at_the_recorded_place() {
    let mut told = 0;
    for program in STAGES.into_iter().flat_map(programs) {
        let recorded = recorded(&read(&program.with_extension("stderr")));
        let said = said(&read(&program));
        assert_eq!(said, recorded, "{}", program.display());
        told += said.len();
    }
    assert!(told > 200, "{told}");
}

#[test]
fn no_mistake_is_found_in_what_compiles() {
    let mut programs = programs("pass");
    for stage in STAGES.into_iter().chain(["types"]) {
        programs.extend(self::programs(&format!("pass/{stage}")));
    }
    // What is configured away is gone before a derive sees it.
    programs.retain(|program| !read(program).contains("#[cfg("));
    for program in &programs {
        let said = said(&read(program));
        assert_eq!(said, Messages::new(), "{}", program.display());
    }
    assert!(programs.len() > 300, "{}", programs.len());
}

fn programs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/ui")
        .join(folder);
    let entries = fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut programs: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    programs.sort();
    programs
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The errors of a recording that the compiler did not find by itself.
fn recorded(text: &str) -> Messages {
    let mut messages = Messages::new();
    let mut message: Option<String> = None;
    for line in text.lines() {
        if let Some(first) = line.strip_prefix("error: ") {
            message = Some(first.to_owned());
        } else if line.starts_with("error") || line.starts_with("warning") {
            message = None;
        } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
            let ours = |message: &String| !message.starts_with("cannot find attribute");
            if let Some(message) = message.take().filter(ours) {
                let mut place = place.rsplit(':').map(|number| number.parse().unwrap_or(0));
                let (column, line) = (place.next().unwrap_or(0), place.next().unwrap_or(0));
                messages.entry((line, column)).or_default().push(message);
            }
        } else if let Some(message) = &mut message {
            message.push('\n');
            message.push_str(line.strip_prefix("       ").unwrap_or(line));
        }
    }
    messages
}

/// The errors of all derives in a program.
fn said(program: &str) -> Messages {
    let mut derives = Derives::default();
    derives.visit_file(&syn::parse_file(program).expect("Rust"));
    let mut messages = Messages::new();
    for output in derives.outputs {
        errors(output, &mut messages);
    }
    messages
}

/// Finds `compile_error!` wherever it stands.
fn errors(tokens: TokenStream, messages: &mut Messages) {
    let mut error = None;
    for token in tokens {
        match token {
            TokenTree::Ident(name) if name == "compile_error" => error = Some(name.span().start()),
            TokenTree::Punct(_) => {}
            TokenTree::Group(group) => match error.take() {
                Some(LineColumn { line, column }) => {
                    let text = syn::parse2::<LitStr>(group.stream()).expect("a message");
                    let there = messages.entry((line, column + 1)).or_default();
                    there.push(text.value());
                }
                None => errors(group.stream(), messages),
            },
            _ => error = None,
        }
    }
}

/// What the derives of a program expand to.
#[derive(Default)]
struct Derives {
    outputs: Vec<TokenStream>,
}

impl Derives {
    fn derive(&mut self, attributes: &[Attribute], item: TokenStream) {
        let mut input: DeriveInput = syn::parse2(item).expect("an item");
        input
            .attrs
            .retain(|attribute| !attribute.path().is_ident("derive"));
        let derives = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
            .map(|attribute| attribute.meta.to_token_stream().to_string());
        let derives: String = derives.collect();
        if derives.contains("StateMachine") {
            self.outputs.push(crate::state_machine(&input));
        }
        if derives.contains("Client") {
            self.outputs.push(crate::client::client(&input));
        }
    }
}

impl<'ast> Visit<'ast> for Derives {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.derive(&item.attrs, item.to_token_stream());
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.derive(&item.attrs, item.to_token_stream());
    }

    fn visit_item_union(&mut self, item: &'ast ItemUnion) {
        self.derive(&item.attrs, item.to_token_stream());
    }
}
