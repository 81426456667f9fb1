//! Ten thousand mails that nobody wrote: HTML of any structure, quoting, spelling and charset comes out with every byte the same but
//! its links, each of which opens to what another parser reads in the HTML that went in; and rewriting twice is rewriting once.

mod common;

use clickproof::link::copy::MailCopy;
use clickproof::link::keys::Keyring;
use clickproof::sender::options::{Options, Pixel};
use clickproof::sender::rewrite::{Track, rewrite_bodies};
use common::command::KEYS;
use common::html::{BASE, Piece, hrefs, links_of};
use encoding_rs::Encoding;
use fastrand::Rng;

/// How many mails there are.
const MAILS: u64 = 10_000;

const CHARSETS: [&str; 10] = [
    "utf-8",
    "utf-8",
    "windows-1252",
    "iso-8859-2",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "gb18030",
    "big5",
    "iso-2022-jp",
];

/// What stands in a mail that is no link: what ends tags, comments and scripts for who looks for them with an expression.
const WORDS: [&str; 30] = [
    "Hello ",
    "\r\n",
    "\n\t",
    "a < b ",
    "&amp; ",
    "&nbsp;",
    "&copy=",
    "\"",
    "'",
    ">",
    "=",
    "- -->",
    "é",
    "日本",
    "Привет",
    "中功許ソ表能",
    "€",
    "<br/>",
    "<p class=x>",
    "</p>",
    "<td>",
    "</td></tr>",
    "{% for a in b %}",
    "{{ name }}",
    "<div title='</body> <a href=\"https://no.example/\">'>",
    "https://bare.example/x ",
    "<hr\n/>",
    "<b>",
    "</b>",
    "<o:p></o:p>",
];

/// What holds links that nobody follows.
const INERT: [&str; 9] = [
    "<!-- <a href=\"https://no.example/\">old</a> </body> -->",
    "<style>a::after{content:'</body><a href=\"https://no.example/\">'}</style>",
    "<script>document.write('<a href=\"https://no.example/\"></body>')</script>",
    "<textarea><a href=\"https://no.example/\"></body></textarea>",
    "<title><a href=\"https://no.example/\"></title>",
    "<img src=\"https://cdn.example/i.png\" alt='<a href=\"https://no.example/\">'>",
    "<form action=\"https://no.example/\">",
    "<link rel=stylesheet href=https://no.example/f.css>",
    "<!--[if mso]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->",
];

/// Links that stay, by what stands in their `href`, and attributes that make one stay.
const LEFT: [&str; 11] = [
    "mailto:a@brand.example",
    "#part",
    "",
    "/relative",
    "//brand.example",
    "{{ url }}",
    "*|UNSUB|*",
    "https://{x}.example/",
    "https://u:p@brand.example/",
    "https://brand.example/unsubscribe",
    "https://click.brand.example/u/AQEC",
];
const OPT_OUTS: [&str; 5] =
    ["clicktracking=off", "data-pm-no-track", "class='a untracked'", "ses:no-track=\"\"", "data-skip-click"];

/// Attributes that say nothing of tracking.
const OTHERS: [&str; 6] =
    ["class=btn", "title='a > b'", "style=\"color:red\"", "data-x", "target=_blank", "id = 'x'"];

const URL_CHARS: [&str; 26] = [
    "a", "b", "0", "/", "//", "?", "&", "=", "#", "(", ")", "'", "@", ":", "%20", "%2F", "~", ".", "+", ";",
    "[0]", "\"", "é", "日本", "|", "&copy",
];

struct Writer {
    rng: Rng,
    encoding: &'static Encoding,
    pieces: Vec<Piece>,
    /// How many links are tracked, and how many elements have an `href`.
    tracked: usize,
    elements: usize,
}

