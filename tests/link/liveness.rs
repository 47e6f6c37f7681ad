//! What a link does does not pass for news of the peer.

use std::time::Duration;

use statem::net::{Link, LinkEvent};
use statem::testing::{Bench, WireEnd, wire};
use statem::{Cx, Handler, Next, StateMachine, keep};
use tokio_util::codec::LinesCodec;

const IDLE: Duration = Duration::from_secs(10);

/// Watches a peer: silent for ten seconds, it counts as dead.
#[derive(StateMachine)]
#[machine(event = Event)]
enum Watcher {
    #[initial]
    #[to(Watching)]
    Apart,
    #[to(Dead)]
    Watching(Watching),
    #[to(Apart)]
    Dead,
}

struct Watching {
    link: Link<LinesCodec>,
}

enum Event {
    Open(WireEnd),
    Say(&'static str),
    Link(LinkEvent<String>),
    Silence,
}

impl Handler for Watcher {
    fn handle(state: WatcherAt<'_>, event: Event, (): &mut (), cx: &mut Cx<Self>) -> Next<Self> {
        match (state, event) {
            (WatcherAt::Apart(s), Event::Open(io)) => {
                cx.timeout("idle", IDLE, Event::Silence);
                let link = Link::open(io, LinesCodec::new(), cx, Event::Link);
                s.go(Watching { link })
            }
            (WatcherAt::Watching(mut s), Event::Say(line)) => {
                s.link.send(line).expect("there is room");
                keep()
            }
            (WatcherAt::Watching(_), Event::Link(LinkEvent::Frame(_))) => {
                cx.timeout("idle", IDLE, Event::Silence);
                keep()
            }
            (WatcherAt::Watching(s), Event::Silence) => s.go(Dead),
            (_, event) => statem::unexpected(event),
        }
    }
}

#[test]
fn n42_local_work_does_not_refresh_a_liveness_timer() {
    let (io, peer) = wire();
    let mut watcher = Bench::new(Apart, ());
    watcher.send(Event::Open(io));
    watcher.advance(IDLE / 2);
    peer.send("here\n");
    watcher.poll();
    // Half a second before the time is up since the peer was heard, after much local work.
    for _ in 0..19 {
        watcher.advance(IDLE / 20);
        watcher.send(Event::Say("ping"));
        watcher.poll();
    }
    assert_eq!(watcher.state_name(), "Watching");
    watcher.advance(IDLE / 20);
    assert_eq!(watcher.state_name(), "Dead");
    assert!(peer.is_closed());
}
