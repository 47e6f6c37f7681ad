//! Every transition that is drawn is taken.

use statem::net::ServerMachine;
use statem::testing::EdgeCoverage;

use crate::{accept_errors, drain, limit};

#[test]
fn every_edge_of_the_server_is_taken() {
    limit::at_the_limit_connections_wait_until_one_has_ended();
    accept_errors::without_descriptors_a_server_neither_spins_nor_forgets_who_is_there();
    drain::a_server_can_be_shut_down_in_each_state();
    let coverage = EdgeCoverage::of::<ServerMachine>();
    println!("{coverage}");
    coverage.assert_complete();
}