impl Writer {
    fn chance(&mut self, one_in: u32) -> bool {
        self.rng.u32(0..one_in) == 0
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.rng.usize(0..list.len())]
    }

    /// What the charset has of a text, as its bytes.
    fn encoded(&self, text: &str) -> Vec<u8> {
        let has = |c: &char| !self.encoding.encode(c.encode_utf8(&mut [0; 4])).2;
        let text: String = text.chars().filter(has).collect();
        self.encoding.encode(&text).0.into_owned()
    }

    fn put(&mut self, text: &str) {
        let bytes = self.encoded(text);
        self.pieces.push(Piece::Same(bytes));
    }

    fn words(&mut self) {
        for _ in 0..self.rng.usize(0..4) {
            let word = if self.chance(5) { self.one_of(&INERT) } else { self.one_of(&WORDS) };
            self.put(word);
        }
    }

    /// A URL as it is, and as a value in those quotes may spell it.
    fn url(&mut self, quote: &str) -> (String, String) {
        let mut url = self
            .one_of(&["https://brand.example", "http://Brand.example:8080", "https://a.b-c.example"])
            .to_owned();
        let path = self.one_of(&["", "/", "/?", "/#"]);
        url.push_str(path);
        if !path.is_empty() {
            for _ in 0..self.rng.usize(0..12) {
                let part = self.one_of(&URL_CHARS);
                let has = part.chars().all(|c| !self.encoding.encode(c.encode_utf8(&mut [0; 4])).2);
                // Three in a row are a placeholder.
                let is_second_hash = part == "#" && url.contains('#');
                url.push_str(if has && !is_second_hash { part } else { "x" });
            }
            url.push('x');
        }
        let mut raw = String::new();
        for c in url.chars() {
            let must = quote.contains(c) || c == '&' || (quote.is_empty() && "\"'=<>`".contains(c));
            let code = u32::from(c);
            let spelled = match self.rng.u32(0..if must { 4 } else { 60 }) {
                0 => format!("&#{code};"),
                1 => format!("&#x{code:X};"),
                2 => format!("&#{code:05};"),
                3 if must => match c {
                    '&' => "&amp;".to_owned(),
                    '"' => "&quot;".to_owned(),
                    '\'' => "&apos;".to_owned(),
                    '=' => "&equals;".to_owned(),
                    c => format!("&#{};", u32::from(c)),
                },
                4 if !quote.is_empty() => format!("\n\t{c}"),
                _ => c.to_string(),
            };
            raw.push_str(&spelled);
        }
        if !quote.is_empty() && self.chance(6) {
            raw = format!(" \r\n{raw} \t");
        }
        (url, raw)
    }

    /// A start tag of a link with its attributes in any order and spelling.
    fn link(&mut self, name: &str) {
        let quote = self.one_of(&["\"", "\"", "'", ""]);
        let is_left = self.chance(4);
        let opts_out = !is_left && self.chance(6);
        self.elements += 1;
        self.put(&format!("<{name}"));
        let space = self.one_of(&[" ", "\n  ", "\t"]);
        // First, because of two attributes of one name browsers take the first.
        if opts_out {
            let words = self.one_of(&OPT_OUTS);
            self.put(&format!("{space}{words}"));
        }
        for _ in 0..self.rng.usize(0..3) {
            let other = self.one_of(&OTHERS);
            self.put(&format!("{space}{other}"));
        }
        if self.chance(6) {
            let ours =
                self.one_of(&[" data-cp-link='n'", "\ndata-cp-link=n", " data-cp-x=\"1\"", " data-cp-y"]);
            let bytes = self.encoded(ours);
            self.pieces.push(Piece::Gone(bytes));
        }
        let equals = self.one_of(&["=", "=", " = ", "=\n"]);
        let href = self.one_of(&["href", "href", "HREF", "Href"]);
        self.put(&format!("{space}{href}{equals}{quote}"));
        if is_left {
            let value = self.one_of(&LEFT);
            let value =
                if quote.is_empty() && (value.is_empty() || value.contains(' ')) { "#" } else { value };
            self.put(value);
        } else {
            let (url, raw) = self.url(quote);
            if opts_out {
                // On a host of its own: opting out holds for Outlook's rendering of the same URL, too.
                self.put(&format!("https://out.example/{}", self.elements));
            } else {
                let raw = self.encoded(&raw);
                self.pieces.push(Piece::Link { raw, route: 'c', url: Some(mended(&url)) });
                self.tracked += 1;
            }
        }
        let end = self.one_of(&[">", " >", "\n>", " id=z>", " />"]);
        let end = if quote.is_empty() && end.starts_with('>') { " >" } else { end };
        self.put(&format!("{quote}{end}"));
    }

    fn content(&mut self) {
        for _ in 0..self.rng.usize(0..8) {
            self.words();
            match self.rng.u32(0..10) {
                0..=4 => {
                    let name = self.one_of(&["a", "a", "A"]);
                    self.link(name);
                    self.put("text");
                    self.words();
                    self.put("</a>");
                }
                5 => self.link("area"),
                6 => {
                    self.put("<!--[if mso]>");
                    self.link("v:roundrect");
                    self.put("<w:anchorlock/></v:roundrect><![endif]-->");
                }
                7 => {
                    self.put("<!--[if gte mso 9]><td>");
                    self.link("a");
                    self.put("x</a><![endif]-->");
                }
                8 => {
                    self.put("<noscript>");
                    self.link("a");
                    self.put("x</a></noscript>");
                }
                _ => {
                    self.put("<!--[if !mso]><!-->");
                    self.link("a");
                    self.put("x</a><!--<![endif]-->");
                }
            }
        }
        self.words();
    }

    fn mail(&mut self) {
        let is_whole = self.chance(2);
        if is_whole {
            self.put("<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x\">\r\n<html><head></head><body bgcolor=\"#fff\">");
        }
        self.content();
        self.pieces.push(Piece::Pixel);
        if is_whole {
            self.put("</body>\r\n</html>");
        }
    }
}

