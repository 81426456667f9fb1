//! A whole mail: its bodies are taken out of their encodings for whoever rewrites links, and changes go back in. Every byte
//! beside them stays.
//!
//! | step | where |
//! | --- | --- |
//! | where the fields stand | `head` |
//! | whose copy it is | `envelope` |
//! | which parts a reader sees | `parts` |
//! | out of the transfer encoding and back | `transfer`, `quoted`, `base64` |
//! | out of the charset and back | `charset` |

mod base64;
mod charset;
mod envelope;
mod head;
mod parts;
mod quoted;
mod transfer;

use std::fmt;

use encoding_rs::Encoding;

use self::charset::Text;
use self::head::Head;
use self::transfer::Transfer;
use super::edit::{Edit, apply};
use crate::link::one_click::{ONE_CLICK, ONE_CLICK_VALUE};

pub use self::envelope::Envelope;
pub use self::parts::{Kind, LeftPart};

/// Bytes of the largest mail that is read. Mail servers take far less.
const LARGEST: usize = 256 << 20;

/// The longest line of a field, octets without its ending (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

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
    /// The charset of this part cannot hold what would be put into it.
    Charset(&'static str),
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Signed(field) => {
                write!(f, "the mail has a {field}, which rewriting would break: rewrite first, sign after it")
            }
            Self::Field(problem) => f.write_str(problem),
            Self::TooLarge => f.write_str("the mail is larger than 256 MiB"),
            Self::Charset(media_type) => {
                write!(f, "the charset of the {media_type} part cannot hold its new links: send it in UTF-8")
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
    left: Vec<LeftPart>,
}

/// A text of the mail that readers see, as a parser can read it.
#[derive(Clone, Debug)]
pub struct Body {
    part: parts::Part,
    octets: Vec<u8>,
    transfer: Transfer,
    text: Text,
}

impl Body {
    /// Whether it is HTML.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.part.kind
    }

    /// Its text; edits' ranges are of these bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text.bytes
    }

    /// What the text is in. It is one whose ASCII characters are single bytes.
    #[must_use]
    pub const fn encoding(&self) -> &'static Encoding {
        self.text.encoding
    }
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
        if mail.len() > LARGEST {
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
        let mut left = found.left;
        let mut bodies = Vec::new();
        for part in found.bodies {
            match open(mail, &part) {
                Ok((octets, transfer, text)) => bodies.push(Body { part, octets, transfer, text }),
                Err(reason) => left.push(LeftPart { media_type: part.kind.media_type().to_owned(), reason }),
            }
        }
        Ok(Self { bytes: mail, head, envelope, bodies, left })
    }

    /// What the mail says of itself.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The texts that readers see, in the mail's order.
    #[must_use]
    pub fn bodies(&self) -> &[Body] {
        &self.bodies
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

    /// The mail with edits made to its bodies, without the fields that are for this program, and with the fields that let a
    /// provider show an unsubscribe button, where it has none and `unsubscribe` is the URL for them.
    ///
    /// # Errors
    /// When a part's charset cannot hold its edits.
    ///
    /// # Panics
    /// When there is not one list of edits for each body.
    pub fn write(&self, edits: &[Vec<Edit>], unsubscribe: Option<&str>) -> Result<Written, MailError> {
        assert_eq!(edits.len(), self.bodies.len(), "one list of edits for each body");
        let line_end = head::ending(self.bytes).unwrap_or(b"\r\n");
        let mut changes: Vec<Edit> =
            envelope::ours(&self.head).map(|field| Edit::new(field.lines.clone(), [])).collect();
        for (body, edits) in self.bodies.iter().zip(edits).filter(|(_, edits)| !edits.is_empty()) {
            let edits = body.text.edits(&body.octets, edits);
            let edits = edits.ok_or(MailError::Charset(body.part.kind.media_type()))?;
            let range = body.part.body.clone();
            let new = body.transfer.splice(&self.bytes[range.clone()], &body.octets, &edits, line_end);
            if new.newly_quoted {
                changes.extend(self.quoted_fields(&body.part, line_end));
            }
            changes.push(Edit::new(range, new.body));
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
    fn quoted_fields(&self, part: &parts::Part, line_end: &[u8]) -> Vec<Edit> {
        let mut fields = Vec::new();
        // Who reads no MIME-Version may not look at the other field.
        if part.head.body == self.head.body && self.head.first("mime-version").is_none() {
            fields.push("MIME-Version: 1.0".to_owned());
        }
        let mut edits = Vec::new();
        match part.head.first(TRANSFER) {
            Some(field) => {
                let length = head::content(&self.bytes[field.value.clone()]).len();
                edits.push(Edit::new(field.value.start..field.value.start + length, " quoted-printable"));
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
    fn added(&self, head: &Head, fields: &[String], line_end: &[u8]) -> Option<Edit> {
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
        Some(Edit::new(head.end..head.end, lines))
    }

    fn part_warnings(&self) -> Vec<String> {
        let warning =
            |part: &LeftPart| format!("the {} part stays as it is: {}", part.media_type, part.why());
        self.left.iter().map(warning).collect()
    }
}

/// A part's octets and text; else the reason why it stays.
fn open(mail: &[u8], part: &parts::Part) -> Result<(Vec<u8>, Transfer, Text), &'static str> {
    let encoding = part.head.first(TRANSFER).map(|field| field.text(mail)).unwrap_or_default();
    let (octets, transfer) = Transfer::decode(&encoding, &mail[part.body.clone()]).ok_or("encoding")?;
    let text = Text::read(part.charset.as_deref(), &octets).ok_or("charset")?;
    if part.kind == Kind::Text
        && has_line(&text.bytes, |line| line.starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----"))
    {
        return Err("signed");
    }
    if part.joined_lines && has_line(&text.bytes, goes_on_behind_a_url) {
        return Err("flowed");
    }
    Ok((octets, transfer, text))
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
