//! From attempt to attempt, on a paused clock: which endpoint is tried first.

use statem::net::{Connector, Endpoint, Prefer};
use tokio::time::advance;

use crate::support::{Network, ms};

const TWO: &str = "10.0.0.1:1 accepts\n10.0.0.2:1 accepts";

fn one() -> Endpoint {
    "10.0.0.1:1".parse().expect("an endpoint")
}

fn two() -> Endpoint {
    "10.0.0.2:1".parse().expect("an endpoint")
}

/// Connects, and says what was dialled.
async fn dialled(network: &Network, connector: &mut Connector) -> Vec<String> {
    network.trace();
    let _ = network.connect(connector).await;
    let trace = network.trace().into_iter();
    let dials = trace.filter_map(|line| Some(line.split_once("dial ")?.1.to_owned()));
    dials.collect()
}

#[tokio::test(start_paused = true)]
async fn f41_an_endpoint_that_failed_is_tried_last_for_a_while_and_then_first_again() {
    let network = Network::new("10.0.0.2:1 accepts");
    let mut connector = network.connector("10.0.0.1:1").or("10.0.0.2:1");
    let both = ["10.0.0.1:1", "10.0.0.2:1"];
    assert_eq!(dialled(&network, &mut connector).await, both);
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);

    network.change(TWO);
    advance(ms(29_999)).await;
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);
    advance(ms(1)).await;
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.1:1"]);
}

#[tokio::test(start_paused = true)]
async fn f41_the_endpoint_that_works_is_kept_where_that_is_preferred() {
    let network = Network::new("10.0.0.2:1 accepts");
    let connector = network.connector("10.0.0.1:1").or("10.0.0.2:1");
    let mut connector = connector.prefer(Prefer::Working).penalty(ms(500));
    let both = ["10.0.0.1:1", "10.0.0.2:1"];
    assert_eq!(dialled(&network, &mut connector).await, both);

    network.change(TWO);
    advance(ms(3_600_000)).await;
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);

    network.change("10.0.0.2:1 refuses");
    let back = ["10.0.0.2:1", "10.0.0.1:1"];
    assert_eq!(dialled(&network, &mut connector).await, back);
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.1:1"]);
}

#[tokio::test(start_paused = true)]
async fn f41_an_endpoint_that_accepts_and_does_not_do_goes_to_the_end() {
    for prefer in [Prefer::First, Prefer::Working] {
        let network = Network::new(TWO);
        let mut connector = network.connector("10.0.0.1:1").or("10.0.0.2:1");
        connector = connector.prefer(prefer);
        assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.1:1"]);
        connector.failed(&one());
        assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);
        // Of two that failed, the one whose failure is older.
        advance(ms(10)).await;
        connector.failed(&two());
        assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.1:1"]);
        connector.failed(&one());
        assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_one_address_of_which_connects_has_not_failed() {
    let network = Network::new("db gives 10.0.0.7:1 10.0.0.1:1\n10.0.0.1:1 accepts");
    let mut connector = network.connector("db:1").or("10.0.0.2:1");
    let first = ["10.0.0.7:1", "10.0.0.1:1"];
    assert_eq!(dialled(&network, &mut connector).await, first);
    assert_eq!(dialled(&network, &mut connector).await, first);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_has_addresses_left_has_not_failed() {
    let network = Network::new(
        "db gives 10.0.0.7:1 10.0.0.1:1
        10.0.0.1:1 hangs
        10.0.0.2:1 accepts",
    );
    let mut connector = network.connector("db:1").or("10.0.0.2:1");
    let all = ["10.0.0.7:1", "10.0.0.1:1", "10.0.0.2:1"];
    assert_eq!(dialled(&network, &mut connector).await, all);
    assert_eq!(dialled(&network, &mut connector).await, all);
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_have_all_failed_are_all_tried() {
    let network = Network::new("");
    let mut connector = network.connector("10.0.0.1:1").or("10.0.0.2:1");
    for _ in 0..3 {
        assert_eq!(dialled(&network, &mut connector).await.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clone_learns_by_itself() {
    let network = Network::new(TWO);
    let mut connector = network.connector("10.0.0.1:1").or("10.0.0.2:1");
    let mut before = connector.clone();
    connector.failed(&one());
    let mut after = connector.clone();
    assert_eq!(dialled(&network, &mut before).await, ["10.0.0.1:1"]);
    assert_eq!(dialled(&network, &mut after).await, ["10.0.0.2:1"]);
    after.failed(&two());
    assert_eq!(dialled(&network, &mut connector).await, ["10.0.0.2:1"]);
}
