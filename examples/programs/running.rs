//! Runs a program to its end, or to a limit: then it tells what the program has said and does.
//! Or talks with one, which ends at a limit too.

use std::fmt::Write;
use std::io::Read;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a program to its end.
///
/// # Errors
///
/// If it has not ended within the limit, what is known of it. It is killed.
pub(crate) fn output_within(program: &mut Command, limit: Duration) -> Result<Output, String> {
    let began = now();
    let mut child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = Said::read(child.stdout.take().expect("it is piped"));
    let stderr = Said::read(child.stderr.take().expect("it is piped"));
    loop {
        if let Some(status) = child.try_wait().expect("it can be asked for") {
            return Ok(Output {
                status,
                stdout: stdout.all(),
                stderr: stderr.all(),
            });
        }
        if began.elapsed() >= limit {
            break;
        }
        sleep(LOOK);
    }
    let threads = threads(&child);
    child.kill().expect("it is ours");
    child.wait().expect("it was killed");
    Err(format!(
        "{program:?} has not ended within {limit:?}\n-- standard output\n{}\n-- standard error\n{}\n\
         -- threads\n{threads}",
        stdout.so_far(),
        stderr.so_far()
    ))
}

/// A program that a test talks with. It is killed at its limit, which ends whatever the test waits
/// for, and with the test.
pub(crate) struct Talking {
    child: Arc<Mutex<Child>>,
    /// Dropped, it ends the thread that waits for the limit.
    _ended: Sender<()>,
}

impl Talking {
    pub(crate) fn start(program: &mut Command, limit: Duration) -> (Self, ChildStdout) {
        let mut child = program
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let child = Arc::new(Mutex::new(child));
        let (ended, has_ended) = channel();
        let (late, name) = (child.clone(), format!("{program:?}"));
        spawn(move || {
            if has_ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let mut late = lock(&late);
                let threads = threads(&late);
                eprintln!("{name} has not ended within {limit:?}\n-- threads\n{threads}");
                // It may have ended by now.
                let _ = late.kill();
            }
        });
        let talking = Talking {
            child,
            _ended: ended,
        };
        (talking, stdout)
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> ExitStatus {
        loop {
            if let Some(status) = lock(&self.child).try_wait().expect("it can be asked for") {
                return status;
            }
            sleep(LOOK);
        }
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        // It may have ended.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What a program says on one stream, read as it comes, so that it never waits for us.
struct Said {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Said {
    fn read(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = bytes.clone();
        let reader = spawn(move || {
            let mut piece = [0; 4096];
            loop {
                match stream.read(&mut piece) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => lock(&into).extend_from_slice(&piece[..length]),
                }
            }
        });
        Said { bytes, reader }
    }

    /// Everything, when the program has ended.
    fn all(self) -> Vec<u8> {
        self.reader.join().expect("reading does not panic");
        std::mem::take(&mut lock(&self.bytes))
    }

    /// Does not wait for the end of the stream: a process that the program has started may hold it.
    fn so_far(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
fn now() -> Instant {
    Instant::now()
}

/// What each thread of a process does, a line a thread, as far as the system tells.
fn threads(child: &Child) -> String {
    let folder = format!("/proc/{}/task", child.id());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return "the system does not tell".to_owned();
    };
    let mut told = String::new();
    for thread in entries.flatten() {
        let read = |file: &str| {
            let text = std::fs::read_to_string(thread.path().join(file));
            text.map_or_else(|_| "?".to_owned(), |text| text.trim().to_owned())
        };
        let status = read("status");
        let mut lines = status.lines();
        let state = lines.find_map(|line| line.strip_prefix("State:"));
        let (name, waits, call) = (read("comm"), read("wchan"), read("syscall"));
        let _ = writeln!(
            told,
            "{} {name}: {}, waits in {waits}, system call {call}",
            thread.file_name().display(),
            state.unwrap_or("?").trim()
        );
    }
    told
}
