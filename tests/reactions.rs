//! The reaction table: every kind of reaction, as a reader of a snapshot sees it.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::time::Duration;

use statem::testing::ReactionTable;
use statem::{
    Cx, EnterCx, ExitReason, Guard, Handler, Next, Reply, StateMachine, keep, keep_and_retry,
    postpone, repeat, stop, unexpected,
};

#[derive(StateMachine)]
#[machine(event = Event, data = Desk)]
#[to(Broken = "kicked")]
enum Office {
    #[initial]
    #[to(Open)]
    Closed,
    #[to(Closed, Open, Cursed, Doomed)]
    Open(Open),
    /// Its enter call panics.
    #[to(Closed)]
    Cursed,
    /// Its enter call stops the machine.
    #[to(Closed)]
    Doomed,
    #[terminal]
    Broken,
}

struct Open {
    room: u32,
}

#[derive(Default)]
struct Desk {
    waiting: Vec<Reply<u32, NoRoom>>,
    job: Guard,
}

#[derive(Debug)]
struct NoRoom;

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no\n    room")
    }
}

impl Error for NoRoom {}

enum Event {
    Push,
    Keep,
    Repeat,
    Retry,
    Curse,
    Doom,
    Kick,
    Fail,
    Panic,
    Insert,
    Lose,
    Ask(Reply<u32, NoRoom>),
    Wait(Reply<u32, NoRoom>),
    Work(Reply<u32, NoRoom>),
    Forget(Reply<u32, NoRoom>),
    Leave(Reply<u32, NoRoom>),
}

impl Handler for Office {
    fn enter(&mut self, _: &mut Desk, cx: &mut EnterCx<Self>) {
        match self {
            Self::Closed | Self::Broken => {}
            Self::Open(_) => {
                cx.insert(Event::Push);
                cx.state_timeout(Duration::ZERO, Event::Push);
                cx.state_task(pending(), |()| Event::Push);
            }
            Self::Cursed => panic!("a curse"),
            Self::Doomed => cx.stop(NoRoom),
        }
    }

    fn handle(state: OfficeAt<'_>, event: Event, desk: &mut Desk, cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (_, Event::Keep) => keep(),
            (_, Event::Repeat) => repeat(),
            (_, Event::Retry) => keep_and_retry(),
            (_, Event::Fail) => stop(NoRoom),
            (_, Event::Panic) => panic!("no | way"),
            (_, Event::Insert) => {
                cx.insert(Event::Keep);
                keep()
            }
            (state, Event::Kick) => state.go(Broken),
            (OfficeAt::Closed(s), Event::Push) => s.go(Open { room: 1 }),
            (OfficeAt::Open(s), Event::Push) if s.room == 0 => s.go(Closed),
            (OfficeAt::Open(s), Event::Push) => s.go_with(|open| Open {
                room: open.room - 1,
            }),
            (OfficeAt::Open(s), Event::Curse) => s.go(Cursed),
            (OfficeAt::Open(s), Event::Doom) => s.go(Doomed),
            (OfficeAt::Open(s), Event::Lose) => {
                drop(s.go_with(|open| open));
                keep()
            }
            (OfficeAt::Closed(_), event @ Event::Ask(_)) => postpone(event),
            (OfficeAt::Closed(s), event @ (Event::Wait(_) | Event::Leave(_))) => {
                cx.postpone(event);
                s.go(Open { room: 1 })
            }
            (OfficeAt::Open(s), Event::Ask(reply)) => {
                let _ = match s.room {
                    0 => reply.fail(NoRoom).map_err(drop),
                    room => reply.send(room).map_err(drop),
                };
                keep()
            }
            (OfficeAt::Open(_), Event::Wait(reply)) => {
                desk.waiting.push(reply);
                keep()
            }
            (OfficeAt::Open(_), Event::Work(reply)) => {
                desk.job = cx.task(
                    async move {
                        pending::<()>().await;
                        drop(reply);
                    },
                    |()| Event::Keep,
                );
                keep()
            }
            (OfficeAt::Open(_), Event::Forget(reply)) => {
                drop(reply);
                keep()
            }
            (OfficeAt::Open(s), Event::Leave(reply)) => {
                let _ = reply.send(s.room);
                if s.room == 0 {
                    return stop(ExitReason::Normal);
                }
                s.go(Closed)
            }
            (_, event) => unexpected(event),
        }
    }
}

