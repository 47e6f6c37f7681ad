//! The machine of a session, driven by hand: no socket, no TLS, no waiting.

use std::time::Duration;

use bytes::BytesMut;
use statem::net::{Io, TlsError};
use statem::testing::{Bench, Wire, wire};
use statem::{ExitReason, Machine};
use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::codec::Decoder;

use super::certificate;
use super::codec::{Command, Commands, Fault, Part, Text};
use super::machine::{Accepted, COMMAND, MESSAGE, Message, Shared, Smtp, TLS};

struct Driven {
    bench: Bench<Smtp>,
    client: Wire,
    delivered: Receiver<Message>,
}

/// A session that has greeted.
fn plain() -> Driven {
    let (tls, _) = certificate::pair("mail.example").expect("a certificate");
    let (messages, delivered) = channel(1);
    let (end, client) = wire();
    let shared = Shared { tls, messages };
    let bench = Bench::new(Accepted::new(Box::new(end)), shared);
    let driven = Driven {
        bench,
        client,
        delivered,
    };
    assert_eq!(driven.heard(), ["220 mail.example ESMTP"]);
    driven
}

/// A session over TLS that has heard the client's hello. What is below TLS is not looked at.
fn secured() -> Driven {
    let mut driven = plain();
    driven.say("STARTTLS\r\n", ["220"]);
    driven.secure();
    driven.say("EHLO client\r\n", ["250-", "250-", "250 "]);
    driven
}

impl Driven {
    /// TLS is set up, over another wire.
    fn secure(&mut self) {
        assert_eq!(self.bench.state_name(), "Securing");
        let (end, client) = wire();
        let secured: Result<Box<dyn Io>, TlsError> = Ok(Box::new(end));
        self.bench.finish(secured);
        self.bench.poll();
        self.client = client;
    }

    /// The client says this; the lines of the server's answer begin with these codes.
    fn say<const N: usize>(&mut self, bytes: impl AsRef<[u8]>, codes: [&str; N]) {
        self.client.send(bytes);
        self.bench.poll();
        let heard = self.heard();
        assert_eq!(heard.len(), N, "{heard:?}");
        for (line, code) in heard.iter().zip(codes) {
            assert!(line.starts_with(code), "{line:?} is not {code}");
        }
    }

    fn heard(&self) -> Vec<String> {
        let bytes = self.client.take_written();
        let text = String::from_utf8(bytes).expect("the server writes text");
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        text.lines().map(str::to_owned).collect()
    }

    fn state(&self) -> &'static str {
        self.bench.state_name()
    }
}

/// As [`Driven::state`], of a session that has ended.
fn has_ended(driven: &Driven) -> bool {
    matches!(driven.bench.stopped(), Some(ExitReason::Normal))
}

#[test]
fn a_message_goes_from_state_to_state() {
    let mut session = secured();
    session.say("MAIL FROM:<ann@a>\r\n", ["250"]);
    session.say("RCPT TO:<bob@b>\r\nRCPT TO:<cy@c>\r\n", ["250", "250"]);
    session.say("DATA\r\n", ["354"]);
    session.say("one\r\n..two\r\n\r\n", []);
    session.say(".\r\n", ["250 2.0.0 Queued"]);
    let message = session.delivered.try_recv().expect("it is delivered");
    let expected = Message {
        from: "ann@a".to_owned(),
        to: vec!["bob@b".to_owned(), "cy@c".to_owned()],
        text: BytesMut::from("one\r\n.two\r\n\r\n"),
    };
    assert_eq!(message, expected);
    session.say("QUIT\r\n", ["221"]);
    assert!(session.client.is_shut());
    session.client.end();
    session.bench.poll();
    assert!(has_ended(&session));
    let path = "Accepted Plain Securing Ready Envelope Receiving Ready Goodbye";
    assert_eq!(session.bench.path().join(" "), path);
}

#[test]
fn however_the_bytes_are_cut_the_session_hears_the_same() {
    let whole =
        "MAIL FROM:<ann@a>\r\nRCPT TO:<bob@b>\r\nDATA\r\nMAIL FROM:<text>\r\n..\r\n.\r\nNOOP\r\n";
    for cut in 0..=whole.len() {
        let mut session = secured();
        let (before, after) = whole.split_at(cut);
        for part in [before, after] {
            session.client.send(part);
            session.bench.poll();
        }
        let codes: Vec<String> = session
            .heard()
            .iter()
            .map(|line| line[..3].to_owned())
            .collect();
        assert_eq!(codes, ["250", "250", "354", "250", "250"], "cut at {cut}");
        let message = session.delivered.try_recv().expect("it is delivered");
        assert_eq!(message.text, "MAIL FROM:<text>\r\n.\r\n", "cut at {cut}");
    }
}

