//! Whole mails: what is rewritten in them, what is refused, and that every other byte is the one that the sender wrote.
//!
//! The first tests put their own URL in, to see each byte; the last ones run the command.

mod common;

use std::process::Output;

use base64ct::{Base64, Encoding};
use clickproof::link::keys::Keyring;
use clickproof::link::{Link, token};
use clickproof::sender::mail::{Mail, MailError, Written};
use clickproof::sender::splice::Splice;
use common::command::{KEYS, run, stderr};
use serde_json::{Value, json};

/// What the tests' mails link to, and what stands there afterwards.
const URL: &str = "https://brand.example/";
const TRACKED: &str =
    "https://click.brand.example/c/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdEfGhIjKlMnOpQrStUvWxYz";

/// Puts [`TRACKED`] wherever a body has [`URL`].
fn replaced(mail: &[u8]) -> Written {
    let read = Mail::read(mail).unwrap();
    let splices = |body: Option<(&[u8], _)>| body.map_or_else(Vec::new, |(text, _)| splices(text));
    read.write(&splices(read.html()), &splices(read.text()), None).unwrap()
}

fn splices(text: &[u8]) -> Vec<Splice> {
    let found = text.windows(URL.len()).enumerate().filter(|(_, window)| *window == URL.as_bytes());
    found.map(|(at, _)| Splice::new(at..at + URL.len(), TRACKED)).collect()
}

/// The mail after it, and that it is what is wanted to the byte.
fn assert_mail(mail: &str, wanted: &str) {
    let written = replaced(mail.as_bytes());
    assert_eq!(String::from_utf8_lossy(&written.mail), wanted);
}

/// The same with lines that end in CRLF.
fn assert_both_endings(mail: &str, wanted: &str) {
    assert_mail(mail, wanted);
    assert_mail(&mail.replace('\n', "\r\n"), &wanted.replace('\n', "\r\n"));
}

fn link(url: &str) -> String {
    format!("<a href=\"{url}\">Go</a>")
}

#[test]
fn only_the_url_of_a_plain_mail_changes() {
    for head in [
        "Subject: Hi\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n",
        "Subject: Hi\nContent-Type: TEXT/HTML;\n\tcharset=\"ISO-8859-1\"\nContent-Transfer-Encoding: 8BIT\n\n",
        // No MIME at all, and a mailbox's own line before the head.
        "From a@brand.example Sat Nov 28 08:00:00 2026\nSubject: Hi\n\n",
    ] {
        for after in ["", "\n", "\n\n\nlast"] {
            let with = |url: &str| format!("{head}Hello  \n\n{}{after}", link(url));
            assert_both_endings(&with(URL), &with(TRACKED));
        }
    }
}

#[test]
fn nested_parts_keep_their_frame() {
    // The inner boundary begins with the outer one, and a line has it in its middle.
    let with = |url: &str| {
        format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\npreamble {URL}\n--b\n\
             Content-Type: multipart/related; boundary=\"b1\"; type=\"multipart/alternative\"\n\n--b1\n\
             Content-Type: multipart/alternative; boundary=b12\n\n--b12\nContent-Type: text/plain\n\nText --b12 {url}\n\n\
             --b12  \nContent-Type: text/html\n\n{}\n--b12--\n\n--b1\nContent-Type: image/png\n\
             Content-Transfer-Encoding: base64\n\nAAAA\n--b1\nContent-Type: text/html\nContent-ID: <frame>\n\n{URL}\n\
             --b1--\n--b\nContent-Type: text/html; name=a.html\nContent-Disposition: attachment\n\n{URL}\n--b\n\
             Content-Type: text/plain; name=notes.txt\nContent-Disposition: inline\n\n{URL}\n--b\n\
             Content-Type: message/rfc822\n\nSubject: Old\nContent-Type: text/html\n\n{URL}\n--b\n\n\
             A list's foot: {url}\n--b--\nepilogue {URL}",
            link(url)
        )
    };
    assert_both_endings(&with(URL), &with(TRACKED));
}

