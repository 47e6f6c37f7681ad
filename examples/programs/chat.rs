//! The chat: its story, its arguments, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::process::Command;
use std::time::Duration;

use crate::running::Talking;
use crate::{LIMIT, program, run, text};

#[test]
fn the_chat_tells_its_story() {
    let output = run("chat_server", &[]);
    let (shown, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}{errors}");
    for words in [
        "  bob  hears * somebody else has that name\n",
        "  ann  hears <ann> has anybody seen cy?\n  bob  hears <ann> has anybody seen cy?\n",
        "  bob  hears * here: ann, bob\n",
        "  bob  hears * that line has more than 512 bytes and was dropped\n",
        "  ann  hears each of her lines, and bob all of them\n",
        " of them, then * you read too slowly and missed ",
        "  ann  hears * goodbye: the server is shutting down\n",
        "; 3 sessions, of which 3 have ended well\n",
    ] {
        assert!(shown.contains(words), "no {words:?} in:\n{shown}");
    }
    let of_the_line = "that line has more than 512 bytes and was dropped";
    assert_eq!(errors.matches(of_the_line).count(), 1, "{errors}");
}

#[test]
fn the_chat_says_how_it_is_used() {
    let help = run("chat_server", &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).starts_with("usage: chat_server "));
    for (arguments, named) in [
        (&["--lisen", "127.0.0.1:0"][..], "`--lisen`"),
        (&["--listen"], "an address"),
        (&["--listen", "localhost"], "`localhost`"),
        (&["127.0.0.1:0"], "`127.0.0.1:0`"),
    ] {
        let wrong = run("chat_server", arguments);
        assert_eq!(wrong.status.code(), Some(2), "{arguments:?}");
        let said = text(&wrong.stderr);
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(said.contains("usage: chat_server "), "{arguments:?}");
        assert!(wrong.stdout.is_empty(), "{arguments:?}");
    }
    // A port that is taken is no wrong argument.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let failed = run("chat_server", &["--listen", &address]);
    assert_eq!(failed.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn at_ctrl_c_the_members_of_the_chat_hear_a_goodbye_and_it_ends_well() {
    let mut chat = program("chat_server");
    let (chat, shown) = Talking::start(chat.args(["--listen", "127.0.0.1:0"]), LIMIT);
    let mut shown = BufReader::new(shown);
    let mut line = String::new();
    shown
        .read_line(&mut line)
        .expect("it says where it listens");
    let address = line.strip_prefix("listening on ").expect("an address");
    let (address, _) = address.split_once(": ").expect("an address");

    let mut member = TcpStream::connect(address).expect("it listens");
    member
        .write_all(b"/nick ann\n/join den\n")
        .expect("the server reads");
    let mut heard = BufReader::new(member);
    let mut line = String::new();
    while line != "* ann comes in\n" {
        line.clear();
        assert!(heard.read_line(&mut line).expect("the server writes") > 0);
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &chat.id().to_string()])
        .status();
    assert!(interrupt.expect("`kill` runs").success());
    let mut rest = String::new();
    heard.read_to_string(&mut rest).expect("the server writes");
    assert_eq!(rest, "* goodbye: the server is shutting down\n");
    drop(heard);
    assert_eq!(chat.wait().code(), Some(0));
    let mut rest = String::new();
    shown.read_to_string(&mut rest).expect("it writes text");
    assert_eq!(
        rest,
        "shutting down: 1 connections\n1 connections were served, 0 refused\n"
    );
}

#[test]
fn a_program_that_is_talked_with_is_killed_at_its_limit() {
    // Nobody tells it to stop.
    let mut chat = program("chat_server");
    let limit = Duration::from_secs(1);
    let (chat, mut shown) = Talking::start(chat.args(["--listen", "127.0.0.1:0"]), limit);
    // Whether it has begun to listen by then depends on the computer.
    shown
        .read_to_string(&mut String::new())
        .expect("it writes text");
    let status = chat.wait();
    assert!(!status.success());
    if cfg!(unix) {
        assert_eq!(status.code(), None, "it did not end by itself");
    }
}
