//! The cases that are compared without Erlang: those made by hand, and random ones whose traces OTP
//! has recorded. The random ones are generated again; a fingerprint tells that they are the same.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use crate::case::{self, Case};
use crate::compare;
use crate::generate::{Profile, generate};
use crate::oracle::Oracle;

const HAND: &str = include_str!("hand.txt");
const SEED: u16 = 1;
const CASES: u64 = 1000;

/// A case, and the trace that gen_statem has made of it.
pub type Golden = (Arc<Case>, Cow<'static, str>);

/// The cases made by hand, and the traces written beside them.
///
/// # Errors
///
/// A line that is not understood.
pub fn by_hand() -> Result<Vec<Golden>, String> {
    let with_trace = |case| (Cow::from(compare::expected(&case)), Arc::new(case));
    let cases = case::parse(HAND)?.into_iter().map(with_trace);
    Ok(cases.map(|(trace, case)| (case, trace)).collect())
}

/// The recorded cases of a profile.
///
/// # Errors
///
/// The recording is of other cases.
pub fn recorded(profile: Profile) -> Result<Vec<Golden>, String> {
    let recording = match profile {
        Profile::Core => include_str!("golden/core.txt"),
        Profile::Full => include_str!("golden/full.txt"),
        Profile::Err => include_str!("golden/err.txt"),
    };
    let cases: Vec<_> = cases(profile).map(Arc::new).collect();
    let (head, traces) = recording.split_once('\n').unwrap_or_default();
    if head != heading(profile, &text(cases.iter().map(|case| &**case))) {
        return Err(format!(
            "the recording of profile {profile} is of other cases: the generator has changed; \
             record them anew"
        ));
    }
    let traces = compare::traces(traces);
    if traces.len() != cases.len() {
        return Err(format!(
            "the recording of profile {profile} has {} cases",
            traces.len()
        ));
    }
    let traces = traces.into_iter().map(|(_, trace)| Cow::from(trace));
    Ok(cases.into_iter().zip(traces).collect())
}

/// Has OTP run the cases of a profile, and gives what the file of its recording is to hold.
///
/// # Errors
///
/// What went wrong with the oracle.
pub fn record(profile: Profile, oracle: &Oracle) -> Result<String, String> {
    let cases = text(cases(profile));
    Ok(format!(
        "{}\n{}",
        heading(profile, &cases),
        oracle.run(&cases)?
    ))
}

/// The whole set.
///
/// # Errors
///
/// The set cannot be read.
pub fn all() -> Result<Vec<Golden>, String> {
    let mut all = by_hand()?;
    for profile in Profile::ALL {
        all.extend(recorded(profile)?);
    }
    Ok(all)
}

/// Cases as text.
pub fn text<C: std::borrow::Borrow<Case>>(cases: impl Iterator<Item = C>) -> String {
    cases.fold(String::new(), |mut text, case| {
        // Writing to a string does not fail.
        let _ = write!(text, "{}", case.borrow());
        text
    })
}

fn cases(profile: Profile) -> impl Iterator<Item = Case> {
    (0..CASES).map(move |number| generate(SEED, profile, number))
}

fn heading(profile: Profile, cases: &str) -> String {
    format!(
        "# {CASES} cases of profile {profile}, seed {SEED}, fingerprint {:016x}",
        fingerprint(cases)
    )
}

/// FNV-1a: the same on every machine and with every compiler.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
