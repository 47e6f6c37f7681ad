//! Makes a case smaller that shows a difference: its steps, then its rules, then their actions.

use crate::case::Case;

/// The smallest case found that still `differs`, which is asked of many candidates at once.
///
/// # Errors
///
/// What `differs` could not do.
pub fn shrink(
    mut case: Case,
    mut differs: impl FnMut(&[Case]) -> Result<Vec<bool>, String>,
) -> Result<Case, String> {
    loop {
        let before = case.to_string();
        for part in [Part::Steps, Part::Rules, Part::Actions] {
            loop {
                let candidates = candidates(&case, part);
                let answers = differs(&candidates)?;
                // The first that differs has lost most.
                let mut answered = candidates.into_iter().zip(answers);
                match answered.find(|(_, differs)| *differs) {
                    Some((smaller, _)) => case = smaller,
                    None => break,
                }
            }
        }
        // Without an action a step may have become idle, and so on.
        if case.to_string() == before {
            return Ok(case);
        }
    }
}

#[derive(Clone, Copy)]
enum Part {
    Steps,
    Rules,
    Actions,
}

impl Part {
    fn len(self, case: &Case) -> usize {
        match self {
            Part::Steps => case.steps.len(),
            Part::Rules => case.rules.len(),
            Part::Actions => {
                case.init.len()
                    + case
                        .rules
                        .iter()
                        .map(|rule| rule.actions.len())
                        .sum::<usize>()
            }
        }
    }

    /// The case without those parts that `goes` says of.
    fn without(self, case: &Case, goes: impl Fn(usize) -> bool) -> Case {
        let mut case = case.clone();
        let mut place = 0;
        let mut stays = || {
            place += 1;
            !goes(place - 1)
        };
        match self {
            Part::Steps => case.steps.retain(|_| stays()),
            Part::Rules => case.rules.retain(|_| stays()),
            Part::Actions => {
                case.init.retain(|_| stays());
                for rule in &mut case.rules {
                    rule.actions.retain(|_| stays());
                }
            }
        }
        case
    }
}

/// The case without each half, quarter, .. of a part, the large ones first.
fn candidates(case: &Case, part: Part) -> Vec<Case> {
    let len = part.len(case);
    let mut candidates = Vec::new();
    let mut size = len;
    while size > 0 {
        for from in (0..len).step_by(size) {
            candidates.push(part.without(case, |place| (from..from + size).contains(&place)));
        }
        size /= 2;
    }
    candidates
}
