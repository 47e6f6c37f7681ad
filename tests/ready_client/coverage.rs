//! Every transition that is drawn is taken.

use statem::net::ClientMachine;
use statem::testing::EdgeCoverage;

use crate::support::Lines;
use crate::{change, start};

#[test]
fn every_edge_of_the_client_is_taken() {
    start::f01_start_needs_no_network_and_calls_are_answered_without_one();
    start::the_handshake_may_take_several_frames_and_what_comes_with_the_last_is_not_lost();
    start::a_handshake_that_fails_is_tried_again_soon();
    change::f38_a_drain_makes_before_it_breaks();
    change::f38_a_peer_that_drains_every_connection_at_once_is_not_hammered();
    change::f37_shutdown_stop_and_kill_in_each_state();
    let coverage = EdgeCoverage::of::<ClientMachine<Lines>>();
    println!("{coverage}");
    coverage.assert_complete();
}
