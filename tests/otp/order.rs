//! In what order inserted, postponed and forged events are handled.

use statem::{
    Builder, Cx, ExitReason, Handler, Next, Origin, Reply, StateMachine, keep, postpone, spawn,
    stop, unexpected,
};

use crate::support::{Log, ms, short, told};

/// Inserts three events and expects them in their order.
#[derive(StateMachine)]
#[machine(event = Letters)]
enum Spelling {
    #[initial]
    #[to(Reading)]
    Idle,
    #[to(Idle)]
    Reading(Reading),
}

struct Reading(Vec<char>);

enum Letters {
    Insert,
    Letter(char),
    Get(Reply<String>),
}

impl Handler for Spelling {
    fn handle(state: SpellingAt<'_>, event: Letters, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (SpellingAt::Idle(s), Letters::Insert) => {
                for letter in ['a', 'b', 'c'] {
                    cx.insert(Letters::Letter(letter));
                }
                s.go(Reading(Vec::new()))
            }
            (SpellingAt::Reading(mut s), Letters::Letter(letter)) => {
                s.0.push(letter);
                keep()
            }
            (SpellingAt::Reading(s), Letters::Get(reply)) => {
                reply.send(s.0.iter().collect()).unwrap();
                keep()
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn next_events() {
    let machine = spawn::<Spelling>(Idle, ());
    machine.cast(Letters::Insert).await.unwrap();
    assert_eq!(machine.call(Letters::Get).await.unwrap(), "abc");
    assert!(matches!(machine.stop().await, ExitReason::Normal));
    let late = machine.call(Letters::Get).await;
    assert_eq!(told(late), "stopped: Normal, begun: false");
}

/// Takes events into a buffer and gives them out when it stops.
#[derive(StateMachine)]
#[machine(event = Paper, data = Log)]
enum Buffering {
    #[initial]
    #[to(Buffer)]
    Start,
    #[to(Closing)]
    Buffer(Buffer),
    #[to(Start)]
    Closing,
}

struct Buffer(Vec<&'static str>);

enum Paper {
    Sheet(&'static str),
    Open(Reply<()>),
    Close(Reply<()>),
    Stop,
}

impl Handler for Buffering {
    fn handle(
        state: BufferingAt<'_>,
        event: Paper,
        log: &mut Log,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {BufferingAt as S, Paper as E};
        match (state, event) {
            (S::Start(_), sheet @ E::Sheet(_)) => postpone(sheet),
            (S::Start(s), E::Open(reply)) => {
                cx.insert(E::Sheet("ok3"));
                cx.insert(E::Sheet("ok4"));
                // Events of the queue come first, and any event cancels it.
                cx.event_timeout(ms(0), E::Sheet("ok5"));
                reply.send(()).unwrap();
                s.go(Buffer(Vec::new()))
            }
            (S::Buffer(mut s), E::Sheet(sheet)) => {
                s.0.push(sheet);
                keep()
            }
            (S::Buffer(s), E::Close(reply)) => {
                log.add(s.0.join(" "));
                reply.send(()).unwrap();
                cx.insert(E::Stop);
                s.go(Closing)
            }
            (S::Closing(_), E::Stop) => stop(ExitReason::other("reason")),
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn event_order() {
    let log = Log::default();
    let machine = spawn::<Buffering>(Start, log.clone());
    machine.cast(Paper::Sheet("ok1")).await.unwrap();
    machine.cast(Paper::Sheet("ok2")).await.unwrap();
    machine.call(Paper::Open).await.unwrap();
    machine.call(Paper::Close).await.unwrap();
    assert_eq!(log.take(), "ok3 ok4 ok1 ok2");
    assert_eq!(short(&machine.closed().await), "reason");
    let late = machine.call(Paper::Close).await;
    assert_eq!(told(late), "stopped: reason, begun: false");
}

/// Goes on with each event that it expects next.
#[derive(StateMachine)]
#[machine(event = Kind, data = Log)]
enum Chain {
    #[initial]
    #[to(Link)]
    Link(Link),
}

struct Link(u32);

enum Kind {
    Internal(u32),
    StateTimeout,
    EventTimeout,
    Message,
    Cast,
    Timeout,
    Call(Reply<&'static str>),
}

impl Handler for Chain {
    fn handle(state: ChainAt<'_>, event: Kind, log: &mut Log, cx: &mut Cx<Self>) -> Next<Self> {
        let ChainAt::Link(s) = state;
        if s.0 > 1 {
            assert_eq!(cx.origin(), Origin::Inserted);
        }
        match (s.0, event) {
            (1, call @ Kind::Call(_)) => {
                cx.insert(Kind::Internal(1));
                cx.insert(Kind::StateTimeout);
                cx.insert(Kind::EventTimeout);
                cx.insert(Kind::Message);
                cx.insert(Kind::Cast);
                cx.insert(Kind::Timeout);
                cx.insert(call);
            }
            (0, Kind::Internal(0))
            | (2, Kind::Internal(1))
            | (3, Kind::StateTimeout)
            | (4, Kind::EventTimeout)
            | (5, Kind::Message)
            | (6, Kind::Cast)
            | (7, Kind::Timeout) => {}
            (8, Kind::Call(reply)) => {
                reply.send("stopped").unwrap();
                return stop(ExitReason::Shutdown);
            }
            (_, event) => return unexpected(event),
        }
        log.add(s.0.to_string());
        let next = s.0 + 1;
        s.go(Link(next))
    }
}

#[tokio::test(start_paused = true)]
async fn event_types() {
    let log = Log::default();
    let machine = Builder::<Chain>::new()
        .init(|_, cx| cx.insert(Kind::Internal(0)))
        .spawn(Link(0), log.clone());
    assert_eq!(machine.call(Kind::Call).await.unwrap(), "stopped");
    assert_eq!(log.take(), "0, 1, 2, 3, 4, 5, 6, 7");
    assert!(matches!(machine.closed().await, ExitReason::Shutdown));
    let late = machine.call(Kind::Call).await;
    assert_eq!(told(late), "stopped: Shutdown, begun: false");
}
