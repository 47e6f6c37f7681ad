//! A crowd of connections: the chat of the example beside one written by hand, each in a process of
//! its own, with the members in this one.
//!
//! Each member is in a room of ten, says numbered lines, and checks that it hears each line of all in
//! its room, once and in order. What a server pays for a connection is what its resident set grows by
//! until all are in and silent. Linux only.

mod by_hand;
mod server;

use std::io;

use statem_examples::chat_server::crowd::{Crowd, OF_ROOM};
use tokio::runtime::{Builder, Runtime};

use crate::report::{Contender, Section, measure, now};
pub(crate) use server::{FLAG, serve_here};
use server::{Server, descriptors};

const NAMES: &[&str] = &["tokio by hand", "statem"];

const ROUNDS: usize = 5;
const MEMBERS: usize = 10_000;
/// Descriptors that a process has for other things.
const OTHERS: u64 = 100;
/// Lines that each member says.
const LINES: u32 = 10;

/// What a round has measured.
#[derive(Clone, Copy)]
struct Sample {
    /// Bytes a member, when all are in.
    silent: f64,
    /// Bytes a member, when they have talked.
    talked: f64,
    /// Lines a second that the server got, in thousands.
    said: f64,
    /// Lines a second that the members heard, in thousands.
    heard: f64,
    /// Nanoseconds of the server's processor, for each line that was heard.
    processor: f64,
}

pub(crate) fn rows(filter: &str) {
    let all = "10,000 connections";
    if !all.contains(filter) {
        return;
    }
    let members = members();
    let title = if members == MEMBERS {
        all.to_owned()
    } else {
        println!(
            "\nonly {members} connections in place of {MEMBERS}: a process may have {} descriptors \
             here, see `ulimit -n`",
            descriptors()
        );
        format!("{members} connections")
    };
    let mut contenders: Vec<Contender<'_, Sample>> = vec![
        Box::new(move || round("by hand", members)),
        Box::new(move || round("statem", members)),
    ];
    assert_eq!(contenders.len(), NAMES.len());
    let samples = measure(ROUNDS, &mut contenders);
    let of = |what: fn(&Sample) -> f64| -> Vec<Vec<f64>> {
        let of_one = |samples: &Vec<Sample>| samples.iter().map(what).collect();
        samples.iter().map(of_one).collect()
    };
    let section = |title, unit| Section::new(filter, title, unit, NAMES);
    let mut memory = section("crowd, memory of the server", "bytes");
    let silent = of(|sample| sample.silent);
    memory.show(&format!("{title}, in rooms of ten"), None, &silent);
    let talked = of(|sample| sample.talked);
    memory.show(&format!("{title}, after they talked"), None, &talked);
    let mut speed = section("crowd, one thread", "thousands a second").more_is_better();
    let said = of(|sample| sample.said);
    speed.show(&format!("{title}, lines said"), None, &said);
    let heard = of(|sample| sample.heard);
    speed.show(&format!("{title}, lines heard"), None, &heard);
    let mut processor = section("crowd, processor of the server", "ns a line");
    let used = of(|sample| sample.processor);
    processor.show(&format!("{title}, lines heard"), None, &used);
}

/// As many as the descriptors allow, in whole rooms.
fn members() -> usize {
    let room = descriptors().saturating_sub(OTHERS);
    let most = usize::try_from(room).unwrap_or(MEMBERS).min(MEMBERS);
    most / OF_ROOM * OF_ROOM
}

#[expect(clippy::cast_precision_loss, reason = "there are not that many lines")]
fn round(contender: &str, members: usize) -> Sample {
    let mut server = Server::start(contender);
    let runtime = one_thread();
    let sample: io::Result<Sample> = runtime.block_on(async {
        // What is made once is there before the first look.
        Crowd::enter(server.address, OF_ROOM).await?.leave().await?;
        let empty = server.used();
        let mut crowd = Crowd::enter(server.address, members).await?;
        let silent = server.used();
        let start = now();
        crowd.talk(LINES).await?;
        let took = start.elapsed().as_secs_f64();
        let talked = server.used();
        crowd.leave().await?;
        let count = members as f64;
        let said = count * f64::from(LINES);
        let heard = said * OF_ROOM as f64;
        Ok(Sample {
            silent: (silent.memory - empty.memory) / count,
            talked: (talked.memory - empty.memory) / count,
            said: said / took / 1e3,
            heard: heard / took / 1e3,
            processor: (talked.processor - silent.processor) / heard,
        })
    });
    server.end();
    sample.expect("each member hears each line once and in order")
}

fn one_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts")
}
