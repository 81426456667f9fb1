//! Minting: the body of `POST /v1/links` and its answer, for the API and the CLI alike.

use serde::Serialize;
use serde_json::{Map, Value};

use super::keys::Keyring;
use super::url::Target;
use super::{Kind, Link, text_id, token};

/// An href longer than this may be cut by mail clients, characters.
const LONG_HREF: usize = 2_000;

/// The same for links that act: providers keep less room in `List-Unsubscribe`.
const LONG_ACTING_HREF: usize = 900;

/// The last moment that JavaScript's dates can hold, Unix milliseconds.
const MAX_SENT_AT_MS: u64 = 8_640_000_000_000_000;

/// The answer to a mint call.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Minted {
    /// One for each link of the call, in its order.
    pub links: Vec<MintedLink>,
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

/// Mints the links of one recipient's copy. `base_url` is what they begin with, without a final slash.
///
/// # Errors
/// A message that names the first bad field and says what it must be; nothing is minted then.
pub fn mint(body: &Value, base_url: &str, keys: &Keyring) -> Result<Minted, String> {
    let call = Fields::new(body, "")?;
    call.only(&["message_id", "recipient_id", "sent_at_ms", "shards", "links"])?;
    let message_id = call.id("message_id", text_id::check_message_id)?;
    let recipient_id = call.id("recipient_id", text_id::check_recipient_id)?;
    let sent_at_ms = call
        .get("sent_at_ms")
        .and_then(Value::as_u64)
        .filter(|ms| *ms <= MAX_SENT_AT_MS)
        .ok_or("sent_at_ms: must be a whole number of Unix milliseconds")?;
    if call.get("shards").is_some_and(|shards| shards.as_u64() != Some(1)) {
        return Err("shards: must be 1; the rules are not exact across several objects yet".to_owned());
    }
    let entries =
        call.get("links").and_then(Value::as_array).ok_or("links: must be a list of {link_id, url, kind}")?;

    let mut wanted = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        wanted.push(Wanted::read(&Fields::new(entry, &format!("links[{at}]"))?)?);
    }
    let links_total = wanted.iter().filter(|link| link.kind == Kind::Click).count();
    let links_total = u32::try_from(links_total).map_err(|_| "links: too many")?;
    let links = wanted
        .into_iter()
        .map(|Wanted { link_id, kind, url }| {
            let link = Link {
                kind,
                shards: 1,
                links_total,
                sent_at_ms,
                message_id: message_id.clone(),
                recipient_id: recipient_id.clone(),
                link_id,
                url,
            };
            let href = format!("{base_url}/{}/{}", route(kind), token::seal(&link, keys));
            MintedLink { warning: warning(kind, &href), href, link_id: link.link_id }
        })
        .collect();
    Ok(Minted { links })
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

fn warning(kind: Kind, href: &str) -> Option<String> {
    let most = if kind == Kind::Click { LONG_HREF } else { LONG_ACTING_HREF };
    if href.len() > most {
        Some(format!("{} characters; some mail clients cut links over {most}", href.len()))
    } else {
        (kind != Kind::Click)
            .then(|| format!("/{}/ is not answered by this version: do not mail this link", route(kind)))
    }
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
            Some(name) => name.as_str().and_then(Kind::named).ok_or_else(|| {
                format!("{}: must be click, open, unsubscribe or confirm", entry.path("kind"))
            })?,
        };
        let url = match entry.get("url") {
            None => None,
            Some(Value::String(url)) => {
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

/// A JSON object of a request's body, read field by field; errors name the field with its path.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    fn new(value: &'a Value, path: &str) -> Result<Self, String> {
        let what = if path.is_empty() { "the body" } else { path };
        let object = value.as_object().ok_or_else(|| format!("{what}: must be a JSON object"))?;
        Ok(Self { object, path: path.to_owned() })
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.object.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(format!("{}: no such field; there are {}", self.path(name), known.join(", "))),
        }
    }

    fn id<E: std::fmt::Display>(
        &self,
        name: &str,
        check: fn(&str) -> Result<(), E>,
    ) -> Result<String, String> {
        let id = self
            .get(name)
            .ok_or_else(|| format!("{}: missing", self.path(name)))?
            .as_str()
            .ok_or_else(|| format!("{}: must be a string", self.path(name)))?;
        check(id).map_err(|error| format!("{}: {error}", self.path(name)))?;
        Ok(id.to_owned())
    }
}
