//! The machine that most of the suite's cases run, with one handler and with a handler for each
//! state (OTP's two callback modes), and the script they run it through: alive?, connect, a ping
//! before the connection is confirmed, messages, disconnect; once by casts, once by calls.

use std::time::Duration;

use statem::{
    At, Cx, ExitReason, Handle, Handler, Machine, Next, Reply, State, StateMachine, keep, postpone,
    stop, unexpected,
};
use tokio::sync::mpsc;

use crate::support::{Log, short};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    Yes,
    Accept,
    Pong(u32),
    Ack(u32),
    In(&'static str),
    Delayed,
    Stopped,
}

/// Who is told: the sender of a cast, through its channel, or a caller.
pub(crate) enum To {
    Sender(mpsc::Sender<Said>),
    Caller(Reply<Said>),
}

impl To {
    fn say(self, said: Said) {
        match self {
            To::Sender(sender) => sender.try_send(said).unwrap(),
            // A caller that has gone is none of the machine's business.
            To::Caller(reply) => drop(reply.send(said)),
        }
    }
}

pub(crate) enum Event {
    Alive(To),
    Connect(To),
    Confirm(Option<To>),
    Ping(u32, To),
    Message(u32, To),
    Disconnect(Option<To>),
    Get(To),
    /// Is answered after a time.
    Delay(Duration, Reply<Said>),
    Over(Reply<Said>),
    Stop(ExitReason, Reply<Said>),
}

/// One handler for all states.
#[derive(Debug, StateMachine)]
#[machine(event = Event, data = Log)]
pub(crate) enum Line {
    #[initial]
    #[to(Pending = "connect")]
    Idle,
    #[to(Connected = "confirm")]
    Pending,
    #[to(Idle = "disconnect")]
    Connected,
}

impl Handler for Line {
    fn handle(state: LineAt<'_>, event: Event, log: &mut Log, cx: &mut Cx<Self>) -> Next<Self> {
        use {Event as E, LineAt as S};
        let name = match &state {
            S::Idle(_) => "Idle",
            S::Pending(_) => "Pending",
            S::Connected(_) => "Connected",
        };
        match (state, event) {
            (S::Idle(s), E::Connect(to)) => {
                to.say(Said::Accept);
                s.go(Pending)
            }
            (S::Pending(_), ping @ E::Ping(..)) => postpone(ping),
            (S::Pending(s), E::Confirm(to)) => {
                confirm(to);
                s.go(Connected)
            }
            (S::Connected(_), E::Ping(number, to)) => say(to, Said::Pong(number)),
            (S::Connected(_), E::Message(number, to)) => say(to, Said::Ack(number)),
            (S::Connected(s), E::Disconnect(to)) => {
                confirm(to);
                s.go(Idle)
            }
            (_, E::Delay(time, reply)) => {
                cx.state_task(tokio::time::sleep(time), |()| E::Over(reply));
                keep()
            }
            (_, event) => anywhere(name, event, log),
        }
    }

    fn terminate(reason: &ExitReason, _: Option<&mut Self>, log: &mut Log) {
        log.add(format!("terminate: {}", short(reason)));
    }
}

/// The same, with a handler for each state.
#[derive(StateMachine)]
#[machine(event = Event, data = Log, handlers = "per_state")]
pub(crate) enum LinePerState {
    #[initial]
    #[to(Open = "connect")]
    Closed(Closed),
    #[to(Ready = "confirm")]
    Open(Open),
    #[to(Closed = "disconnect")]
    Ready(Ready),
}

pub(crate) struct Closed;
pub(crate) struct Open;
pub(crate) struct Ready;

impl State<LinePerState> for Closed {
    fn handle(
        at: At<'_, LinePerState, Self>,
        event: Event,
        log: &mut Log,
        _: &mut Cx<LinePerState>,
    ) -> Next<LinePerState> {
        match event {
            Event::Connect(to) => {
                to.say(Said::Accept);
                at.go(Open)
            }
            event => anywhere("Idle", event, log),
        }
    }
}

impl State<LinePerState> for Open {
    fn handle(
        at: At<'_, LinePerState, Self>,
        event: Event,
        log: &mut Log,
        _: &mut Cx<LinePerState>,
    ) -> Next<LinePerState> {
        match event {
            ping @ Event::Ping(..) => postpone(ping),
            Event::Confirm(to) => {
                confirm(to);
                at.go(Ready)
            }
            event => anywhere("Pending", event, log),
        }
    }
}

