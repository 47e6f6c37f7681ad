//! One table: what statem costs beside the code one would write by hand and beside its peers.
//!
//! All contenders of a row are measured side by side in one run: a round runs each of them once,
//! and a ratio is the median over the rounds of the ratio within a round, so that a machine that is
//! slow for a while is slow for all. The nanoseconds are those of the best round.

mod by_hand;
mod clients;
mod counter;
mod crowd;
mod dispatch;
mod idle;
mod process;
mod report;
mod watched;
mod with_kameo;
mod with_ractor;
mod with_statem;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, contender] = arguments.as_slice()
        && flag == idle::FLAG
    {
        idle::measure_here(contender);
        return;
    }
    if let [flag, contender] = arguments.as_slice()
        && flag == crowd::FLAG
    {
        crowd::serve_here(contender);
        return;
    }
    // `cargo bench` adds a flag of its own; a word is a filter.
    let filter = arguments
        .into_iter()
        .find(|argument| !argument.starts_with("--"))
        .unwrap_or_default();
    dispatch::rows(&filter);
    process::rows(&filter);
    watched::rows(&filter);
    idle::rows(&filter);
    clients::rows(&filter);
    crowd::rows(&filter);
}