fn office() -> ReactionTable<'static, Office> {
    ReactionTable::new(Desk::default)
}

#[test]
fn each_kind_of_reaction_has_its_words() {
    let table = office()
        .state(|| Closed)
        .state(|| Open { room: 1 })
        .labelled("full", || Open { room: 0 })
        .event("push", || Event::Push)
        .event("keep", || Event::Keep)
        .event("repeat", || Event::Repeat)
        .event("retry", || Event::Retry)
        .event("insert", || Event::Insert)
        .event("kick", || Event::Kick)
        .call("ask", Event::Ask)
        .call("wait", Event::Wait)
        .call("work", Event::Work)
        .call("forget", Event::Forget)
        .call("leave", Event::Leave);
    assert_eq!(
        table.to_string(),
        "\
| Office | Closed            | Open              | Open (full)      |
|--------|-------------------|-------------------|------------------|
| push   | → Open            | → Open            | → Closed         |
| keep   | stays             | stays             | stays            |
| repeat | repeats           | repeats           | repeats          |
| retry  | retries           | retries           | retries          |
| insert | stays             | stays             | stays            |
| kick   | → Broken, ends    | → Broken, ends    | → Broken, ends   |
| ask    | postpones         | replies           | replies an error |
| wait   | postpones, → Open | holds the reply   | holds the reply  |
| work   | unexpected        | holds the reply   | holds the reply  |
| forget | unexpected        | drops the reply   | drops the reply  |
| leave  | postpones, → Open | replies, → Closed | replies, stops   |

- `Open (full)`, `leave`: it ended normally
- no sample of `Cursed`, `Doomed`
"
    );
    assert_eq!(table.to_string(), table.to_string());
}

#[test]
fn why_a_machine_ended_stands_below_the_table_and_the_other_cells_are_whole() {
    let table = office()
        .state(|| Closed)
        .state(|| Open { room: 1 })
        .state(|| Cursed)
        .state(|| Doomed)
        .state(|| Broken)
        .event("fail", || Event::Fail)
        .event("panic", || Event::Panic)
        .event("curse|doom", || Event::Curse)
        .event("doom", || Event::Doom)
        .event("lose", || Event::Lose);
    assert_eq!(
        table.to_string(),
        "\
| Office      | Closed     | Open             | Cursed | Doomed | Broken |
|-------------|------------|------------------|--------|--------|--------|
| fail        | stops      | stops            | -      | -      | -      |
| panic       | panics     | panics           | -      | -      | -      |
| curse\\|doom | unexpected | → Cursed, panics | -      | -      | -      |
| doom        | unexpected | → Doomed, stops  | -      | -      | -      |
| lose        | unexpected | stops            | -      | -      | -      |

- `Closed`, `fail`: it stopped with an error: there is no room
- `Closed`, `panic`: it panicked in handle, in state `Closed`: no | way
- `Open`, `fail`: it stopped with an error: there is no room
- `Open`, `panic`: it panicked in handle, in state `Open`: no | way
- `Open`, `curse|doom`: it panicked in enter, in state `Cursed`: a curse
- `Open`, `doom`: it stopped with an error: there is no room
- `Open`, `lose`: its state was lost in `Open`: return the `Next` of `go_with` in the same event, \
         and do not write another variant through `*self`
- `Cursed`: the enter call ends the machine: it panicked in enter, in state `Cursed`: a curse
- `Doomed`: the enter call ends the machine: it stopped with an error: there is no room
- `Broken`: the machine ends here
"
    );
}

#[test]
fn events_are_rows_however_many_states_there_are() {
    let few = office().state(|| Closed).state(|| Open { room: 1 });
    assert_eq!(
        few.event("a key", || Event::Push).to_string(),
        "\
| Office | Closed | Open   |
|--------|--------|--------|
| a key  | → Open | → Open |

- no sample of `Cursed`, `Doomed`
"
    );
    let many = office().state(|| Closed);
    let events = (1..=3).fold(many, |table, number| {
        table.event(format!("key {number}"), || Event::Push)
    });
    assert_eq!(
        events.to_string(),
        "\
| Office | Closed |
|--------|--------|
| key 1  | → Open |
| key 2  | → Open |
| key 3  | → Open |

- no sample of `Open`, `Cursed`, `Doomed`
"
    );
}