impl State<LinePerState> for Ready {
    fn handle(
        at: At<'_, LinePerState, Self>,
        event: Event,
        log: &mut Log,
        _: &mut Cx<LinePerState>,
    ) -> Next<LinePerState> {
        match event {
            Event::Ping(number, to) => say(to, Said::Pong(number)),
            Event::Message(number, to) => say(to, Said::Ack(number)),
            Event::Disconnect(to) => {
                confirm(to);
                at.go(Closed)
            }
            event => anywhere("Connected", event, log),
        }
    }
}

/// What is the same in every state.
fn anywhere<M: Machine<Event = Event>>(state: &'static str, event: Event, log: &Log) -> Next<M> {
    match event {
        Event::Alive(to) => say(to, Said::Yes),
        Event::Get(to) => say(to, Said::In(state)),
        Event::Over(reply) => {
            if reply.send(Said::Delayed).is_err() {
                log.add("too late");
            }
            keep()
        }
        Event::Stop(reason, reply) => {
            let _ = reply.send(Said::Stopped);
            stop(reason)
        }
        event => unexpected(event),
    }
}

fn confirm(to: Option<To>) {
    if let Some(to) = to {
        to.say(Said::Yes);
    }
}

fn say<M: Machine>(to: To, said: Said) -> Next<M> {
    to.say(said);
    keep()
}

/// Calls the machine; the event is made with who is to be told.
pub(crate) async fn ask<M>(line: &Handle<M>, event: impl FnOnce(To) -> Event) -> Said
where
    M: Machine<Event = Event>,
{
    line.call(|reply| event(To::Caller(reply))).await.unwrap()
}

/// The script by casts, and a request that is looked at while it is on its way.
pub(crate) async fn by_casts<M: Machine<Event = Event>>(line: &Handle<M>) {
    let (own, mut told) = mpsc::channel(8);
    let to = || To::Sender(own.clone());
    let sent = |event| line.cast(event);
    sent(Event::Alive(to())).await.unwrap();
    assert_eq!(told.recv().await, Some(Said::Yes));

    assert_eq!(ask(line, Event::Get).await, Said::In("Idle"));
    sent(Event::Connect(to())).await.unwrap();
    assert_eq!(told.recv().await, Some(Said::Accept));
    assert_eq!(ask(line, Event::Get).await, Said::In("Pending"));
    // A ping that comes before the connection is confirmed is answered afterwards.
    sent(Event::Ping(7, to())).await.unwrap();
    sent(Event::Confirm(None)).await.unwrap();
    assert_eq!(told.recv().await, Some(Said::Pong(7)));

    for number in 0..3 {
        assert_eq!(ask(line, Event::Get).await, Said::In("Connected"));
        sent(Event::Message(number, to())).await.unwrap();
        assert_eq!(told.recv().await, Some(Said::Ack(number)));
    }
    sent(Event::Disconnect(None)).await.unwrap();
    assert_eq!(ask(line, Event::Get).await, Said::In("Idle"));

    let mut request = Box::pin(ask(line, Event::Alive));
    let at_once = tokio::time::timeout(Duration::ZERO, &mut request).await;
    assert!(at_once.is_err(), "there was no time to answer");
    assert_eq!(request.await, Said::Yes);
    assert!(told.is_empty());
}

/// The script by calls.
pub(crate) async fn by_calls<M: Machine<Event = Event>>(line: &Handle<M>) {
    let (own, mut told) = mpsc::channel(8);
    assert_eq!(ask(line, Event::Alive).await, Said::Yes);
    assert_eq!(ask(line, Event::Connect).await, Said::Accept);
    assert_eq!(ask(line, Event::Get).await, Said::In("Pending"));
    line.cast(Event::Ping(7, To::Sender(own))).await.unwrap();
    assert_eq!(ask(line, |to| Event::Confirm(Some(to))).await, Said::Yes);
    assert_eq!(told.recv().await, Some(Said::Pong(7)));
    for number in 0..3 {
        assert_eq!(
            ask(line, |to| Event::Message(number, to)).await,
            Said::Ack(number)
        );
    }
    assert_eq!(ask(line, |to| Event::Disconnect(Some(to))).await, Said::Yes);
    assert_eq!(ask(line, Event::Get).await, Said::In("Idle"));
    assert!(told.recv().await.is_none());
}

/// Stops the machine by a call, and sees that nobody is there any more.
pub(crate) async fn stop_it<M: Machine<Event = Event>>(line: &Handle<M>, reason: ExitReason) {
    let said = line.call(|reply| Event::Stop(reason, reply)).await;
    assert_eq!(said.unwrap(), Said::Stopped);
    let late = line.call(|reply| Event::Alive(To::Caller(reply))).await;
    assert!(!late.unwrap_err().may_have_run());
}
