//! A whole mail: its bodies are taken out of their encodings for whoever rewrites links, and changes go back in. Every byte
//! beside them stays.
//!
//! | step | where |
//! | --- | --- |
//! | where the fields stand | `head` |
//! | whose copy it is | `envelope` |
//! | which parts a reader sees | `parts` |
//! | out of the transfer encoding and back | `transfer`, `quoted`, `base64` |
//! | which charset | `charset` |
//! | several bodies as one | `joined` |

mod base64;
mod charset;
mod envelope;
mod head;
mod joined;
mod parts;
mod quoted;
mod transfer;

use std::fmt;

use encoding_rs::Encoding;

use self::head::Head;
use self::joined::Joined;
use self::parts::{Kind, Part};
use self::transfer::Transfer;
use super::splice::{Splice, apply};
use crate::link::one_click::{ONE_CLICK, ONE_CLICK_VALUE};

pub use self::envelope::Envelope;
pub use self::parts::LeftPart;

/// Bytes of the largest mail that is read. Mail servers take far less.
pub const LARGEST: u64 = 256 << 20;

/// The longest line of a field, octets without its ending (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

/// How text begins that PGP signed as it stands (RFC 9580, 7).
const PGP_SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// The field that names a part's transfer encoding, in lower case.
const TRANSFER: &str = "content-transfer-encoding";

/// Why a mail is refused. Nothing of it is rewritten then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailError {
    /// It is signed by this field; a change would break the signature.
    Signed(&'static str),
    /// A field of ours is wrong: which, and what it must be.
    Field(String),
    /// It is larger than 256 MiB.
    TooLarge,
    /// A part of this type breaks off within a tag, and another follows.
    Broken(&'static str),
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Signed(field) => {
                write!(
                    f,
                    "the mail has the field {field}, whose signature rewriting would break: rewrite first, sign after it"
                )
            }
            Self::Field(problem) => f.write_str(problem),
            Self::TooLarge => f.write_str("the mail is larger than 256 MiB"),
            Self::Broken(media_type) => {
                write!(
                    f,
                    "a {media_type} part breaks off within a tag, and another follows: write it to its end"
                )
            }
        }
    }
}

impl std::error::Error for MailError {}

/// A mail, taken apart.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    bytes: &'a [u8],
    head: Head,
    envelope: Envelope,
    bodies: Vec<Body>,
    html: Option<Joined>,
    text: Option<Joined>,
    left: Vec<LeftPart>,
}

/// A text of the mail that readers see.
#[derive(Clone, Debug)]
struct Body {
    part: Part,
    octets: Vec<u8>,
    encoding: &'static Encoding,
    transfer: Transfer,
}

/// A mail, put together again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The mail.
    pub mail: Vec<u8>,
    /// What the sender should know.
    pub warnings: Vec<String>,
}

impl<'a> Mail<'a> {
    /// Takes a mail apart.
    ///
    /// # Errors
    /// When it is signed already, when a field of ours is wrong, when it is too large.
    pub fn read(mail: &'a [u8]) -> Result<Self, MailError> {
        if mail.len() as u64 > LARGEST {
            return Err(MailError::TooLarge);
        }
        let head = Head::read(mail, &(0..mail.len()));
        for (name, shown) in [("dkim-signature", "DKIM-Signature"), ("arc-seal", "ARC-Seal")] {
            if head.first(name).is_some() {
                return Err(MailError::Signed(shown));
            }
        }
        let envelope = Envelope::read(mail, &head).map_err(MailError::Field)?;
        let found = parts::find(mail, &head);
        let (mut bodies, mut left) = (Vec::new(), found.left);
        for part in found.bodies {
            let kind = part.kind;
            match Body::open(mail, part) {
                Ok(body) => bodies.push(body),
                Err(reason) => left.push(LeftPart { media_type: kind.media_type().to_owned(), reason }),
            }
        }
        for kind in [Kind::Html, Kind::Text] {
            keep_one_charset(&mut bodies, kind, &mut left);
        }
        let joined = |kind| {
            let bodies = bodies.iter().filter(|body| body.part.kind == kind);
            Joined::new(bodies.map(|body| (&body.octets[..], body.encoding)))
        };
        let (html, text) = (joined(Kind::Html), joined(Kind::Text));
        Ok(Self { bytes: mail, head, envelope, bodies, html, text, left })
    }

