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

/// What digits say; `None` where a byte is none in lower case, or half a byte is left.
pub fn from_hex(mut digits: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = Vec::new();
    while let Some(digit) = digits.next() {
        bytes.push(nibble(digit)? << 4 | nibble(digits.next()?)?);
    }
    Some(bytes)
}
