//! The identifiers that senders choose: which texts may name a message, a recipient, a link or a group.
//!
//! The alphabets are small on purpose: ids stand in URL paths and in the names of objects, and a recipient's must never be
//! an e-mail address, so it has no `@`.

use std::fmt;

/// One kind of identifier: its field, its alphabet and its greatest length.
struct Rule {
    field: &'static str,
    /// The alphabet as messages show it.
    shown: &'static str,
    alphabet: [bool; 256],
    max_len: usize,
}

const MESSAGE_ID: &Rule = &Rule {
    field: "message_id",
    shown: "A-Z a-z 0-9 . _ ~ @ + = $ ! : -",
    alphabet: alphabet(b"._~@+=$!:-"),
    max_len: 128,
};
const RECIPIENT_ID: &Rule =
    &Rule { field: "recipient_id", shown: "A-Z a-z 0-9 . _ ~ -", alphabet: alphabet(b"._~-"), max_len: 64 };
const LINK_ID: &Rule = &Rule { field: "link_id", ..*RECIPIENT_ID };
const GROUP: &Rule = &Rule { field: "group", ..*RECIPIENT_ID };

/// Letters, digits and `others`.
const fn alphabet(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[expect(clippy::cast_possible_truncation, reason = "the table has as many entries as u8 has values")]
        let is_word = (byte as u8).is_ascii_alphanumeric();
        table[byte] = is_word;
        byte += 1;
    }
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
}

/// Why a text is no identifier. Its message names the field, what is wrong and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextIdError {
    field: &'static str,
    shown: &'static str,
    max_len: usize,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    Empty,
    TooLong {
        len: usize,
    },
    /// `at` counts bytes from 0.
    Foreign {
        found: char,
        at: usize,
    },
    /// `.` or `..`.
    Dots,
}

impl fmt::Display for TextIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, shown, max_len, fault } = self;
        write!(f, "{field} is 1 to {max_len} characters of {shown}; this one ")?;
        match fault {
            Fault::Empty => f.write_str("is empty"),
            Fault::TooLong { len } => write!(f, "has {len} bytes"),
            Fault::Foreign { found, at } => write!(f, "has {found:?} at byte {at}"),
            Fault::Dots => f.write_str("is nothing but points, which no path can hold: give it a letter"),
        }
    }
}

impl std::error::Error for TextIdError {}

/// Checks the id of a message: 1 to 128 of `A-Za-z0-9._~@+=$!:-`, but neither `.` nor `..`. URLs drop those from their paths
/// (WHATWG URL, "single-dot" and "double-dot" segments, escaped or not), so no call of the API could name the message.
///
/// # Errors
///
/// When the text is empty, longer, one of those two, or holds another character.
pub fn check_message_id(text: &str) -> Result<(), TextIdError> {
    if matches!(text, "." | "..") {
        return Err(fault(MESSAGE_ID, Fault::Dots));
    }
    check(MESSAGE_ID, text)
}

/// Checks the id of a message that is there already: in a link, or in a record of a click on one. `.` and `..` were minted once, and
/// links live for years.
///
/// # Errors
///
/// When the text is empty, longer, or holds another character.
pub fn check_known_message_id(text: &str) -> Result<(), TextIdError> {
    check(MESSAGE_ID, text)
}

/// Checks the id of a recipient: 1 to 64 of `A-Za-z0-9._~-`.
///
/// # Errors
///
/// When the text is empty, longer, or holds another character.
pub fn check_recipient_id(text: &str) -> Result<(), TextIdError> {
    check(RECIPIENT_ID, text)
}

/// Checks the id of a link: 1 to 64 of `A-Za-z0-9._~-`.
///
/// # Errors
///
/// When the text is empty, longer, or holds another character.
pub fn check_link_id(text: &str) -> Result<(), TextIdError> {
    check(LINK_ID, text)
}

