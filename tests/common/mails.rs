//! Mails out of a seed: parts in each other, charsets, encodings, line endings, attachments. Each is kept in pieces, so that a
//! test knows which bytes are a body's and which are not.

use base64ct::{Base64, Encoding as _};
use encoding_rs::Encoding;
use fastrand::Rng;

/// One piece of a mail.
pub enum Piece {
    /// Bytes that nobody may change.
    Frame(Vec<u8>),
    /// A field that names a body's transfer encoding: `quoted-printable` when the body's lines become too long.
    Transfer(Vec<u8>),
    /// Lines of the head that leave.
    Ours(Vec<u8>),
    /// A body that readers see.
    Body(Body),
}

/// A body as it was written and as it stands in the mail.
pub struct Body {
    pub is_html: bool,
    pub octets: Vec<u8>,
    pub transfer: Transfer,
    pub encoded: Vec<u8>,
}

/// How a body stands in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    SevenBit,
    EightBit,
    Binary,
    Quoted,
    Base64,
}

impl Transfer {
    pub const fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::Binary => "binary",
            Self::Quoted => "quoted-printable",
            Self::Base64 => "base64",
        }
    }
}

/// A mail in pieces.
pub struct Pieces {
    pub all: Vec<Piece>,
    pub charset: &'static Encoding,
    pub ending: &'static str,
}

impl Pieces {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (label, words) = CHARSETS[rng.usize(..CHARSETS.len())];
        let ending = if rng.bool() { "\n" } else { "\r\n" };
        let charset = Encoding::for_label(label.as_bytes()).unwrap();
        let mut writer = Writer { rng, label, words, charset, ending, pieces: Vec::new(), boundaries: 0 };
        writer.mail();
        Self { all: writer.pieces, charset, ending }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let bytes = self.all.iter().map(|piece| match piece {
            Piece::Frame(bytes) | Piece::Transfer(bytes) | Piece::Ours(bytes) => bytes,
            Piece::Body(body) => &body.encoded,
        });
        bytes.flatten().copied().collect()
    }

    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.all.iter().filter_map(|piece| if let Piece::Body(body) = piece { Some(body) } else { None })
    }
}

/// Charsets as mails name them, with words that they have.
const CHARSETS: [(&str, &[&str]); 9] = [
    ("us-ascii", &["plain", "words"]),
    ("utf-8", &["Grüße", "日本語", "🎁", "naïve"]),
    ("UTF-8", &["Grüße", "\u{a0}", "привет"]),
    ("ISO-8859-1", &["Grüße", "naïve", "é"]),
    ("windows-1251", &["привет", "мир"]),
    ("Shift_JIS", &["日本語", "ソ表", "ポ"]),
    ("EUC-JP", &["日本語", "表"]),
    ("GB18030", &["你好", "一丁"]),
    ("ISO-2022-JP", &["日本語", "表示", "ソ"]),
];

struct Writer {
    rng: Rng,
    label: &'static str,
    words: &'static [&'static str],
    charset: &'static Encoding,
    ending: &'static str,
    pieces: Vec<Piece>,
    boundaries: usize,
}

impl Writer {
    fn mail(&mut self) {
        self.frame("Received: from a.example by b.example;\n\tSun, 22 Nov 2026 12:00:00 +0000\n");
        if self.rng.bool() {
            self.ours("X-Clickproof-Message: spring\n");
        }
        self.frame("From: Brand <brand@brand.example>\nsubject: https://brand.example/ in\n a subject \n");
        if self.rng.bool() {
            self.ours("x-clickproof-recipient:\n r1\n");
        }
        self.frame("Date: Sun, 22 Nov 2026 12:00:00 +0000\nMIME-Version: 1.0\n");
        match self.rng.u8(..5) {
            0 => self.body(true),
            1 => self.body(false),
            2 => self.alternative(),
            3 => self.related(),
            _ => self.mixed(),
        }
    }

