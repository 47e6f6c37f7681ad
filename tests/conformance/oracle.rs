//! OTP's gen_statem, run on cases: `oracle.erl` does the work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU64, Ordering};

/// The oracle, compiled into a folder of its own that goes with it.
pub struct Oracle {
    folder: PathBuf,
    batches: AtomicU64,
}

impl Oracle {
    /// Compiles the oracle.
    ///
    /// # Errors
    ///
    /// What is missing, in words.
    pub fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("statem-oracle-{}", process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let oracle = Oracle {
            folder,
            batches: AtomicU64::new(0),
        };
        let source = oracle.folder.join("oracle.erl");
        write(&source, include_str!("oracle.erl"))?;
        succeed(
            Command::new("erlc")
                .arg("-o")
                .arg(&oracle.folder)
                .arg(source),
        )?;
        Ok(oracle)
    }

    /// The traces of a text of cases. One process for all of them: it takes half a second to start.
    ///
    /// # Errors
    ///
    /// What went wrong, in words.
    pub fn run(&self, cases: &str) -> Result<String, String> {
        let batch = self.batches.fetch_add(1, Ordering::Relaxed);
        let [input, output] =
            ["cases", "traces"].map(|name| self.folder.join(format!("{name}-{batch}")));
        write(&input, cases)?;
        let mut erlang = Command::new("erl");
        // Whoever wants more than one thread runs several batches.
        erlang.args(["+S", "1:1", "-noshell", "-noinput", "-pa"]);
        erlang
            .arg(&self.folder)
            .args(["-s", "oracle", "main", "-extra", "-w", "1"]);
        succeed(erlang.arg(&input).arg(&output))?;
        let traces = fs::read_to_string(&output);
        for file in [&input, &output] {
            // The folder goes anyway.
            let _ = fs::remove_file(file);
        }
        traces.map_err(|error| format!("{}: {error}", output.display()))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    let output = command.output().map_err(|error| {
        format!("`{program}`: {error}; install Erlang (Debian: apt-get install erlang-base)")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "`{program}` failed: {}",
        String::from_utf8_lossy(&said)
    ))
}
