//! Minting: the body of `POST /v1/links` and its answer, for the API and the CLI alike.

use serde::Serialize;

use super::copy::MailCopy;
use super::fields::Fields;
use super::keys::Keyring;
use super::one_click::{ONE_CLICK, ONE_CLICK_VALUE};
use super::url::{self, Target};
use super::{Link, text_id, token};
use crate::json::Json;
use crate::record::Kind;

/// An href longer than this may be cut by mail clients, characters.
const LONG_HREF: usize = 2_000;

/// The same for links that act: providers keep less room in `List-Unsubscribe`.
const LONG_ACTING_HREF: usize = 900;

/// The answer to a mint call.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Minted {
    /// One for each link of the call, in its order.
    pub links: Vec<MintedLink>,
    /// What goes into the mail's head, when a link unsubscribes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<MailHeaders>,
    /// What to say of the call's `shards`, where it tells how many recipients the message has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// The header fields that let a mail provider show an unsubscribe button of its own (RFC 2369, RFC 8058). Both must be
/// covered by the mail's DKIM signature.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct MailHeaders {
    /// The first unsubscribe link, in angle brackets.
    #[serde(rename = "List-Unsubscribe")]
    pub list_unsubscribe: String,
    /// That a POST of this to it unsubscribes.
    #[serde(rename = "List-Unsubscribe-Post")]
    pub list_unsubscribe_post: String,
}

impl MailHeaders {
    /// The fields for a link of kind unsubscribe.
    #[must_use]
    pub fn unsubscribing(href: &str) -> Self {
        Self {
            list_unsubscribe: format!("<{href}>"),
            list_unsubscribe_post: format!("{ONE_CLICK}={ONE_CLICK_VALUE}"),
        }
    }
}

/// One minted link.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct MintedLink {
    /// As it was given.
    pub link_id: String,
    /// What goes into the mail.
    pub href: String,
    /// What may go wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What minted links begin with: scheme and host, without a final slash.
#[derive(Clone, Copy, Debug)]
pub struct Bases<'a> {
    /// Every link but open pixels.
    pub links: &'a str,
    /// Open pixels: block lists that know a pixel's host leave the links' host alone then.
    pub pixels: &'a str,
}

impl<'a> Bases<'a> {
    /// What the links of a kind begin with.
    pub(crate) const fn of(self, kind: Kind) -> &'a str {
        match kind {
            Kind::Open => self.pixels,
            Kind::Click | Kind::Unsubscribe | Kind::Confirm => self.links,
        }
    }
}

/// Mints the links of one recipient's copy. `base_url` is what all of them begin with, without a final slash.
///
/// # Errors
/// A message that names the first bad field and says what it must be; nothing is minted then.
pub fn mint(body: &Json, base_url: &str, keys: &Keyring) -> Result<Minted, String> {
    mint_on(body, Bases { links: base_url, pixels: base_url }, keys)
}

/// Mints the links of one recipient's copy, its open pixels on a host of their own.
///
/// # Errors
/// As [`mint`].
pub fn mint_on(body: &Json, bases: Bases, keys: &Keyring) -> Result<Minted, String> {
    let call = Fields::new(body, "")?;
    call.only(&["message_id", "recipient_id", "sent_at_ms", "group", "shards", "sent", "links"])?;
    let copy = MailCopy::read(&call)?;
    let entries =
        call.get("links").and_then(Json::list).ok_or("links: must be a list of {link_id, url, kind}")?;

    let mut wanted = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        wanted.push(Wanted::read(&Fields::new(entry, &format!("links[{at}]"))?)?);
    }
    // In their order, so that each is found at once.
    let mut known: Vec<&str> = Vec::new();
    for link in wanted.iter().filter(|link| link.kind == Kind::Click) {
        if let Err(place) = known.binary_search(&link.link_id.as_str()) {
            known.insert(place, &link.link_id);
        }
    }
    let links_total = u32::try_from(known.len()).map_err(|_| "links: too many")?;
    let mut headers = None;
    let links = wanted
        .into_iter()
        .map(|Wanted { link_id, kind, url }| {
            let link = copy.link(kind, link_id, url, links_total);
            let base_url = bases.of(kind);
            let href = href(base_url, &link, keys);
            if kind == Kind::Unsubscribe && headers.is_none() {
                headers = Some(MailHeaders::unsubscribing(&href));
            }
            MintedLink { warning: warning(kind, base_url, &href), href, link_id: link.link_id }
        })
        .collect();
    Ok(Minted { links, headers, advice: copy.advice() })
}