    fn multipart(&mut self, kind: &str, parts: &[fn(&mut Self)]) {
        // Each is the beginning of the next, and some have what must be quoted.
        self.boundaries += 1;
        let boundary = format!("=_b?{}", "1".repeat(self.boundaries));
        self.frame(&format!("Content-Type: multipart/{kind};\n boundary=\"{boundary}\"\n\n"));
        if self.rng.bool() {
            self.frame("A preamble, https://brand.example/preamble\n");
        }
        for part in parts {
            let padding = if self.rng.u8(..4) == 0 { " \t" } else { "" };
            self.frame(&format!("--{boundary}{padding}\n"));
            part(self);
            self.frame("\n");
        }
        // What breaks off here ends in a part that nobody rewrites.
        if kind == "related" && self.rng.u8(..8) == 0 {
            return;
        }
        self.frame(&format!("--{boundary}--\n"));
        if self.rng.bool() {
            self.frame("An epilogue, https://brand.example/epilogue\n");
        }
    }

    fn alternative(&mut self) {
        let text: fn(&mut Self) = |writer| writer.body(false);
        let html: fn(&mut Self) = |writer| writer.body(true);
        let rich: fn(&mut Self) = if self.rng.u8(..3) == 0 { Self::related } else { html };
        match self.rng.u8(..3) {
            0 => self.multipart("alternative", &[text, Self::amp, rich]),
            _ => self.multipart("alternative", &[text, rich]),
        }
    }

    fn related(&mut self) {
        let html: fn(&mut Self) = |writer| writer.body(true);
        let root = if self.rng.bool() && self.boundaries < 3 { Self::alternative } else { html };
        self.multipart("related", &[root, Self::picture, Self::other_html]);
    }

    fn mixed(&mut self) {
        let text: fn(&mut Self) = |writer| writer.body(false);
        let html: fn(&mut Self) = |writer| writer.body(true);
        let first = [text, html, Self::alternative, Self::related][self.rng.usize(..4)];
        let others =
            [Self::picture, Self::attachment, Self::forwarded, Self::signed, text, html, Self::named];
        let mut parts = vec![first];
        for _ in 0..self.rng.usize(..4) {
            parts.push(others[self.rng.usize(..others.len())]);
        }
        self.multipart("mixed", &parts);
    }

    fn amp(&mut self) {
        self.frame("Content-Type: text/x-amp-html\n\n<a href=\"https://brand.example/amp\">x</a>\n");
    }

    fn picture(&mut self) {
        self.frame("Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n");
    }

    fn other_html(&mut self) {
        self.frame(
            "Content-Type: text/html\nContent-ID: <x>\n\n<a href=\"https://brand.example/frame\">x</a>\n",
        );
    }

    fn attachment(&mut self) {
        self.frame("Content-Type: text/html\nContent-Disposition: attachment;\n filename=a.html\n");
        self.frame(
            "Content-Transfer-Encoding: quoted-printable\n\n<a href=3D\"https://brand.example/file\">x</a>\n",
        );
    }

    fn named(&mut self) {
        self.frame("Content-Type: text/plain; name=\"notes.txt\"\n\nhttps://brand.example/notes\n");
    }

    fn forwarded(&mut self) {
        self.frame("Content-Type: message/rfc822\n\nSubject: Old\nX-Clickproof-Message: old\n");
        self.frame("Content-Type: text/html\n\n<a href=\"https://brand.example/old\">x</a>\n");
    }

    fn signed(&mut self) {
        self.frame(
            "Content-Type: multipart/signed; boundary=s\n\n--s\n\nhttps://brand.example/signed\n--s--\n",
        );
    }

    fn body(&mut self, is_html: bool) {
        let octets = self.octets(is_html);
        let plain = octets.is_ascii();
        let long = octets.split(|&byte| byte == b'\n').any(|line| line.len() > 990);
        let may_be =
            [Transfer::Quoted, Transfer::Base64, Transfer::Binary, Transfer::EightBit, Transfer::SevenBit];
        // Who writes long lines must not write them as they are, and bytes above ASCII are not 7bit.
        let transfer = may_be[self.rng.usize(
            ..if long {
                3
            } else if plain {
                5
            } else {
                4
            },
        )];
        let kind = if is_html { "html" } else { "plain" };
        let mut fields = vec![
            format!("Content-Type: text/{kind};\n\tcharset=\"{}\"\n", self.label),
            format!("Content-transfer-encoding: {}\n", transfer.name()),
            "Content-Language: en\n".to_owned(),
        ];
        self.rng.shuffle(&mut fields);
        for field in fields {
            if field.starts_with("Content-t") {
                let field = field.replace('\n', self.ending).into_bytes();
                self.pieces.push(Piece::Transfer(field));
            } else {
                self.frame(&field);
            }
        }
        self.frame("\n");
        let encoded = match transfer {
            Transfer::Quoted => self.quoted(&octets),
            Transfer::Base64 => self.base64(&octets),
            _ => octets.clone(),
        };
        self.pieces.push(Piece::Body(Body { is_html, octets, transfer, encoded }));
    }

