//! Names that people write in place of ours: misspelt ones, and those of Erlang and of other state
//! machines.

/// The choice that looks most like `word`, if one looks like it at all.
pub(crate) fn similar<'a>(word: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let word = plain(word);
    // Every third letter may be wrong: enough for a slip, too little to take one word for another.
    let limit = (word.chars().count() / 3).max(1);
    choices
        .map(|choice| (distance(&word, &plain(choice)), choice))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}

/// How a word that is no attribute of ours is written.
pub(crate) fn attribute(word: &str) -> Option<&'static str> {
    matches!(word, "end" | "final").then_some("#[terminal]")
}

/// How a word that is no key of `#[machine(..)]` is said.
pub(crate) fn key(word: &str) -> Option<&'static str> {
    Some(match word {
        "callback_mode" | "mode" | "handler" => {
            "with `handlers = \"per_state\"` each state has its own handler; without it one handler has all states"
        }
        "message" | "messages" | "msg" | "info" | "call" | "cast" | "input" | "events"
        | "event_content" => "everything that can happen is one enum, `event = Event`",
        "state_data" | "context" | "storage" | "shared" | "loop_data" => {
            "what the machine keeps in every state is `data = Type`"
        }
        "timeouts" | "timer" | "timers" | "generic_timeout" => {
            "the names of timeouts are one type, `timeout = Type`"
        }
        "init" | "initial" | "start" | "initial_state" => {
            "mark the variants that a machine may start in with `#[initial]`"
        }
        "terminal" | "final" | "end" | "terminate" => {
            "mark the variants that the machine ends in with `#[terminal]`"
        }
        "state_enter" | "on_enter" | "enter" | "on_exit" => {
            "enter calls are always made; write `fn enter` in the handler to have them"
        }
        "to" | "transitions" | "next_state" => {
            "transitions that every state has are `#[to(..)]` on the enum"
        }
        "unhandled" | "otherwise" | "default" => {
            "what `unexpected(event)` does is `unexpected = \"warn\"`"
        }
        "drain" | "stop" => "the event that asks the machine to drain is `shutdown = Event::Drain`",
        "krate" => "where statem is found is `crate = path`",
        _ => return None,
    })
}

/// How a word that no key takes is said.
pub(crate) fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "state_functions" | "state_function" | "each" | "separate" => {
            "write `handlers = \"per_state\"`"
        }
        "handle_event_function" | "handle_event" | "single" | "one" | "shared" | "machine" => {
            "for one handler for all states leave `handlers` out"
        }
        "ignore" | "log" | "drop" => "write `unexpected = \"warn\"`",
        "error" | "exit" | "crash" => "write `unexpected = \"stop\"`",
        "abort" => "write `unexpected = \"panic\"`",
        _ => return None,
    })
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut cost = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other;
            if swapped {
                cost = cost.min(before[column - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[right.len()]
}
