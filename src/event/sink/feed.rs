//! What waits in the queue `clickproof-feeds` for a sink: a few webhooks, or a pack as it came. Version 1:
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | `fd 01`: the first is in no text and begins nothing else here, the second is the version |
//! | number, bytes | the sink, by its word |
//! | number | since when it waits, Unix milliseconds: what a receiver left over goes back with the time that it first left |
//! | number | how much of it is done already: so many points; 0 for others |
//! | 1 | what follows: 0 a pack that is text, 1 one that is bytes, 2 webhooks |
//! | the rest | that message of the first queue; or of each webhook a number and its id, a number and its body |
//!
//! A pack has its own key, a webhook its id: what comes twice is known by that.

use super::Sink;
use crate::event::parcel::Letter;
use crate::event::writer::Fields;
use crate::record::columns::{Damaged, Reader, Writer};

/// What a message begins with: this, then its version.
const MAGIC: u8 = 0xfd;
const VERSION: u8 = 1;

/// The most webhooks of a message, and how many bytes of them (contract: "up to 100 events or 64 KiB").
const MAX_POSTS: usize = 100;
const MAX_POST_BYTES: usize = 65_536;

/// How long a sink is tried before what waits for it is told of in the log and left: the queue keeps a message for four days
/// (Cloudflare Queues' default, 2026-11), and forgets it in silence then. The bucket has it, and `reship` sends it again.
const MAX_AGE_MS: i64 = 3 * 24 * 3_600_000;

/// A webhook that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its `webhook-id`.
    pub id: String,
    /// Its body.
    pub body: String,
}

/// What a sink is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load {
    /// Webhooks, one request each.
    Posts(Vec<Post>),
    /// A pack, as the first queue brought it.
    Pack(Letter),
}

/// A message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// For whom it is.
    pub sink: Sink,
    /// Since when it waits, Unix milliseconds.
    pub since_ms: i64,
    /// So much of it is done.
    pub done: usize,
    /// What it brings.
    pub load: Load,
}

impl Feed {
    /// Whether a message is one of these, of whatever version.
    #[must_use]
    pub fn is_one(message: &[u8]) -> bool {
        message.first() == Some(&MAGIC)
    }

    /// The messages that bring a sink webhooks; none where there are none.
    #[must_use]
    pub fn of_posts(sink: Sink, since_ms: i64, posts: Vec<Post>) -> Vec<Self> {
        let mut feeds: Vec<Self> = Vec::new();
        let mut bytes = 0;
        for post in posts {
            bytes += post.body.len();
            match feeds.last_mut() {
                Some(Self { load: Load::Posts(part), .. })
                    if part.len() < MAX_POSTS && bytes <= MAX_POST_BYTES =>
                {
                    part.push(post);
                }
                _ => {
                    bytes = post.body.len();
                    feeds.push(Self { sink, since_ms, done: 0, load: Load::Posts(vec![post]) });
                }
            }
        }
        feeds
    }

    /// The message.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let mut message = Writer(vec![MAGIC, VERSION]);
        message.bytes(self.sink.name().as_bytes());
        message.number(u64::try_from(self.since_ms).unwrap_or_default());
        message.number(self.done as u64);
        match &self.load {
            Load::Pack(Letter::Text(text)) => {
                message.0.push(0);
                message.0.extend_from_slice(text.as_bytes());
            }
            Load::Pack(Letter::Bytes(bytes)) => {
                message.0.push(1);
                message.0.extend_from_slice(bytes);
            }
            Load::Posts(posts) => {
                message.0.push(2);
                for Post { id, body } in posts {
                    message.bytes(id.as_bytes());
                    message.bytes(body.as_bytes());
                }
            }
        }
        message.0
    }

    /// Opens a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(message: &[u8]) -> Result<Self, String> {
        let mut reader = Reader(message);
        match (reader.byte(), reader.byte()) {
            (Ok(MAGIC), Ok(VERSION)) => {}
            (Ok(MAGIC), Ok(version)) => return Err(format!("version {version} is not known here")),
            _ => return Err("nothing for a sink".to_owned()),
        }
        read(reader).map_err(|Damaged| "damaged, or for a sink that is not known here".to_owned())
    }

    /// How long it has waited, milliseconds.
    #[must_use]
    pub const fn age_ms(&self, now_ms: i64) -> i64 {
        now_ms - self.since_ms
    }

    /// The webhooks that it brings; none where it brings a pack.
    fn posts(&self) -> &[Post] {
        if let Load::Posts(posts) = &self.load { posts } else { &[] }
    }
}

/// Whether what has waited so long is tried no more.
#[must_use]
pub const fn is_given_up(age_ms: i64) -> bool {
    age_ms >= MAX_AGE_MS
}

/// A line of the log about what waits for a sink.
fn told(event: &str, feed: &Feed) -> Fields {
    let mut line = Fields::of_event(event);
    line.text("sink", Some(feed.sink.name()));
    let webhooks = feed.posts().len();
    if webhooks > 0 {
        line.integer("webhooks", i64::try_from(webhooks).ok());
    }
    line
}

/// The consumer's line for what a sink took.
#[must_use]
pub fn sent(feed: &Feed) -> String {
    told("feed.sent", feed).end()
}

/// The consumer's line for what a sink did not take, and that is tried again.
#[must_use]
pub fn unsent(feed: &Feed, reason: &str, status: Option<u16>) -> String {
    let mut line = told("feed.unsent", feed);
    line.text("reason", Some(reason));
    if status.is_some() {
        line.integer("status", status.map(i64::from));
    }
    line.end()
}