#[test]
fn what_nobody_may_touch_is_left_with_its_reason() {
    let html = format!("Content-Type: text/html\n\n{URL}");
    for (reason, part) in [
        ("amp", format!("Content-Type: text/x-amp-html\n\n{URL}")),
        ("signed", format!("Content-Type: multipart/signed; boundary=s\n\n--s\n{html}\n--s--")),
        ("signed", format!("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\n{URL}")),
        ("signed", format!("Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\n{URL}")),
        ("encrypted", format!("Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\n\n{URL}")),
        ("encrypted", format!("Content-Type: multipart/encrypted; boundary=s\n\n--s\n{html}\n--s--")),
        ("media type", format!("Content-Type: text/watch-html\n\n{URL}")),
        ("structure", format!("Content-Type: multipart/mixed\n\n{URL}")),
        ("encoding", format!("Content-Type: text/html\nContent-Transfer-Encoding: x-uuencode\n\n{URL}")),
        ("encoding", format!("Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n{URL}")),
        ("charset", format!("Content-Type: text/html; charset=utf-7\n\n{URL}")),
        ("charset", format!("Content-Type: text/html; charset=utf-16\n\n{URL}")),
        ("charset", format!("Content-Type: text/html; charset=iso-2022-kr\n\n{URL}")),
        ("flowed", format!("Content-Type: text/plain; format=flowed; delsp=yes\n\nSee {URL}a \nb")),
    ] {
        let with = |url: &str| {
            format!(
                "Content-Type: multipart/alternative; boundary=b\n\n--b\n{part}\n--b\nContent-Type: text/html\n\n{url}\n--b--\n"
            )
        };
        let mail = with(URL);
        let read = Mail::read(mail.as_bytes()).unwrap();
        let left: Vec<&str> = read.left().iter().map(|part| part.reason).collect();
        assert_eq!(left, [reason], "{part}");
        let written = replaced(mail.as_bytes());
        assert_eq!(String::from_utf8_lossy(&written.mail), with(TRACKED));
        assert_eq!(written.warnings.len(), 1, "{:?}", written.warnings);
    }
}

#[test]
fn a_signed_mail_is_refused_whole() {
    for field in ["DKIM-Signature", "ARC-Seal", "dkim-signature"] {
        let mail = format!("Subject: Hi\n{field}: v=1;\n b=x\n\n{URL}");
        let refused = Mail::read(mail.as_bytes()).unwrap_err();
        assert!(matches!(refused, MailError::Signed(_)));
        assert!(refused.to_string().contains("sign after it"));
    }
    // A forwarded mail's signature is nobody's of ours.
    let mail = format!("Subject: Hi\n\nDKIM-Signature: v=1\n\n{URL}");
    assert!(Mail::read(mail.as_bytes()).is_ok());
}

#[test]
fn quoted_printable_keeps_each_character_beside_the_url() {
    let head = "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n";
    let (first, rest) = TRACKED.split_at(64);
    let cases = [
        // A lower-case pair, a tab before a soft break, white space that a reader drops, a dot at a line's start.
        (
            format!("caf=E9 =e9\t=\n=3D   \n.dot <a=20href=3D\"{URL}\">x</a>\nlast=\n"),
            format!(
                "caf=E9 =e9\t=\n=3D   \n.dot <a=20href=3D\"{}=\n{}\">x</a>\nlast=\n",
                &TRACKED[..57],
                &TRACKED[57..]
            ),
        ),
        // The URL falls across a soft break.
        (
            format!("<a href=3D\"{}=\n{}\">x</a>", &URL[..9], &URL[9..]),
            format!("<a href=3D\"{first}=\n{rest}\">x</a>"),
        ),
        // What follows fits on the line, and no longer fits on it.
        (
            format!("{}=\n{}{}\n", &URL[..11], &URL[11..], "y".repeat(57)),
            format!("{}=\n{}{}\n", &TRACKED[..75], &TRACKED[75..], "y".repeat(57)),
        ),
        (
            format!("{}=\n{}{}\n", &URL[..11], &URL[11..], "y".repeat(58)),
            format!("{}=\n{}=\n{}\n", &TRACKED[..75], &TRACKED[75..], "y".repeat(58)),
        ),
    ];
    for (body, wanted) in cases {
        let mail = format!("{head}{body}");
        let written = replaced(mail.as_bytes());
        let text = String::from_utf8(written.mail).unwrap();
        let decoded = |mail: &str| Mail::read(mail.as_bytes()).unwrap().html().unwrap().0.to_vec();
        let old = String::from_utf8_lossy(&decoded(&mail)).into_owned();
        assert_eq!(String::from_utf8_lossy(&decoded(&text)), old.replace(URL, TRACKED));
        assert!(text.starts_with(head));
        assert!(text.lines().all(|line| line.len() <= 76), "{text}");
        assert_eq!(text, format!("{head}{wanted}"));
    }
}

