//! The server's side of a mail session: one machine a connection.
//!
//! The socket lives in the state's struct and moves from one to the next, each time with what is
//! talked on it: commands in plain text, TLS being set up, commands again, the text of a message,
//! and commands once more. A state that is left takes what it knew with it, so nothing that was
//! said in plain text is believed after TLS (RFC 3207), by construction.

use std::time::Duration;

use bytes::BytesMut;
use statem::net::{Io, Link, LinkConfig, LinkEvent, SendError, TlsAcceptor, TlsError};
use statem::{At, Cx, EnterCx, Handler, Next, StateMachine, keep, unexpected};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::codec::{Command, Commands, Fault, Part, Text};

/// How long the client may take for its next command.
pub const COMMAND: Duration = Duration::from_secs(5 * 60);
/// How long it may take to set up TLS.
pub const TLS: Duration = Duration::from_secs(30);
/// How long the text of a message may take.
pub const MESSAGE: Duration = Duration::from_secs(10 * 60);
/// How long the client may take to close the connection after the last word.
pub const GOODBYE: Duration = Duration::from_secs(5);
/// The longest message, in bytes. The reply to `EHLO` says it.
pub const SIZE: usize = 64 * 1024;
/// The most recipients of a message.
pub const RECIPIENTS: usize = 100;

const READY: &str = "220 mail.example ESMTP";
const BYE: &str = "221 2.0.0 Bye";
const GO_AHEAD: &str = "220 2.0.0 Ready to start TLS";
const OK: &str = "250 2.0.0 OK";
const HELLO: &str = "250 mail.example";
const HELLO_IN_PLAIN_TEXT: &str = "250-mail.example\n250-PIPELINING\n250 STARTTLS";
const HELLO_OVER_TLS: &str = "250-mail.example\n250-PIPELINING\n250 SIZE 65536";
const QUEUED: &str = "250 2.0.0 Queued";
const SEND_TEXT: &str = "354 End the message with a dot on a line of its own";
const TOO_LATE: &str = "421 4.4.2 mail.example waited too long";
const SHUTTING_DOWN: &str = "421 4.3.2 mail.example is shutting down";
const TOO_MANY_MESSAGES: &str = "452 4.3.1 Too many messages wait here, try later";
const TOO_MANY_RECIPIENTS: &str = "452 4.5.3 Too many recipients";
const OUT_OF_ORDER: &str = "503 5.5.1 Bad sequence of commands";
const TLS_FIRST: &str = "530 5.7.0 Must issue a STARTTLS command first";
const TOO_BIG: &str = "552 5.3.4 Message too big";

/// A mail session.
#[derive(StateMachine)]
#[machine(event = Event, data = Shared, shutdown = Event::Leave(SHUTTING_DOWN))]
#[to(Ended = "closed")]
pub enum Smtp {
    /// The client has connected.
    #[initial]
    #[to(Plain = "greeted")]
    Accepted(Accepted),
    /// Commands in plain text, that anybody could have written.
    #[to(Securing = "STARTTLS", Goodbye = "QUIT or late")]
    Plain(Plain),
    /// TLS is being set up.
    #[to(Ready = "done")]
    Securing,
    /// Commands over TLS, and no message yet.
    #[to(Envelope = "MAIL", Goodbye = "QUIT or late")]
    Ready(Ready),
    /// A message with its sender and, one by one, its recipients.
    #[to(Receiving = "DATA", Ready = "RSET or EHLO", Goodbye = "QUIT or late")]
    Envelope(Envelope),
    /// The text of the message comes.
    #[to(Ready = "complete", Goodbye = "late")]
    Receiving(Receiving),
    /// The last word is said; the client is to close the connection.
    Goodbye(Goodbye),
    /// The connection has ended.
    #[terminal]
    Ended,
}

/// A connection on which nothing was said.
pub struct Accepted {
    socket: Box<dyn Io>,
}

/// A connection in plain text.
pub struct Plain {
    link: Link<Commands>,
}

/// A connection over TLS.
pub struct Ready {
    link: Link<Commands>,
    /// The client has said hello since TLS is there.
    greeted: bool,
}

/// A message of which the client has said from whom it is.
pub struct Envelope {
    link: Link<Commands>,
    message: Message,
}

/// A message that is not complete.
pub struct Receiving {
    link: Link<Text>,
    message: Message,
    /// What the client is told in its end, if the message cannot be taken.
    refusal: Option<&'static str>,
}

/// A connection that is about to end.
pub struct Goodbye {
    _link: Link<Commands>,
}

/// A message.
#[derive(Debug, Default, PartialEq)]
pub struct Message {
    /// From whom; empty if nobody wants to hear that it did not arrive.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// What it says, with lines that end with CR LF.
    pub text: BytesMut,
}

/// What all sessions of a server have.
#[derive(Clone)]
pub struct Shared {
    /// The server's side of TLS.
    pub tls: TlsAcceptor,
    /// Where messages go.
    pub messages: Sender<Message>,
}