#[test]
fn what_is_out_of_order_is_refused_and_changes_nothing() {
    let mut session = plain();
    for command in ["MAIL FROM:<a>", "RCPT TO:<b>", "DATA"] {
        session.say(format!("{command}\r\n"), ["530"]);
        assert_eq!(session.state(), "Plain");
    }
    session.say("STARTTLS\r\n", ["220"]);
    session.secure();
    // It has said no hello since.
    session.say("MAIL FROM:<a>\r\n", ["503"]);
    session.say("EHLO client\r\n", ["250-", "250-", "250 "]);
    for command in ["RCPT TO:<b>", "DATA", "STARTTLS"] {
        session.say(format!("{command}\r\n"), ["503"]);
        assert_eq!(session.state(), "Ready");
    }
    session.say("MAIL FROM:<a>\r\n", ["250"]);
    for command in ["MAIL FROM:<a>", "DATA", "STARTTLS"] {
        session.say(format!("{command}\r\n"), ["503"]);
        assert_eq!(session.state(), "Envelope");
    }
    session.say("RSET\r\n", ["250"]);
    assert_eq!(session.state(), "Ready");
}

#[test]
fn what_was_said_in_plain_text_is_not_believed_after_tls() {
    let mut session = plain();
    session.say("EHLO client\r\n", ["250-", "250-", "250 STARTTLS"]);
    session.say("STARTTLS\r\n", ["220"]);
    session.secure();
    session.say("MAIL FROM:<a>\r\n", ["503"]);
    session.say("EHLO client\r\n", ["250-", "250-", "250 SIZE"]);
}

#[test]
fn bytes_behind_starttls_go_with_the_connection() {
    for behind in ["EHLO mallory\r\n", "x", "\r\n"] {
        let mut session = plain();
        session.say(format!("STARTTLS\r\n{behind}"), []);
        assert!(has_ended(&session), "{behind:?}");
        assert!(session.client.is_closed());
        assert_eq!(session.bench.path(), ["Accepted", "Plain"]);
    }
}

#[test]
fn tls_that_cannot_be_set_up_ends_the_session() {
    let mut session = plain();
    session.say("STARTTLS\r\n", ["220"]);
    let failed: Result<Box<dyn Io>, TlsError> = Err(TlsError::Cut);
    session.bench.finish(failed);
    session.bench.poll();
    assert!(has_ended(&session));
}

#[test]
fn a_line_that_is_too_long_is_told_and_its_bytes_are_not_kept() {
    let mut session = plain();
    session.say("NOOP ".to_owned() + &"x".repeat(505) + "\r\n", ["250"]);
    session.say("NOOP ".to_owned() + &"x".repeat(506) + "\r\n", ["500"]);
    for _ in 0..100 {
        session.say("y".repeat(50_000), []);
    }
    session.say("\r", []);
    session.say("\n", ["500"]);
    session.say("NOOP\r\n", ["250"]);

    let mut commands = Commands::default();
    let mut received = BytesMut::from(&[b'y'; 5000][..]);
    assert!(matches!(commands.decode(&mut received), Ok(None)));
    assert_eq!(received.len(), 1);
}

#[test]
fn a_mistake_in_a_command_is_named_and_forgiven() {
    let mut session = secured();
    for (line, code) in [
        ("VRFY bob", "500 5.5.1"),
        ("", "500 5.5.1"),
        ("NO\nOP", "500 5.5.2 Lines end"),
        ("NO\rOP", "500 5.5.2 Lines end"),
        ("EHLO", "501"),
        ("QUIT now", "501"),
        ("MAIL TO:<a>", "501"),
        ("MAIL FROM:a", "501"),
        ("MAIL FROM:<a", "501"),
        ("MAIL FROM:<a b>", "501"),
        ("RCPT TO:<>", "501"),
    ] {
        session.say(format!("{line}\r\n"), [code]);
        assert_eq!(session.state(), "Ready", "{line:?}");
    }
    session.say(b"NOOP\xff\r\n", ["500 5.5.1"]);
    session.say("mail from: <a> SIZE=10\r\n", ["250"]);
}

#[test]
fn a_message_that_cannot_be_taken_is_refused_in_its_end() {
    let long = format!("{}\r\n", "x".repeat(1000));
    let line = format!("{}\r\n", "x".repeat(998));
    for (text, code) in [
        (long.clone(), "500 5.5.2 Line too long"),
        (line.repeat(66), "552"),
        // It ends for some servers, and goes on for others.
        ("a\n.\nMAIL FROM:<b>\r\n".to_owned(), "500 5.5.2 Lines end"),
        // What is wrong first is told.
        (long + "a\nb\r\n", "500 5.5.2 Line too long"),
    ] {
        let mut session = secured();
        session.say(
            "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
            ["250", "250", "354"],
        );
        session.say(text, []);
        session.say(".\r\n", [code]);
        assert!(session.delivered.try_recv().is_err());
        assert_eq!(session.state(), "Ready");
    }
    let mut session = secured();
    session.say(
        "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
        ["250", "250", "354"],
    );
    session.say(line.repeat(65), []);
    session.say(".\r\n", ["250"]);
}