/// What stands in the mail's only body, by another reader than the one that rewrites.
fn decoded(mail: &[u8]) -> String {
    let mail = mail_parser::MessageParser::new().parse(mail).unwrap();
    mail.html_part(0).and_then(|part| part.text_contents()).unwrap().to_owned()
}

#[test]
fn base64_stays_base64_in_lines_as_long_as_they_were() {
    let head = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: Base64\n\n";
    let text = format!("<p>Grüße</p>{}{}", "\n<br>".repeat(60), link(URL));
    for (length, expected) in [(76, 76), (60, 60), (900, 76), (10_000, 76)] {
        let encoded = Base64::encode_string(text.as_bytes());
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(length).map(|line| str::from_utf8(line).unwrap()).collect();
        for ending in ["\n", "\r\n"] {
            let mail = format!("{head}{}\n\n", lines.join("\n")).replace('\n', ending);
            let written = String::from_utf8(replaced(mail.as_bytes()).mail).unwrap();
            let (new_head, body) = written.split_once(&ending.repeat(2)).unwrap();
            assert_eq!(format!("{new_head}{}", ending.repeat(2)), head.replace('\n', ending));
            let (body, after) = body.split_once(&ending.repeat(2)).unwrap();
            assert_eq!(after, "");
            let lines: Vec<&str> = body.split(ending).collect();
            assert!(lines[..lines.len() - 1].iter().all(|line| line.len() == expected), "{body}");
            assert_eq!(decoded(written.as_bytes()), text.replace(URL, TRACKED));
        }
    }
}

#[test]
fn a_line_that_would_pass_998_octets_makes_its_part_quoted_printable() {
    let line = format!("é = {}{} \t", "y".repeat(960), link(URL));
    let body = format!("first\n{line}\n.\nlast");
    for (head, wanted) in [
        (
            "Subject: Hi\nContent-Transfer-Encoding: 8bit\nContent-Type: text/html; charset=utf-8\n\n",
            "Subject: Hi\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/html; charset=utf-8\n\
             MIME-Version: 1.0\n\n",
        ),
        (
            "Mime-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n",
            "Mime-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n",
        ),
    ] {
        for ending in ["\n", "\r\n"] {
            let written = replaced(format!("{head}{body}").replace('\n', ending).as_bytes());
            let written = String::from_utf8(written.mail).unwrap();
            assert!(written.starts_with(&wanted.replace('\n', ending)), "{written}");
            assert!(written.split(ending).all(|line| line.len() <= 76), "{written}");
            assert_eq!(decoded(written.as_bytes()), body.replace(URL, TRACKED).replace('\n', ending));
        }
    }
    // A part among others says it in its own head; the others stay.
    let part = |encoding: &str, text: &str| format!("--b\nContent-Type: text/html\n{encoding}\n{text}\n");
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}{}--b--\n",
        part("", &line.replace('é', "e")),
        part("", "short")
    );
    let written = String::from_utf8(replaced(mail.as_bytes()).mail).unwrap();
    assert!(
        written.contains(
            "--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\ne =3D yyy"
        )
    );
    assert!(written.ends_with(&format!("{}--b--\n", part("", "short"))), "{written}");
}

#[test]
fn no_part_is_encoded_anew_when_nothing_in_it_changes_or_its_way_takes_long_lines() {
    let long = "y".repeat(1_200);
    assert_both_endings(&format!("Subject: Hi\n\n{long}\n"), &format!("Subject: Hi\n\n{long}\n"));
    let with = |url: &str| format!("Content-Transfer-Encoding: binary\n\n{long}\n{url}\n");
    assert_both_endings(&with(URL), &with(TRACKED));
}

