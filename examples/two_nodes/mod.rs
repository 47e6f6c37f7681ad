//! Two nodes and a network between them that loses, repeats and delays messages.
//!
//! One node asks the other one to put money into an account. An answer that does not come may mean
//! that the request was lost, or the answer, or that either is still under way: the asker cannot
//! know. What it can do is in [`machine::Asker`]: name each request by a reference, take only the
//! answer that has it, and ask again. What only the other end can do is in [`machine::Teller`]:
//! remember the reference, so that asking again does no harm. The network between need not be
//! reliable for that, and could not help if it were (the end-to-end argument).
//!
//! [`simulation`] has the network: [turmoil](https://docs.rs/turmoil), with a seed.

pub mod machine;
pub mod simulation;

#[cfg(test)]
mod tests;
