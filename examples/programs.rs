//! The examples as programs: what they print, how they end, and what is not in them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use redis_server::Server;

#[path = "../tests/redis_server.rs"]
mod redis_server;

/// Runs an example that `cargo test` has built beside this test.
fn run(name: &str, arguments: &[&str]) -> Output {
    let this = std::env::current_exe().expect("this test is a file");
    let built = this
        .ancestors()
        .nth(2)
        .expect("a test is in a folder of the target folder")
        .join("examples");
    let program = built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: run `cargo test -p statem-examples` without naming a target",
        program.display()
    );
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the example runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("examples print text")
}

#[test]
fn the_redis_client_outlives_two_outages() {
    #[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
    let began = Instant::now();
    let output = run("redis_client", &[]);
    let shown = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{shown}{}",
        text(&output.stderr)
    );
    assert!(began.elapsed().as_secs() < 30);
    for (words, times) in [
        ("server   down", 2),
        ("recovered", 2),
        (" mismatched 0", 1),
        ("\u{1b}[", 0),
    ] {
        assert_eq!(
            shown.matches(words).count(),
            times,
            "{words:?} in:\n{shown}"
        );
    }
    for words in [
        "may or may not have run",
        "client   Connected",
        "client   Disconnected: ",
        "traffic  sent ",
        "failed: ",
    ] {
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
}

#[test]
fn the_redis_client_talks_to_a_real_redis() {
    let server = Server::start("program");
    let arguments = ["--server", &server.address(), "--seconds", "2"];
    let output = run("redis_client", &arguments);
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    assert!(
        shown.contains(" failed 0, mismatched 0\n"),
        "not all is well in:\n{shown}"
    );
}

#[test]
fn the_redis_client_says_that_there_is_no_server() {
    // The number of a port for datagrams: nobody listens there.
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let output = run("redis_client", &["--server", &address, "--seconds", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("has not connected"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stdout).contains("dialling failed: "),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn wrong_arguments_give_a_usage_line_and_status_2() {
    for arguments in [
        &["--sever", "localhost:6379"][..],
        &["--server"],
        &["--server", "6379"],
        &["now"],
    ] {
        let output = run("redis_client", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains("usage: redis_client "),
            "{arguments:?}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_small_examples_print_what_they_show() {
    assert_eq!(
        text(&run("turnstile", &[]).stdout)
            .lines()
            .collect::<Vec<_>>(),
        [
            "push: Locked",
            "coin: Unlocked",
            "coin: Unlocked",
            "push: Locked"
        ]
    );
    let door = text(&run("code_lock", &[]).stdout);
    assert!(door.contains("25 s later: "), "{door}");
    assert_eq!(door.matches("the door is open").count(), 2, "{door}");
}

#[test]
fn the_diagram_of_every_machine_is_printed_as_mermaid_or_as_dot() {
    for (name, graph) in statem_examples::MACHINES {
        for (arguments, expected) in [
            (&[*name][..], graph.mermaid()),
            (&[name, "--dot"], graph.dot()),
            (&["--dot", name], graph.dot()),
        ] {
            let output = run("diagram", arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert_eq!(text(&output.stdout), expected, "{arguments:?}");
            assert!(output.stderr.is_empty(), "{arguments:?}");
        }
    }
}

#[test]
fn the_diagram_says_which_machines_there_are() {
    let list = "the machines are: code_lock, line_client, redis_client, turnstile";
    for (arguments, why) in [
        (&[][..], "which machine?"),
        (&["--dot"], "which machine?"),
        (&["turnstyle"], "there is no machine `turnstyle`"),
        (
            &["turnstile", "code_lock"],
            "`code_lock` is not an argument",
        ),
        (&["turnstile", "--svg"], "`--svg` is not an argument"),
    ] {
        let output = run("diagram", arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert!(said.contains("usage: diagram NAME [--dot]\n"), "{said}");
        assert!(said.contains(list), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let help = run("diagram", &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains(list));
}

#[test]
fn every_example_has_a_machine_that_can_be_drawn() {
    let manifest = include_str!("Cargo.toml");
    let examples = manifest.split("[[example]]\nname = \"").skip(1);
    let mut names: Vec<_> = examples.filter_map(|rest| rest.split('"').next()).collect();
    names.retain(|name| *name != "diagram");
    names.sort_unstable();
    let drawn: Vec<_> = statem_examples::MACHINES
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(drawn, names);
}

#[test]
fn the_line_client_keeps_what_is_asked_until_there_is_a_server() {
    let output = run("line_client", &[]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "hello: HELLO",
            "still there?: STILL THERE?",
            "bye: `Line` dropped the reply unanswered in state `Connected`",
            "back again?: BACK AGAIN?",
            "bye: `Line` dropped the reply unanswered in state `Connected`"
        ]
    );
}

/// All files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_redis_client_needs_no_select_no_spawned_task_and_no_unbounded_channel() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("redis_client"));
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("the example is text");
        for word in [
            "select!",
            "tokio::spawn",
            "task::spawn",
            "spawn_local",
            "unbounded",
        ] {
            assert!(!text.contains(word), "{} says `{word}`", file.display());
        }
        // The traffic has tasks of its own. The tasks of the machine are its sources: all that is
        // spawned here is the machine.
        if file.ends_with("machine.rs") {
            let spawned: Vec<_> = text.split(".spawn(").skip(1).collect();
            assert!(
                matches!(spawned[..], [machine] if machine.starts_with("Connecting, client)")),
                "the machine spawns {} times",
                spawned.len()
            );
        }
    }
}
