//! Whether a referer's host is Safe Links', as `link::url` finds it and so as browsers do: by regular expressions that any
//! warehouse runs alike.
//!
//! Known to differ: control characters other than tab and line breaks around a URL are not set aside, and a `file:` URL may
//! have a port.

use super::dialect::Dialect;

/// Safe Links' hosts are this domain and what lies below it.
const DOMAIN: &str = "safelinks.protection.outlook.com";

/// A port: nothing, or a number up to 65,535 behind any number of zeros.
const PORT: &str = "([:]0*([0-9]?[0-9]?[0-9]?[0-9]?|[1-5][0-9][0-9][0-9][0-9]|6[0-4][0-9][0-9][0-9]|65[0-4][0-9][0-9]\
                    |655[0-2][0-9]|6553[0-5]))?";

/// What follows a host and its port.
const END: &str = "([/?#]| *$)";

/// Who asks, before the host: up to the last `@` of what comes before the path.
const USER: &str = "([^/?#]*@)?";

/// The schemes of which browsers know how a host is spelt.
const SPECIAL: &str = "[hH][tT][tT][pP][sS]?|[wW][sS][sS]?|[fF][tT][pP]";

/// `file:` has two slashes, and no user.
const FILE: &str = "[fF][iI][lL][eE]";

/// What may stand in a host as it is: printable ASCII without ``#%/:<>?@[\]^|``; a semicolon is `~` by then.
const PLAIN: &str = "[!\"$&-.0-9=A-Z_-{}~]";

/// The same, percent-encoded.
const ENCODED: &str = "%2[1246-9a-eA-E]|%3[0-9bBdD]|%4[1-9a-fA-F]|%5[0-9aAfF]|%6[0-9a-fA-F]|%7[0-9abdeABDE]";

/// What may stand in the host of a scheme that browsers know nothing of; a backslash is `|` by then.
const OPAQUE: &str = "[^] #/:<>?@[^|]";

/// 1 where the text is a referer of Safe Links, else 0, and 0 where it is null.
pub(super) fn is_safelinks(dialect: Dialect, referer: &str) -> String {
    // Browsers drop tabs and line breaks wherever they stand.
    let url = [9, 10, 13]
        .into_iter()
        .fold(referer.to_owned(), |text, code| format!("REPLACE({text}, {}, '')", dialect.character(code)));
    // One in a literal would end the statement for clients that read no literals.
    let url = format!("REPLACE({url}, {}, '~')", dialect.character(b';'));
    let backslash = dialect.character(b'\\');
    let with = |instead: char| format!("REPLACE({url}, {backslash}, '{instead}')");
    let is_special = dialect.matches(&url, &format!("^ *({SPECIAL}|{FILE})[:]"));
    // A backslash is as good as a slash there, and elsewhere forbidden.
    let special = dialect.matches(&with('/'), &special());
    let other = dialect.matches(&with('|'), &other());
    format!(
        "CASE
        WHEN {referer} IS NULL THEN 0
        WHEN {is_special} THEN CASE
          WHEN {special}
            THEN 1 ELSE 0 END
        WHEN {other}
          THEN 1
        ELSE 0 END"
    )
}

fn special() -> String {
    let dot = "([.]|%2[eE])";
    let domain: String =
        DOMAIN.chars().map(|letter| if letter == '.' { dot.to_owned() } else { spelt(letter) }).collect();
    let above = format!("(({PLAIN}|{ENCODED})*{dot})?");
    format!("^ *(({SPECIAL})[:][/]*{USER}|{FILE}[:][/][/]){above}{domain}{dot}?{PORT}{END}")
}

fn other() -> String {
    let domain: String = DOMAIN
        .chars()
        .map(|letter| {
            if letter == '.' {
                "[.]".to_owned()
            } else {
                format!("[{letter}{}]", letter.to_ascii_uppercase())
            }
        })
        .collect();
    format!("^ *[a-zA-Z][a-zA-Z0-9+.-]*[:][/][/]{USER}({OPAQUE}*[.])?{domain}[.]?{PORT}{END}")
}

/// A lower-case letter in either case, as it is or percent-encoded.
fn spelt(letter: char) -> String {
    let (code, upper) = (letter as u32, letter.to_ascii_uppercase());
    let high = code >> 4;
    let low = match char::from_digit(code & 15, 16) {
        Some(digit) if digit.is_ascii_alphabetic() => format!("[{digit}{}]", digit.to_ascii_uppercase()),
        digit => digit.map_or_else(String::new, String::from),
    };
    format!("([{letter}{upper}]|%[{}{high}]{low})", high - 2)
}