/// The right to read, change and leave the state `S`, as a handler has it.
type In<'a, S> = At<'a, Smtp, S>;

/// What can happen to a session.
pub enum Event {
    /// The session begins.
    Begin,
    /// Something happened on the connection while commands come.
    Command(LinkEvent<Result<Command, Fault>>),
    /// TLS is set up, or not.
    Secured(Result<Box<dyn Io>, TlsError>),
    /// Something happened on the connection while a message comes.
    Text(LinkEvent<Result<Part, Fault>>),
    /// The session is to end, with these words.
    Leave(&'static str),
}

impl Handler for Smtp {
    fn enter(&mut self, _: &mut Shared, cx: &mut EnterCx<Self>) {
        match self {
            Self::Accepted(_) => cx.insert(Event::Begin),
            Self::Plain(_) | Self::Ready(_) | Self::Envelope(_) => {
                cx.state_timeout(COMMAND, Event::Leave(TOO_LATE));
            }
            Self::Securing => cx.state_timeout(TLS, Event::Leave(TOO_LATE)),
            Self::Receiving(_) => cx.state_timeout(MESSAGE, Event::Leave(TOO_LATE)),
            Self::Goodbye(_) | Self::Ended => {}
        }
    }

    fn handle(
        state: SmtpAt<'_>,
        event: Event,
        shared: &mut Shared,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {Event as E, LinkEvent as L, SmtpAt as S};
        match (state, event) {
            (S::Accepted(s), E::Begin) => s.go_with(|old| {
                let mut link = open(old.socket, cx);
                say(&mut link, READY);
                Plain { link }
            }),

            (S::Plain(s), E::Command(L::Frame(command))) => Plain::command(s, &command, shared, cx),
            (S::Ready(s), E::Command(L::Frame(command))) => Ready::command(s, command, cx),
            (S::Envelope(s), E::Command(L::Frame(command))) => Envelope::command(s, command, cx),
            (S::Receiving(s), E::Text(L::Frame(part))) => Receiving::part(s, part, shared),

            (S::Securing(s), E::Secured(Ok(io))) => s.go(Ready {
                link: open(io, cx),
                greeted: false,
            }),

            (S::Plain(s), E::Leave(words)) => s.go_with(|old| Goodbye::say(old.link, words)),
            (S::Ready(s), E::Leave(words)) => s.go_with(|old| Goodbye::say(old.link, words)),
            (S::Envelope(s), E::Leave(words)) => s.go_with(|old| Goodbye::say(old.link, words)),
            (S::Receiving(s), E::Leave(words)) => s.go_with(|old| {
                let link = old.link.with_codec(Commands::default(), Event::Command);
                Goodbye::say(link, words)
            }),

            // It has been said, and what the client still says, it says to nobody; and whoever found
            // the write buffer full has left.
            (S::Goodbye(_), E::Command(L::Frame(_)) | E::Leave(_))
            | (_, E::Command(L::Room) | E::Text(L::Room)) => keep(),

            (
                state,
                E::Command(L::Closed(_)) | E::Text(L::Closed(_)) | E::Secured(Err(_)) | E::Leave(_),
            ) => state.go(Ended),
            (_, event) => unexpected(event),
        }
    }
}

impl Accepted {
    /// The first state of a session on this byte stream.
    #[must_use]
    pub fn new(socket: Box<dyn Io>) -> Self {
        Accepted { socket }
    }
}

impl Plain {
    fn command(
        mut s: In<'_, Self>,
        command: &Result<Command, Fault>,
        shared: &Shared,
        cx: &mut Cx<Smtp>,
    ) -> Next<Smtp> {
        let words = match command {
            Ok(Command::StartTls) => return Self::secure(s, shared, cx),
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Hello { extended: true }) => HELLO_IN_PLAIN_TEXT,
            Ok(Command::Hello { extended: false }) => HELLO,
            Ok(Command::Nothing) => OK,
            Ok(_) => TLS_FIRST,
            Err(fault) => fault.words(),
        };
        answer(&mut s.link, words, cx)
    }

    /// What the client has put behind the command would pass for something that was said over TLS,
    /// and anybody could have put it there (CVE-2011-0411). The link refuses to be upgraded, and
    /// what is in its write buffer goes with the connection.
    fn secure(mut s: In<'_, Self>, shared: &Shared, cx: &mut Cx<Smtp>) -> Next<Smtp> {
        say(&mut s.link, GO_AHEAD);
        match s.link.upgrade() {
            Ok(io) => {
                cx.state_task(shared.tls.accept(io), Event::Secured);
                s.go(Securing)
            }
            Err(_) => s.go(Ended),
        }
    }
}