#[test]
fn messages_that_nobody_takes_are_refused_for_a_while() {
    let mut session = secured();
    let message = "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n.\r\n";
    session.say(message, ["250", "250", "354", "250"]);
    session.say(message, ["250", "250", "354", "452 4.3.1"]);
    session.delivered.try_recv().expect("the first one");
    session.say(message, ["250", "250", "354", "250"]);
}

#[test]
fn there_is_an_end_to_the_recipients() {
    let mut session = secured();
    session.say("MAIL FROM:<a>\r\n", ["250"]);
    session.say("RCPT TO:<b>\r\n".repeat(100), ["250"; 100]);
    session.say("RCPT TO:<b>\r\n", ["452 4.5.3"]);
    session.say("DATA\r\n", ["354"]);
}

#[test]
fn each_state_has_its_own_deadline() {
    type Way = fn() -> Driven;
    let receiving: Way = || {
        let mut session = secured();
        session.say(
            "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
            ["250", "250", "354"],
        );
        session
    };
    let envelope: Way = || {
        let mut session = secured();
        session.say("MAIL FROM:<a>\r\n", ["250"]);
        session
    };
    for (way, limit) in [
        (plain as Way, COMMAND),
        (secured, COMMAND),
        (envelope, COMMAND),
        (receiving, MESSAGE),
    ] {
        let mut session = way();
        let before = session.state();
        let moment = Duration::from_millis(1);
        session.bench.advance(limit.saturating_sub(moment));
        // Bytes are no command.
        session.say("x", []);
        assert_eq!(session.state(), before);
        session.bench.advance(moment);
        assert_eq!(session.heard(), ["421 4.4.2 mail.example waited too long"]);
        assert_eq!(session.state(), "Goodbye");
        assert!(session.client.is_shut());
    }
    let mut session = plain();
    session.say("STARTTLS\r\n", ["220"]);
    session.bench.advance(TLS);
    assert!(has_ended(&session));
}

#[test]
fn a_command_gives_time_for_the_next_one() {
    let mut session = plain();
    for _ in 0..5 {
        session.bench.advance(COMMAND / 2);
        session.say("NOOP\r\n", ["250"]);
    }
    session.bench.advance(COMMAND);
    session.say("", ["421"]);
}

// On a runtime, for the limits of a link are its timers.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_no_replies_loses_its_connection() {
    let mut session = plain();
    session.client.accept(0);
    session.client.send("NOOP\r\n".repeat(280));
    session.bench.poll();
    session.bench.poll();
    assert_eq!(session.state(), "Plain", "not 4 KiB of replies wait");
    session.client.send("NOOP\r\n".repeat(20));
    session.bench.poll();
    session.bench.poll();
    assert!(has_ended(&session));
    assert!(session.client.is_closed());
}

#[test]
fn a_server_that_shuts_down_tells_the_client() {
    let shutdown = || Smtp::shutdown().expect("there is an event for it");
    let mut session = secured();
    session.bench.send(shutdown());
    assert_eq!(session.heard(), ["421 4.3.2 mail.example is shutting down"]);
    session.client.end();
    session.bench.poll();
    assert!(has_ended(&session));

    let mut session = plain();
    session.say("STARTTLS\r\n", ["220"]);
    session.bench.send(shutdown());
    assert!(has_ended(&session), "nothing can be said there");
}

#[test]
fn a_client_that_goes_ends_the_session_in_each_state() {
    for commands in [
        "",
        "MAIL FROM:<a>\r\n",
        "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nhal",
    ] {
        let mut session = secured();
        session.client.send(commands);
        session.client.end();
        session.bench.poll();
        assert!(has_ended(&session), "{commands:?}");
        assert!(session.client.is_closed());
        assert!(session.delivered.try_recv().is_err());
    }
}

#[test]
fn a_part_of_a_message_is_no_command() {
    let mut text = BytesMut::from("QUIT\r\n.\r\nQUIT\r\n");
    let mut codec = Text::default();
    let line = codec.decode(&mut text).expect("text");
    assert_eq!(line, Some(Ok(Part::Line("QUIT".into()))));
    assert_eq!(codec.decode(&mut text).expect("text"), Some(Ok(Part::End)));
    let command = Commands::default().decode(&mut text).expect("a command");
    assert_eq!(command, Some(Ok(Command::Quit)));
    let mut bare = BytesMut::from("a\nb\r\n");
    let fault = Text::default().decode(&mut bare).expect("text");
    assert_eq!(fault, Some(Err(Fault::BareEnd)));
}