/// What of a link goes into the mail.
#[must_use]
pub fn href(base_url: &str, link: &Link, keys: &Keyring) -> String {
    format!("{base_url}/{}/{}", route(link.kind), token::seal(link, keys))
}

/// The first segment of the path that a kind's links stand under.
#[must_use]
pub const fn route(kind: Kind) -> &'static str {
    match kind {
        Kind::Click => "c",
        Kind::Open => "o",
        Kind::Unsubscribe | Kind::Confirm => "u",
    }
}

/// What may go wrong with a minted link in a mail.
#[must_use]
pub fn warning(kind: Kind, base_url: &str, href: &str) -> Option<String> {
    let most = if route(kind) == "u" { LONG_ACTING_HREF } else { LONG_HREF };
    let plain = (kind == Kind::Unsubscribe
        && !base_url.starts_with("https://")
        && !url::host(base_url).is_some_and(|host| url::is_local(&host)))
    .then(|| {
        "mail providers press one-click links on https alone (RFC 8058): mint with an https base".to_owned()
    });
    let long = (href.len() > most)
        .then(|| format!("{} characters; some mail clients cut links over {most}", href.len()));
    let warnings: Vec<String> = plain.into_iter().chain(long).collect();
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

/// One link of a call, checked.
struct Wanted {
    link_id: String,
    kind: Kind,
    url: Option<Target>,
}

impl Wanted {
    fn read(entry: &Fields) -> Result<Self, String> {
        entry.only(&["link_id", "url", "kind"])?;
        let link_id = entry.id("link_id", text_id::check_link_id)?;
        let kind = match entry.get("kind") {
            None => Kind::Click,
            Some(name) => name
                .text()
                .and_then(Kind::named)
                .ok_or_else(|| format!("{}: {}", entry.path("kind"), Kind::MUST_BE))?,
        };
        let url = match entry.get("url") {
            None => None,
            Some(Json::Text(url)) => {
                Some(Target::parse(url).map_err(|error| format!("{}: {error}", entry.path("url")))?)
            }
            Some(_) => return Err(format!("{}: must be a string", entry.path("url"))),
        };
        match kind {
            Kind::Click if url.is_none() => {
                Err(format!("{}: missing; a click link needs a destination", entry.path("url")))
            }
            Kind::Open | Kind::Unsubscribe if url.is_some() => Err(format!(
                "{}: a link of kind {} leads nowhere; leave it out",
                entry.path("url"),
                kind.name()
            )),
            _ => Ok(Self { link_id, kind, url }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BASE: &str = "https://click.brand.example";

    fn keys() -> Keyring {
        Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap()
    }

    fn mint(body: &Value, base_url: &str, keys: &Keyring) -> Result<Minted, String> {
        super::mint(&Json::parse(&body.to_string()).unwrap(), base_url, keys)
    }

    fn body() -> Value {
        json!({
            "message_id": "spring",
            "recipient_id": "r1",
            "sent_at_ms": 1_795_348_800_000_u64,
            "links": [{"link_id": "cta", "url": "https://brand.example/"}, {"link_id": "logo", "url": "https://brand.example/"}],
        })
    }

    /// The body with the value at a JSON pointer put in or, where there is none, taken out.
    fn with(pointer: &str, value: Option<Value>) -> Value {
        let mut body = body();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let object = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(name.to_owned(), value),
            None => object.remove(name),
        };
        body
    }

    fn refused(body: &Value) -> String {
        mint(body, BASE, &keys()).expect_err(&body.to_string())
    }

    #[test]
    fn open_pixels_alone_have_a_host_of_their_own() {
        let kinds = ["click", "open", "unsubscribe", "confirm"];
        let links = kinds.map(|kind| match kind {
            "click" => json!({"link_id": kind, "kind": kind, "url": "https://brand.example/"}),
            _ => json!({"link_id": kind, "kind": kind}),
        });
        let body = with("/links", Some(json!(links))).to_string();
        let bases = Bases { links: BASE, pixels: "https://img.brand.example" };
        let minted = mint_on(&Json::parse(&body).unwrap(), bases, &keys()).unwrap();
        for MintedLink { link_id, href, .. } in minted.links {
            let begins = if link_id == "open" { "https://img.brand.example/o/" } else { BASE };
            assert!(href.starts_with(begins), "{href}");
        }
        assert!(minted.headers.unwrap().list_unsubscribe.starts_with(&format!("<{BASE}/u/")));
    }

    #[test]
    fn an_href_is_base_route_and_token() {
        let links = json!([
            {"link_id": "cta", "url": "https://brand.example/?a=b&c#d", "kind": "click"},
            {"link_id": "cta", "url": "http://brand.example"},
            {"link_id": "pixel", "kind": "open"},
            {"link_id": "stop", "kind": "unsubscribe", "url": null},
            {"link_id": "yes", "kind": "confirm"},
            {"link_id": "yes", "kind": "confirm", "url": "https://brand.example/thanks"},
        ]);
        let minted = mint(&with("/links", Some(links.clone())), BASE, &keys()).unwrap();
        assert_eq!(minted.links.len(), 6);
        for (wanted, minted) in links.as_array().unwrap().iter().zip(minted.links) {
            assert_eq!(wanted["link_id"], minted.link_id.as_str());
            let kind = Kind::named(wanted["kind"].as_str().unwrap_or("click")).unwrap();
            let token = minted.href.strip_prefix(&format!("{BASE}/{}/", route(kind))).unwrap();
            let link = token::open(token, &keys()).unwrap();
            assert_eq!((link.kind, link.link_id), (kind, minted.link_id));
            assert_eq!(link.url.as_ref().map(Target::as_str), wanted["url"].as_str(), "byte for byte");
            assert_eq!((link.shards, link.links_total), (1, 1), "two clicks of one name");
            assert_eq!((link.message_id.as_str(), link.recipient_id.as_str()), ("spring", "r1"));
            assert_eq!((link.sent_at_ms, link.group), (1_795_348_800_000, None));
        }
    }

    #[test]
    fn links_of_one_name_are_counted_once() {
        let links = json!([
            {"link_id": "cta", "url": "https://brand.example/"},
            {"link_id": "cta", "url": "https://brand.example/?from=text"},
            {"link_id": "logo", "url": "https://brand.example/"},
            {"link_id": "stop", "kind": "unsubscribe"},
        ]);
        for MintedLink { href, .. } in mint(&with("/links", Some(links)), BASE, &keys()).unwrap().links {
            let (_, token) = href.rsplit_once('/').unwrap();
            assert_eq!(token::open(token, &keys()).unwrap().links_total, 2, "cta and logo");
        }
    }

    #[test]
    fn every_link_of_a_copy_says_its_group_and_without_one_is_as_it_was() {
        let links = json!([
            {"link_id": "cta", "url": "https://brand.example/"},
            {"link_id": "pixel", "kind": "open"},
            {"link_id": "stop", "kind": "unsubscribe"},
        ]);
        let mut body = with("/links", Some(links));
        let before = mint(&body, BASE, &keys()).unwrap();
        body["group"] = json!(null);
        assert_eq!(mint(&body, BASE, &keys()), Ok(before));
        body["group"] = json!("gmail.com");
        for MintedLink { href, link_id, .. } in mint(&body, BASE, &keys()).unwrap().links {
            let (_, token) = href.rsplit_once('/').unwrap();
            let link = token::open(token, &keys()).unwrap();
            assert_eq!((link.link_id, link.group.as_deref()), (link_id, Some("gmail.com")));
        }
    }

    #[test]
    fn an_answer_is_what_the_contract_shows() {
        let answer = serde_json::to_value(mint(&body(), BASE, &keys()).unwrap()).unwrap();
        assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["links"]);
        let first = answer["links"][0].as_object().unwrap();
        assert_eq!(first.keys().collect::<Vec<_>>(), ["href", "link_id"]);
        let none = mint(&with("/links", Some(json!([]))), BASE, &keys()).unwrap();
        assert_eq!(none.links, []);
        let one_shard = mint(&with("/shards", Some(json!(1))), BASE, &keys());
        assert_eq!(one_shard, mint(&body(), BASE, &keys()), "one is the default");
    }

    #[test]
    fn a_long_href_is_minted_with_a_warning() {
        for (kind, most) in [("click", LONG_HREF), ("confirm", LONG_ACTING_HREF)] {
            let minted = |length: usize| {
                let url = format!("https://brand.example/{}", "x".repeat(length));
                let links = json!([{"link_id": "l", "kind": kind, "url": url}]);
                mint(&with("/links", Some(links)), BASE, &keys()).unwrap().links.remove(0)
            };
            let longest = (1..most).rfind(|length| minted(*length).href.len() <= most).unwrap();
            assert_eq!(minted(longest).warning, None, "{kind}");
            let MintedLink { href, warning, .. } = minted(longest + 1);
            let said = format!("{} characters; some mail clients cut links over {most}", href.len());
            assert_eq!(warning, Some(said), "{kind}");
        }
    }

    #[test]
    fn the_first_unsubscribe_link_comes_with_headers_for_the_mail() {
        let links = json!([
            {"link_id": "cta", "url": "https://brand.example/"},
            {"link_id": "stop", "kind": "unsubscribe"},
            {"link_id": "stop-below", "kind": "unsubscribe"},
        ]);
        let minted = mint(&with("/links", Some(links)), BASE, &keys()).unwrap();
        let href = &minted.links[1].href;
        let answer = serde_json::to_value(&minted).unwrap();
        assert_eq!(
            answer["headers"],
            json!({"List-Unsubscribe": format!("<{href}>"), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
        );
        for kind in ["confirm", "open"] {
            let links = json!([{"link_id": "l", "kind": kind}]);
            assert_eq!(mint(&with("/links", Some(links)), BASE, &keys()).unwrap().headers, None, "{kind}");
        }
    }

    #[test]
    fn one_click_wants_https() {
        for (base, kind, warns) in [
            ("http://click.brand.example", "unsubscribe", true),
            ("http://localhost.brand.example", "unsubscribe", true),
            ("https://click.brand.example", "unsubscribe", false),
            ("http://127.0.0.1:8787", "unsubscribe", false),
            ("http://click.brand.localhost:8787", "unsubscribe", false),
            ("http://localhost", "unsubscribe", false),
            ("http://click.brand.example", "confirm", false),
            ("http://click.brand.example", "open", false),
        ] {
            let links = json!([{"link_id": "l", "kind": kind}]);
            let minted = mint(&with("/links", Some(links)), base, &keys()).unwrap();
            let warning = minted.links[0].warning.as_deref();
            assert_eq!(warning.is_some_and(|warning| warning.contains("RFC 8058")), warns, "{base} {kind}");
            assert!(warns || warning.is_none(), "{warning:?}");
        }
    }

    #[test]
    fn a_bad_body_names_the_field_and_the_remedy() {
        let long = |length: usize| Some(json!("x".repeat(length)));
        let far = format!("https://brand.example/{}", "x".repeat(4_075));
        let cases = [
            ("/message_id", None, "message_id: missing"),
            ("/message_id", Some(json!(7)), "message_id: must be a string"),
            ("/message_id", Some(json!("")), "message_id: message_id is 1 to 128"),
            ("/message_id", long(129), "message_id: message_id is 1 to 128"),
            ("/message_id", Some(json!("<x@y>")), "message_id: message_id is 1 to 128"),
            ("/recipient_id", None, "recipient_id: missing"),
            ("/recipient_id", Some(json!("ann@brand.example")), "recipient_id: recipient_id is 1 to 64"),
            ("/recipient_id", long(65), "recipient_id: recipient_id is 1 to 64"),
            ("/sent_at_ms", None, "sent_at_ms: must be a whole number of Unix milliseconds"),
            ("/sent_at_ms", Some(json!(null)), "sent_at_ms: must be a whole number"),
            ("/sent_at_ms", Some(json!("2026-11-22")), "sent_at_ms: must be a whole number"),
            ("/sent_at_ms", Some(json!(1.5)), "sent_at_ms: must be a whole number"),
            ("/sent_at_ms", Some(json!(-1)), "`sent_at_ms` is -1, which is before 2000 or after 2100"),
            (
                "/sent_at_ms",
                Some(json!(1_795_348_800)),
                "`sent_at_ms` is 1795348800, which looks like seconds: give Unix milliseconds",
            ),
            (
                "/group",
                Some(json!("Orange France")),
                "group: group is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -",
            ),
            ("/group", Some(json!("")), "group: group is 1 to 64"),
            ("/group", long(65), "group: group is 1 to 64"),
            ("/group", Some(json!(["de"])), "group: must be a string"),
            ("/shards", Some(json!(0)), "shards: must be a whole number from 1 to 256"),
            ("/shards", Some(json!(257)), "shards: must be a whole number from 1 to 256"),
            ("/shards", Some(json!(-1)), "shards: must be a whole number from 1 to 256"),
            ("/shards", Some(json!(1.5)), "shards: must be a whole number from 1 to 256"),
            ("/shards", Some(json!("1")), "shards: must be a whole number from 1 to 256"),
            ("/sent", Some(json!(-1)), "sent: must be a whole number, 0 or more"),
            ("/sent", Some(json!("9")), "sent: must be a whole number, 0 or more"),
            ("/links", None, "links: must be a list"),
            ("/links", Some(json!({})), "links: must be a list"),
            ("/links/1", Some(json!("https://brand.example/")), "links[1]: must be a JSON object"),
            ("/links/1/link_id", None, "links[1].link_id: missing"),
            ("/links/1/link_id", Some(json!("a b")), "links[1].link_id: link_id is 1 to 64"),
            ("/links/1/url", None, "links[1].url: missing; a click link needs a destination"),
            ("/links/1/url", Some(json!(["https://brand.example/"])), "links[1].url: must be a string"),
            ("/links/1/url", Some(json!("https://brand.example/a b")), "percent-encode it"),
            ("/links/1/url", Some(json!("https://brand.example/\r\nx")), "percent-encode it"),
            ("/links/1/url", Some(json!("javascript:alert(1)")), "begin it with http:// or https://"),
            ("/links/1/url", Some(json!("https://a@brand.example/")), "remove everything up to the @"),
            ("/links/1/url", Some(json!("https:///x")), "put a valid name or address"),
            ("/links/1/url", Some(json!(far)), "shorten it to at most 4096"),
            (
                "/links/1/kind",
                Some(json!("visit")),
                "links[1].kind: must be click, open, unsubscribe or confirm",
            ),
            ("/links/1/kind", Some(json!(0)), "links[1].kind: must be click"),
            (
                "/links/1/kind",
                Some(json!("open")),
                "links[1].url: a link of kind open leads nowhere; leave it out",
            ),
            (
                "/links/1/kind",
                Some(json!("unsubscribe")),
                "links[1].url: a link of kind unsubscribe leads nowhere",
            ),
            (
                "/links/1/label",
                Some(json!("x")),
                "links[1].label: no such field; there are link_id, url, kind",
            ),
            ("/urls", Some(json!([])), "urls: no such field; there are message_id, recipient_id"),
        ];
        for (pointer, value, words) in cases {
            let body = if pointer == "/links/1" {
                let mut body = body();
                body["links"][1] = value.unwrap();
                body
            } else {
                with(pointer, value)
            };
            let field = pointer[1..].replace("links/1", "links[1]").replace('/', ".");
            let error = refused(&body);
            assert!(error.contains(words), "{pointer}: {error}");
            let is_named = error.trim_start_matches('`').starts_with(&field);
            assert!(is_named || words.starts_with("links[1].url"), "{pointer}: {error}");
        }
        for whole in [json!([]), json!(null), json!("x")] {
            assert_eq!(refused(&whole), "the body: must be a JSON object");
        }
    }
}
