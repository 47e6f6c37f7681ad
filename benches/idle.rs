//! Memory: what the resident set of a process grows by when 100,000 idle counters are started in
//! it.
//!
//! Each contender has a process of its own, so that none lives in what another one left behind.
//! Linux only.

use std::process::Command;
use std::sync::Arc;

use crate::by_hand::Loop;
use crate::counter::{Process, Started};
use crate::report::Section;
use crate::with_kameo::Kameo;
use crate::with_ractor::Ractor;
use crate::with_statem::Statem;

/// Makes this program measure one contender.
pub(crate) const FLAG: &str = "--idle";

const COUNTERS: u32 = 100_000;

pub(crate) fn rows(filter: &str) {
    let mut section = Section::new(
        filter,
        "memory",
        "bytes",
        &["tokio by hand", "statem", "ractor", "kameo"],
    );
    for (name, beat, aim) in [
        ("idle, 100,000 of them", "", Some("≤ 700 bytes".to_owned())),
        ("idle, each with a timeout running", "+beat", None),
    ] {
        if !section.wants(name) {
            continue;
        }
        let samples: Option<Vec<_>> = ["by hand", "statem", "ractor", "kameo"]
            .map(|contender| measure(&format!("{contender}{beat}")))
            .into_iter()
            .collect();
        match samples {
            Some(samples) => section.show(name, aim, &samples),
            None => println!("{name}: not measured on this system"),
        }
    }
}

fn measure(contender: &str) -> Option<Vec<f64>> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program)
        .args([FLAG, contender])
        .output()
        .ok()?;
    Some(vec![
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()?,
    ])
}

/// Measures a contender in this process and prints the bytes of one counter.
pub(crate) fn measure_here(contender: &str) {
    let (contender, beat) = match contender.strip_suffix("+beat") {
        Some(contender) => (contender, true),
        None => (contender, false),
    };
    let bytes = match contender {
        "by hand" => bytes_of_one::<Loop>(beat),
        "statem" => bytes_of_one::<Statem>(beat),
        "ractor" => bytes_of_one::<Ractor>(beat),
        "kameo" => bytes_of_one::<Kameo>(beat),
        _ => None,
    };
    if let Some(bytes) = bytes {
        println!("{bytes}");
    }
}

fn bytes_of_one<P: Process>(beat: bool) -> Option<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        // What is made once, and the list of handles, is there before the first look.
        let first = P::spawn(Arc::default()).await;
        first.beat().await;
        let mut counters = vec![first; COUNTERS as usize];
        let before = resident()?;
        let started = Arc::new(Started::default());
        for place in &mut counters {
            *place = P::spawn(started.clone()).await;
            if beat {
                place.beat().await;
            }
        }
        started.wait_for(COUNTERS).await;
        let after = resident()?;
        Some((after - before) / f64::from(COUNTERS))
    })
}

/// The resident set in bytes.
pub(crate) fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?
        .split_whitespace()
        .next()?;
    kilobytes
        .parse::<f64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024.0)
}
