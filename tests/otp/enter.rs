//! Enter calls.

use statem::{
    Cx, EnterCx, ExitReason, Handler, Next, Reply, StateMachine, keep, repeat, spawn, stop,
    unexpected,
};

use crate::support::{Log, ms, short, told};

/// Counts everything it does.
#[derive(StateMachine)]
#[machine(event = Event, data = Data)]
enum Counting {
    #[initial]
    #[to(Wait)]
    Start,
    #[to(Start)]
    Wait,
}

struct Data {
    n: u32,
    log: Log,
}

enum Event {
    Echo(Reply<u32>),
    Repeat(Reply<u32>),
    Stop(Reply<u32>),
    Timeout(u32),
    StateTimeout(u32),
    Inserted(&'static str),
}

impl Data {
    /// Notes what happened under the number that it has.
    fn note(&mut self, what: impl std::fmt::Display) {
        self.log.add(format!("{} {what}", self.n));
        self.n += 1;
    }

    fn answer(&mut self, reply: Reply<u32>) {
        reply.send(self.n).unwrap();
        self.n += 1;
    }
}

impl Handler for Counting {
    fn enter(&mut self, data: &mut Data, cx: &mut EnterCx<Self>) {
        let (n, previous) = (data.n, cx.previous());
        match self {
            Self::Start => data.note(format_args!("start from {previous}")),
            Self::Wait => {
                let again = n < 5;
                let word = if again { "again" } else { "wait" };
                data.note(format_args!("{word} from {previous}"));
                cx.event_timeout(ms(0), Event::Timeout(n));
                cx.state_timeout(ms(0), Event::StateTimeout(n));
                if again {
                    cx.repeat();
                }
            }
        }
    }

    fn handle(
        state: CountingAt<'_>,
        event: Event,
        data: &mut Data,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        use {CountingAt as S, Event as E};
        match (state, event) {
            (S::Start(_), E::Inserted(what)) => {
                data.note(format_args!("inserted {what}"));
                keep()
            }
            (_, E::Timeout(of)) => {
                data.note(format_args!("timeout {of}"));
                keep()
            }
            (S::Wait(_), E::StateTimeout(of)) => {
                data.note(format_args!("state timeout {of}"));
                keep()
            }
            (S::Start(_), E::Repeat(reply)) => {
                data.answer(reply);
                repeat()
            }
            (S::Wait(_), E::Repeat(reply)) => {
                cx.event_timeout(ms(0), E::Timeout(data.n));
                reply.send(data.n).unwrap();
                repeat()
            }
            (S::Start(s), E::Echo(reply)) => {
                cx.event_timeout(ms(0), E::Timeout(data.n));
                data.answer(reply);
                s.go(Wait)
            }
            (S::Wait(s), E::Echo(reply)) => {
                cx.insert(E::Inserted("wait"));
                data.answer(reply);
                s.go(Start)
            }
            (S::Start(_), E::Stop(reply)) => {
                data.answer(reply);
                stop(ExitReason::other("bye"))
            }
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn state_enter() {
    let log = Log::default();
    let data = Data {
        n: 1,
        log: log.clone(),
    };
    let machine = spawn::<Counting>(Start, data);
    let rest = || async { machine.inspect().await.unwrap().state };
    assert_eq!(rest().await, "Start");
    assert_eq!(log.take(), "1 start from Start");

    assert_eq!(machine.call(Event::Echo).await.unwrap(), 2);
    assert_eq!(rest().await, "Wait");
    assert_eq!(
        log.take(),
        "3 again from Start, 4 again from Start, 5 wait from Start, 6 timeout 5, 7 state timeout 5"
    );

    assert_eq!(machine.call(Event::Repeat).await.unwrap(), 8);
    rest().await;
    assert_eq!(
        log.take(),
        "8 wait from Wait, 9 timeout 8, 10 state timeout 8"
    );

    assert_eq!(machine.call(Event::Echo).await.unwrap(), 11);
    rest().await;
    assert_eq!(log.take(), "12 start from Wait, 13 inserted wait");

    assert_eq!(machine.call(Event::Repeat).await.unwrap(), 14);
    rest().await;
    assert_eq!(log.take(), "15 start from Start");

    assert_eq!(machine.call(Event::Stop).await.unwrap(), 16);
    assert_eq!(short(&machine.closed().await), "bye");
    let late = machine.call(Event::Echo).await;
    assert_eq!(told(late), "stopped: bye, begun: false");
    assert_eq!(log.take(), "");
}
