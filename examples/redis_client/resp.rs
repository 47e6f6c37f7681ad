//! RESP, the protocol of Redis, as a codec: versions 2 and 3, which differ in what a server sends.
//!
//! A frame is looked over as it comes, each byte once, and taken apart when it is whole. A peer
//! cannot make it call itself without end: how deeply frames may be nested has a limit.

use std::error::Error;
use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::value::{Command, ServerError, Value, blob, header};

/// Levels of frames in frames. The replies of Redis have three at most.
const MAX_DEPTH: usize = 16;

/// Bytes of a line: what is longer is sent as a string. Redis itself takes as many.
const MAX_LINE: usize = 64 * 1024;
/// Bytes of a line without its end that are as soon looked over again.
const SHORT: usize = 64;

/// The codec.
#[derive(Debug, Default)]
pub struct Resp {
    /// How far the frame that comes was looked over.
    at: usize,
    /// How far a long line was, whose end has not come.
    searched: usize,
    /// For each level that is open there: how many frames it still needs.
    open: Vec<u64>,
}

/// Bytes that are no RESP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotResp(String);

impl Decoder for Resp {
    type Item = Value;
    type Error = NotResp;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Value>, NotResp> {
        if self.at == 0
            && let Some(data) = string(bytes)
        {
            return Ok(Some(Value::Data(data)));
        }
        if !self.is_whole(bytes)? {
            return Ok(None);
        }
        self.searched = 0;
        let frame = bytes.split_to(std::mem::take(&mut self.at)).freeze();
        Whole { frame, at: 0 }.value().map(Some)
    }
}

impl Encoder<Command> for Resp {
    type Error = NotResp;

    fn encode(&mut self, command: Command, bytes: &mut BytesMut) -> Result<(), NotResp> {
        if command.bytes == b"*0\r\n" {
            return Err(NotResp("a command has a name".into()));
        }
        bytes.extend_from_slice(&command.bytes);
        Ok(())
    }
}

/// As a server of version 3 does.
impl Encoder<Value> for Resp {
    type Error = NotResp;

    fn encode(&mut self, value: Value, bytes: &mut BytesMut) -> Result<(), NotResp> {
        let mut out = Vec::new();
        write(&mut out, &value);
        bytes.extend_from_slice(&out);
        Ok(())
    }
}

impl Resp {
    /// Whether the first frame of `bytes` has come; then it ends where this was looked over to.
    fn is_whole(&mut self, bytes: &[u8]) -> Result<bool, NotResp> {
        loop {
            let ends = self.searched <= self.at || bytes[self.searched..].contains(&b'\n');
            let line = if ends { line(bytes, self.at)? } else { None };
            let Some(Line { kind, text, end }) = line else {
                let length = bytes.len() - self.at;
                if length > MAX_LINE {
                    return Err(NotResp(format!("a line is longer than {MAX_LINE} bytes")));
                }
                if length > SHORT {
                    self.searched = bytes.len();
                }
                return Ok(false);
            };
            let needs = match kind {
                b'*' | b'~' | b'>' => length(text)?.unwrap_or(0),
                b'%' => length(text)?.unwrap_or(0).saturating_mul(2),
                // Attributes come before the frame they belong to and are not counted as one.
                b'|' => length(text)?
                    .ok_or_else(|| NotResp("an attribute is nothing".into()))?
                    .saturating_mul(2)
                    .saturating_add(1),
                b'$' | b'!' | b'=' => {
                    let Some(end) = blob_end(bytes, text, end)? else {
                        return Ok(false);
                    };
                    self.at = end;
                    if self.closes() {
                        return Ok(true);
                    }
                    continue;
                }
                b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => 0,
                _ => return Err(NotResp(format!("no frame begins with byte {kind:#04x}"))),
            };
            self.at = end;
            if needs == 0 {
                if self.closes() {
                    return Ok(true);
                }
            } else if self.open.len() == MAX_DEPTH {
                let text = format!("frames are nested deeper than {MAX_DEPTH} levels");
                return Err(NotResp(text));
            } else {
                self.open.push(needs);
            }
        }
    }

