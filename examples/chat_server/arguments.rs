//! The arguments of the example.

use std::net::SocketAddr;

/// How to use it.
pub const USAGE: &str = "usage: chat_server [--listen ADDRESS:PORT]

A chat in lines of text. With --listen it serves whoever comes, by `nc` for example, until Ctrl-C;
with port 0 it takes a free one. Without, some members of its own show what it does, among them one
that reads too slowly, and it ends by itself.";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    /// To show what it does.
    Story,
    /// To serve here.
    Listen(SocketAddr),
    /// Only to be told how to use it.
    Help,
}

/// Reads the arguments.
///
/// # Errors
///
/// What is wrong with them, in words.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Mode, String> {
    let mut mode = Mode::Story;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Mode::Help),
            "--listen" => {
                let text = arguments.next().ok_or("--listen needs an address")?;
                let address = text.parse().map_err(|_| {
                    format!("`{text}` is not an address such as 127.0.0.1:7000 or [::1]:0")
                })?;
                mode = Mode::Listen(address);
            }
            other => return Err(format!("`{other}` is not an argument of this program")),
        }
    }
    Ok(mode)
}
