//! The examples as programs: what they print, how they end, and what is not in them.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use redis_server::Server;
use running::output_within;

mod chat;
#[path = "../../tests/dns_server.rs"]
mod dns_server;
#[path = "../../tests/redis_server.rs"]
mod redis_server;
mod running;

/// How long an example may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs an example to its end.
fn run(name: &str, arguments: &[&str]) -> Output {
    output_within(program(name).args(arguments), LIMIT).unwrap_or_else(|told| panic!("{told}"))
}

/// An example that `cargo test` has built beside this test.
fn program(name: &str) -> Command {
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
    let mut program = Command::new(program);
    program.stdin(Stdio::null());
    program
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("examples print text")
}

#[test]
fn a_program_that_does_not_end_is_killed_at_its_limit_and_what_it_said_and_does_is_told() {
    // A server: it goes on until somebody tells it to stop.
    let mut chat = program("chat_server");
    chat.args(["--listen", "127.0.0.1:0"]);
    let told = output_within(&mut chat, Duration::from_secs(2)).expect_err("it does not end");
    assert!(told.contains("\nlistening on 127.0.0.1:"), "{told}");
    let tells = if cfg!(target_os = "linux") {
        "tokio-rt-worker: S (sleeping), waits in "
    } else {
        "the system does not tell"
    };
    assert!(told.contains(tells), "{told}");
    let port = told.split_once("listening on 127.0.0.1:");
    let (port, _) = port
        .and_then(|(_, rest)| rest.split_once(':'))
        .expect("it says where");
    let port = port.parse().expect("a number");
    TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens there any more");
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
        "the request may have run: ",
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
        text(&output.stdout).contains("connecting failed: "),
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
    let list = "the machines are: chat_server, code_lock, dns_client, gateway, guarantees, line_client, ready_client, redis_client, smtp_session, turnstile, two_nodes";
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

/// The names of all examples, in the order of the manifest.
fn examples() -> Vec<&'static str> {
    let manifest = include_str!("../Cargo.toml");
    let examples = manifest.split("[[example]]\n").skip(1);
    let name = |rest: &'static str| rest.split("name = \"").nth(1)?.split('"').next();
    let names: Vec<_> = examples.map(|rest| name(rest).expect("a name")).collect();
    // However they are written.
    let listed = manifest.matches("[[example]]").count();
    assert!(listed >= 11 && names.len() == listed, "{names:?}");
    names
}