    /// A frame of the innermost level has come; whether it was the last one of the outermost.
    fn closes(&mut self) -> bool {
        while let Some(needed) = self.open.last_mut() {
            *needed -= 1;
            if *needed > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

/// Takes the first frame if it is a string that has come as a whole, as most answers are: it is taken
/// apart by the look that finds its end. What else there is, `None` leaves to a closer look.
fn string(bytes: &mut BytesMut) -> Option<Bytes> {
    let rest = bytes.strip_prefix(b"$")?;
    let (mut length, mut digits) = (0, 0);
    // No more than a length may have without overflow.
    for byte in rest.iter().take(9) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        length = 10 * length + usize::from(digit);
        digits += 1;
    }
    let data = rest[digits..].strip_prefix(b"\r\n")?;
    if digits == 0 || !data.get(length..)?.starts_with(b"\r\n") {
        return None;
    }
    let start = "$".len() + digits + "\r\n".len();
    let mut frame = bytes.split_to(start + length + "\r\n".len());
    frame.truncate(start + length);
    frame.advance(start);
    Some(frame.freeze())
}

/// The line that each frame begins with.
struct Line<'a> {
    kind: u8,
    text: &'a [u8],
    /// Where the next one begins.
    end: usize,
}

fn line(bytes: &[u8], at: usize) -> Result<Option<Line<'_>>, NotResp> {
    let Some((kind, rest)) = bytes[at..].split_first() else {
        return Ok(None);
    };
    let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
        return Ok(None);
    };
    let Some(text) = rest[..length].strip_suffix(b"\r") else {
        return Err(NotResp("a line does not end as lines do".into()));
    };
    Ok(Some(Line {
        kind: *kind,
        text,
        end: at + length + 2,
    }))
}

/// What a frame says of its length; `None` stands for nothing, in version 2.
fn length(text: &[u8]) -> Result<Option<u64>, NotResp> {
    match number::<i64>(text)? {
        -1 => Ok(None),
        length => match u64::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) => Err(NotResp(format!("a length is {length}"))),
        },
    }
}

/// Where the string ends that begins at `start`; `None` if it has not come.
fn blob_end(bytes: &[u8], text: &[u8], start: usize) -> Result<Option<usize>, NotResp> {
    let Some(length) = length(text)? else {
        return Ok(Some(start));
    };
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| start.checked_add(length)?.checked_add(2));
    match end.and_then(|end| bytes.get(end - 2..end)) {
        None => Ok(None),
        Some(b"\r\n") => Ok(end),
        Some(_) => Err(NotResp("a string is longer than it says".into())),
    }
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Result<N, NotResp> {
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    number.ok_or_else(|| NotResp(format!("`{}` is no number", text.escape_ascii())))
}

/// A frame that has come as a whole.
struct Whole {
    frame: Bytes,
    at: usize,
}

impl Whole {
    fn value(&mut self) -> Result<Value, NotResp> {
        let frame = self.frame.clone();
        let Some(Line { kind, text, end }) = line(&frame, self.at)? else {
            return Err(NotResp("a frame ends within itself".into()));
        };
        self.at = end;
        match kind {
            b'_' => Ok(Value::Nil),
            b'#' => match text {
                b"t" => Ok(Value::Bool(true)),
                b"f" => Ok(Value::Bool(false)),
                _ => Err(NotResp("a boolean is neither true nor false".into())),
            },
            b':' => number(text).map(Value::Number),
            b',' => number(text).map(Value::Double),
            b'+' | b'(' => Ok(Value::Data(frame.slice_ref(text))),
            b'-' => Ok(Value::Error(ServerError(frame.slice_ref(text)))),
            b'$' | b'!' | b'=' => {
                let Some(length) = length(text)? else {
                    return Ok(Value::Nil);
                };
                let length = usize::try_from(length).map_err(|_| cut())?;
                self.at = end + length + 2;
                let data = frame.slice(end..end + length);
                Ok(match kind {
                    b'$' => Value::Data(data),
                    b'!' => Value::Error(ServerError(data)),
                    // Four bytes say what kind of text it is.
                    _ => Value::Data(data.slice(data.len().min(4)..)),
                })
            }
            _ => {
                let Some(length) = length(text)? else {
                    return Ok(Value::Nil);
                };
                match kind {
                    b'%' => self.pairs(length).map(Value::Map),
                    b'>' => self.values(length).map(Value::Push),
                    b'|' => {
                        self.pairs(length)?;
                        self.value()
                    }
                    _ => self.values(length).map(Value::Array),
                }
            }
        }
    }

    fn values(&mut self, count: u64) -> Result<Vec<Value>, NotResp> {
        (0..count).map(|_| self.value()).collect()
    }

