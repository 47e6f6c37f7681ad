//! The server's process: this program again, with a flag. It says where it listens, and what it has
//! used each time it is asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use statem_examples::chat_server::{Chat, listen};

use super::by_hand;
use crate::idle::resident;

/// Makes this program the server of a contender.
pub(crate) const FLAG: &str = "--crowd";

/// A server in a process of its own.
pub(super) struct Server {
    process: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

/// What a process has used.
#[derive(Clone, Copy)]
pub(super) struct Used {
    /// The resident set, in bytes.
    pub(super) memory: f64,
    /// The time of processors, in nanoseconds.
    pub(super) processor: f64,
}

impl Server {
    pub(super) fn start(contender: &str) -> Self {
        let program = std::env::current_exe().expect("this is a program");
        let mut process = Command::new(program)
            .args([FLAG, contender])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs again");
        let asked = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut server = Server {
            process,
            asked,
            answers,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        server.address = server.answer().parse().expect("it says where it listens");
        server
    }

    pub(super) fn used(&mut self) -> Used {
        self.asked.write_all(b"\n").expect("the server lives");
        let answer = self.answer();
        let (memory, processor) = answer.split_once(' ').expect("two numbers");
        Used {
            memory: memory.parse().expect("a number"),
            processor: processor.parse().expect("a number"),
        }
    }

    /// Ends it, and sees that it ended well.
    pub(super) fn end(self) {
        let Server {
            mut process, asked, ..
        } = self;
        drop(asked);
        assert!(process.wait().expect("it ends").success());
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it writes text");
        line.truncate(line.trim_end().len());
        line
    }
}

/// As many descriptors as this process and those that it starts may have.
pub(super) fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // What it may not have it has not.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Serves in this process, on one thread, until nobody asks any more.
pub(crate) fn serve_here(contender: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let (tell, asked) = tokio::sync::oneshot::channel::<()>();
    let listener = runtime.block_on(async { listen((Ipv4Addr::LOCALHOST, 0).into()) });
    let listener = listener.expect("a port is free");
    println!("{}", listener.local_addr().expect("it has one"));
    // It is not waited for: a server that panics is to end, and not to leave its members waiting.
    drop(std::thread::spawn(move || {
        for _ in std::io::stdin().lines() {
            let used = clock_gettime(ClockId::ProcessCPUTime);
            let used = Duration::try_from(used).expect("it is not negative");
            let memory = resident().expect("this is Linux");
            println!("{memory} {}", used.as_nanos());
        }
        drop(tell);
    }));
    runtime.block_on(async {
        if contender == "by hand" {
            tokio::select! {
                served = by_hand::serve(listener) => served.expect("it accepts"),
                _ = asked => {}
            }
            return;
        }
        let server = Chat::default().server(listener).start();
        let _ = asked.await;
        server.shutdown(Duration::from_secs(5)).await;
        let counts = server.counts();
        assert_eq!(counts.started, counts.ended, "{counts:?}");
    });
}
