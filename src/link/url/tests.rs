//! The host parser and the target type, by table and against the `url` crate.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Target, TargetError, host, is_host_or_below};

const SAFE_LINKS: &str = "safelinks.protection.outlook.com";

fn check_hosts(cases: &[(&str, Option<&str>)]) {
    for (url, expected) in cases {
        assert_eq!(host(url).as_deref(), *expected, "{url:?}");
    }
}

#[test]
fn ports_and_user_info_are_set_aside() {
    check_hosts(&[
        ("https://example.com/", Some("example.com")),
        ("https://example.com", Some("example.com")),
        ("https://example.com?q", Some("example.com")),
        ("https://example.com#f", Some("example.com")),
        (
            "HTTPS://NAM02.SafeLinks.Protection.Outlook.COM/?url=x",
            Some("nam02.safelinks.protection.outlook.com"),
        ),
        ("https://example.com./", Some("example.com.")),
        ("https://example.com:8443/", Some("example.com")),
        ("https://example.com:/", Some("example.com")),
        ("https://example.com:00065535/", Some("example.com")),
        ("https://example.com:65536/", None),
        ("https://example.com:8a/", None),
        ("https://example.com:+1/", None),
        ("https://example.com:99999999999999999999/", None),
        ("https://ann:secret@example.com/", Some("example.com")),
        ("https://a@b@example.com/", Some("example.com")),
        ("https://a:b@c:d@example.com/", Some("example.com")),
        ("https://example.com/@other.example", Some("example.com")),
        ("https://example.com?@other.example", Some("example.com")),
        ("https://example.com\\@other.example", Some("example.com")),
    ]);
}

#[test]
fn special_schemes_take_slashes_of_either_kind_and_any_number() {
    check_hosts(&[
        ("https:example.com/", Some("example.com")),
        ("https:/example.com/", Some("example.com")),
        ("https:////example.com/", Some("example.com")),
        ("https:\\/\\example.com\\path", Some("example.com")),
    ]);
}

#[test]
fn spaces_around_and_tabs_and_line_breaks_anywhere_are_dropped() {
    check_hosts(&[
        (" \u{1} https://example.com/ \u{1f}", Some("example.com")),
        ("ht\ntps:/\r/exam\tple.com/", Some("example.com")),
        ("https://exa mple.com/", None),
        ("\u{a0}https://example.com/", None),
    ]);
}

#[test]
fn what_is_no_absolute_url_with_a_host_has_none() {
    check_hosts(&[
        ("", None),
        ("example.com", None),
        ("//example.com/", None),
        ("/path", None),
        ("://example.com", None),
        ("1http://example.com/", None),
        ("ht_tp://example.com/", None),
        ("https://", None),
        ("https:///", None),
        ("https://:443/", None),
        ("https://ann@/", None),
        ("https://?q", None),
    ]);
}

#[test]
fn names_are_decoded_before_they_are_judged() {
    check_hosts(&[
        ("https://ex%61mple%2Ecom/", Some("example.com")),
        ("https://ex%41mple.com/", Some("example.com")),
        ("https://a_b.example/", Some("a_b.example")),
        ("https://a*b.example/", Some("a*b.example")),
        ("https://a%2Fb.example/", None),
        ("https://a%40b.example/", None),
        ("https://a%00b.example/", None),
        ("https://a%7Fb.example/", None),
        ("https://a%zzb.example/", None),
        ("https://a%4", None),
        ("https://a%25b.example/", None),
        ("https://a<b.example/", None),
        ("https://a>b.example/", None),
        ("https://a^b.example/", None),
        ("https://a|b.example/", None),
        ("https://a[b.example/", None),
        ("https://a]b.example/", None),
    ]);
}

#[test]
fn international_names_are_read_only_as_punycode() {
    check_hosts(&[
        ("https://xn--mnchen-3ya.example/", Some("xn--mnchen-3ya.example")),
        ("https://münchen.example/", None),
        ("https://m%C3%BCnchen.example/", None),
        ("https://münchen@example.com/ä?ö#ü", Some("example.com")),
    ]);
}