/// Checks the name of a group: 1 to 64 of `A-Za-z0-9._~-`.
///
/// # Errors
///
/// When the text is empty, longer, or holds another character.
pub fn check_group(text: &str) -> Result<(), TextIdError> {
    check(GROUP, text)
}

fn check(rule: &Rule, text: &str) -> Result<(), TextIdError> {
    let found = if text.is_empty() {
        Fault::Empty
    } else if text.len() > rule.max_len {
        Fault::TooLong { len: text.len() }
    } else if let Some((at, found)) = text
        .char_indices()
        .find(|(_, c)| !u8::try_from(*c).is_ok_and(|byte| rule.alphabet[usize::from(byte)]))
    {
        Fault::Foreign { found, at }
    } else {
        return Ok(());
    };
    Err(fault(rule, found))
}

fn fault(rule: &Rule, fault: Fault) -> TextIdError {
    TextIdError { field: rule.field, shown: rule.shown, max_len: rule.max_len, fault }
}

#[cfg(test)]
mod tests {
    use super::{check_group, check_known_message_id, check_link_id, check_message_id, check_recipient_id};

    type Check = fn(&str) -> Result<(), super::TextIdError>;

    /// Each check, its greatest length, and the characters besides letters and digits that it takes.
    const CHECKS: [(Check, usize, &str); 4] = [
        (check_known_message_id, 128, "._~@+=$!:-"),
        (check_recipient_id, 64, "._~-"),
        (check_link_id, 64, "._~-"),
        (check_group, 64, "._~-"),
    ];

    #[test]
    fn lengths_are_taken_up_to_their_bound() {
        for (check, max_len, _) in CHECKS {
            assert!(check("").is_err());
            assert!(check("a").is_ok());
            assert!(check(&"a".repeat(max_len)).is_ok());
            assert!(check(&"a".repeat(max_len + 1)).is_err());
        }
    }

    #[test]
    fn every_character_is_taken_or_refused_wherever_it_stands() {
        for (check, _, others) in CHECKS {
            for character in ('\0'..='\u{2ff}').chain(['\u{ff21}', '\u{1f4e7}']) {
                let taken = character.is_ascii_alphanumeric() || others.contains(character);
                for text in [format!("{character}"), format!("{character}ab"), format!("ab{character}")] {
                    assert_eq!(check(&text).is_ok(), taken, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_message_that_no_path_could_name_is_refused_where_it_would_begin() {
        for id in (0..0x300).filter_map(char::from_u32).flat_map(|c| [format!("{c}"), format!("{c}.")]) {
            let expected = if matches!(&*id, "." | "..") { Ok(()) } else { check_message_id(&id) };
            assert_eq!(check_known_message_id(&id), expected, "{id:?}");
            assert!(!matches!(&*id, "." | "..") || check_message_id(&id).is_err(), "{id:?}");
        }
        for id in ["...", "a.", ".a", "..a", "-.."] {
            assert_eq!(check_message_id(id), Ok(()), "{id}");
        }
    }

    #[test]
    fn messages_say_what_is_wrong_and_what_is_allowed() {
        let cases = [
            (
                check_recipient_id("ann@example.com"),
                "recipient_id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -; this one has '@' at byte 3",
            ),
            (
                check_link_id(&"x".repeat(65)),
                "link_id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -; this one has 65 bytes",
            ),
            (
                check_group("Orange France"),
                "group is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -; this one has ' ' at byte 6",
            ),
            (
                check_message_id(""),
                "message_id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ @ + = $ ! : -; this one is empty",
            ),
            (
                check_message_id("a\nb"),
                "message_id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ @ + = $ ! : -; this one has '\\n' at byte 1",
            ),
            (
                check_message_id(".."),
                "message_id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ @ + = $ ! : -; this one is nothing but points, \
                 which no path can hold: give it a letter",
            ),
        ];
        for (result, message) in cases {
            assert_eq!(result.unwrap_err().to_string(), message);
        }
    }
}
