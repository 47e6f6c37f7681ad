//! Prints the state diagram of the Redis client, as Mermaid source: `cargo run --example diagram`.
//!
//! It is made from the enum that the compiler checks every transition against, so it cannot be
//! wrong.

use statem::Machine;
use statem_examples::redis_client::machine::Connection;

fn main() {
    print!("{}", Connection::GRAPH.mermaid());
}
