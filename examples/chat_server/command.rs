//! What a member wants.

/// What a line of a member's says.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// To be called this.
    Nick(&'a str),
    /// To go to this room.
    Join(&'a str),
    /// To leave the room.
    Leave,
    /// To know who is there.
    Who,
    /// To end.
    Quit,
    /// To be told how it goes.
    Help,
    /// To say this to all in the room.
    Say(&'a str),
}

impl<'a> Command<'a> {
    /// What is not known asks for help.
    #[must_use]
    pub fn parse(line: &'a str) -> Self {
        if !line.starts_with('/') {
            return Command::Say(line);
        }
        let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
        match (word, argument.trim()) {
            ("/nick", name) => Command::Nick(name),
            ("/join", room) => Command::Join(room),
            ("/leave", "") => Command::Leave,
            ("/who", "") => Command::Who,
            ("/quit", "") => Command::Quit,
            _ => Command::Help,
        }
    }
}

/// A line as others may see it on their terminals.
#[must_use]
pub fn visible(line: &str) -> String {
    line.replace(char::is_control, " ")
}
