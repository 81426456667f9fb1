//! The form of a link: one token in the path, signed, self-contained and frozen.
//!
//! Links in mail live for years, so a version that was ever minted is opened for ever. Version 1, before base64url
//! without padding:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version, 1 |
//! | 1 | kind (bits 0–1) and scheme of the URL (bits 2–3: none, `http://`, `https://`) |
//! | 1 + n | key id |
//! | varint | shard count |
//! | varint | click links in the copy |
//! | varint | sent at, Unix milliseconds |
//! | 1 + n | message, recipient, link: three ids; a lower-case UUID is a length of 0 and its 16 bytes |
//! | n | the URL behind its scheme, as it was minted |
//! | 16 | HMAC-SHA-256 over all bytes before, cut to 128 bits |
//!
//! Version 2 has one id more behind the link: the group. It is written for links of a group, and for no others: so those are spelled
//! as they were before there were groups.
//!
//! Every value has one spelling: varints are minimal, unused bits are zero, base64url has no stray bits.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::envelope::{self, Refusal, put_text};
use super::keys::{Keyring, Purpose};
use super::{Kind, Link, MAX_TIME_MS, text_id, url::Target};

/// What links of no group are minted as.
const PLAIN: u8 = 1;

/// What links of a group are.
const GROUPED: u8 = 2;

/// No token is longer: a URL of 4,096 bytes, four ids and the rest stay below it.
const MAX_CHARS: usize = 6_144;

/// The schemes of a URL, by their number in the second byte. The first is "no URL".
const SCHEMES: [&str; 3] = ["", "http://", "https://"];

/// The length byte that stands for a lower-case UUID, packed.
const PACKED_UUID: u8 = 0;

/// Signs a link.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "there are three schemes")]
pub fn seal(link: &Link, keys: &Keyring) -> String {
    let url = link.url.as_ref().map_or("", Target::as_str);
    let scheme = SCHEMES.iter().rposition(|scheme| url.starts_with(scheme)).unwrap_or(0);
    let kid = keys.signer().as_bytes();

    let mut bytes = Vec::with_capacity(64 + url.len());
    bytes.push(if link.group.is_some() { GROUPED } else { PLAIN });
    bytes.push(link.kind as u8 | (scheme as u8) << 2);
    put_text(&mut bytes, kid);
    put_number(&mut bytes, link.shards.into());
    put_number(&mut bytes, link.links_total.into());
    put_number(&mut bytes, link.sent_at_ms);
    for id in [&link.message_id, &link.recipient_id, &link.link_id].into_iter().chain(&link.group) {
        put_id(&mut bytes, id);
    }
    bytes.extend_from_slice(&url.as_bytes()[SCHEMES[scheme].len()..]);
    let signature = keys.sign(Purpose::Token, &bytes);
    bytes.extend_from_slice(&signature);
    Base64UrlUnpadded::encode_string(&bytes)
}

/// Opens a token: checks its signature, then every rule that minting keeps.
///
/// # Errors
/// Why it is refused.
pub fn open(token: &str, keys: &Keyring) -> Result<Link, Refusal> {
    let bytes = envelope::decode(token, MAX_CHARS)?;
    let (signed, signature) = envelope::split(&bytes)?;
    let mut reader = Reader(signed);
    let is_grouped = match reader.byte().ok_or(Refusal::Malformed)? {
        PLAIN => false,
        GROUPED => true,
        _ => return Err(Refusal::UnknownVersion),
    };
    let head = reader.byte().ok_or(Refusal::Malformed)?;
    let kid = reader.text().ok_or(Refusal::Malformed)?;
    match keys.verify(Purpose::Token, kid, signed, signature) {
        None => Err(Refusal::UnknownKey),
        Some(false) => Err(Refusal::Forged),
        Some(true) => reader.link(head, is_grouped).ok_or(Refusal::Malformed),
    }
}

/// The token at the start of a path's tail. It ends at the first character outside its alphabet: what mail clients
/// glue on behind a link does not break it.
#[must_use]
pub fn leading(tail: &str) -> &str {
    let end = tail.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-' && byte != b'_');
    &tail[..end.unwrap_or(tail.len())]
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn put_id(bytes: &mut Vec<u8>, id: &str) {
    if let Some(packed) = pack_uuid(id) {
        bytes.push(PACKED_UUID);
        bytes.extend_from_slice(&packed);
    } else {
        put_text(bytes, id.as_bytes());
    }
}

/// The 16 bytes of a lower-case UUID with its hyphens, of any version.
fn pack_uuid(id: &str) -> Option<[u8; 16]> {
    crate::record::EventId::parse(id).map(crate::record::EventId::bytes)
}

/// Reads a token's bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.bytes(length.into())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if bits << shift >> shift != bits {
                return None;
            }
            if byte & 0x80 == 0 {
                // A last byte of zero would be a second spelling.
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    fn id(&mut self) -> Option<String> {
        let length = self.byte()?;
        if length == PACKED_UUID {
            let bytes: [u8; 16] = self.bytes(16)?.try_into().ok()?;
            return Some(crate::record::EventId::from_bytes(bytes).to_string());
        }
        let id = std::str::from_utf8(self.bytes(length.into())?).ok()?;
        pack_uuid(id).is_none().then(|| id.to_owned())
    }

    fn link(mut self, head: u8, is_grouped: bool) -> Option<Link> {
        let kind = *Kind::ALL.get(usize::from(head & 0b11))?;
        let scheme = usize::from(head >> 2);
        let prefix = SCHEMES.get(scheme)?;
        let shards = u32::try_from(self.number()?).ok().filter(|shards| *shards > 0)?;
        let links_total = u32::try_from(self.number()?).ok()?;
        let sent_at_ms = self.number().filter(|ms| *ms <= MAX_TIME_MS)?;
        let message_id = self.id().filter(|id| text_id::check_known_message_id(id).is_ok())?;
        let recipient_id = self.id().filter(|id| text_id::check_recipient_id(id).is_ok())?;
        let link_id = self.id().filter(|id| text_id::check_link_id(id).is_ok())?;
        let group =
            if is_grouped { Some(self.id().filter(|id| text_id::check_group(id).is_ok())?) } else { None };
        let rest = std::str::from_utf8(self.0).ok()?;
        let url = match scheme {
            0 if rest.is_empty() => None,
            0 => return None,
            _ => Some(Target::parse(&format!("{prefix}{rest}")).ok()?),
        };
        let fits = match kind {
            Kind::Click => url.is_some(),
            Kind::Confirm => true,
            Kind::Open | Kind::Unsubscribe => url.is_none(),
        };
        fits.then_some(Link {
            kind,
            shards,
            links_total,
            sent_at_ms,
            message_id,
            recipient_id,
            link_id,
            group,
            url,
        })
    }
}
