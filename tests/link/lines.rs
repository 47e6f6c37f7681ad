//! [`statem::net::Lines`]: lines that cannot pass for other ones.

use bytes::BytesMut;
use statem::net::Lines;
use tokio_util::codec::{Decoder, Encoder};

fn decoded(codec: &mut Lines, bytes: &mut BytesMut) -> Vec<String> {
    std::iter::from_fn(|| codec.decode(bytes).expect("they are lines")).collect()
}

#[test]
fn lines_are_the_same_however_they_are_cut_into_segments() {
    let text = "one\ntwo\r\n\n\u{e4}\rb\nrest";
    for size in 1..=text.len() {
        let (mut codec, mut bytes, mut lines) = (Lines::new(5), BytesMut::new(), Vec::new());
        for segment in text.as_bytes().chunks(size) {
            bytes.extend_from_slice(segment);
            lines.extend(decoded(&mut codec, &mut bytes));
        }
        assert_eq!(lines, ["one", "two", "", "\u{e4}\rb"], "{size}");
        assert_eq!(bytes, "rest");
    }
}

#[test]
fn a_line_that_was_cut_off_is_none() {
    let (mut codec, mut bytes) = (Lines::new(80), BytesMut::from("ok\nbalance: 100"));
    assert_eq!(decoded(&mut codec, &mut bytes), ["ok"]);
    codec.decode_eof(&mut bytes).expect_err("it was cut off");
    bytes.clear();
    assert!(matches!(Lines::new(80).decode_eof(&mut bytes), Ok(None)));
}

#[test]
fn a_line_with_a_line_break_in_it_is_not_written() {
    let (mut codec, mut bytes) = (Lines::new(80), BytesMut::new());
    for line in ["a\nb", "a\n", "\n", "a\rb", "a\r", "a\r\n"] {
        let error = codec.encode(line, &mut bytes).expect_err(line);
        assert_eq!(error.to_string(), "a line with a line break in it");
    }
    assert!(bytes.is_empty());
    codec.encode("a", &mut bytes).expect("it is a line");
    codec
        .encode(String::new(), &mut bytes)
        .expect("it is a line");
    assert_eq!(bytes, "a\n\n");
}

#[test]
fn no_line_is_longer_than_its_limit_either_way() {
    let mut codec = Lines::new(4);
    let mut bytes = BytesMut::new();
    codec.encode("1234", &mut bytes).expect("four bytes");
    codec.encode("12345", &mut bytes).expect_err("five bytes");
    assert_eq!(decoded(&mut codec, &mut bytes), ["1234"]);
    for end in ["\n", "\r\n"] {
        let mut bytes = BytesMut::from(&*format!("1234{end}12345{end}"));
        assert_eq!(
            codec.decode(&mut bytes).expect("four").as_deref(),
            Some("1234")
        );
        let error = codec.decode(&mut bytes).expect_err("five");
        assert_eq!(error.to_string(), "a line of more than 4 bytes");
    }
    // One that does not end is not waited for, but for the rest of its end.
    let mut bytes = BytesMut::from("1234\r");
    assert_eq!(codec.decode(&mut bytes).expect("it may end"), None);
    codec = Lines::new(4);
    let mut bytes = BytesMut::from("12345");
    codec.decode(&mut bytes).expect_err("it is too long");
}

#[test]
fn what_is_not_text_is_not_a_line() {
    let mut bytes = BytesMut::from(&b"\xff\xfe\n"[..]);
    Lines::new(80)
        .decode(&mut bytes)
        .expect_err("it is not UTF-8");
}
