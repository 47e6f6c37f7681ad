//! One attempt, on a paused clock: what is asked of the network, and when.

use statem::net::ConnectCause;

use crate::support::{Network, ms};

/// Runs one attempt at `db:1`, and at `other:1` where there is one, and compares the trace.
async fn check(endpoints: &[&str], network: &str, expected: &str) {
    let network = Network::new(network);
    let mut connector = network.connector(endpoints[0]);
    for endpoint in &endpoints[1..] {
        connector = connector.or(*endpoint);
    }
    let result = network.connect(&mut connector).await;
    assert_eq!(network.open(), usize::from(result.is_ok()), "losers closed");
    let expected: Vec<_> = expected.lines().map(str::trim).collect();
    assert_eq!(network.trace(), expected);
}

#[tokio::test(start_paused = true)]
async fn f04_the_second_address_starts_250_ms_after_a_first_one_that_hangs() {
    check(
        &["db:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 in 20
        10.0.0.1:1 hangs
        10.0.0.2:1 accepts in 5",
        "0 resolve db
        20 dial 10.0.0.1:1
        270 dial 10.0.0.2:1
        275 connected db:1 10.0.0.2:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rfc8305_a_failure_starts_the_next_address_at_once() {
    check(
        &["db:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1
        10.0.0.1:1 refuses in 10
        10.0.0.2:1 refuses
        10.0.0.3:1 accepts in 1",
        "0 resolve db
        0 dial 10.0.0.1:1
        10 dial 10.0.0.2:1
        10 dial 10.0.0.3:1
        11 connected db:1 10.0.0.3:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rfc8305_the_wait_for_the_next_address_counts_from_the_last_start() {
    check(
        &["db:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1
        10.0.0.1:1 refuses in 100
        10.0.0.2:1 hangs
        10.0.0.3:1 accepts",
        "0 resolve db
        0 dial 10.0.0.1:1
        100 dial 10.0.0.2:1
        350 dial 10.0.0.3:1
        350 connected db:1 10.0.0.3:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rfc8305_a_first_address_that_is_slow_still_wins_against_a_slower_one() {
    check(
        &["db:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1
        10.0.0.1:1 accepts in 300
        10.0.0.2:1 accepts in 100",
        "0 resolve db
        0 dial 10.0.0.1:1
        250 dial 10.0.0.2:1
        300 connected db:1 10.0.0.1:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn rfc8305_the_families_take_turns_and_the_resolvers_choice_begins() {
    check(
        &["db:1"],
        "db gives [::1]:1 [::2]:1 [::3]:1 10.0.0.1:1 10.0.0.2:1
        10.0.0.2:1 accepts",
        "0 resolve db
        0 dial [::1]:1
        0 dial 10.0.0.1:1
        0 dial [::2]:1
        0 dial 10.0.0.2:1
        0 connected db:1 10.0.0.2:1",
    )
    .await;
    check(
        &["db:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 [::1]:1
        10.0.0.2:1 accepts",
        "0 resolve db
        0 dial 10.0.0.1:1
        0 dial [::1]:1
        0 dial 10.0.0.2:1
        0 connected db:1 10.0.0.2:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_resolved_only_when_its_turn_comes() {
    let network = "db gives 10.0.0.1:1
        10.0.0.1:1 accepts in 200
        other gives 10.0.0.9:1";
    check(
        &["db:1", "other:1"],
        network,
        "0 resolve db
        0 dial 10.0.0.1:1
        200 connected db:1 10.0.0.1:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_slow_to_resolve_does_not_hold_up_the_next_endpoint() {
    check(
        &["db:1", "other:1", "10.0.0.9:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 in 600
        other hangs
        10.0.0.9:1 hangs
        10.0.0.2:1 accepts",
        "0 resolve db
        250 resolve other
        500 dial 10.0.0.9:1
        600 dial 10.0.0.1:1
        600 dial 10.0.0.2:1
        600 connected db:1 10.0.0.2:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_addresses_of_an_endpoint_go_before_those_of_later_ones() {
    check(
        &["db:1", "other:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 in 300
        other gives 10.0.1.1:1 10.0.1.2:1
        10.0.1.1:1 hangs
        10.0.0.1:1 hangs
        10.0.0.2:1 hangs
        10.0.1.2:1 accepts",
        "0 resolve db
        250 resolve other
        250 dial 10.0.1.1:1
        300 dial 10.0.0.1:1
        550 dial 10.0.0.2:1
        800 dial 10.0.1.2:1
        800 connected other:1 10.0.1.2:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_addresses_of_a_later_endpoint_come_after_those_that_wait() {
    check(
        &["db:1", "other:1"],
        "db gives 10.0.0.1:1 10.0.0.2:1 in 300
        other gives 10.0.1.1:1 10.0.1.2:1 in 60
        10.0.1.1:1 hangs
        10.0.0.1:1 hangs
        10.0.0.2:1 hangs
        10.0.1.2:1 accepts",
        "0 resolve db
        250 resolve other
        300 dial 10.0.0.1:1
        310 dial 10.0.1.1:1
        560 dial 10.0.0.2:1
        810 dial 10.0.1.2:1
        810 connected other:1 10.0.1.2:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_resolved_starts_the_next_endpoint_at_once() {
    check(
        &["db:1", "other:1", "10.0.0.9:1"],
        "db refuses in 10
        other gives in 20
        10.0.0.9:1 accepts",
        "0 resolve db
        10 resolve other
        30 dial 10.0.0.9:1
        30 connected 10.0.0.9:1 10.0.0.9:1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn at_most_32_addresses_of_a_name_are_tried() {
    let addresses: Vec<_> = (1..=40)
        .map(|number| format!("10.0.0.{number}:1"))
        .collect();
    let network = Network::new(&format!("db gives {}", addresses.join(" ")));
    let error = network
        .connect(&mut network.connector("db:1"))
        .await
        .expect_err("none accepts");
    assert_eq!(error.failures().len(), 32);
}

#[tokio::test(start_paused = true)]
async fn f05_the_limit_of_connecting_is_of_each_address() {
    check(
        &["10.0.0.1:1", "10.0.0.2:1"],
        "10.0.0.1:1 hangs
        10.0.0.2:1 hangs",
        "0 dial 10.0.0.1:1
        250 dial 10.0.0.2:1
        5250 not connected: 10.0.0.1:1: no connection within 5s; 10.0.0.2:1: no connection within 5s",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn f03_a_name_is_resolved_once_an_attempt_with_a_limit_of_its_own() {
    let network = Network::new("db hangs");
    let mut connector = network.connector("db:1").resolve_timeout(ms(700));
    network.connect(&mut connector).await.expect_err("no name");
    let expected = "700 not connected: db:1: the name was not resolved within 700ms";
    assert_eq!(network.trace(), ["0 resolve db", expected]);

    network.change("db refuses");
    network.connect(&mut connector).await.expect_err("no name");
    let expected = "700 not connected: db:1: the name was not resolved: refused";
    assert_eq!(network.trace(), ["700 resolve db", expected]);

    network.change("db gives");
    let error = network.connect(&mut connector).await;
    let error = error.expect_err("no address");
    assert!(matches!(error.failures()[0].cause, ConnectCause::NoAddress));

    network.change("db gives 10.0.0.1:1\n10.0.0.1:1 accepts");
    network.trace();
    network.connect(&mut connector).await.expect("it accepts");
    let expected = [
        "700 resolve db",
        "700 dial 10.0.0.1:1",
        "700 connected db:1 10.0.0.1:1",
    ];
    assert_eq!(network.trace(), expected);
}

#[tokio::test(start_paused = true)]
async fn f42_a_name_that_has_moved_is_found_at_its_new_address() {
    let network = Network::new("db gives 10.0.0.1:1\n10.0.0.1:1 accepts\n10.0.0.2:1 accepts");
    let mut connector = network.connector("db:1");
    let old = network.connect(&mut connector).await.expect("it accepts");
    assert_eq!(old.address.to_string(), "10.0.0.1:1");
    network.change("db gives 10.0.0.2:1");
    let new = network.connect(&mut connector).await.expect("it accepts");
    assert_eq!(new.address.to_string(), "10.0.0.2:1");
}

#[tokio::test(start_paused = true)]
async fn the_error_says_what_failed_at_each_address() {
    let network = Network::new(
        "db gives 10.0.0.1:1 [::1]:1
        [::1]:1 hangs",
    );
    let mut connector = network
        .connector("db:1")
        .or("nowhere")
        .or("unix:/run/none")
        .connect_timeout(ms(100));
    let error = network.connect(&mut connector).await;
    let error = error.expect_err("none accepts");
    assert_eq!(
        error.to_string(),
        "not connected: db:1 (10.0.0.1:1): connecting failed: refused; \
         db:1 ([::1]:1): no connection within 100ms; \
         unix:/run/none: connecting failed: refused; \
         `nowhere` has no port: write `host:port`"
    );
    let endpoints = error.failures().iter().map(|failure| &failure.endpoint);
    assert_eq!(endpoints.flatten().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_dropped_at_any_point_closes_what_it_has_opened() {
    let network = "db gives 10.0.0.1:1 10.0.0.2:1 in 20
        other gives 10.0.1.1:1 in 20
        10.0.0.1:1 hangs
        10.0.0.2:1 refuses in 300
        10.0.1.1:1 accepts in 30";
    for cut in 0.. {
        let network = Network::new(network);
        let mut connector = network.connector("db:1").or("other:1");
        let attempt = tokio::time::timeout(ms(cut * 10), network.connect(&mut connector));
        let connected = attempt.await;
        assert_eq!(network.open(), usize::from(connected.is_ok()));
        if let Ok(connection) = connected {
            // 20, 250, 250, 20 and 30 one after the other.
            assert_eq!(cut, 57);
            drop(connection);
            assert_eq!(network.open(), 0);
            break;
        }
    }
}
