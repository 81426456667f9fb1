//! The charset of a part, from what the part calls it.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What `octets` are in, which their part says to be in `label`. `None` where links cannot be written into it, or where nobody
/// knows what it is.
pub(super) fn of(label: Option<&str>, octets: &[u8]) -> Option<&'static Encoding> {
    let label = label.unwrap_or("us-ascii").trim();
    let encoding = Encoding::for_label(label.as_bytes())?;
    if [REPLACEMENT, UTF_16BE, UTF_16LE].contains(&encoding) {
        return None;
    }
    // Who says ASCII, or nothing, and writes more, writes UTF-8 today.
    let is_more =
        encoding == WINDOWS_1252 && ["us-ascii", "ascii"].iter().any(|name| label.eq_ignore_ascii_case(name));
    Some(if is_more && std::str::from_utf8(octets).is_ok() { UTF_8 } else { encoding })
}
