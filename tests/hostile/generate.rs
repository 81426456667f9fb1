//! Where hostile input comes from: a corpus of what is sent in earnest, and what somebody does to it who means harm. A seed makes
//! the same inputs in the same order.
//!
//! A file of a corpus holds an input a line; in it `\n`, `\r`, `\t`, `\\` and `\xHH` stand for bytes. Lines that begin with `#` are
//! remarks.

use std::path::Path;
use std::{fs, iter};

use fastrand::Rng;

/// No input grows beyond this, bytes: an API call's body may have as many.
const MAX_BYTES: usize = 1 << 20;

/// What parsers trip over: signs that end or begin something, numbers at the end of their type, characters of more than one byte, of
/// none that is seen and of no language, and bytes that are no text.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"%",
    b"%00",
    b"%0d%0a",
    b"%ff%fe",
    b"%25%32%65",
    b"%u0041",
    b"..",
    b"/../",
    b"//",
    b"\\",
    b"\"",
    b"'",
    b"<script>",
    b"&amp;",
    b"&",
    b"=",
    b";",
    b"?",
    b"#",
    b"@",
    b":",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"[[[[[[[[",
    b"{\"a\":{\"a\":",
    b"\\u0000",
    b"\\ud800",
    b"\\ud83d\\ude00",
    b"null",
    b"true",
    b"0",
    b"-0",
    b"-1",
    b"1e999",
    b"0.1",
    b"255",
    b"256",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"9007199254740993",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"99999999999999999999999999999999",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x98\x80",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xff",
    b"\xfe\xff",
    b"::ffff:1.2.3.4",
    b"0x7f.1",
    b"xn--",
    b"__proto__",
    b"\x7f",
    b"\x1b[2J",
];

/// Bytes that often say how long something is, or how many follow.
const LENGTHS: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/// The inputs of a corpus' file.
pub(crate) fn corpus(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/hostile/corpora/{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.starts_with('#')).map(|line| unescaped(line, name)).collect()
}

fn unescaped(line: &str, name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or_else(|_| panic!("{name}: \\x{digits} in {line}"))
            }
            other => panic!("{name}: \\{:?} in {line}", other.map(char::from)),
        });
    }
    bytes
}

/// An input made of a corpus.
pub(crate) fn input(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = match rng.u8(..20) {
        0 => {
            let length = rng.usize(..200);
            iter::repeat_with(|| rng.u8(..)).take(length).collect()
        }
        _ => pick(rng, corpus).clone(),
    };
    // Some are sent in earnest, or are another's: those must be taken, or be refused as a whole.
    for _ in 0..rng.u8(..5) {
        change(rng, &mut bytes, corpus);
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

/// One of several.
pub(crate) fn pick<'a, T>(rng: &mut Rng, items: &'a [T]) -> &'a T {
    &items[rng.usize(..items.len())]
}

fn change(rng: &mut Rng, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let end = bytes.len();
    let at = rng.usize(..=end);
    let some = at..(at + rng.usize(..=8)).min(end);
    match rng.u8(..14) {
        0 | 1 if at < end => bytes[at] ^= 1 << rng.u8(..8),
        2 if at < end => bytes[at] = rng.u8(..),
        3 if at < end => bytes[at] = *pick(rng, &LENGTHS),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(some)),
        6 => drop(bytes.splice(at..at, pick(rng, WORDS).iter().copied())),
        7 => drop(bytes.splice(some, pick(rng, WORDS).iter().copied())),
        // The front of one and the end of another.
        8 => {
            let other = pick(rng, corpus);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[rng.usize(..=other.len())..]);
        }
        9 => {
            let part = bytes[some].to_vec();
            bytes.splice(at..at, part);
        }
        10 => numbers(rng, bytes),
        11 if at < end && bytes[at].is_ascii_alphabetic() => bytes[at] ^= 0x20,
        // Another spelling of the same, where escapes are read.
        12 if at < end => {
            let escape = format!("%{:02x}", bytes[at]);
            bytes.splice(at..=at, escape.into_bytes());
        }
        // Seldom: most of a long input is never read.
        13 if rng.u8(..32) == 0 => {
            let part = bytes[some].to_vec();
            let times = rng.usize(..4_096);
            bytes.splice(at..at, part.iter().copied().cycle().take(part.len() * times));
        }
        _ => {}
    }
}

/// Puts another number where one stands.
fn numbers(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|&at| is_digit(at) && (at == 0 || !is_digit(at - 1))).collect();
    if starts.is_empty() {
        return;
    }
    let start = *pick(rng, &starts);
    let end = (start..bytes.len()).find(|&at| !is_digit(at)).unwrap_or(bytes.len());
    let number =
        pick(rng, WORDS.iter().filter(|word| word[0].is_ascii_digit()).collect::<Vec<_>>().as_slice())
            .iter()
            .copied();
    bytes.splice(start..end, number);
}