    /// What the mail says of itself.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The HTML that readers see, out of its transfer encoding, and what it is in. Several parts are read as one.
    #[must_use]
    pub fn html(&self) -> Option<(&[u8], &'static Encoding)> {
        self.html.as_ref().map(|joined| (&joined.bytes[..], joined.encoding))
    }

    /// The text that readers see, in the same way.
    #[must_use]
    pub fn text(&self) -> Option<(&[u8], &'static Encoding)> {
        self.text.as_ref().map(|joined| (&joined.bytes[..], joined.encoding))
    }

    /// The parts that readers see and that stay as they are.
    #[must_use]
    pub fn left(&self) -> &[LeftPart] {
        &self.left
    }

    /// The URLs of the mail's own `List-Unsubscribe`.
    #[must_use]
    pub fn list_unsubscribe(&self) -> Vec<String> {
        let fields = self.head.all("list-unsubscribe").map(|field| field.text(self.bytes));
        fields
            .flat_map(|text| {
                let urls = text.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
                urls.map(|(url, _)| url.trim().to_owned()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The mail with splices made to its HTML and to its text, without the fields that are for this program, and with the
    /// fields that let a provider show an unsubscribe button, where it has none and `unsubscribe` is the URL for them.
    ///
    /// # Errors
    /// When a splice reaches out of one HTML part into the next.
    pub fn write(
        &self,
        html: &[Splice],
        text: &[Splice],
        unsubscribe: Option<&str>,
    ) -> Result<Written, MailError> {
        let line_end = head::ending(self.bytes).unwrap_or(b"\r\n");
        let mut changes: Vec<Splice> =
            envelope::ours(&self.head).map(|field| Splice::new(field.lines.clone(), [])).collect();
        for (kind, joined, splices) in [(Kind::Html, &self.html, html), (Kind::Text, &self.text, text)] {
            let Some(joined) = joined else { continue };
            let bodies = self.bodies.iter().filter(|body| body.part.kind == kind);
            let each = joined.split(splices).ok_or(MailError::Broken(kind.media_type()))?;
            for (body, splices) in bodies.zip(each).filter(|(_, splices)| !splices.is_empty()) {
                let range = body.part.body.clone();
                let new = body.transfer.splice(&self.bytes[range.clone()], &body.octets, &splices, line_end);
                if new.newly_quoted {
                    changes.extend(self.quoted_fields(&body.part, line_end));
                }
                changes.push(Splice::new(range, new.body));
            }
        }
        let mut warnings = self.part_warnings();
        if let Some(url) = unsubscribe {
            let (fields, warning) = self.unsubscribe_fields(url);
            changes.extend(self.added(&self.head, &fields, line_end));
            warnings.push(warning);
        }
        changes.sort_by_key(|edit| (edit.range.start, edit.range.end));
        Ok(Written { mail: apply(self.bytes, &changes), warnings })
    }

    /// What says that a part is quoted-printable now.
    fn quoted_fields(&self, part: &Part, line_end: &[u8]) -> Vec<Splice> {
        let mut fields = Vec::new();
        // Who reads no MIME-Version may not look at the other field.
        if part.head.body == self.head.body && self.head.first("mime-version").is_none() {
            fields.push("MIME-Version: 1.0".to_owned());
        }
        let mut edits = Vec::new();
        match part.head.first(TRANSFER) {
            Some(field) => {
                let length = head::content(&self.bytes[field.value.clone()]).len();
                edits.push(Splice::new(field.value.start..field.value.start + length, " quoted-printable"));
            }
            None => fields.push("Content-Transfer-Encoding: quoted-printable".to_owned()),
        }
        edits.extend(self.added(&part.head, &fields, line_end));
        edits
    }

    /// The fields for a provider's unsubscribe button (RFC 2369, RFC 8058), and what the sender should know of them.
    fn unsubscribe_fields(&self, url: &str) -> (Vec<String>, String) {
        if self.head.first("list-unsubscribe").is_some() {
            let warning = "the mail's own List-Unsubscribe stays: a provider's unsubscribe button goes there and not to \
                           the click domain";
            return (Vec::new(), warning.to_owned());
        }
        // On a line of its own, with white space before it and brackets around it.
        if url.len() + 3 > LONGEST_LINE {
            let warning = format!(
                "no List-Unsubscribe: its URL has {} characters, more than a line of mail holds; shorten the base URL or the ids",
                url.len()
            );
            return (Vec::new(), warning);
        }
        let mut fields = vec![format!("{ONE_CLICK}:\n <{url}>")];
        if self.head.first("list-unsubscribe-post").is_none() {
            fields.push(format!("{ONE_CLICK}-Post: {ONE_CLICK}={ONE_CLICK_VALUE}"));
        }
        let warning = "List-Unsubscribe and List-Unsubscribe-Post are in the mail: the h= of the DKIM signature that \
                       follows must name both";
        (fields, warning.to_owned())
    }

    /// Fields behind the last one of a head; `\n` in them folds.
    fn added(&self, head: &Head, fields: &[String], line_end: &[u8]) -> Option<Splice> {
        if fields.is_empty() {
            return None;
        }
        let mut lines = Vec::new();
        if head.end > 0 && self.bytes[head.end - 1] != b'\n' {
            lines.extend_from_slice(line_end);
        }
        for line in fields.iter().flat_map(|field| field.split('\n')) {
            lines.extend_from_slice(line.as_bytes());
            lines.extend_from_slice(line_end);
        }
        if head.body == head.end {
            lines.extend_from_slice(line_end);
        }
        Some(Splice::new(head.end..head.end, lines))
    }

    fn part_warnings(&self) -> Vec<String> {
        let warning =
            |part: &LeftPart| format!("the {} part stays as it is: {}", part.media_type, part.why());
        self.left.iter().map(warning).collect()
    }
}

impl Body {
    /// Takes a part out of its encodings; else the reason why it stays.
    fn open(mail: &[u8], part: Part) -> Result<Self, &'static str> {
        let encoding = part.head.first(TRANSFER).map(|field| field.text(mail)).unwrap_or_default();
        let (octets, transfer) = Transfer::decode(&encoding, &mail[part.body.clone()]).ok_or("encoding")?;
        let encoding = charset::of(part.charset.as_deref(), &octets).ok_or("charset")?;
        if part.kind == Kind::Text && has_line(&octets, |line| line.starts_with(PGP_SIGNED)) {
            return Err("signed");
        }
        if part.joined_lines && has_line(&octets, goes_on_behind_a_url) {
            return Err("flowed");
        }
        Ok(Self { part, octets, encoding, transfer })
    }

    fn is_plain_ascii(&self) -> bool {
        self.encoding.is_ascii_compatible() && self.octets.is_ascii()
    }
}

/// Leaves the bodies of a kind that are in another charset than the first one; ASCII is in all of them.
fn keep_one_charset(bodies: &mut Vec<Body>, kind: Kind, left: &mut Vec<LeftPart>) {
    let is_more = |body: &Body| body.part.kind == kind && !body.is_plain_ascii();
    let Some(encoding) = bodies.iter().find(|body| is_more(body)).map(|body| body.encoding) else { return };
    for body in bodies.extract_if(.., |body| is_more(body) && body.encoding != encoding) {
        left.push(LeftPart { media_type: body.part.kind.media_type().to_owned(), reason: "another charset" });
    }
    for body in bodies.iter_mut().filter(|body| body.part.kind == kind) {
        body.encoding = encoding;
    }
}

fn has_line(text: &[u8], is: impl Fn(&[u8]) -> bool) -> bool {
    text.split(|&byte| byte == b'\n').any(is)
}

/// Whether a line ends in a URL that its last space joins to the next line.
fn goes_on_behind_a_url(line: &[u8]) -> bool {
    let joined = head::content(line).strip_suffix(b" ");
    let last = joined.and_then(|line| line.rsplit(|&byte| byte == b' ').next());
    last.is_some_and(|word| word.windows(3).any(|three| three == b"://"))
}
