//! Bytes as hexadecimal digits: every click has some, and formatting them one by one costs more than checking its token.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends bytes as digits, lower case.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(nibble)]));
        }
    }
}