    fn pairs(&mut self, count: u64) -> Result<Vec<(Value, Value)>, NotResp> {
        (0..count)
            .map(|_| Ok((self.value()?, self.value()?)))
            .collect()
    }
}

fn write(out: &mut Vec<u8>, value: &Value) {
    let mut line =
        |kind: char, text: &str| out.extend_from_slice(format!("{kind}{text}\r\n").as_bytes());
    match value {
        Value::Nil => line('_', ""),
        Value::Bool(true) => line('#', "t"),
        Value::Bool(false) => line('#', "f"),
        Value::Number(number) => line(':', &number.to_string()),
        Value::Double(number) => line(',', &number.to_string()),
        Value::Data(data) => blob(out, data),
        Value::Error(error) => {
            header(out, b'!', error.0.len());
            out.extend_from_slice(&error.0);
            out.extend_from_slice(b"\r\n");
        }
        Value::Array(values) | Value::Push(values) => {
            let kind = if matches!(value, Value::Push(_)) {
                b'>'
            } else {
                b'*'
            };
            header(out, kind, values.len());
            for value in values {
                write(out, value);
            }
        }
        Value::Map(pairs) => {
            header(out, b'%', pairs.len());
            for (key, value) in pairs {
                write(out, key);
                write(out, value);
            }
        }
    }
}

fn cut() -> NotResp {
    NotResp("a frame ends within itself".into())
}

impl fmt::Display for NotResp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NotResp {}