/// The URL as a redirect takes it: what is not ASCII percent-encoded.
fn mended(url: &str) -> String {
    let byte = |byte: u8| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    url.bytes().map(byte).collect()
}

#[test]
fn every_other_byte_stays_and_each_link_opens_to_its_url() {
    let keys = Keyring::parse(KEYS).0.unwrap();
    let options = Options { base_url: BASE.to_owned(), pixel: Pixel::Bottom, ..Options::default() };
    let copy = MailCopy {
        message_id: "spring".to_owned(),
        recipient_id: "r1".to_owned(),
        sent_at_ms: 1_795_348_800_000,
        group: None,
        shards: 1,
        sent: None,
    };
    let track = Track { clicks: true, opens: true };
    let mut tracked = 0;
    for seed in 0..MAILS {
        let mut rng = Rng::with_seed(seed);
        let charset = CHARSETS[rng.usize(0..CHARSETS.len())];
        let encoding = Encoding::for_label(charset.as_bytes()).unwrap();
        let mut writer = Writer { rng, encoding, pieces: Vec::new(), tracked: 0, elements: 0 };
        writer.mail();
        let before: Vec<u8> = writer.pieces.iter().flat_map(Piece::before).copied().collect();
        let shown = encoding.decode_without_bom_handling(&before).0.into_owned();
        let rewritten = rewrite_bodies(Some((&before, encoding)), None, &copy, track, &keys, &options);
        let after = rewritten.html.unwrap();

        // Byte by byte, by what was written.
        let links = links_of(&after, &writer.pieces, &keys);
        assert_eq!(links.len(), writer.tracked, "seed {seed}: {shown}");

        // Link by link, by what another parser reads before and after.
        let [read, written] =
            [&before, &after].map(|html| hrefs(&encoding.decode_without_bom_handling(html).0));
        assert_eq!((read.len(), written.len()), (writer.elements, writer.elements), "seed {seed}: {shown}");
        let mut opened = links.iter();
        for (read, written) in read.iter().zip(&written) {
            if written.starts_with(&format!("{BASE}/c/")) {
                let url = opened.next().unwrap().url.as_ref().unwrap().as_str();
                let read = read.trim().replace(['\t', '\r', '\n'], "");
                assert_eq!(url, mended(&read), "seed {seed}: {shown}");
            } else {
                assert_eq!(read, written, "seed {seed}: {shown}");
            }
        }
        assert_eq!(opened.next(), None, "seed {seed}: {shown}");

        // Once more.
        let again = rewrite_bodies(Some((&after, encoding)), None, &copy, track, &keys, &options);
        assert_eq!(again.html.as_deref(), Some(&after[..]), "seed {seed}: {shown}");
        assert_eq!(again.links, [], "seed {seed}");
        assert_eq!(again.left.len(), writer.elements, "seed {seed}: {shown}");
        tracked += links.len();
    }
    assert!(tracked > 20_000, "{tracked} links in {MAILS} mails");
}
