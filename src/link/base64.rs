//! Base64 as others write it: operators' tools in either alphabet, padded or not, and receivers of webhooks in the first one.
//! Links and cookies are in the URL's alphabet without padding; what is not is turned into it here, because each spelling
//! that the library knows by itself would be a kilobyte of wasm.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Reads either alphabet, padded or not; `None` for a mixture of them and for what is no base64.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_mixed = digits.contains(['+', '/']) && digits.contains(['-', '_']);
    if is_mixed || padding > 2 || padding > 0 && !text.len().is_multiple_of(4) {
        return None;
    }
    Base64UrlUnpadded::decode_vec(&digits.replace('+', "-").replace('/', "_")).ok()
}

/// Writes the first alphabet, padded (RFC 4648 §4).
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = Base64UrlUnpadded::encode_string(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64Unpadded, Base64Url};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_the_library_reads_and_writes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(encode(&bytes), Base64::encode_string(&bytes));
            for text in [
                Base64::encode_string(&bytes),
                Base64Unpadded::encode_string(&bytes),
                Base64Url::encode_string(&bytes),
                Base64UrlUnpadded::encode_string(&bytes),
            ] {
                prop_assert_eq!(decode(&text), Some(bytes.clone()));
            }
        }

        #[test]
        fn what_the_library_reads_in_no_spelling_is_refused(text in "[A-D+/_=-]{0,12}") {
            let all = [Base64::decode_vec, Base64Unpadded::decode_vec, Base64Url::decode_vec, Base64UrlUnpadded::decode_vec];
            prop_assert_eq!(decode(&text), all.into_iter().find_map(|decode| decode(&text).ok()), "{}", text);
        }
    }
}