#[test]
fn ipv4_addresses_are_read_in_every_form() {
    check_hosts(&[
        ("https://192.0.2.1/", Some("192.0.2.1")),
        ("https://192.0.2.1./", Some("192.0.2.1")),
        ("https://0xc0.0x00.02.1/", Some("192.0.2.1")),
        ("https://0XC0000201/", Some("192.0.2.1")),
        ("https://3221225985/", Some("192.0.2.1")),
        ("https://0x7f.1/", Some("127.0.0.1")),
        ("https://127.0x/", Some("127.0.0.0")),
        ("https://0177.65535/", Some("127.0.255.255")),
        ("https://0177.16777216/", None),
        ("https://0177.1.65536/", None),
        ("https://0177.1.65535/", Some("127.1.255.255")),
        ("https://%30x7f.1/", Some("127.0.0.1")),
        ("https://4294967295/", Some("255.255.255.255")),
        ("https://4294967296/", None),
        ("https://0x1ffffffffffffffff/", None),
        ("https://0x10000000000000001/", None),
        ("https://256.1/", None),
        ("https://1.256.1/", None),
        ("https://1.2.3.256/", None),
        ("https://1.2.3.08/", None),
        ("https://1.2.3.4.5/", None),
        ("https://1.2.3.4.0/", None),
        ("https://1..2/", None),
        ("https://.1/", None),
        ("https://example.1/", None),
        ("https://example.0x/", None),
        ("https://1.example/", Some("1.example")),
        ("https://1.2.3.4../", Some("1.2.3.4..")),
        ("https://0xg/", Some("0xg")),
        ("https://1.+2/", Some("1.+2")),
        ("https://1.0x+2/", Some("1.0x+2")),
    ]);
}

#[test]
fn ipv6_addresses_are_normalised() {
    check_hosts(&[
        ("https://[::1]/", Some("[::1]")),
        ("https://[2001:DB8:0:0:1:0:0:1]:443/", Some("[2001:db8::1:0:0:1]")),
        ("https://[::ffff:192.0.2.1]/", Some("[::ffff:c000:201]")),
        ("https://[::192.0.2.1]/", Some("[::c000:201]")),
        ("https://[::ffff:192.0.2.01]/", None),
        ("https://[::ffff:192.0.2]/", None),
        ("https://[1:2:3:4:5:6:7:8]/", Some("[1:2:3:4:5:6:7:8]")),
        ("https://[1:2:3:4:5:6:7::]/", Some("[1:2:3:4:5:6:7:0]")),
        ("https://[1:2:3:4:5:6:7:8:9]/", None),
        ("https://[1::2::3]/", None),
        ("https://[fe80::1%25eth0]/", None),
        ("https://[::1/", None),
        ("https://[::1]x/", None),
        ("https://[]/", None),
        ("https://::1/", None),
    ]);
}

#[test]
fn other_schemes_keep_their_host_as_it_stands() {
    check_hosts(&[
        ("wss://EXAMPLE.com/", Some("example.com")),
        ("ftp:example.com", Some("example.com")),
        ("android-app://com.google.android.gm/", Some("com.google.android.gm")),
        ("app://Example.COM:80/", Some("Example.COM")),
        ("app://0x7f.1/", Some("0x7f.1")),
        ("app://a%41b/", Some("a%41b")),
        ("app://a\u{1}\u{7f}é/", Some("a%01%7F%C3%A9")),
        ("app://a\u{1}[/", None),
        ("app://[::1]/", Some("[::1]")),
        ("app://a\\b/", None),
        ("app://a\\b@c/", Some("c")),
        ("app://a:80\\b/", None),
        ("app:/example.com/", None),
        ("app:\\\\example.com/", None),
        ("app:example.com", None),
        ("app:///path", None),
        ("mailto:ann@example.com", None),
        ("about:blank", None),
        ("data:text/html,//example.com/", None),
    ]);
}

