//! Mails out of thousands of seeds, rewritten: each byte that is no link is the one that was sent, each body decodes to what
//! was written but for its links, and a second time changes nothing.

mod common;

use std::ops::Range;

use clickproof::link::keys::Keyring;
use clickproof::link::token;
use clickproof::sender::eml::rewrite_mail;
use clickproof::sender::mail::Envelope;
use clickproof::sender::options::Options;
use common::command::KEYS;
use common::mails::{Body, Piece, Pieces, Transfer};
use proptest::prelude::*;

/// What rewritten links begin with.
const BASE: &str = "https://click.brand.example";

/// What stands around the pixel's URL.
const PIXEL: (&str, &str) = ("<img src=\"", "\" alt=\"\" width=\"1\" height=\"1\">");

fn rewritten(mail: &[u8]) -> Vec<u8> {
    let given = Envelope {
        message_id: Some("spring".to_owned()),
        recipient_id: Some("r1".to_owned()),
        ..Envelope::default()
    };
    let options = Options { base_url: BASE.to_owned(), ..Options::default() };
    rewrite_mail(mail, &given, &Keyring::parse(KEYS).0.unwrap(), &options).unwrap().mail
}

/// Where the mail has links of the click domain, in a body's octets, and what stood there before.
fn new_links(octets: &[u8], is_html: bool) -> Vec<(Range<usize>, Vec<u8>)> {
    let keys = Keyring::parse(KEYS).0.unwrap();
    let begin = BASE.as_bytes();
    let mut found = Vec::new();
    for (at, _) in octets.windows(begin.len()).enumerate().filter(|(_, window)| *window == begin) {
        let path = &octets[at + begin.len()..];
        let of_path = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_-".contains(byte);
        let path = str::from_utf8(&path[..path.iter().take_while(of_path).count()]).unwrap();
        let link = token::open(&path[3..], &keys).expect("a link of the click domain opens");
        let range = at..at + begin.len() + path.len();
        if path.starts_with("/o/") {
            found.push((at - PIXEL.0.len()..range.end + PIXEL.1.len(), Vec::new()));
        } else {
            let url = link.url.unwrap().as_str().to_owned();
            found.push((range, if is_html { url.replace('&', "&amp;") } else { url }.into_bytes()));
        }
    }
    found
}

/// What was written, of what arrives.
fn restored(octets: &[u8], is_html: bool) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    for (range, old) in new_links(octets, is_html) {
        out.extend_from_slice(&octets[at..range.start]);
        out.extend(old);
        at = range.end;
    }
    [&out, &octets[at..]].concat()
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

/// The characters of a body but those that hold these octets.
fn beside<'a>(encoded: &'a [u8], links: &[Range<usize>]) -> Vec<&'a [u8]> {
    let mut at = 0;
    let mut beside = characters(encoded);
    beside.retain(|_| {
        at += 1;
        !links.iter().any(|link| link.contains(&(at - 1)))
    });
    beside
}

/// Where the generator's links stand in what was written, of those that are links.
fn old_links(octets: &[u8], new: &[(Range<usize>, Vec<u8>)]) -> Vec<Range<usize>> {
    let mut moved = 0isize;
    let old = new.iter().map(|(range, old)| {
        let start = range.start.checked_add_signed(moved).unwrap();
        moved += old.len().cast_signed() - range.len().cast_signed();
        assert_eq!(&octets[start..start + old.len()], &old[..]);
        start..start + old.len()
    });
    old.collect()
}

fn longest_line(text: &[u8]) -> usize {
    let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(<[u8]>::len).max().unwrap_or_default()
}

/// The mail without the two fields that every mail gets.
fn without_unsubscribe(mail: &[u8]) -> Vec<u8> {
    let find = |word: &[u8]| mail.windows(word.len()).position(|window| window == word).unwrap();
    let start = find(b"List-Unsubscribe:");
    let last = find(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    let end = last + mail[last..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
    [&mail[..start], &mail[end..]].concat()
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
    let begins: [&[u8]; 2] = if old.is_html { [b"<a class=", b"<A HREF="] } else { [b" https://", b"\0"] };
    let count = |word: &&[u8]| old.octets.windows(word.len()).filter(|window| window == word).count();
    let tracked = new_links(&octets, old.is_html).into_iter().filter(|(_, url)| !url.is_empty()).count();
    assert_eq!(tracked, begins.iter().map(count).sum::<usize>());
    let restored = restored(&octets, old.is_html);
    assert_eq!(String::from_utf8_lossy(&restored), String::from_utf8_lossy(&old.octets));
    assert_eq!(restored, old.octets);
    if transfer == Transfer::Quoted {
        assert!(longest_line(new) <= 76);
    }
    if old.transfer == Transfer::Quoted {
        let links = new_links(&octets, old.is_html);
        let new_ranges: Vec<Range<usize>> = links.iter().map(|(range, _)| range.clone()).collect();
        assert_eq!(beside(new, &new_ranges), beside(&old.encoded, &old_links(&old.octets, &links)));
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
    let without = without_unsubscribe(&new);
    let mut rest = &without[..];
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
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn a_mail_arrives_as_it_was_sent_but_for_its_links(seed in any::<u64>()) {
        check(seed);
    }
}