#[test]
fn every_cell_has_a_state_an_event_and_data_of_its_own() {
    let made = [Cell::new(0), Cell::new(0), Cell::new(0)];
    let count = |place: usize| made[place].set(made[place].get() + 1);
    let table = ReactionTable::<Office>::new(|| {
        count(0);
        Desk::default()
    })
    .state(|| {
        count(1);
        Open { room: 1 }
    })
    .event("push", || {
        count(2);
        Event::Push
    })
    .event("push again", || Event::Push);
    assert!(table.to_string().contains("| push again | → Open |"));
    // Once more, to see what the enter call does.
    assert_eq!(made.each_ref().map(Cell::get), [3, 3, 1]);
}

#[test]
fn no_line_ends_in_spaces() {
    let table = office()
        .state(|| Closed)
        .labelled("", || Open { room: 0 })
        .event("", || Event::Keep)
        .event("fail", || Event::Fail);
    let text = table.to_string();
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
}

mod strict {
    use super::*;

    #[derive(StateMachine)]
    #[machine(event = Question, unexpected = "stop")]
    pub(super) enum Strict {
        #[initial]
        #[to(Here)]
        Here,
    }

    pub(super) enum Question {
        Ask(#[expect(dead_code, reason = "nobody answers")] Reply<()>),
        Tell,
    }

    impl Handler for Strict {
        fn handle(_: StrictAt<'_>, event: Question, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
            unexpected(event)
        }
    }

    #[derive(StateMachine)]
    #[machine(event = Question, unexpected = "panic")]
    pub(super) enum Stricter {
        #[initial]
        #[to(There)]
        There,
    }

    impl Handler for Stricter {
        fn handle(_: StricterAt<'_>, event: Question, (): &mut (), _: &mut Cx<Self>) -> Next<Self> {
            unexpected(event)
        }
    }
}

#[test]
fn what_a_machine_does_about_unexpected_events_is_shown() {
    use strict::{Here, Question, Strict, Stricter, There};
    assert_eq!(
        ReactionTable::<Strict>::new(|| ())
            .state(|| Here)
            .call("ask", Question::Ask)
            .event("tell", || Question::Tell)
            .to_string(),
        "\
| Strict | Here              |
|--------|-------------------|
| ask    | unexpected, stops |
| tell   | unexpected, stops |
"
    );
    assert_eq!(
        ReactionTable::<Stricter>::new(|| ())
            .state(|| There)
            .call("ask", Question::Ask)
            .to_string(),
        "\
| Stricter | There              |
|----------|--------------------|
| ask      | unexpected, panics |
"
    );
}

mod reader {
    use super::*;

    #[derive(StateMachine)]
    #[machine(event = &'a str, data = Vec<&'a str>)]
    pub(super) enum Reader<'a> {
        #[initial]
        #[to(Reading)]
        Reading(Reading<'a>),
    }

    pub(super) struct Reading<'a>(pub(super) &'a str);

    impl<'a> Handler for Reader<'a> {
        fn handle(
            state: ReaderAt<'_, 'a>,
            event: &'a str,
            lines: &mut Vec<&'a str>,
            _: &mut Cx<Self>,
        ) -> Next<Self> {
            let ReaderAt::Reading(state) = state;
            lines.push(state.0);
            if lines.contains(&event) {
                keep()
            } else {
                state.go(Reading(event))
            }
        }
    }
}

#[test]
fn a_machine_may_borrow_what_its_samples_borrow() {
    use reader::{Reader, Reading};
    let line = String::from("once upon a time");
    let table = ReactionTable::<Reader<'_>>::new(|| vec![&*line])
        .state(|| Reading(&line[..4]))
        .event("the same", || &line)
        .event("another", || &line[5..]);
    assert_eq!(
        table.to_string(),
        "\
| Reader   | Reading   |
|----------|-----------|
| the same | stays     |
| another  | → Reading |
"
    );
}