#[test]
fn files_have_a_host_only_on_a_server() {
    check_hosts(&[
        ("file:///etc/hosts", None),
        ("file://localhost/etc/hosts", None),
        ("file://SERVER/share", Some("server")),
        ("file:\\\\server\\share", Some("server")),
        ("file:/server/share", None),
        ("file:server", None),
        ("file://server/C:/dir", Some("server")),
        ("file://C|/dir", None),
        ("file://C:/dir", None),
        ("file://server:80/share", None),
        ("file://ann@server/share", None),
    ]);
}

#[test]
fn a_host_that_stands_there_as_it_is_is_not_copied() {
    for url in ["https://example.com/", "http://u@example.com:80", "app://Example.COM/"] {
        assert!(matches!(host(url), Some(std::borrow::Cow::Borrowed(_))), "{url}");
    }
}

#[test]
fn below_a_domain_means_at_a_dot() {
    let cases = [
        ("safelinks.protection.outlook.com", true),
        ("SafeLinks.Protection.Outlook.com", true),
        ("safelinks.protection.outlook.com.", true),
        ("nam02.safelinks.protection.outlook.com", true),
        ("NAM02.safelinks.protection.outlook.com.", true),
        ("a.b.safelinks.protection.outlook.com", true),
        (".safelinks.protection.outlook.com", true),
        ("safelinks.protection.outlook.com..", false),
        ("evilsafelinks.protection.outlook.com", false),
        ("safelinks.protection.outlook.com.evil.example", false),
        ("éafelinks.protection.outlook.com", false),
        ("protection.outlook.com", false),
        ("outlook.com", false),
        ("", false),
        (".", false),
    ];
    for (host, expected) in cases {
        assert_eq!(is_host_or_below(host, SAFE_LINKS), expected, "{host:?}");
    }
}

#[test]
fn targets_are_what_every_client_reads_alike() {
    let longest = format!("https://example.com/{}", "a".repeat(Target::MAX_LEN - 20));
    let too_long = format!("{longest}a");
    let accepted = [
        "https://example.com/",
        "http://example.com",
        "https://example.com?a=b&c=%20",
        "https://example.com#f",
        "https://EXAMPLE.com:8443/Path/../x?u=https://other.example/@a\\b",
        "https://example.com?a@b",
        "https://example.com#a@b\\",
        "https://xn--mnchen-3ya.example/",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:443/",
        "https://example.com/{}<>\"`|^~!",
        &longest,
    ];
    for url in accepted {
        assert_eq!(Target::parse(url).as_ref().map(Target::as_str), Ok(url));
    }

    let refused = [
        (too_long.as_str(), TargetError::TooLong { len: 4097 }),
        ("https://example.com/a b", TargetError::NotPrintableAscii { at: 21 }),
        ("https://example.com/\r\nSet-Cookie:a", TargetError::NotPrintableAscii { at: 20 }),
        ("https://example.com/\u{7f}", TargetError::NotPrintableAscii { at: 20 }),
        ("https://example.com/é", TargetError::NotPrintableAscii { at: 20 }),
        (" https://example.com/", TargetError::NotPrintableAscii { at: 0 }),
        ("https://example.com/ ", TargetError::NotPrintableAscii { at: 20 }),
        ("ht\ttps://example.com/", TargetError::NotPrintableAscii { at: 2 }),
        ("", TargetError::Scheme),
        ("//example.com/", TargetError::Scheme),
        ("HTTPS://example.com/", TargetError::Scheme),
        ("https:/example.com/", TargetError::Scheme),
        ("https:\\\\example.com/", TargetError::Scheme),
        ("javascript:alert(1)", TargetError::Scheme),
        ("ftp://example.com/", TargetError::Scheme),
        ("https://example.com\\@other.example/", TargetError::Backslash),
        ("https://\\example.com/", TargetError::Backslash),
        ("https://ann@example.com/", TargetError::UserInfo),
        ("https://@example.com/", TargetError::UserInfo),
        ("https://ann:secret@example.com/", TargetError::UserInfo),
        ("https://", TargetError::Host),
        ("https:///example.com/", TargetError::Host),
        ("https:///ann@example.com/", TargetError::Host),
        ("https://?example.com/", TargetError::Host),
        ("https://:443/", TargetError::Host),
        ("https://example.com:65536/", TargetError::Host),
        ("https://a%2Fb/", TargetError::Host),
        ("https://1.2.3.256/", TargetError::Host),
        ("https://m%C3%BCnchen.example/", TargetError::Host),
    ];
    for (url, error) in refused {
        assert_eq!(Target::parse(url), Err(error), "{url:?}");
    }
}

