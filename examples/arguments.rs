//! For programs that take no arguments.

/// Looks at the arguments of a program that takes none: tells those who ask what it is for, and those
/// who give it any that it takes none. Neither returns: the program ends, with status 0 or 2.
pub fn none(program: &str, purpose: &str) {
    let usage = format!("usage: {program}\n\n{purpose}");
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => {
            println!("{usage}");
            std::process::exit(0);
        }
        Some(other) => {
            eprintln!("{program}: `{other}` is not an argument of this program\n{usage}");
            std::process::exit(2);
        }
    }
}
