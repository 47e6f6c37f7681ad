//! Prints the state diagram of an example's machine: `cargo run --example diagram -- NAME [--dot]`.
//!
//! It is Mermaid source, which code hosts draw, or DOT for Graphviz. It is made from the enum that
//! the compiler checks every transition against, so it cannot be wrong.

use std::process::ExitCode;

use statem::Graph;
use statem_examples::MACHINES;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        println!("{}", usage());
        return ExitCode::SUCCESS;
    }
    match picture(&arguments) {
        Ok(picture) => {
            print!("{picture}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("diagram: {why}\n{}", usage());
            ExitCode::from(2)
        }
    }
}

fn picture(arguments: &[String]) -> Result<String, String> {
    let mut machine = None;
    let mut draw: fn(&Graph) -> String = Graph::mermaid;
    for argument in arguments {
        if argument == "--dot" {
            draw = Graph::dot;
        } else if argument.starts_with('-') || machine.is_some() {
            return Err(format!("`{argument}` is not an argument of this program"));
        } else {
            let named = MACHINES.iter().find(|(name, _)| name == argument);
            machine = Some(named.ok_or_else(|| format!("there is no machine `{argument}`"))?);
        }
    }
    let (_, graph) = machine.ok_or("which machine?")?;
    Ok(draw(graph))
}

fn usage() -> String {
    let names: Vec<_> = MACHINES.iter().map(|(name, _)| *name).collect();
    format!(
        "usage: diagram NAME [--dot]\nthe machines are: {}",
        names.join(", ")
    )
}
