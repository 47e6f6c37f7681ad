//! Subscribers of a client.

use std::time::Duration;

use tokio::time::sleep;

use super::{greeting, waiting};
use crate::support::caller::Rig;
use crate::support::memory::Network;
use crate::support::protocol::Lines;
use crate::support::server::Conduct;

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_goes_costs_nothing() {
    let mut rig = Rig::default();
    let server = rig.server(Conduct::default());
    let network = Network::to(&server, &rig.tasks);
    rig.watch(&network);
    let caller = rig.start(Lines(greeting()), network.connector(), |b| b);
    caller.works().await;
    let mut kept = caller.client.subscribe(4).await;
    for _ in 0..10 {
        drop(caller.client.subscribe(1).await);
        server.push(7);
        sleep(Duration::from_millis(1)).await;
    }
    // Room for four: it was told of the rest that it missed them.
    let mut notices = Vec::new();
    while let Some(notice) = waiting(&mut kept) {
        notices.push(notice);
    }
    assert_eq!(notices.len(), 4, "{notices:?}");
    server.push(8);
    sleep(Duration::from_millis(1)).await;
    let missed = waiting(&mut kept).expect("it is told");
    assert!(missed.starts_with("Missed("), "{missed}");
    rig.end(caller).await;
}