#[test]
fn a_byte_of_a_two_byte_charset_is_no_markup() {
    // Shift_JIS has 0x5C and 0x7C as second bytes.
    let with = |url: &str| {
        let mut mail = b"Content-Type: text/html; charset=Shift_JIS\n\n\x95\x5c\x83\x7c".to_vec();
        mail.extend_from_slice(link(url).as_bytes());
        mail
    };
    assert_eq!(replaced(&with(URL)).mail, with(TRACKED));
    let mail = with(URL);
    assert_eq!(Mail::read(&mail).unwrap().html().unwrap().1, encoding_rs::SHIFT_JIS);
}

#[test]
fn who_names_no_charset_and_writes_utf_8_is_read_so() {
    let encoding = |mail: &[u8]| Mail::read(mail).unwrap().text().unwrap().1;
    assert_eq!(encoding("Subject: Hi\n\ncafé".as_bytes()), encoding_rs::UTF_8);
    assert_eq!(encoding(b"Subject: Hi\n\ncaf\xe9"), encoding_rs::WINDOWS_1252);
    assert_eq!(
        encoding("Content-Type: text/plain; charset=iso-8859-1\n\ncafé".as_bytes()),
        encoding_rs::WINDOWS_1252
    );
}

#[test]
fn the_only_part_is_the_body_whatever_it_is_called() {
    let mail = "Content-Type: text/html; name=a.html\nContent-Disposition: inline; filename=a.html\n\nx";
    let read = Mail::read(mail.as_bytes()).unwrap();
    assert_eq!((read.html().unwrap().0, read.text()), (&b"x"[..], None));
    let mail = "Content-Disposition: attachment\nContent-Type: text/html\n\nx";
    assert_eq!(Mail::read(mail.as_bytes()).unwrap().html(), None);
}

#[test]
fn several_bodies_are_read_as_one_and_each_stays_in_its_encodings() {
    let with = |url: &str, encoded: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n\n\
             é <a href=\"{url}\n--b\nContent-Type: image/png\n\n{URL}\n--b\nContent-Type: text/html\n\
             Content-Transfer-Encoding: base64\n\n{encoded}\n--b--\n"
        )
    };
    let encoded = |url: &str| Base64::encode_string(link(url).as_bytes());
    let mail = with(URL, &encoded(URL));
    let written = String::from_utf8(replaced(mail.as_bytes()).mail).unwrap();
    let tracked = encoded(TRACKED);
    let (first, rest) = tracked.split_at(76);
    assert_eq!(
        written,
        with(TRACKED, &format!("{first}\n{rest}")),
        "what stands between them is never in a mail"
    );
    let read = Mail::read(mail.as_bytes()).unwrap();
    let end = read.html().unwrap().0.len();
    assert!(
        read.write(&[Splice::new(10..end, "")], &[], None).is_err(),
        "what reaches over the joint is refused"
    );
}

#[test]
fn a_second_body_in_another_charset_is_left() {
    let mut mail = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{URL}\n--b\n\
         Content-Type: text/plain; charset=utf-8\n\né {URL}\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\n"
    )
    .into_bytes();
    mail.extend_from_slice(b"\xe9 https://brand.example/\n--b--");
    let read = Mail::read(&mail).unwrap();
    assert_eq!(read.left()[0].reason, "another charset");
    assert_eq!(read.text().unwrap().1, encoding_rs::UTF_8);
    let text = String::from_utf8_lossy(&replaced(&mail).mail).into_owned();
    assert_eq!((text.matches(TRACKED).count(), text.matches(URL).count()), (2, 1));
}

