//! Mails out of thousands of seeds, rewritten: each byte that is no link is the one that was sent, each body decodes to what
//! was written but for its links, and a second time changes nothing.

mod common;

use clickproof::sender::mail::Mail;
use clickproof::sender::splice::Splice;
use common::mails::{Body, Piece, Pieces, Transfer};
use proptest::prelude::*;

/// What the mails' links begin with, and what stands there afterwards.
const URL: &[u8] = b"https://brand.example/";
const TRACKED: &[u8] =
    b"https://click.brand.example/c/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdEfGhIjKlMnOpQrStUvWx";

fn rewritten(mail: &[u8]) -> Vec<u8> {
    let read = Mail::read(mail).unwrap();
    let splices = |body: Option<(&[u8], _)>| body.map_or_else(Vec::new, |(text, _)| splices(text));
    read.write(&splices(read.html()), &splices(read.text()), None).unwrap().mail
}

fn splices(text: &[u8]) -> Vec<Splice> {
    let found = text.windows(URL.len()).enumerate().filter(|(_, window)| *window == URL);
    found.map(|(at, _)| Splice::new(at..at + URL.len(), TRACKED)).collect()
}

/// What was written, of what arrives.
fn restored(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = octets;
    while let Some(at) = rest.windows(TRACKED.len()).position(|window| window == TRACKED) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(URL);
        rest = &rest[at + TRACKED.len()..];
    }
    [&out, rest].concat()
}

/// The octets of a body as it arrives, by another decoder than the one that rewrites.
fn decoded(encoded: &[u8], transfer: Transfer) -> Vec<u8> {
    use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
    match transfer {
        Transfer::Quoted => quoted_printable_decode(encoded).unwrap(),
        Transfer::Base64 => base64_decode(encoded).unwrap(),
        _ => encoded.to_vec(),
    }
}

/// A quoted-printable body in its characters, without its soft breaks: what a change may not touch beside the links.
fn characters(encoded: &[u8]) -> Vec<&[u8]> {
    let mut characters = Vec::new();
    let mut rest = encoded;
    while let Some(&first) = rest.first() {
        let length = match rest {
            [b'=', b'\n', ..] => 2,
            [b'=', ..] => 3,
            _ => 1,
        };
        let (character, after) = rest.split_at(length.min(rest.len()));
        if first != b'=' || !character.ends_with(b"\n") {
            characters.push(character);
        }
        rest = after;
    }
    characters
}

/// The characters beside a link.
fn beside<'a>(encoded: &'a [u8], link: &[u8]) -> Vec<&'a [u8]> {
    let mut rest = &characters(encoded)[..];
    let octet = |character: &[u8]| match character {
        [b'=', hex @ ..] => u8::from_str_radix(str::from_utf8(hex).unwrap(), 16).unwrap(),
        _ => character[0],
    };
    let mut beside = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        if rest.len() >= link.len()
            && rest.iter().zip(link).all(|(character, byte)| octet(character) == *byte)
        {
            rest = &rest[link.len()..];
        } else {
            beside.push(*first);
            rest = after;
        }
    }
    beside
}

fn longest_line(text: &[u8]) -> usize {
    text.split(|&byte| byte == b'\n').map(|line| line.trim_ascii_end().len()).max().unwrap_or_default()
}

/// Takes a body off the mail's rest, up to where the frame goes on.
fn take_body<'a>(rest: &'a [u8], frame: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = if frame.is_empty() {
        rest.len()
    } else {
        rest.windows(frame.len()).position(|window| window == frame).expect("the frame goes on")
    };
    rest.split_at(at)
}

/// All that stands behind a piece up to the next body or field, as it was.
fn frame_after(pieces: &[Piece]) -> Vec<u8> {
    let frames =
        pieces.iter().map_while(|piece| if let Piece::Frame(bytes) = piece { Some(bytes) } else { None });
    frames.flatten().copied().collect()
}

fn check_body(old: &Body, new: &[u8], newly_quoted: bool) {
    let transfer = if newly_quoted { Transfer::Quoted } else { old.transfer };
    let octets = decoded(new, transfer);
    assert_eq!(String::from_utf8_lossy(&restored(&octets)), String::from_utf8_lossy(&old.octets));
    if transfer == Transfer::Quoted {
        assert!(longest_line(new) <= 76);
    }
    if old.transfer == Transfer::Quoted {
        assert_eq!(beside(new, TRACKED), beside(&old.encoded, URL));
    }
    if !newly_quoted && !matches!(old.transfer, Transfer::Quoted | Transfer::Base64) {
        let before = longest_line(&old.octets);
        assert!(longest_line(&octets) <= 998 || (before > 998 && old.transfer == Transfer::Binary));
    }
}

fn check(seed: u64) {
    let pieces = Pieces::of(seed);
    let old = pieces.bytes();
    let new = rewritten(&old);
    let mut rest = &new[..];
    let mut newly_quoted = false;
    for (at, piece) in pieces.all.iter().enumerate() {
        match piece {
            Piece::Ours(_) => {}
            Piece::Frame(frame) => {
                rest = rest.strip_prefix(&frame[..]).expect("a byte of the frame changed");
            }
            Piece::Transfer(field) => {
                newly_quoted = !rest.starts_with(field);
                let name = field.iter().position(|&byte| byte == b':').unwrap();
                let quoted = [&field[..=name], b" quoted-printable", pieces.ending.as_bytes()].concat();
                let expected = if newly_quoted { &quoted } else { field };
                rest = rest
                    .strip_prefix(&expected[..])
                    .expect("the field is as it was or says quoted-printable");
            }
            Piece::Body(body) => {
                let (encoded, after) = take_body(rest, &frame_after(&pieces.all[at + 1..]));
                check_body(body, encoded, newly_quoted);
                rest = after;
            }
        }
    }
    assert_eq!(rest, b"");
    assert_eq!(rewritten(&new), new, "a second time changes nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn a_mail_arrives_as_it_was_sent_but_for_its_links(seed in any::<u64>()) {
        check(seed);
    }
}
