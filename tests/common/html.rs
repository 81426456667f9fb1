//! HTML as another parser reads it, and copies that are held against what was written: what stands between links must be there
//! byte by byte, and each link must open to its URL.

use std::cell::RefCell;

use clickproof::link::Link;
use clickproof::link::keys::Keyring;
use clickproof::link::token;
use clickproof::link::url::Target;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The click domain.
pub const BASE: &str = "https://click.brand.example";

/// A piece of a body.
#[derive(Clone, Debug)]
pub enum Piece {
    /// What stays.
    Same(Vec<u8>),
    /// What becomes a link of that route and leads there.
    Link { raw: Vec<u8>, route: char, url: Option<String> },
    /// What goes.
    Gone(Vec<u8>),
    /// Where the pixel comes.
    Pixel,
}

impl Piece {
    /// The piece before rewriting.
    pub fn before(&self) -> &[u8] {
        match self {
            Self::Same(bytes) | Self::Gone(bytes) | Self::Link { raw: bytes, .. } => bytes,
            Self::Pixel => b"",
        }
    }
}

/// Holds a copy against its pieces, and opens its links: in their order, with what stands behind their tokens up to the next piece.
pub fn links_of(copy: &[u8], pieces: &[Piece], keys: &Keyring) -> Vec<Link> {
    let shown = String::from_utf8_lossy(copy);
    let mut rest = copy;
    let mut links = Vec::new();
    let take = |rest: &mut &[u8], begin: &str| {
        let after = rest.strip_prefix(begin.as_bytes());
        let after = after
            .unwrap_or_else(|| panic!("{begin:?} is not at {:?} of {shown}", String::from_utf8_lossy(rest)));
        let end = after.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte));
        let (token, after) = after.split_at(end.unwrap_or(after.len()));
        *rest = after;
        let token = std::str::from_utf8(token).unwrap();
        token::open(token, keys).unwrap_or_else(|refusal| panic!("{token}: {refusal:?} in {shown}"))
    };
    for piece in pieces {
        match piece {
            Piece::Same(bytes) => {
                rest = rest.strip_prefix(bytes.as_slice()).unwrap_or_else(|| {
                    let [wanted, found] = [bytes, rest].map(String::from_utf8_lossy);
                    panic!("{wanted:?} is not before {found:?} of {shown}")
                });
            }
            Piece::Link { route, url, .. } => {
                let link = take(&mut rest, &format!("{BASE}/{route}/"));
                assert_eq!(link.url.as_ref().map(Target::as_str), url.as_deref(), "{shown}");
                links.push(link);
            }
            Piece::Gone(_) => {}
            Piece::Pixel => {
                take(&mut rest, &format!("<img src=\"{BASE}/o/"));
                rest = rest
                    .strip_prefix(b"\" alt=\"\" width=\"1\" height=\"1\">")
                    .expect("the pixel's tag ends");
            }
        }
    }
    assert_eq!(String::from_utf8_lossy(rest), "", "behind all pieces of {shown}");
    links
}

/// The value of each `href` of a link, as another parser reads HTML: with its character references decoded, in conditional
/// comments and `noscript`, too.
pub fn hrefs(html: &str) -> Vec<String> {
    let sink = Sink::default();
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.noscript();
    tokenizer.sink.hrefs.into_inner()
}

#[derive(Default)]
struct Sink {
    hrefs: RefCell<Vec<String>>,
    /// The text of a `noscript`, which is HTML to those without scripts.
    inside: RefCell<Option<String>>,
}

impl Sink {
    fn noscript(&self) {
        if let Some(inside) = self.inside.take() {
            self.hrefs.borrow_mut().extend(hrefs(&inside));
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if tag.kind == TagKind::EndTag {
            self.noscript();
            return TokenSinkResult::Continue;
        }
        if matches!(name, "a" | "area") || name.starts_with("v:") {
            let href = tag.attrs.iter().find(|attr| &*attr.name.local == "href");
            self.hrefs.borrow_mut().extend(href.map(|attr| attr.value.to_string()));
        }
        match name {
            "noscript" => {
                self.inside.replace(Some(String::new()));
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            _ => TokenSinkResult::Continue,
        }
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) => {
                if let Some(inside) = self.inside.borrow_mut().as_mut() {
                    inside.push_str(&text);
                }
            }
            Token::CommentToken(comment) => {
                let inside = comment.strip_prefix("[if ").and_then(|rest| rest.split_once("]>"));
                if let Some((_, inside)) = inside
                    && let Some(inside) = inside.strip_suffix("<![endif]")
                {
                    self.hrefs.borrow_mut().extend(hrefs(inside));
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
