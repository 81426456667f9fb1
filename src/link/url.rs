//! URLs: the host that a browser would go to, and the type of a redirect's target.
//!
//! The host is found as the WHATWG URL standard finds it, because what matters is where browsers go, not what a URL looks
//! like. Only the host is needed, so this stands in for a whole URL parser, which would add some 60 KB to the Worker. The
//! tests hold it against one.
//!
//! Two things differ from the standard, both about international names, whose tables are most of that weight: a name with
//! a character outside ASCII (as it stands or percent-encoded) has no host here, and a label that begins with `xn--` is not
//! checked to be valid Punycode.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The host of an absolute URL, as browsers understand it: a name in lower case, an IPv4 address in dotted decimal, or an
/// IPv6 address in brackets. Nothing is copied where the host already stands so in `url`.
///
/// `None` when the text is no absolute URL, is one without a host or with an invalid one, or has a name outside ASCII. The
/// host of a scheme that browsers treat specially (`http`, `https`, `ws`, `wss`, `ftp`, `file`) is normalised; any other's
/// keeps its case, as the standard has it.
#[must_use]
pub fn host(url: &str) -> Option<Cow<'_, str>> {
    let url = url.trim_matches(|c: char| c <= ' ');
    if url.contains(is_tab_or_newline) {
        let without = url.replace(is_tab_or_newline, "");
        return find_host(&without).map(|host| Cow::Owned(host.into_owned()));
    }
    find_host(url)
}

/// Whether a host without its port can only be the visitor's own machine: browsers trust it as they
/// trust https.
#[must_use]
pub fn is_local(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]") || is_host_or_below(host, "localhost")
}

/// Whether a host is `domain` or lies below it, whatever the case of either; one final dot of the host does not count.
#[must_use]
pub fn is_host_or_below(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let Some((above, tail)) = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at))
    else {
        return false;
    };
    tail.eq_ignore_ascii_case(domain.as_bytes()) && (above.is_empty() || above.ends_with(b"."))
}

fn is_tab_or_newline(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r')
}

fn find_host(url: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme {
        return None;
    }
    if scheme.eq_ignore_ascii_case("file") {
        return file_host(rest);
    }
    let is_special =
        ["http", "https", "ws", "wss", "ftp"].iter().any(|special| scheme.eq_ignore_ascii_case(special));
    let (rest, ends): (_, &[char]) = if is_special {
        (rest.trim_start_matches(['/', '\\']), &['/', '\\', '?', '#'])
    } else {
        (rest.strip_prefix("//")?, &['/', '?', '#'])
    };
    let authority = rest.split(ends).next()?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_user_info, after)| after);
    let (host, port) = split_port(host_and_port);
    if host.is_empty() || !is_port(port) {
        return None;
    }
    if is_special { special_host(host) } else { opaque_host(host) }
}

/// A file has neither user info nor port. On this machine (`localhost`) it has no host, nor has it where a drive's letter
/// stands instead: the `:` or `|` after the letter is forbidden in a name.
fn file_host(rest: &str) -> Option<Cow<'_, str>> {
    let rest = rest.strip_prefix(['/', '\\'])?.strip_prefix(['/', '\\'])?;
    let host = rest.split(['/', '\\', '?', '#']).next().filter(|host| !host.is_empty())?;
    special_host(host).filter(|host| host != "localhost")
}

/// Splits at the first colon outside brackets; without one the port is empty.
fn split_port(host_and_port: &str) -> (&str, &str) {
    let mut in_brackets = false;
    for (at, byte) in host_and_port.bytes().enumerate() {
        match byte {
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b':' if !in_brackets => return (&host_and_port[..at], &host_and_port[at + 1..]),
            _ => {}
        }
    }
    (host_and_port, "")
}

/// Whether this may follow a host's colon: nothing, or a number up to 65,535 with any number of leading zeros.
fn is_port(text: &str) -> bool {
    text.is_empty() || (text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

fn special_host(host: &str) -> Option<Cow<'_, str>> {
    if host.starts_with('[') {
        return ipv6_host(host).map(Cow::Owned);
    }
    let host = percent_decode(host)?;
    if !host.bytes().all(|b| b.is_ascii() && !is_forbidden_in_domain(b)) {
        return None;
    }
    let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        host
    };
    if ends_in_number(&host) {
        return ipv4(&host).map(|address| Cow::Owned(address.to_string()));
    }
    Some(host)
}

/// The host of a scheme that browsers know nothing of: not decoded, not lower-cased, never an IPv4 address.
fn opaque_host(host: &str) -> Option<Cow<'_, str>> {
    if host.starts_with('[') {
        return ipv6_host(host).map(Cow::Owned);
    }
    if host.bytes().any(is_forbidden) {
        return None;
    }
    if host.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Some(Cow::Borrowed(host));
    }
    let mut encoded = String::with_capacity(host.len() * 3);
    for byte in host.bytes() {
        if matches!(byte, b' '..=b'~') {
            encoded.push(char::from(byte));
        } else {
            push_percent_encoded(&mut encoded, byte);
        }
    }
    Some(Cow::Owned(encoded))
}

fn push_percent_encoded(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Percent-decodes; a `%` that no two hexadecimal digits follow stays. `None` when bytes outside ASCII come out.
fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        let (byte, after) = match escaped {
            Some((high, low)) => (high << 4 | low, &rest[3..]),
            None => (*byte, after),
        };
        if !byte.is_ascii() {
            return None;
        }
        decoded.push(char::from(byte));
        rest = after;
    }
    Some(Cow::Owned(decoded))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The standard's forbidden host code points.
