//! What commands say to people, on stderr: stdout is for results alone.

use std::io::Write;

/// Writes a line to stderr. Nothing is left to tell when stderr itself is closed.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A count as people read it: with a comma before every three digits.
pub(crate) fn said(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_have_commas() {
        for (count, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (61_450, "61,450"), (1_234_567, "1,234,567")]
        {
            assert_eq!(super::said(count), text);
        }
    }
}
