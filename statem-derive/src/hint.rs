//! Names that people write in place of ours: misspelt ones, and those of Erlang and of other state
//! machines.

/// The choice that looks most like `word`, if one looks like it at all.
pub(crate) fn similar<'a>(word: &str, choices: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let word = plain(word);
    // A slip in every third letter, two at most: enough for a hurry, too little to take one word
    // for another.
    let limit = (word.chars().count() / 3).min(2);
    choices
        .map(|choice| (plain(choice), choice))
        // `Active` is not a slip of `Inactive`.
        .filter(|(plain, _)| !is_prefixed(plain, &word) && !is_prefixed(&word, plain))
        .map(|(plain, choice)| (distance(&word, &plain), choice))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}

/// Whether `long` is `short` with a syllable before it.
fn is_prefixed(long: &str, short: &str) -> bool {
    long.strip_suffix(short)
        .is_some_and(|prefix| prefix.chars().count() > 1)
}

/// How what an attribute that is none of ours asks for is written.
pub(crate) fn attribute(word: &str) -> Option<&'static str> {
    Some(match word {
        "end" | "final" => "is written `#[terminal]`: it marks a state in which the machine ends",
        "next_state" | "transitions" => {
            "is written `#[to(Target)]`: it names the states that may come next"
        }
        "gen_statem" => {
            "is written `#[machine(event = Event)]`, above the enum: it names the type of what can happen"
        }
        "callback_mode" | "state_functions" | "handle_event_function" => {
            "is written as a key: with `#[machine(handlers = \"per_state\")]` each state has its own handler, without it one \
             handler has all states"
        }
        "state_enter" => {
            "can be left out: enter calls are always made; write `fn enter` in the handler to have them"
        }
        _ => return None,
    })
}

/// Whether someone who writes this as a key of `#[machine(..)]` marks a state with it, or declares a
/// transition.
pub(crate) fn about_states(word: &str) -> bool {
    key(word).is_some_and(|ours| {
        ["#[initial]", "#[terminal]", "#[to(..)]"]
            .iter()
            .any(|attribute| ours.contains(attribute))
    })
}

/// How a word that is no key of `#[machine(..)]` is said.
pub(crate) fn key(word: &str) -> Option<&'static str> {
    Some(match word {
        "callback_mode" | "mode" | "handler" => {
            "with `handlers = \"per_state\"` each state has its own handler; without it one handler has all states"
        }
        "state_functions" | "per_state" => {
            "that each state has its own handler is `handlers = \"per_state\"`"
        }
        "handle_event_function" | "handle_event" => {
            "without `handlers` one handler has all states; leave this out"
        }
        "gen_statem" | "state_machine" | "behaviour" | "behavior" | "module" => {
            "`#[derive(StateMachine)]` makes a machine of the enum; leave this out"
        }
        "message" | "messages" | "msg" | "info" | "call" | "cast" | "input" | "events"
        | "event_type" | "event_content" => {
            "everything that can happen is one enum, `event = Event`"
        }
        "state_data" | "context" | "storage" | "shared" | "loop_data" => {
            "what the machine keeps in every state is `data = Type`"
        }
        "timeouts" | "timer" | "timers" | "generic_timeout" | "timeout_name" => {
            "the names of timeouts are one type, `timeout = Type`"
        }
        "state_timeout" | "event_timeout" => {
            "a timeout is started in the handler, as in `cx.state_timeout(after, event)`"
        }
        "init" | "initial" | "start" | "initial_state" => {
            "mark the variants that a machine may start in with `#[initial]`"
        }
        "terminal" | "final" | "end" | "final_state" => {
            "mark the variants that the machine ends in with `#[terminal]`"
        }
        "to" | "transitions" | "next_state" => {
            "transitions are `#[to(..)]` above a variant, or above the enum for every state"
        }
        "state_enter" | "on_enter" | "enter" | "on_exit" => {
            "enter calls are always made; write `fn enter` in the handler to have them"
        }
        "terminate" => {
            "the call at the end is always made; write `fn terminate` in the handler to have it"
        }
        "code_change" | "change_callback_module" | "push_callback_module" => {
            "a machine is not changed while it runs; leave this out"
        }
        "hibernate" | "hibernate_after" => {
            "a machine has no heap of its own to compact; leave this out"
        }
        "format_status" => {
            "what a machine shows is up to the `Debug` of your types; leave this out"
        }
        "postpone" => "an event is postponed in the handler, with `postpone(event)`",
        "keep_state" | "keep_state_and_data" | "keep" => {
            "a handler that stays in its state answers `keep()`"
        }
        "repeat_state" | "repeat_state_and_data" | "repeat" => {
            "a handler that enters its state anew answers `repeat()`"
        }
        "next_event" | "internal" => "the machine's own events come from `cx.insert(event)`",
        "reply" | "replies" | "from" => {
            "a caller's `Reply` comes within the event, and is answered with `reply.send(value)`"
        }
        "stop" | "stop_and_reply" => {
            "a handler stops the machine with `stop(reason)`; the event that asks it to drain is `shutdown = Event::Drain`"
        }
        "drain" => "the event that asks the machine to drain is `shutdown = Event::Drain`",
        "name" | "register" | "start_link" | "start_monitor" => {
            "a machine is started with `spawn`, and known by the handle that it returns"
        }
        "unhandled" | "otherwise" | "default" => {
            "what `unexpected(event)` does is `unexpected = \"warn\"`"
        }
        "krate" => "where statem is found is `crate = path`",
        _ => return None,
    })
}

/// How a word that this key does not take is said.
pub(crate) fn word(key: &str, word: &str) -> Option<&'static str> {
    Some(match (key, word) {
        (
            "handlers",
            "state_functions" | "state_function" | "each" | "separate" | "each_state" | "states",
        ) => "write `handlers = \"per_state\"`",
        (
            "handlers",
            "handle_event_function" | "handle_event" | "single" | "one" | "shared" | "machine",
        ) => "for one handler for all states leave `handlers` out",
        ("handlers", "state_enter") => {
            "enter calls are always made; write `fn enter` in the handler to have them"
        }
        ("unexpected", "ignore" | "log" | "drop" | "info" | "keep" | "keep_state") => {
            "write `unexpected = \"warn\"`"
        }
        ("unexpected", "error" | "exit" | "crash" | "terminate") => "write `unexpected = \"stop\"`",
        ("unexpected", "abort") => "write `unexpected = \"panic\"`",
        ("unexpected", "postpone") => {
            "an event is postponed in the handler, with `postpone(event)` in place of `unexpected(event)`"
        }
        ("unexpected", "reply") => "a caller is answered in the handler, with `reply.send(value)`",
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
