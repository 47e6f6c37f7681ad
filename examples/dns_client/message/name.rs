//! Names: labels, and how a message writes each only once.

use std::fmt;
use std::str::FromStr;

use super::Malformed;

/// The longest name, with the lengths of its labels and the zero at its end.
const LONGEST: usize = 255;

/// The longest label.
const LONGEST_LABEL: usize = 63;

/// The name of something in the domain name system.
///
/// Two names that differ only in the case of letters are the same to the system, see
/// [`Name::is_same`], but not equal: what was written is given back as it was.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// As on the wire: each label after its length, and a zero at the end.
    wire: Vec<u8>,
}

/// A text that is not a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    text: String,
    problem: &'static str,
}

impl Name {
    /// The name of no labels.
    #[must_use]
    pub fn root() -> Self {
        Name { wire: vec![0] }
    }

    /// Whether it means the same, whatever the case of the letters.
    #[must_use]
    pub fn is_same(&self, other: &Name) -> bool {
        // A length is below 64, so it is no letter.
        self.wire.eq_ignore_ascii_case(&other.wire)
    }

    /// In lower case: names that mean the same give equal ones.
    #[must_use]
    pub fn to_lowercase(&self) -> Name {
        Name {
            wire: self.wire.to_ascii_lowercase(),
        }
    }

    /// Its labels, from the left.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.wire[..];
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            if length == 0 {
                return None;
            }
            let (label, after) = after.split_at(usize::from(length));
            rest = after;
            Some(label)
        })
    }

    /// The parts of the wire form that begin at a label, the whole one first. The zero at the end is
    /// in all of them.
    pub(super) fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.wire[..];
        std::iter::from_fn(move || {
            let length = usize::from(*rest.first()?);
            if length == 0 {
                return None;
            }
            let suffix = rest;
            rest = &rest[1 + length..];
            Some(suffix)
        })
    }

    /// Reads the name that begins at `at`, and gives where what follows it begins.
    ///
    /// A name may end by pointing at an earlier one. A pointer must point before the labels that it
    /// ends: each one leads further to the front, so none can be met twice, and a message that was
    /// made to send its reader in circles is refused.
    pub(super) fn read(message: &[u8], at: usize) -> Result<(Name, usize), Malformed> {
        let mut wire = Vec::new();
        // Where the labels that are being read begin, and where the name ended, if it has jumped.
        let (mut begin, mut here) = (at, at);
        let mut end = None;
        loop {
            let length = *message.get(here).ok_or(Malformed::Short)?;
            match (length >> 6, usize::from(length & 0x3f)) {
                (0, 0) => {
                    wire.push(0);
                    return Ok((Name { wire }, end.unwrap_or(here + 1)));
                }
                (0, length) => {
                    let label = message.get(here..=here + length).ok_or(Malformed::Short)?;
                    if wire.len() + label.len() + 1 > LONGEST {
                        return Err(Malformed::LongName);
                    }
                    wire.extend_from_slice(label);
                    here += label.len();
                }
                (3, high) => {
                    let low = *message.get(here + 1).ok_or(Malformed::Short)?;
                    let target = high << 8 | usize::from(low);
                    if target >= begin {
                        return Err(Malformed::Pointer);
                    }
                    end.get_or_insert(here + 2);
                    (begin, here) = (target, target);
                }
                _ => return Err(Malformed::Label),
            }
        }
    }
}

/// Dots between the labels; what is no letter, digit, `-` or `_` may be written `\` and the
/// character, or `\` and three digits.
impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |problem| InvalidName {
            text: text.to_owned(),
            problem,
        };
        if text == "." {
            return Ok(Name::root());
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        let mut label = Vec::new();
        let mut bytes = text.bytes();
        let end = |wire: &mut Vec<u8>, label: &mut Vec<u8>| {
            match u8::try_from(label.len()) {
                Ok(0) => return Err(invalid("has an empty label")),
                Ok(length) if label.len() <= LONGEST_LABEL => wire.push(length),
                _ => return Err(invalid("has a label of more than 63 bytes")),
            }
            wire.append(label);
            Ok(())
        };
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' => end(&mut wire, &mut label)?,
                b'\\' => {
                    let escaped = match bytes.next() {
                        Some(first @ b'0'..=b'9') => {
                            let number = [Some(first), bytes.next(), bytes.next()]
                                .into_iter()
                                .try_fold(0_u16, |number, digit| match digit {
                                    Some(digit @ b'0'..=b'9') => {
                                        Some(number * 10 + u16::from(digit - b'0'))
                                    }
                                    _ => None,
                                });
                            number.and_then(|number| u8::try_from(number).ok())
                        }
                        other => other,
                    };
                    label.push(escaped.ok_or_else(|| invalid("has half an escape"))?);
                }
                byte if byte.is_ascii_graphic() => label.push(byte),
                _ => {
                    return Err(invalid(
                        "has a character that must be written `\\` and three digits",
                    ));
                }
            }
        }
        if !label.is_empty() {
            end(&mut wire, &mut label)?;
        }
        if wire.is_empty() {
            return Err(invalid("is empty: the root is written `.`"));
        }
        wire.push(0);
        if wire.len() > LONGEST {
            return Err(invalid("is longer than 255 bytes"));
        }
        Ok(Name { wire })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wire.len() == 1 {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                    byte if byte.is_ascii_graphic() => write!(f, "{}", char::from(byte))?,
                    byte => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.text, self.problem)
    }
}

impl std::error::Error for InvalidName {}