impl Ready {
    fn command(
        mut s: In<'_, Self>,
        command: Result<Command, Fault>,
        cx: &mut Cx<Smtp>,
    ) -> Next<Smtp> {
        let words = match command {
            Ok(Command::Mail(from)) if s.greeted => {
                return s.go_with(|old| Envelope::begin(old.link, from));
            }
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Hello { extended }) => {
                s.greeted = true;
                if extended { HELLO_OVER_TLS } else { HELLO }
            }
            Ok(Command::Nothing | Command::Reset) => OK,
            Ok(_) => OUT_OF_ORDER,
            Err(fault) => fault.words(),
        };
        answer(&mut s.link, words, cx)
    }

    /// The state after a message or without one, with what the client is told of it.
    fn say(mut link: Link<Commands>, words: &str) -> Self {
        say(&mut link, words);
        let greeted = true;
        Ready { link, greeted }
    }
}

impl Envelope {
    fn begin(mut link: Link<Commands>, from: String) -> Self {
        say(&mut link, OK);
        let message = Message {
            from,
            ..Message::default()
        };
        Envelope { link, message }
    }

    fn command(
        mut s: In<'_, Self>,
        command: Result<Command, Fault>,
        cx: &mut Cx<Smtp>,
    ) -> Next<Smtp> {
        let words = match command {
            Ok(Command::Data) if !s.message.to.is_empty() => return s.go_with(Receiving::begin),
            Ok(Command::Reset) => return s.go_with(|old| Ready::say(old.link, OK)),
            Ok(Command::Hello { extended }) => {
                let words = if extended { HELLO_OVER_TLS } else { HELLO };
                return s.go_with(|old| Ready::say(old.link, words));
            }
            Ok(Command::Quit) => return s.go_with(|old| Goodbye::say(old.link, BYE)),
            Ok(Command::Recipient(_)) if s.message.to.len() >= RECIPIENTS => TOO_MANY_RECIPIENTS,
            Ok(Command::Recipient(to)) => {
                s.message.to.push(to);
                OK
            }
            Ok(Command::Nothing) => OK,
            Ok(_) => OUT_OF_ORDER,
            Err(fault) => fault.words(),
        };
        answer(&mut s.link, words, cx)
    }
}

impl Receiving {
    /// From the next byte on the client sends the message, also if it has sent it already: no
    /// byte of it was taken for a command.
    fn begin(mut old: Envelope) -> Self {
        say(&mut old.link, SEND_TEXT);
        Receiving {
            link: old.link.with_codec(Text::default(), Event::Text),
            message: old.message,
            refusal: None,
        }
    }

    fn part(mut s: In<'_, Self>, part: Result<Part, Fault>, shared: &Shared) -> Next<Smtp> {
        match part {
            Ok(Part::End) => s.go_with(|mut old| {
                let words = old.refusal.take();
                let words = words.unwrap_or_else(|| deliver(old.message, shared));
                let link = old.link.with_codec(Commands::default(), Event::Command);
                Ready::say(link, words)
            }),
            Ok(Part::Line(line)) => {
                s.add(&line);
                keep()
            }
            Err(fault) => {
                s.refuse(fault.words());
                keep()
            }
        }
    }

    fn add(&mut self, line: &[u8]) {
        let text = &mut self.message.text;
        if self.refusal.is_some() {
            return;
        }
        if text.len() + line.len() + 2 > SIZE {
            return self.refuse(TOO_BIG);
        }
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
    }

    /// What is wrong first is told, in the end: before it the client does not listen.
    fn refuse(&mut self, words: &'static str) {
        self.refusal.get_or_insert(words);
        self.message.text = BytesMut::new();
    }
}

impl Goodbye {
    fn say(mut link: Link<Commands>, words: &str) -> Self {
        say(&mut link, words);
        link.close(GOODBYE);
        Goodbye { _link: link }
    }
}

fn deliver(message: Message, shared: &Shared) -> &'static str {
    match shared.messages.try_send(message) {
        Ok(()) => QUEUED,
        Err(TrySendError::Full(_)) => TOO_MANY_MESSAGES,
        Err(TrySendError::Closed(_)) => SHUTTING_DOWN,
    }
}

fn open(socket: Box<dyn Io>, cx: &mut Cx<Smtp>) -> Link<Commands> {
    // The codec keeps no line that is longer than it may be, so the link's bound on a frame is that
    // on what is read at once.
    let config = LinkConfig::default().high_water(4 * 1024);
    Link::open_with(config, socket, Commands::default(), cx, Event::Command)
}

/// Answers a command; the client has its time again for the next one.
fn answer(link: &mut Link<Commands>, words: &str, cx: &mut Cx<Smtp>) -> Next<Smtp> {
    cx.state_timeout(COMMAND, Event::Leave(TOO_LATE));
    say(link, words);
    keep()
}

/// Says a line. To a connection that has ended there is nothing to say; that it has is an event. A
/// client that lets so many replies lie must not fill the server's memory with them.
fn say(link: &mut Link<Commands>, words: &str) {
    if let Err(SendError::Full(_)) = link.send(words) {
        link.close(Duration::ZERO);
    }
}