/// The codec is given an error of its own transport by nobody, but tokio asks for a way to.
impl From<std::io::Error> for NotResp {
    fn from(error: std::io::Error) -> Self {
        NotResp(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<Option<Value>, NotResp> {
        Resp::default().decode(&mut BytesMut::from(bytes))
    }

    fn data(text: &'static str) -> Value {
        Value::Data(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn what_both_versions_of_the_protocol_send_is_read() {
        let map = |pairs: &[(Value, Value)]| Value::Map(pairs.to_vec());
        for (bytes, value) in [
            (&b"$-1\r\n"[..], Value::Nil),
            (b"*-1\r\n", Value::Nil),
            (b"_\r\n", Value::Nil),
            (b"*0\r\n", Value::Array(vec![])),
            (b"$0\r\n\r\n", data("")),
            (b"$5\r\na\r\n-b\r\n", data("a\r\n-b")),
            (b"+OK\r\n", data("OK")),
            (b":-7\r\n", Value::Number(-7)),
            (b",1.5\r\n", Value::Double(1.5)),
            (b",inf\r\n", Value::Double(f64::INFINITY)),
            (b"#t\r\n", Value::Bool(true)),
            (b"(12345678901234567890\r\n", data("12345678901234567890")),
            (b"=5\r\ntxt:a\r\n", data("a")),
            (b"-ERR no\r\n", Value::Error("ERR no".into())),
            (b"!6\r\nERR no\r\n", Value::Error("ERR no".into())),
            (b"~1\r\n:1\r\n", Value::Array(vec![Value::Number(1)])),
            (b">1\r\n+a\r\n", Value::Push(vec![data("a")])),
            (
                b"*3\r\n$-1\r\n-ERR\r\n*-1\r\n",
                Value::Array(vec![Value::Nil, Value::Error("ERR".into()), Value::Nil]),
            ),
            (
                b"%2\r\n+b\r\n%0\r\n+a\r\n*1\r\n_\r\n",
                map(&[
                    (data("b"), map(&[])),
                    (data("a"), Value::Array(vec![Value::Nil])),
                ]),
            ),
            (b"|1\r\n+ttl\r\n:3\r\n:4\r\n", Value::Number(4)),
        ] {
            assert_eq!(decode(bytes), Ok(Some(value)), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = Value::Map(vec![
            (
                data("a"),
                Value::Array(vec![Value::Nil, Value::Bool(false)]),
            ),
            (data("b"), Value::Push(vec![Value::Number(i64::MIN)])),
            (data("c"), Value::Error("ERR with\r\nlines".into())),
            (data("d"), Value::Double(0.25)),
        ]);
        let mut bytes = BytesMut::new();
        Resp::default()
            .encode(value.clone(), &mut bytes)
            .expect("it is written");
        assert_eq!(decode(&bytes), Ok(Some(value)));
        let command = Command::from([&b"SET"[..], b"k\r\n", &[0xff; 123]]);
        let mut bytes = BytesMut::new();
        Resp::default()
            .encode(command, &mut bytes)
            .expect("it is written");
        let words = vec![
            data("SET"),
            data("k\r\n"),
            Value::Data(Bytes::from_static(&[0xff; 123])),
        ];
        assert_eq!(decode(&bytes), Ok(Some(Value::Array(words))));
    }

    #[test]
    fn a_command_without_a_name_is_refused() {
        let none: [&str; 0] = [];
        let refused = Resp::default().encode(Command::from(none), &mut BytesMut::new());
        assert_eq!(refused, Err(NotResp("a command has a name".into())));
    }

    #[test]
    fn a_frame_nested_without_end_is_refused_before_it_overflows_the_stack() {
        for header in [
            "*1\r\n",
            "%1\r\n",
            "~1\r\n",
            ">1\r\n",
            "|1\r\n",
            "*2\r\n:1\r\n",
        ] {
            let error = decode(header.repeat(100_000).as_bytes()).expect_err(header);
            assert!(
                error.to_string().contains("nested deeper"),
                "{header:?}: {error}"
            );
        }
        // Many frames side by side are not deep.
        let wide = [b"*3000\r\n".as_slice(), &b"*1\r\n:1\r\n".repeat(3000)].concat();
        assert!(matches!(decode(&wide), Ok(Some(Value::Array(_)))));
    }

    #[test]
    fn wherever_a_frame_is_cut_the_rest_completes_it() {
        let frame =
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n%1\r\n+a\r\n|1\r\n+t\r\n:3\r\n*2\r\n:4\r\n_\r\n";
        let whole = decode(frame).expect("it is a frame");
        assert!(whole.is_some());
        for cut in 0..frame.len() {
            let (mut codec, mut bytes) = (Resp::default(), BytesMut::from(&frame[..cut]));
            assert_eq!(codec.decode(&mut bytes), Ok(None), "{cut} bytes");
            bytes.extend_from_slice(&frame[cut..]);
            // What comes after it is left.
            bytes.extend_from_slice(b"+next");
            assert_eq!(codec.decode(&mut bytes), Ok(whole.clone()), "{cut} bytes");
            assert_eq!(&bytes[..], b"+next");
        }
    }

    #[test]
    fn long_lines_come_byte_by_byte_and_have_a_limit() {
        let long = "x".repeat(1000);
        let text = format!("+{long}\r\n$3\r\nabc\r\n*2\r\n+{long}\r\n-{long}\r\n:7\r\n");
        let (mut codec, mut bytes, mut values) = (Resp::default(), BytesMut::new(), Vec::new());
        for byte in text.bytes() {
            bytes.extend_from_slice(&[byte]);
            values.extend(codec.decode(&mut bytes).expect("it is RESP"));
        }
        let line = || Value::Data(Bytes::from(long.clone()));
        let error = Value::Error(ServerError(long.clone().into()));
        let both = Value::Array(vec![line(), error]);
        assert_eq!(values, [line(), data("abc"), both, Value::Number(7)]);
        let endless = "+".to_owned() + &"x".repeat(MAX_LINE);
        let error = decode(endless.as_bytes()).expect_err("it is too long");
        assert_eq!(error.to_string(), "a line is longer than 65536 bytes");
    }

    #[test]
    fn garbage_is_an_error_or_a_part_and_never_a_panic() {
        for bytes in [
            &b"SSH-2.0\r\n"[..],
            b"+a\n",
            b"$x\r\n",
            b"$-2\r\n",
            b"|-1\r\n:4\r\n:5\r\n",
            b"$1\r\nabc",
            b":\r\n",
            b"#x\r\n",
            b"*99999999999999999999\r\n",
        ] {
            assert!(decode(bytes).is_err(), "{}", bytes.escape_ascii());
        }
        assert_eq!(decode(b"$9223372036854775807\r\n"), Ok(None));
        assert_eq!(decode(b"%9223372036854775807\r\n"), Ok(None));
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = b"*$%~>|!=_,(#+-:;.H0123459?tf\r\n\r\n\r\n\r\nxL \xff";
        for _ in 0..100_000 {
            let bytes: Vec<u8> = (0..random.usize(1..40))
                .map(|_| alphabet[random.usize(..alphabet.len())])
                .collect();
            let _ = decode(&bytes);
        }
    }
}