fn is_forbidden(byte: u8) -> bool {
    matches!(
        byte,
        b'\0'
            | b'\t'
            | b'\n'
            | b'\r'
            | b' '
            | b'#'
            | b'/'
            | b':'
            | b'<'
            | b'>'
            | b'?'
            | b'@'
            | b'['
            | b'\\'
            | b']'
            | b'^'
            | b'|'
    )
}

/// The standard's forbidden domain code points.
fn is_forbidden_in_domain(byte: u8) -> bool {
    is_forbidden(byte) || byte.is_ascii_control() || byte == b'%'
}

/// An IPv6 address in brackets, in the standard's spelling.
fn ipv6_host(host: &str) -> Option<String> {
    let address: Ipv6Addr = host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    // The standard writes an IPv4-mapped address in hexadecimal like any other; `Display` would not.
    if address.to_ipv4_mapped().is_some() {
        let [.., high, low] = address.segments();
        return Some(format!("[::ffff:{high:x}:{low:x}]"));
    }
    Some(format!("[{address}]"))
}

/// Whether the last label is a number, so that the host is an IPv4 address or nothing.
fn ends_in_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    !last.is_empty() && (last.bytes().all(|b| b.is_ascii_digit()) || ipv4_number(last).is_some())
}

/// One to four numbers, of which the last fills all the bytes that are left.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let (leading, last) = host.rsplit_once('.').map_or((None, host), |(leading, last)| (Some(leading), last));
    let mut address = 0;
    let mut free_bits: u32 = 32;
    for part in leading.into_iter().flat_map(|leading| leading.split('.')) {
        let byte = ipv4_number(part).filter(|number| *number < 256)?;
        free_bits = free_bits.checked_sub(8).filter(|bits| *bits > 0)?;
        address |= byte << free_bits;
    }
    let last = ipv4_number(last).filter(|number| *number < 1 << free_bits)?;
    u32::try_from(address | last).ok().map(Ipv4Addr::from)
}

/// A decimal, octal (`0…`) or hexadecimal (`0x…`, of which the digits may be missing) number. One too great for `u64` is
/// `u64::MAX`, which is too great for an address as well.
fn ipv4_number(text: &str) -> Option<u64> {
    let (digits, radix) = if let Some(digits) = text.strip_prefix("0x") {
        (digits, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.is_empty() && radix != 16 {
        return None;
    }
    digits.chars().try_fold(0_u64, |number, digit| {
        Some(number.saturating_mul(radix.into()).saturating_add(digit.to_digit(radix)?.into()))
    })
}

/// Where a redirect may lead: an `http` or `https` URL that every client reads alike and that can stand in a header as it
/// is. It is kept byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// The greatest length, in bytes.
    pub const MAX_LEN: usize = 4096;

    /// Takes a URL of printable ASCII (0x21 to 0x7E) that begins with `http://` or `https://` in lower case, has a host and
    /// no user info, and is at most [`Self::MAX_LEN`] bytes long.
    ///
    /// # Errors
    ///
    /// The first of these that does not hold.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        if url.len() > Self::MAX_LEN {
            return Err(TargetError::TooLong { len: url.len() });
        }
        if let Some(at) = url.bytes().position(|b| !b.is_ascii_graphic()) {
            return Err(TargetError::NotPrintableAscii { at });
        }
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let authority =
            rest.and_then(|rest| rest.split(['/', '?', '#']).next()).ok_or(TargetError::Scheme)?;
        // Browsers take a backslash for a slash, other clients for part of the name: they would go to different hosts.
        if authority.contains('\\') {
            return Err(TargetError::Backslash);
        }
        if authority.contains('@') {
            return Err(TargetError::UserInfo);
        }
        // Browsers skip surplus slashes and find a host where others find none.
        if authority.is_empty() || host(url).is_none() {
            return Err(TargetError::Host);
        }
        Ok(Self(url.to_owned()))
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL with one more parameter, behind the rest of its query and before any fragment. What takes it out again,
    /// with the `?` or `&` before it, has every byte of the URL back.
    ///
    /// Both must be of characters that stand in a query as they are.
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: &str) -> String {
        let (before, fragment) = self.0.split_at(self.0.find('#').unwrap_or(self.0.len()));
        let sign = if before.contains('?') { '&' } else { '?' };
        format!("{before}{sign}{name}={value}{fragment}")
    }
}

/// Why a URL may not be a redirect's target. Each message names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// Longer than [`Target::MAX_LEN`] bytes.
    TooLong {
        /// The URL's length in bytes.
        len: usize,
    },
    /// A space, a control character or one outside ASCII.
    NotPrintableAscii {
        /// Where it begins, in bytes from 0.
        at: usize,
    },
    /// Another scheme, none, or one in capitals.
    Scheme,
    /// A backslash before the path.
    Backslash,
    /// A user name or password before the host.
    UserInfo,
    /// No host, or a host or port that browsers refuse.
    Host,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => {
                write!(f, "the URL is {len} bytes long: shorten it to at most {} bytes", Target::MAX_LEN)
            }
            Self::NotPrintableAscii { at } => write!(
                f,
                "the URL has a space or a character outside printable ASCII at byte {at}: percent-encode it (in the host, \
                 write the name in Punycode)"
            ),
            Self::Scheme => f.write_str("the URL has another scheme: begin it with http:// or https:// in lower case"),
            Self::Backslash => {
                f.write_str("the URL has a backslash before its path: write a slash, or percent-encode it as %5C")
            }
            Self::UserInfo => f.write_str(
                "the URL has user info before its host: remove everything up to the @ (if the @ belongs to the path, \
                 put a slash after the host)",
            ),
            Self::Host => f.write_str(
                "the URL has no host that browsers accept: put a valid name or address, and a port up to 65535 if any, \
                 right after the two slashes (write an international name in Punycode)",
            ),
        }
    }
}

impl std::error::Error for TargetError {}

#[cfg(test)]
mod tests;