#[test]
fn every_example_says_how_it_is_used() {
    for name in examples() {
        for help in ["--help", "-h"] {
            let output = run(name, &[help]);
            let shown = text(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{name} {help}");
            let usage = format!("usage: {name}");
            let (first, rest) = shown.split_once('\n').expect("lines");
            assert!(
                first == usage || first.starts_with(&format!("{usage} ")),
                "{name} {help}: {first}"
            );
            // And what it is for, or what there is to choose from.
            assert!(!rest.trim().is_empty(), "{name} {help}: {shown}");
            assert!(output.stderr.is_empty(), "{name} {help}");
        }
    }
}

#[test]
fn every_example_names_an_argument_that_it_does_not_take() {
    for name in examples() {
        let output = run(name, &["--hlep"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(said.contains("`--hlep`"), "{name}: {said}");
        assert!(said.contains(&format!("\nusage: {name}")), "{name}: {said}");
        assert!(output.stdout.is_empty(), "{name}");
    }
}

#[test]
fn every_example_has_a_machine_that_can_be_drawn() {
    let mut names = examples();
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

#[test]
fn the_mail_session_changes_what_it_talks_and_drops_what_was_put_behind_starttls() {
    let output = run("smtp_session", &[]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty());
    for (words, times) in [
        ("S: 530 5.7.0 Must issue a STARTTLS command first\n", 1),
        ("(both go on over TLS)\n", 1),
        ("S: 503 5.5.1 Bad sequence of commands\n", 2),
        ("S: 500 5.5.2 Line too long\n", 1),
        ("S: 250 2.0.0 Queued\n", 2),
        ("S: 221 2.0.0 Bye\n", 1),
        ("S: 421 4.3.2 mail.example is shutting down\n", 1),
        ("  3 sessions, of which 3 have ended well\n", 1),
        (
            "  C: STARTTLS\n  C: MAIL FROM:<mallory@client.example>\n  S: (closes the connection)\n",
            1,
        ),
        ("  | .begins with a dot\n  | MAIL FROM:<this is text>\n", 1),
        ("from <> to <bob@mail.example>\n  | short\n", 1),
        ("mallory", 1),
    ] {
        assert_eq!(
            shown.matches(words).count(),
            times,
            "{words:?} in:\n{shown}"
        );
    }
}

#[test]
fn the_dns_client_gets_every_answer_from_a_server_that_misbehaves() {
    let output = run("dns_client", &[]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for words in [
        "    example.test. 300 A 192.0.2.2\n",
        "    www.example.test. 300 CNAME example.test.\n",
        "\"text number 2\"",
        "    there is no such name\n",
    ] {
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
    let over_tcp = |line: &&str| line.contains(" over TCP, ");
    assert_eq!(shown.lines().filter(over_tcp).count(), 2, "{shown}");
    let counts = shown.lines().last().expect("the counts");
    assert!(counts.starts_with("9 answered; "), "{shown}");
    assert!(counts.contains(" 1 not believed, 2 truncated; "), "{shown}");

    let one = run("dns_client", &["example.test", "A"]);
    assert_eq!(text(&one.stdout).lines().count(), 3);
    let none = run("dns_client", &["nowhere.test"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn the_dns_client_asks_a_real_server() {
    let server = dns_server::Server::start();
    let address = server.address().to_string();
    for (name, kind, words) in [
        ("example.test", "A", "    example.test. 0 A 192.0.2.1\n"),
        ("big.example.test", "TXT", " over TCP, asked 1 time\n"),
    ] {
        let output = run("dns_client", &["--server", &address, name, kind]);
        let shown = text(&output.stdout);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
}

#[test]
fn the_dns_client_names_a_wrong_argument() {
    let wrong = run("dns_client", &["--sever", "127.0.0.1"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = text(&wrong.stderr);
    assert!(said.contains("`--sever`") && said.contains("usage: dns_client "));
    assert!(wrong.stdout.is_empty());
}

#[test]
fn the_two_nodes_tell_their_story() {
    let output = run("two_nodes", &["--seed", "1"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for words in [
        "asks again\n",
        "nobody waits for: dropped\n",
        "does not do it again\n",
        "at most once",
        "at least once",
    ] {
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
    let wrong = run("two_nodes", &["--seed", "one"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("`one` is not a seed"));
}

#[test]
fn the_ready_client_comes_back_by_itself() {
    let output = run("ready_client", &[]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        (lines[0], lines[2]),
        ("hello: HELLO", "back again?: BACK AGAIN?")
    );
    assert!(
        lines[1].starts_with("bye: the request may have run: "),
        "{shown}"
    );
}

#[test]
fn the_ready_client_takes_no_more_than_twenty_five_lines_of_code() {
    let program = include_str!("../ready_client.rs");
    let code = |line: &&str| {
        let line = line.trim_start();
        // That the program says how it is used has nothing to do with the client.
        !line.is_empty() && !line.starts_with("//") && !line.contains("arguments::none(")
    };
    let lines = program.lines().filter(code).count();
    assert!(lines <= 25, "{lines} lines");
}

#[test]
fn the_gateway_has_a_machine_for_each_device_and_its_counts_balance() {
    let output = run("gateway", &[]);
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    for words in [
        "5000 devices for 300 seconds, and a gateway that takes 4950 at once; seed 1.\n",
        " at most 4950 at once\n",
        "\nAll counts balance.\n",
    ] {
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
    // One line for each machine that panicked, and nothing else.
    let panics = errors.lines().count();
    assert!(panics > 0, "{errors}");
    assert_eq!(errors.matches("attempt to divide by zero").count(), panics);
    let ended = format!(" panicked {panics},");
    assert!(shown.contains(&ended), "no {ended:?} in:\n{shown}");

    let few = ["--devices", "20", "--limit", "10", "--seconds", "60"];
    let first = run("gateway", &[&few[..], &["--seed", "3"]].concat());
    let shown = text(&first.stdout);
    assert_eq!(first.status.code(), Some(0), "{shown}");
    assert!(shown.contains(" at most 10 at once\n"), "{shown}");
    let again = run("gateway", &[&few[..], &["--seed", "3"]].concat());
    assert_eq!(shown, text(&again.stdout));

    let wrong = run("gateway", &["--devices", "none"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("`none` is not a number"));
}

#[test]
fn the_wrong_guarantee_takes_the_tree_down_and_the_right_one_does_not() {
    let output = run("guarantees", &[]);
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    let (wrong, right) = shown.split_once("The right way").expect("both are shown");
    // The first start and three restarts, and not one more.
    assert_eq!(wrong.matches("and dials").count(), 4, "{shown}");
    let guide = include_str!("../../statem/src/guide/supervision.md");
    let quoted = guide
        .split("```text\n")
        .nth(1)
        .expect("it quotes the program");
    let quoted = quoted.split("```").next().expect("it ends");
    assert!(wrong.contains(quoted), "not in the guide:\n{wrong}");
    for words in [
        "the supervisor `shop` gave up: more than 3 restarts within 5s; the last to fail was `prices`",
        "greeter  is gone: it was shut down",
    ] {
        assert!(wrong.contains(words), "no {words:?} in:\n{shown}");
    }
    for (words, times) in [
        ("prices   starts, offline", 1),
        ("says that there is no server", 3),
        ("says \"tea is 2 euros\"", 2),
        ("shop: one for one, 0 of 3 restarts", 1),
        ("is told to stop: it was shut down", 1),
    ] {
        assert_eq!(
            right.matches(words).count(),
            times,
            "{words:?} in:\n{shown}"
        );
    }
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("redis_client");
    let files = files(&folder);
    assert!(files.len() >= 10, "{files:?}");
    // The tests have callers of their own.
    let tests = folder.join("tests");
    for file in files.iter().filter(|file| !file.starts_with(&tests)) {
        let text = std::fs::read_to_string(file).expect("the example is text");
        for word in [
            "select!",
            "tokio::spawn",
            "task::spawn",
            "spawn_local",
            "unbounded",
        ] {
            assert!(!text.contains(word), "{} says `{word}`", file.display());
        }
    }
}