    fn octets(&mut self, is_html: bool) -> Vec<u8> {
        let mut text = String::new();
        for _ in 0..self.rng.usize(1..20) {
            let word = self.words[self.rng.usize(..self.words.len())];
            let number = self.rng.u16(..);
            let amp = if is_html { "&amp;" } else { "&" };
            let url = format!("https://brand.example/{number}/a=b?c=3D{amp}d=%20--=_b?1");
            let piece = match (self.rng.u8(..12), is_html) {
                (0..3, true) => format!("<a class=\"=\" href=\"{url}\">{word}</a>"),
                (0..3, false) => format!(" {url}\n"),
                (3, true) => format!("<!-- {word} <a href=\"{url}\"> -->\n"),
                (4, true) => format!("<A HREF='{url}' title=\"{word}>\">{word}\n</A>"),
                (5, _) => "y".repeat(self.rng.usize(..1_100)),
                (6, _) => " \t\n".to_owned(),
                (7, _) => "\n.\n..\nFrom here\n".to_owned(),
                (8, _) => "\n\n--\n=3D=\n".to_owned(),
                _ => format!("{word} and {number} = {word}.{}", if self.rng.bool() { "\n" } else { " " }),
            };
            text.push_str(&piece);
        }
        if is_html && self.rng.bool() {
            text += "\n</body></html>\n";
        }
        self.charset.encode(&text.replace('\n', self.ending)).0.into_owned()
    }

    /// Some escape more than they must, in capitals or not, and break their lines where they like.
    fn quoted(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let longest = self.rng.usize(20..=76);
        let lower = self.rng.bool();
        let text = octets.split_inclusive(|&byte| byte == b'\n');
        for line in text {
            let content = line.strip_suffix(self.ending.as_bytes()).unwrap_or(line);
            let mut column = 0;
            for (at, &octet) in content.iter().enumerate() {
                let last = at + 1 == content.len();
                let literal = matches!(octet, b' '..=b'~' | b'\t')
                    && octet != b'='
                    && !(last && octet.is_ascii_whitespace())
                    && self.rng.u8(..10) > 0;
                let character = match (literal, lower) {
                    (true, _) => char::from(octet).to_string(),
                    (false, true) => format!("={octet:02x}"),
                    (false, false) => format!("={octet:02X}"),
                };
                if column + character.len() >= longest {
                    out.extend_from_slice(b"=");
                    out.extend_from_slice(self.ending.as_bytes());
                    column = 0;
                }
                column += character.len();
                out.extend_from_slice(character.as_bytes());
            }
            out.extend_from_slice(&line[content.len()..]);
        }
        out
    }

    fn base64(&mut self, octets: &[u8]) -> Vec<u8> {
        let text = Base64::encode_string(octets);
        let length = [76, 76, 60, 72, 100_000][self.rng.usize(..5)];
        let lines: Vec<&[u8]> = text.as_bytes().chunks(length).collect();
        let mut out = lines.join(self.ending.as_bytes());
        for _ in 0..self.rng.usize(..3) {
            out.extend_from_slice(self.ending.as_bytes());
        }
        out
    }

    fn frame(&mut self, text: &str) {
        self.pieces.push(Piece::Frame(text.replace('\n', self.ending).into_bytes()));
    }

    fn ours(&mut self, text: &str) {
        self.pieces.push(Piece::Ours(text.replace('\n', self.ending).into_bytes()));
    }
}
