//! The bodies of one kind as one: a mail may show several, such as a text, a picture and another text, and their links are
//! counted through.

use std::ops::Range;

use encoding_rs::Encoding;

use crate::sender::splice::Splice;

/// What stands between two bodies while they are read, and never in a mail: it ends whatever the first one leaves open.
const BETWEEN: &str = "\n-->'\"></script></style></title></textarea></xmp></noscript></a>\n\n";

/// Several bodies, read as one.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: &'static Encoding,
    /// Where each body stands.
    stands: Vec<Range<usize>>,
}

impl Joined {
    /// Joins bodies that are in one charset; `None` when there is none.
    pub(super) fn new<'a>(bodies: impl IntoIterator<Item = (&'a [u8], &'static Encoding)>) -> Option<Self> {
        let mut joined: Option<Self> = None;
        for (body, encoding) in bodies {
            let joined =
                joined.get_or_insert_with(|| Self { bytes: Vec::new(), encoding, stands: Vec::new() });
            if !joined.stands.is_empty() {
                joined.bytes.extend_from_slice(BETWEEN.as_bytes());
            }
            let start = joined.bytes.len();
            joined.bytes.extend_from_slice(body);
            joined.stands.push(start..joined.bytes.len());
        }
        joined
    }

    /// Splices of the whole as those of each body; `None` when one reaches out of its body.
    pub(super) fn split(&self, splices: &[Splice]) -> Option<Vec<Vec<Splice>>> {
        let mut each = vec![Vec::new(); self.stands.len()];
        for splice in splices {
            let body = self.stands.iter().rposition(|body| body.start <= splice.range.start)?;
            let Range { start, end } = self.stands[body];
            if splice.range.end > end {
                return None;
            }
            each[body]
                .push(Splice::new(splice.range.start - start..splice.range.end - start, splice.new.clone()));
        }
        Some(each)
    }
}
