//! Breaks the engine in many ways, one at a time, and sees whether the golden set notices.
//!
//! Each mutation is built and run on a copy of the sources in the target folder, so that the engine
//! needs no switch for it. An argument picks the mutations whose names contain it, `--each N` every
//! Nth.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use statem_conformance::Layer;
use statem_conformance::mutation::{self, Mutation};

/// A golden set that takes longer than this has been broken into a loop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// What the copy consists of.
const MEMBERS: [&str; 3] = ["statem", "statem-derive", "tests/conformance"];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let mut mutations = mutation::all()?;
    let all = mutations.len();
    match arguments.as_slice() {
        [] => {}
        [option, number] if option == "--each" => {
            let number: usize = number
                .parse()
                .map_err(|_| format!("{number} is no number"))?;
            mutations = mutations.into_iter().step_by(number.max(1)).collect();
        }
        [name] => mutations.retain(|mutation| mutation.name.contains(name)),
        _ => return Err("mutations [NAME | --each N]".into()),
    }
    let copy = Copy::make()?;
    for on_driver in [false, true] {
        if copy.judge(on_driver)? != Fate::Survived {
            return Err("the golden set differs without any mutation".into());
        }
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "only the person who waits is told"
    )]
    let began = Instant::now();
    let mut survivors = 0;
    for mutation in &mutations {
        let fate = copy.break_by(mutation)?;
        survivors += usize::from(fate == Fate::Survived);
        println!(
            "{:<10}{}",
            format!("{fate:?}").to_lowercase(),
            mutation.name
        );
    }
    let (tried, seconds) = (mutations.len(), began.elapsed().as_secs());
    println!("{tried} of {all} mutations in {seconds} s, {survivors} survived");
    Ok(survivors == 0)
}

/// What the golden set said to a mutation.
#[derive(Debug, PartialEq)]
enum Fate {
    Survived,
    /// A trace differed.
    Killed,
    /// The harness panicked.
    Panicked,
    /// It did not come to an end.
    Hung,
}

/// A copy of the sources, with a target folder of its own.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    fn make() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = program.ancestors().nth(2).ok_or("no target folder")?;
        let copy = Copy {
            folder: target.join("mutations"),
        };
        let manifest = read(&root().join("Cargo.toml"))?;
        let members = manifest
            .lines()
            .find(|line| line.starts_with("members"))
            .ok_or("no members")?;
        let fewer = format!("members = {MEMBERS:?}");
        copy.write("Cargo.toml", &manifest.replace(members, &fewer))?;
        for file in ["Cargo.lock", "README.md", "rust-toolchain.toml"] {
            copy.write(file, &read(&root().join(file))?)?;
        }
        for member in MEMBERS {
            copy.copy(member)?;
        }
        Ok(copy)
    }

    fn copy(&self, path: &str) -> Result<(), String> {
        let from = root().join(path);
        if !from.is_dir() {
            return self.write(path, &read(&from)?);
        }
        for entry in fs::read_dir(&from).map_err(|error| format!("{path}: {error}"))? {
            let name = entry
                .map_err(|error| format!("{path}: {error}"))?
                .file_name();
            self.copy(&format!("{path}/{}", name.display()))?;
        }
        self.remove_what_is_gone(path, &from)
    }

    /// A file that has moved would be there twice.
    fn remove_what_is_gone(&self, path: &str, from: &Path) -> Result<(), String> {
        let entries = fs::read_dir(self.folder.join(path));
        for entry in entries.map_err(|error| format!("{path}: {error}"))? {
            let there = entry.map_err(|error| format!("{path}: {error}"))?.path();
            let name = there.file_name().unwrap_or_default();
            if !from.join(name).exists() {
                let removed = if there.is_dir() {
                    fs::remove_dir_all(&there)
                } else {
                    fs::remove_file(&there)
                };
                removed.map_err(|error| format!("{}: {error}", there.display()))?;
            }
        }
        Ok(())
    }

    /// Writes a file, unless it is so already: what has not changed is not built again.
    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What the golden set says to a mutation.
    fn break_by(&self, mutation: &Mutation) -> Result<Fate, String> {
        let source = read(&root().join(mutation.file))?;
        self.write(mutation.file, &mutation.apply(&source)?)?;
        let fate = self.judge(mutation.on_driver);
        self.write(mutation.file, &source)?;
        fate.map_err(|why| format!("{}: {why}", mutation.name))
    }

    /// Builds the copy and runs the golden set on it.
    fn judge(&self, on_driver: bool) -> Result<Fate, String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "-p", "statem-conformance"]);
        cargo.args(["--bin", "conformance"]);
        if !on_driver {
            cargo.arg("--no-default-features");
        }
        let built = cargo
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // Nobody debugs these, and their warnings are expected.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("RUSTFLAGS", "-Awarnings")
            .output()
            .map_err(|error| error.to_string())?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            return Err(format!("it does not build:\n{said}"));
        }
        let layers: &[Layer] = if on_driver {
            &[Layer::Driver]
        } else {
            &[Layer::Engine, Layer::Derive]
        };
        for layer in layers {
            let fate = self.run_on(*layer)?;
            if fate != Fate::Survived {
                return Ok(fate);
            }
        }
        Ok(Fate::Survived)
    }

    fn run_on(&self, layer: Layer) -> Result<Fate, String> {
        let mut child = Command::new(self.folder.join("target/debug/conformance"))
            .args(["--golden", "--layer", &layer.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return match status.code() {
                    Some(0) => Ok(Fate::Survived),
                    Some(1) => Ok(Fate::Killed),
                    Some(2) => Err("the golden set cannot be read".into()),
                    _ => Ok(Fate::Panicked),
                };
            }
            thread::sleep(LOOK);
        }
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        Ok(Fate::Hung)
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
