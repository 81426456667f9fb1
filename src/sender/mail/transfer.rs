//! Content-Transfer-Encoding: a part's octets, and changes to them put back into the encoding that the part has.

use super::head::content;
use super::{base64, quoted};
use crate::sender::splice::{Splice, apply};

/// The longest line that mail may hold, octets without its ending (RFC 5322, 2.1.1). MTAs put breaks into longer ones.
const LONGEST_LINE: usize = 998;

/// A part's octets and how they stand in the mail.
#[derive(Clone, Debug)]
pub(super) enum Transfer {
    /// As they are.
    Identity {
        /// Whether the part says that its lines may have any length.
        binary: bool,
    },
    Quoted(quoted::Quoted),
    Base64(base64::Layout),
}

/// A part's body with changes made to its octets.
pub(super) struct Encoded {
    pub(super) body: Vec<u8>,
    /// Whether it is quoted-printable now and was not before.
    pub(super) newly_quoted: bool,
}

impl Transfer {
    /// The octets of a body whose field says `encoding`; `None` when it cannot be decoded.
    pub(super) fn decode(encoding: &str, body: &[u8]) -> Option<(Vec<u8>, Self)> {
        // A comment behind the word says nothing.
        let word = encoding.split(['(', ';', ' ', '\t']).next().unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" => Some((body.to_vec(), Self::Identity { binary: false })),
            "binary" => Some((body.to_vec(), Self::Identity { binary: true })),
            "quoted-printable" => {
                let quoted = quoted::Quoted::decode(body);
                Some((quoted.octets().to_vec(), Self::Quoted(quoted)))
            }
            "base64" => base64::decode(body).map(|(octets, layout)| (octets, Self::Base64(layout))),
            _ => None,
        }
    }

    /// `body`, whose octets are `octets`, with edits made to the octets. `ending` ends the mail's lines.
    pub(super) fn splice(&self, body: &[u8], octets: &[u8], edits: &[Splice], ending: &[u8]) -> Encoded {
        match self {
            Self::Identity { binary } => {
                let new = apply(octets, edits);
                // Who sends long lines as binary has a way for them.
                let quote = too_long(&new) && !(*binary && too_long(octets));
                let body = if quote { quoted::encode(&new, ending) } else { new };
                Encoded { body, newly_quoted: quote }
            }
            Self::Quoted(quoted) => Encoded { body: quoted.splice(body, edits, ending), newly_quoted: false },
            Self::Base64(layout) => {
                Encoded { body: layout.encode(body, &apply(octets, edits), ending), newly_quoted: false }
            }
        }
    }
}

fn too_long(octets: &[u8]) -> bool {
    octets.split_inclusive(|&byte| byte == b'\n').any(|line| content(line).len() > LONGEST_LINE)
}