#[test]
fn our_fields_say_whose_copy_it_is_and_leave() {
    let mail = "Subject: Hi\nX-Clickproof-Message: spring\nDate: Sun, 22 Nov 2026 13:00:00 +0100\n\
                x-clickproof-recipient:\n  r1\nX-Clickproof-Sent-At: 1795348800123\nX-Clickproof-Group: red\n\
                X-Clickproof-Track: clicks=on, opens=off\nTo: a@brand.example\n\nbody\n";
    let read = Mail::read(mail.as_bytes()).unwrap();
    let envelope = read.envelope();
    assert_eq!(envelope.message_id.as_deref(), Some("spring"));
    assert_eq!(envelope.recipient_id.as_deref(), Some("r1"));
    assert_eq!(envelope.group.as_deref(), Some("red"));
    assert_eq!(envelope.sent_at_ms, Some(1_795_348_800_123));
    assert_eq!(envelope.date_ms, Some(common::NOON_MS));
    assert_eq!((envelope.clicks, envelope.opens), (Some(true), Some(false)));
    assert_both_endings(
        mail,
        "Subject: Hi\nDate: Sun, 22 Nov 2026 13:00:00 +0100\nTo: a@brand.example\n\nbody\n",
    );
}

#[test]
fn a_field_of_ours_that_is_wrong_is_named_with_the_remedy() {
    for (field, remedy) in [
        (
            "X-Clickproof-Sent-At: yesterday",
            "X-Clickproof-Sent-At must be a whole number of Unix milliseconds",
        ),
        ("X-Clickproof-Track: none", "X-Clickproof-Track must be clicks=off, opens=off"),
        ("X-Clickproof-Track: clicks=no", "X-Clickproof-Track must be clicks=off, opens=off"),
        (
            "X-ClickProof-Campaign: x",
            "X-ClickProof-Campaign is unknown: Message, Recipient, Sent-At, Group, Shards and Track",
        ),
        ("X-Clickproof-Group: a\nX-Clickproof-Group: b", "X-Clickproof-Group stands twice"),
    ] {
        let problem = Mail::read(format!("Subject: Hi\n{field}\n\nbody").as_bytes()).unwrap_err().to_string();
        assert!(problem.starts_with(remedy), "{problem}");
    }
}

#[test]
fn a_provider_finds_the_unsubscribe_button_once() {
    let url = "https://click.brand.example/u/token";
    let written = |mail: &str| {
        let read = Mail::read(mail.as_bytes()).unwrap();
        let written = read.write(&[], &[], Some(url)).unwrap();
        (String::from_utf8(written.mail).unwrap(), written.warnings)
    };
    let added = format!("List-Unsubscribe:\n <{url}>\n");
    let post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
    for (head, body) in [("Subject: Hi\n", "\nbody"), ("Subject: Hi\n", "\n"), ("Subject: Hi\n folded\n", "")]
    {
        let (mail, warnings) = written(&format!("{head}{body}"));
        let body = if body.is_empty() { "\n" } else { body };
        assert_eq!(mail, format!("{head}{added}{post}{body}"));
        assert!(warnings[0].contains("h="), "{warnings:?}");
        assert_eq!(written(&mail).0, mail, "a second time changes nothing");
    }
    assert_eq!(
        written("Subject: Hi").0,
        format!("Subject: Hi\r\n{}\r\n", (added + post).replace('\n', "\r\n"))
    );
    let own = "List-Unsubscribe: <mailto:u@brand.example>,\n <https://brand.example/u?i=1>\n\nbody";
    let (mail, warnings) = written(own);
    assert_eq!(mail, own);
    assert!(warnings[0].contains("List-Unsubscribe stays"), "{warnings:?}");
    let read = Mail::read(own.as_bytes()).unwrap();
    assert_eq!(read.list_unsubscribe(), ["mailto:u@brand.example", "https://brand.example/u?i=1"]);
}

/// What the command's links begin with.
const BASE: &str = "https://click.brand.example";

/// What says whose copy a mail is.
const IDS: &str =
    "X-Clickproof-Message: spring\nX-Clickproof-Recipient: r1\nX-Clickproof-Sent-At: 1795348800000\n";

/// The mail filter.
fn filter(mail: &str, flags: &[&str]) -> Output {
    run(&[&["rewrite", "--eml", "--base-url", BASE], flags].concat(), mail)
}