#[test]
fn refusals_name_the_remedy() {
    let cases = [
        ("https://example.com/é", "percent-encode it"),
        ("HTTP://example.com/", "begin it with http:// or https://"),
        ("https://example.com\\", "%5C"),
        ("https://a@example.com/", "remove everything up to the @"),
        ("https:///", "a valid name or address"),
    ];
    for (url, remedy) in cases {
        let message = Target::parse(url).unwrap_err().to_string();
        assert!(message.contains(remedy), "{message}");
    }
    let message = TargetError::TooLong { len: 5000 }.to_string();
    assert!(message.contains("5000") && message.contains("at most 4096 bytes"), "{message}");
}

/// Pieces of which nasty URLs are made.
const PIECES: &[&str] = &[
    "http", "https", "HTTPS", "hTTp", "ws", "wss", "ftp", "file", "app", "a+b-c.d", "1x", ":", "://", ":/",
    ":\\\\", "//", "/", "\\", "///", "@", "ann:pw@", "%40", "nam02.", "outlook", ".com", "com.", ".", "..",
    ":80", ":0080", ":65535", ":65536", ":8a", "%2e", "%2F", "%61", "%41", "%00", "%7f", "%25", "%", "%4",
    "%zz", "[", "]", "[::1]", "::", ":ffff:", "1:", "0", "1", "127", "256", "0x", "0X7f", "08", "017",
    "1.2.3.4", "0x7f.1", "+1", " ", "\t", "\n", "\r", "\0", "\x01", "\x1f", "\x7f", "?", "#", "?q=", "#f",
    "C:", "C|", "c|/", "_", "-", "*", "!", "$", "&", "'", "(", ")", "+", ",", ";", "=", "~", "`", "{", "}",
    "<", ">", "^", "|", "\"", "a", "Z",
];
const LONG_PIECES: &[&str] = &[
    "safelinks.protection.outlook.com",
    "SafeLinks.",
    "protection",
    "localhost",
    "[::ffff:1.2.3.4]",
    "[1:2:3:4:5:6:7::]",
    "0xffffffff",
    "4294967295",
    "4294967296",
];

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![9 => select(PIECES), 1 => select(LONG_PIECES)];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Strings that have got past the scheme, so that most cases reach the host.
fn nasty_url() -> impl Strategy<Value = String> {
    let start = select(
        &[
            "http://",
            "https://",
            "HTTPS:\\\\",
            "ws:",
            "ftp:/",
            "file://",
            "file:",
            "app://",
            "app:",
            "",
            " \t",
        ][..],
    );
    prop_oneof![
        pieces(),
        (start, pieces()).prop_map(|(start, rest)| format!("{start}{rest}")),
        "[ -~\t\n]{0,40}"
    ]
}

/// Addresses near the bounds of IPv6 syntax.
fn ipv6_url() -> impl Strategy<Value = String> {
    let part = select(
        &["0", "1", "00", "ffff", "12345", "0abc", "", "1.2.3.4", "1.2.3", "01.2.3.4", "255.0.0.256", "g"][..],
    );
    prop::collection::vec(part, 1..10).prop_map(|parts| format!("http://[{}]/", parts.join(":")))
}

