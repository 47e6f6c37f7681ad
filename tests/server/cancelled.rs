//! Public futures of a server, dropped after any poll of theirs.

use std::io::ErrorKind;
use std::time::Duration;

use statem::net::Server;
use statem::{ExitReason, Status};
use tokio::time::{sleep, timeout};

use crate::dropped::{Polls, dropped_after};
use crate::handshake::pair;
use crate::support::{Client, Door, Marks, balanced, ms, rest, server, tasks};

/// Where a server is when a future of it is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Listening,
    /// A connection has begun to set up TLS, and no more.
    Securing,
    Full,
    Paused,
    Draining,
    Stopped,
}

/// A server, and the connections that it serves.
struct Rig {
    door: Door,
    marks: Marks,
    server: Server,
    clients: Vec<Client>,
}

/// As many as may be open.
const LIMIT: usize = 3;

impl Rig {
    async fn new(place: Place) -> Self {
        let (door, marks) = (Door::default(), Marks::default());
        let mut builder = server(&door, &marks).limit(LIMIT).acceptors(2);
        if place == Place::Securing {
            builder = builder.tls(pair().0);
        }
        let server = builder.start();
        let count = if place == Place::Full { LIMIT } else { 1 };
        let mut clients: Vec<_> = (0..count).map(|_| door.knock()).collect();
        rest().await;
        if place != Place::Securing {
            for client in &mut clients {
                assert!(client.is_served().await);
            }
        }
        match place {
            Place::Paused => {
                door.fail(Some(ErrorKind::Other));
                rest().await;
                assert!(matches!(server.status(), Status::Running("Paused")));
            }
            Place::Draining => {
                assert_eq!(clients[0].ask("stay").await.as_deref(), Some("stay"));
                assert!(timeout(ms(1), server.shutdown(ms(200))).await.is_err());
            }
            Place::Stopped => drop(server.shutdown(ms(1)).await),
            _ => {}
        }
        Rig {
            door,
            marks,
            server,
            clients,
        }
    }

    /// Those who were there are served, and whoever comes.
    async fn serves(&mut self, place: Place) {
        self.door.fail(None);
        // The longest back-off.
        sleep(Duration::from_secs(1)).await;
        for client in &mut self.clients {
            assert!(client.is_served().await);
        }
        if place == Place::Full {
            self.clients.pop();
            rest().await;
        }
        let mut another = self.door.knock();
        assert!(another.is_served().await);
        self.clients.push(another);
    }

    /// The server ends in this time without being asked again, and nothing of it is left.
    async fn ends(mut self, within: Duration) {
        let ended = timeout(within, self.server.closed()).await;
        assert!(matches!(ended, Ok(ExitReason::Normal)), "{ended:?}");
        assert!(self.door.is_closed());
        assert_eq!(self.marks.alive(), 0);
        let counts = balanced(&self.server).await;
        assert_eq!((counts.open(), counts.failed), (0, 0));
        for client in &mut self.clients {
            // A machine says goodbye, if it has time to.
            while client.hear().await.is_some() {}
        }
    }
}

/// Runs this with more and more polls until the future was ready before it was dropped, in which case
/// a run gives `true`.
async fn at_every_poll(wish: &str, run: impl AsyncFn(Place, Polls) -> bool) {
    let before = tasks();
    for place in [
        Place::Listening,
        Place::Securing,
        Place::Full,
        Place::Paused,
        Place::Draining,
        Place::Stopped,
    ] {
        // As long as time passes all of them are ready at some time.
        for (turns, limit) in [(20, 20), (0, 100)] {
            for most in 0..=limit {
                println!("{wish} in {place:?}, dropped after {most} polls, {turns} turns apart");
                let ready = run(place, Polls { most, turns }).await;
                rest().await;
                assert_eq!(tasks(), before);
                if ready {
                    break;
                }
                assert!(most < limit || turns > 0);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n56_a_shutdown_that_was_polled_stays_in_force_and_one_that_was_not_does_nothing() {
    at_every_poll("shutdown", async |place, polls| {
        let mut rig = Rig::new(place).await;
        let ready = dropped_after(polls, rig.server.shutdown(ms(100)))
            .await
            .is_some();
        let ends = polls.most > 0 || matches!(place, Place::Draining | Place::Stopped);
        if !ends {
            if place != Place::Securing {
                rig.serves(place).await;
            }
            assert!(
                dropped_after(1, rig.server.shutdown(ms(100)))
                    .await
                    .is_none()
            );
        }
        rig.ends(ms(201)).await;
        ready
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_to_each_who_waits_whoever_else_gives_up() {
    at_every_poll("closed", async |place, polls| {
        let mut rig = Rig::new(place).await;
        let waits = tokio::spawn(rig.server.closed());
        let ending = tokio::spawn({
            let server = rig.server.clone();
            async move {
                sleep(ms(35)).await;
                server.shutdown(ms(100)).await
            }
        });
        let ready = dropped_after(polls, rig.server.closed()).await.is_some();
        if !matches!(place, Place::Securing | Place::Draining | Place::Stopped)
            && !ending.is_finished()
            && polls.turns > 0
        {
            assert_eq!(rig.server.counts().open(), rig.clients.len() as u64);
            for client in &mut rig.clients {
                assert!(client.is_served().await);
            }
        }
        let told = timeout(Duration::from_secs(1), waits).await;
        assert!(matches!(told, Ok(Ok(ExitReason::Normal))));
        assert!(matches!(ending.await, Ok(ExitReason::Normal)));
        rig.ends(ms(1)).await;
        ready
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_given_up_tells_the_change_to_who_asks_again() {
    at_every_poll("changed", async |place, polls| {
        let rig = Rig::new(place).await;
        let mut watch = rig.server.watch();
        let server = rig.server.clone();
        let ending = tokio::spawn(async move {
            sleep(ms(35)).await;
            server.shutdown(ms(100)).await
        });
        let mut ready = dropped_after(polls, watch.changed()).await.is_some();
        let told = timeout(Duration::from_secs(1), async {
            while !matches!(watch.status(), Status::Stopped(_)) {
                watch.changed().await;
            }
        });
        assert!(told.await.is_ok(), "it was told already, or is told now");
        // It never changes again.
        ready |= place == Place::Stopped;
        assert!(matches!(ending.await, Ok(ExitReason::Normal)));
        rig.ends(ms(1)).await;
        ready
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_end_of_a_server_does_not_keep_it() {
    for polls in 0..3 {
        let rig = Rig::new(Place::Full).await;
        let (server, mut watch) = (rig.server.clone(), rig.server.watch());
        let mut closed = Box::pin(server.closed());
        for _ in 0..polls {
            assert!(timeout(ms(1), &mut closed).await.is_err());
        }
        drop((server, rig.server));
        let told = timeout(ms(1), &mut closed).await;
        assert!(told.is_ok(), "after {polls} polls");
        assert!(matches!(watch.changed().await, Status::Stopped(_)));
        assert!(rig.door.is_closed());
        assert_eq!(rig.marks.alive(), 0);
    }
}