/// The mail as the filter lets it go.
fn filtered(mail: &str) -> String {
    let output = filter(&format!("{IDS}{mail}"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The answer to a line with the mail.
fn answered(mail: &str) -> Value {
    let line =
        json!({"message_id": "spring", "recipient_id": "r1", "sent_at_ms": common::NOON_MS, "eml": mail});
    let output = run(&["rewrite", "--base-url", BASE], &line.to_string());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The links of the click domain in a text, opened.
fn opened(text: &str) -> Vec<Link> {
    let keys = Keyring::parse(KEYS).0.unwrap();
    let links = text.split(BASE).skip(1).map(|link| {
        let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        let token = &link[3..];
        let length = token.bytes().take_while(of_token).count();
        token::open(&token[..length], &keys).unwrap()
    });
    links.collect()
}

/// Where those that count clicks lead.
fn urls(text: &str) -> Vec<String> {
    opened(text).into_iter().filter_map(|link| link.url).map(|url| url.as_str().to_owned()).collect()
}

/// What a reader sees of the HTML.
fn shown(mail: &str) -> String {
    decoded(mail.as_bytes())
}

#[test]
fn the_filter_says_whose_copy_it_is_and_adds_the_unsubscribe_fields() {
    let mail =
        filtered("Subject: Hi\nContent-Type: text/html\n\n<a href=\"https://brand.example/\">Go</a>\n");
    let (head, body) = mail.split_once("\n\n").unwrap();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[..3], ["Subject: Hi", "Content-Type: text/html", "List-Unsubscribe:"]);
    assert!(lines[3].starts_with(" <https://click.brand.example/u/") && lines[3].ends_with('>'));
    assert_eq!(lines[4..], ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"]);
    assert_eq!(urls(body), ["https://brand.example/"]);
    for link in opened(&mail) {
        assert_eq!((link.message_id.as_str(), link.recipient_id.as_str()), ("spring", "r1"));
        assert_eq!((link.sent_at_ms, link.links_total), (1_795_348_800_000, 1));
    }
    let output = filter(&format!("{IDS}{mail}"), &[]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), mail, "a second time changes nothing");
}

#[test]
fn the_report_reminds_of_what_the_signature_must_cover_and_counts_what_is_left() {
    let mail = format!(
        "{IDS}Content-Type: text/html\n\n<a href=\"mailto:a@brand.example\">a</a><a href=\"#x\">b</a>"
    );
    let output = filter(&mail, &[]);
    let said = stderr(&output);
    assert!(said.contains("h= of the DKIM signature that follows must name both"), "{said}");
    assert!(said.contains("left: 1 × scheme\n") && said.contains("left: 1 × fragment\n"), "{said}");
    assert!(!said.contains("a@brand.example"), "no address goes to a mail server's log");
}

#[test]
fn a_mail_that_is_refused_is_not_written() {
    for (mail, problem) in [
        (format!("{IDS}DKIM-Signature: v=1; b=x\n\nbody"), "the mail has the field DKIM-Signature"),
        (format!("{IDS}ARC-Seal: i=1; b=x\n\nbody"), "the mail has the field ARC-Seal"),
        ("Date: Sun, 22 Nov 2026 12:00:00 +0000\n\nbody".to_owned(), "the mail has no X-Clickproof-Message"),
        (
            "X-Clickproof-Message: m\nX-Clickproof-Recipient: r\n\nbody".to_owned(),
            "neither X-Clickproof-Sent-At nor a Date",
        ),
        (IDS.replace("r1", "a@brand.example") + "\nbody", "X-Clickproof-Recipient: recipient_id"),
        (
            IDS.replace("800000", "800") + "\nbody",
            "X-Clickproof-Sent-At` is 1795348800, which looks like seconds",
        ),
        (format!("{IDS}X-Clickproof-Group: a b\n\nbody"), "X-Clickproof-Group: group"),
    ] {
        let output = filter(&mail, &[]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
}

#[test]
fn flags_say_what_the_mail_does_not() {
    let flags =
        ["--message-id", "m2", "--recipient-id", "r2", "--group", "g2", "--sent-at-ms", "1795348800001"];
    let mail = "Content-Type: text/html\n\n<a href=\"https://brand.example/\">Go</a>";
    let output = filter(mail, &flags);
    let link = &opened(&String::from_utf8(output.stdout).unwrap())[1];
    assert_eq!((link.message_id.as_str(), link.recipient_id.as_str()), ("m2", "r2"));
    assert_eq!((link.group.as_deref(), link.sent_at_ms), (Some("g2"), 1_795_348_800_001));
    let output = filter(&format!("{IDS}{mail}"), &flags);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("X-Clickproof-Message: the mail says \"spring\""),
        "{}",
        stderr(&output)
    );
    // The date of the mail is better than nothing.
    let output = filter(&format!("Date: Sun, 22 Nov 2026 12:00:01 +0000\n{mail}"), &flags[..4]);
    let link = &opened(&String::from_utf8(output.stdout).unwrap())[1];
    assert_eq!(link.sent_at_ms, 1_795_348_801_000);
    let output = run(&["rewrite", "--base-url", BASE, "--group", "g"], "");
    assert_eq!(output.status.code(), Some(2), "without --eml the flags say nothing");
}

#[test]
fn who_refused_tracking_gets_the_mail_untracked_with_its_unsubscribe_link() {
    let body = "<a href=\"https://brand.example/\">Go</a><a href=\"clickproof:unsubscribe\">Leave</a></body>";
    let mail =
        filtered(&format!("X-Clickproof-Track: clicks=off, opens=off\nContent-Type: text/html\n\n{body}"));
    let (_, body) = mail.split_once("\n\n").unwrap();
    assert!(
        body.starts_with("<a href=\"https://brand.example/\">Go</a><a href=\"https://click.brand.example/u/")
    );
    assert!(body.ends_with(">Leave</a></body>"));
}

#[test]
fn the_senders_own_list_unsubscribe_stays_and_so_does_its_url_in_the_body() {
    let own = "List-Unsubscribe: <https://brand.example/u?i=1>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
    let mail =
        format!("{own}Content-Type: text/html\n\n<a href=\"https://brand.example/u?i=1\">Bye</a></body>");
    let answer = answered(&mail);
    let eml = answer["eml"].as_str().unwrap();
    assert!(eml.starts_with(own) && eml.matches("List-Unsubscribe:").count() == 1);
    assert_eq!(
        answer["left"],
        json!([{"part": "html", "url": "https://brand.example/u?i=1", "reason": "unsubscribe"}])
    );
    assert!(answer["warnings"][0].as_str().unwrap().contains("own List-Unsubscribe stays"));
    assert!(answer.get("headers").is_none(), "the mail has them");
}

#[test]
fn a_base64_part_is_tracked_and_stays_base64_in_lines_of_76() {
    let mail = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
                PGEgaHJlZj0iaHR0cHM6Ly9icmFuZC5leGFtcGxlLyI+eDwvYT4=";
    let mail = filtered(mail);
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.contains("Content-Transfer-Encoding: base64\n"));
    let lines: Vec<&str> = body.lines().collect();
    assert!(lines.len() > 2 && lines[..lines.len() - 1].iter().all(|line| line.len() == 76), "{body}");
    assert_eq!(urls(&shown(&mail)), ["https://brand.example/"]);
}

#[test]
fn a_quoted_part_in_latin_1_decodes_as_before_but_for_its_link() {
    let mail = filtered(
        "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
         caf=E9 =E0 =\n<a href=3D\"https://brand.exam=\nple/?a=3D1&amp;b=3D=E9\">d=E9j=E0</a>\n..dots\n</body>\n",
    );
    assert!(mail.contains("charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n"));
    assert!(
        mail.contains("\n\ncaf=E9 =E0 =\n<a href=3D\"https://click")
            && mail.contains(">d=E9j=E0</a>\n..dots\n")
    );
    assert_eq!(urls(&shown(&mail)), ["https://brand.example/?a=1&b=%C3%A9"]);
    assert!(mail.split_once("\n\n").unwrap().1.lines().all(|line| line.len() <= 76));
    assert!(shown(&mail).starts_with("café à <a href=\"https://click"));
}

#[test]
fn japanese_text_stays_between_its_escapes() {
    // The two bytes of the first character are those of >, and <.
    let with = |link: &str| {
        format!("\u{1b}$B><$\"\u{1b}(B<p>\u{1b}(Jyen\u{1b}(B <a href=\"{link}\">\u{1b}$B$$$&\u{1b}(B</a>")
    };
    let head = "Content-Type: text/html; charset=iso-2022-jp\nContent-Transfer-Encoding: 7bit\n";
    let mail = filtered(&format!("{head}\n{}</body>\n", with("https://brand.example/")));
    assert_eq!(urls(&mail), ["https://brand.example/"]);
    let (_, body) = mail.split_once("\n\n").unwrap();
    let link = body.split('"').nth(2).unwrap();
    assert!(body.starts_with(&with(link)), "{body:?}");
    assert!(body.ends_with("height=\"1\"></body>\n"));
}

#[test]
fn a_line_that_its_link_makes_longer_than_mail_allows_is_quoted() {
    let mail = format!(
        "MIME-Version: 1.0\nContent-Type: text/html\nContent-Transfer-Encoding: 7bit\n\n{}<a href=\"https://brand.example/\">Go</a>",
        "y".repeat(900)
    );
    let mail = filtered(&mail);
    assert!(mail.contains("\nContent-Transfer-Encoding: quoted-printable\n"));
    assert!(mail.lines().all(|line| line.len() <= 998));
    assert_eq!(urls(&shown(&mail)), ["https://brand.example/"]);
}

#[test]
fn only_the_body_is_rewritten_and_no_attachment_and_no_forwarded_mail() {
    let html = "<a href=\"https://brand.example/\">Go</a>";
    let after = format!(
        "\n--b\nContent-Type: text/html\nContent-Disposition: attachment\n\n{html}\n--b\nContent-Type: message/rfc822\n\n\
         Content-Type: text/html\n\n{html}\n--b--\n"
    );
    let mail = filtered(&format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n{html}{after}"
    ));
    let (_, body) = mail.split_once("\n\n").unwrap();
    assert_eq!(urls(body), ["https://brand.example/"]);
    assert!(body.ends_with(&after));
}

#[test]
fn an_amp_part_is_left_and_said_to_be() {
    let amp = "Content-Type: text/x-amp-html\n\n<a href=\"https://brand.example/\">Go</a><img src=\"clickproof:open\">\n";
    let mail = format!(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nhttps://brand.example/\n--b\n{amp}--b\n\
         Content-Type: text/html\n\n<a href=\"https://brand.example/\">Go</a>\n--b--\n"
    );
    let answer = answered(&mail);
    let eml = answer["eml"].as_str().unwrap();
    assert!(eml.contains(amp));
    assert_eq!(urls(eml), ["https://brand.example/"; 2]);
    assert_eq!(answer["links"].as_array().unwrap().len(), 1, "the text has the HTML's link");
    assert_eq!(answer["left"], json!([{"part": "amp", "url": "", "reason": "amp"}]));
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("the text/x-amp-html part stays as it is"), "{warnings}");
}

#[test]
fn a_marker_across_a_soft_break_is_the_pixel_and_no_dot_is_doubled() {
    let mail = filtered(
        "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n.<br>\n<img src=3D\"clickproof:=\nopen\">\n.end\n",
    );
    assert!(
        mail.contains("\n\n.<br>\n<img src=3D\"https://click.brand.example/o/") && mail.ends_with("\n.end\n")
    );
    let html = shown(&mail);
    assert_eq!(opened(&html).len(), 1, "{html}");
}

#[test]
fn a_line_with_a_mail_takes_nothing_beside_it() {
    let line = |more: Value| {
        let mut line = json!({"message_id": "m", "recipient_id": "r", "sent_at_ms": common::NOON_MS, "eml": "S: x\n\nbody"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let output = run(&["rewrite", "--base-url", BASE], &line.to_string());
        (output.status.code(), stderr(&output).to_owned())
    };
    assert_eq!(line(json!({})).0, Some(0));
    for (more, problem) in [
        (json!({"html": "x"}), "eml: the mail has its bodies"),
        (json!({"eml": 1}), "eml: must be a string"),
        (json!({"eml": "DKIM-Signature: x\n\nbody"}), "eml: the mail has the field DKIM-Signature"),
        (
            json!({"eml": "X-Clickproof-Recipient: other\n\nbody"}),
            "eml: X-Clickproof-Recipient: the mail says",
        ),
    ] {
        let (status, said) = line(more);
        assert_eq!(status, Some(1));
        assert!(said.contains(problem), "{said}");
    }
}