/// What a whole parser says; an empty host is none. Where that parser departs from the standard, which the tables above
/// follow, the case is thrown away: it takes a backslash for the end of a port under any scheme, and forgets a file's host
/// when a drive's letter follows.
fn oracle(text: &str) -> Result<Option<String>, TestCaseError> {
    let Ok(url) = url::Url::parse(text) else { return Ok(None) };
    let has_drive = matches!(url.path().as_bytes(), [b'/', letter, b':', ..] if letter.is_ascii_alphabetic());
    if (!url.is_special() && text.contains('\\')) || (url.scheme() == "file" && has_drive) {
        return Err(TestCaseError::reject("the other parser departs from the standard"));
    }
    Ok(url.host_str().filter(|host| !host.is_empty()).map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn hosts_agree_with_a_whole_parser(text in nasty_url()) {
        prop_assert_eq!(host(&text).map(std::borrow::Cow::into_owned), oracle(&text)?);
    }

    #[test]
    fn ipv6_hosts_agree_with_a_whole_parser(text in ipv6_url()) {
        prop_assert_eq!(host(&text).map(std::borrow::Cow::into_owned), oracle(&text)?);
    }

    /// The differences that the module admits to: names outside ASCII are given up, Punycode is not checked. Whatever else
    /// the host holds, the two never find different hosts.
    #[test]
    fn international_hosts_differ_only_as_documented(
        before in "[a-zA-Z0-9.@%-]{0,6}",
        label in "(xn--|XN--)[a-zA-Z0-9-]{0,8}|[a-zé世\u{3002}\u{ad}]{1,4}|%C3%A9|%[0-9A-F]{2}",
        after in "[a-zA-Z0-9.-]{0,6}",
    ) {
        let text = format!("https://{before}{label}{after}/");
        if let (Some(host), Some(expected)) = (host(&text), oracle(&text)?) {
            prop_assert_eq!(host, expected);
        }
    }

    #[test]
    fn targets_are_safe_to_send(text in nasty_url()) {
        if let Ok(target) = Target::parse(&text) {
            let url = url::Url::parse(target.as_str()).unwrap();
            prop_assert_eq!(target.as_str(), &text);
            prop_assert!(text.bytes().all(|b| (0x21..=0x7e).contains(&b)));
            prop_assert!(matches!(url.scheme(), "http" | "https"));
            prop_assert!(url.username().is_empty() && url.password().is_none());
            let host = host(&text);
            prop_assert_eq!(url.host_str(), host.as_deref());
            let (_, rest) = text.split_once("://").unwrap();
            let authority = rest.split('/').next().unwrap().split(['?', '#']).next().unwrap();
            prop_assert!(!authority.contains(['@', '\\']));
        }
    }

    #[test]
    fn no_text_whatever_upsets_the_parser(text in any::<String>()) {
        let _ = host(&text);
        let _ = Target::parse(&text);
    }
}

#[test]
fn a_parameter_comes_behind_the_query_and_before_the_fragment() {
    for (url, expected) in [
        ("https://x.example", "https://x.example?r=1"),
        ("https://x.example/", "https://x.example/?r=1"),
        ("https://x.example/p?a=b", "https://x.example/p?a=b&r=1"),
        ("https://x.example/p?", "https://x.example/p?&r=1"),
        ("https://x.example/p?a&", "https://x.example/p?a&&r=1"),
        ("https://x.example/p?r=0", "https://x.example/p?r=0&r=1"),
        ("https://x.example/p?a?b", "https://x.example/p?a?b&r=1"),
        ("https://x.example/p#f", "https://x.example/p?r=1#f"),
        ("https://x.example#", "https://x.example?r=1#"),
        ("https://x.example/p#f?a=b", "https://x.example/p?r=1#f?a=b"),
        ("https://x.example/p?a=%23#f#g", "https://x.example/p?a=%23&r=1#f#g"),
    ] {
        assert_eq!(Target::parse(url).unwrap().with_parameter("r", "1"), expected);
    }
}

proptest! {
    /// Every other byte stays, and the host does.
    #[test]
    fn a_parameter_can_be_taken_out_again(tail in "[/?#a-c&=%]{0,20}") {
        let Ok(target) = Target::parse(&format!("https://x.example{tail}")) else { return Ok(()) };
        let with = target.with_parameter("ref", "value");
        prop_assert_eq!(host(&with), host(target.as_str()));
        let at = with.find("ref=value").unwrap();
        prop_assert_eq!(format!("{}{}", &with[..at - 1], &with[at + 9..]), target.as_str());
    }
}