/// The consumer's line for what is tried no more: which webhooks, or which pack.
#[must_use]
pub fn lost(feed: &Feed) -> String {
    let mut names = String::new();
    if let Load::Pack(letter) = &feed.load {
        names = letter.key().unwrap_or_default();
    }
    for post in feed.posts() {
        names.push_str(&post.id);
        names.push(' ');
    }
    let mut line = told("feed.lost", feed);
    line.text("ids", Some(names.trim_end()));
    line.end()
}

/// The consumer's line for a webhook whose receiver wants no more.
#[must_use]
pub fn gone(id: &str) -> String {
    let mut line = Fields::of_event("webhook.gone");
    line.text("id", Some(id));
    line.end()
}

fn read(mut reader: Reader) -> Result<Feed, Damaged> {
    let sink = text(reader.bytes()?)?;
    let sink = Sink::named(&sink).ok_or(Damaged)?;
    let since_ms = i64::try_from(reader.number()?).map_err(|_| Damaged)?;
    let done = reader.count()?;
    let load = match reader.byte()? {
        0 => Load::Pack(Letter::Text(text(reader.0)?)),
        1 => Load::Pack(Letter::Bytes(reader.0.to_vec())),
        2 => {
            let mut posts = Vec::new();
            while !reader.0.is_empty() {
                posts.push(Post { id: text(reader.bytes()?)?, body: text(reader.bytes()?)? });
            }
            Load::Posts(posts)
        }
        _ => return Err(Damaged),
    };
    Ok(Feed { sink, since_ms, done, load })
}

fn text(bytes: &[u8]) -> Result<String, Damaged> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(n: usize, bytes: usize) -> Post {
        Post { id: format!("e{n}.1"), body: "x".repeat(bytes) }
    }

    fn feed(sink: Sink, done: usize, load: Load) -> Feed {
        Feed { sink, since_ms: 300, done, load }
    }

    /// Frozen: messages of an earlier deploy lie in the queue for days.
    #[test]
    fn the_bytes_are_frozen() {
        for (message, feed) in [
            (
                &b"\xfd\x01\x07webhook\xac\x02\x00\x02\x03a.1\x02{}\x03b.2\x02[]"[..],
                feed(
                    Sink::Webhook,
                    0,
                    Load::Posts(vec![
                        Post { id: "a.1".to_owned(), body: "{}".to_owned() },
                        Post { id: "b.2".to_owned(), body: "[]".to_owned() },
                    ]),
                ),
            ),
            (
                b"\xfd\x01\x04http\xac\x02\x00\x00{}\n",
                feed(Sink::Http, 0, Load::Pack(Letter::Text("{}\n".to_owned()))),
            ),
            (
                b"\xfd\x01\x05stats\xac\x02\xfa\x01\x01\xc0\x03",
                feed(Sink::Stats, 250, Load::Pack(Letter::Bytes(vec![0xc0, 3]))),
            ),
        ] {
            assert!(Feed::is_one(message));
            assert_eq!(feed.seal(), message);
            assert_eq!(Feed::open(message), Ok(feed));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (message, words) in [
            (&b""[..], "nothing for a sink"),
            (b"\xc0\x03", "nothing for a sink"),
            (b"\xfd\x02\x04http\x00\x00\x00", "version 2 is not known here"),
            (b"\xfd\x01\x04htt", "damaged, or for a sink that is not known here"),
            (b"\xfd\x01\x04post\x00\x00\x00", "damaged, or for a sink that is not known here"),
            (b"\xfd\x01\x04http\x00\x00\x03", "damaged, or for a sink that is not known here"),
            (b"\xfd\x01\x07webhook\x00\x00\x02\x03a.1", "damaged, or for a sink that is not known here"),
        ] {
            assert_eq!(Feed::open(message), Err(words.to_owned()), "{message:?}");
        }
    }

    #[test]
    fn the_log_tells_what_waits_and_names_what_is_lost() {
        let posts = feed(Sink::Webhook, 0, Load::Posts(vec![post(1, 2), post(2, 2)]));
        let text = "{\"v\":2,\"kind\":\"pack\",\"key\":\"k\",\"events\":0}\n";
        let pack = feed(Sink::Http, 0, Load::Pack(Letter::Text(text.to_owned())));
        assert_eq!(sent(&pack), r#"{"event":"feed.sent","sink":"http"}"#);
        assert!(unsent(&pack, "refused", None).ends_with(r#""reason":"refused"}"#));
        assert_eq!(
            unsent(&posts, "refused", Some(500)),
            r#"{"event":"feed.unsent","sink":"webhook","webhooks":2,"reason":"refused","status":500}"#
        );
        assert_eq!(lost(&posts), r#"{"event":"feed.lost","sink":"webhook","webhooks":2,"ids":"e1.1 e2.1"}"#);
        assert_eq!(lost(&pack), r#"{"event":"feed.lost","sink":"http","ids":"k"}"#);
        assert_eq!(gone("e1.1"), r#"{"event":"webhook.gone","id":"e1.1"}"#);
    }

    #[test]
    fn a_message_has_a_hundred_webhooks_or_64_kib_and_none_is_left_out() {
        for (posts, bytes, sizes) in [
            (0, 0, vec![]),
            (250, 10, vec![100, 100, 50]),
            (5, 30_000, vec![2, 2, 1]),
            (2, 70_000, vec![1, 1]),
        ] {
            let posts: Vec<Post> = (0..posts).map(|n| post(n, bytes)).collect();
            let feeds = Feed::of_posts(Sink::Webhook, 7, posts.clone());
            let loads = feeds.into_iter().map(|feed| match feed.load {
                Load::Posts(posts) => posts,
                Load::Pack(letter) => panic!("{letter:?}"),
            });
            let loads: Vec<Vec<Post>> = loads.collect();
            assert_eq!(loads.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            assert_eq!(loads.concat(), posts);
        }
    }
}
