//! `--send`: plays the simulated clicks and opens against a running Worker, each at its time, on several connections.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use clickproof::json::Json;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::mint;
use clickproof::link::url;
use clickproof::proof::cookie::{NAME, Visitor};
use clickproof::record::Kind;
use clickproof::record::Record;
use serde_json::json;
use ureq::http::{HeaderMap, Request};
use ureq::{Agent, Body, http};

use super::labelled::{Shape, write};
use super::scene::{Hit, LINKS, Send};
use crate::mint::keys;
use crate::output::Output;
use crate::say::say;
use crate::stop::Stop;

/// How many requests may be under way at once: a burst's ten links come in half a second.
const CONNECTIONS: usize = 16;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays; says how many requests got another answer than a redirect, or an open's image.
pub(super) fn run(hits: &[Hit], base_url: &str, speed_up: f64, output: &mut Output) -> Result<usize, Stop> {
    let keys = keys()?;
    let player = Player::new(base_url, &keys, speed_up);
    player.agent.get(format!("{base_url}/healthz")).call().map_err(|error| {
        Stop::Refused(format!("--send {base_url}: {error}; start the Worker, or name where it listens"))
    })?;

    say(&format!("playing {} clicks and opens over {}", hits.len(), player.lasts(hits)));
    let mut tally = Tally::default();
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (tell, next, player) = (tell.clone(), &next, &player);
            scope.spawn(move || {
                while let Some(hit) = hits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody listens any more when the results cannot be written.
                    let end = player.play(&hit.record).map(|record| hit.sent(record));
                    if tell.send(end).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        for end in told {
            if let Ok(sent) = tally.count(end) {
                write(&sent, Shape::Edge, output)?;
                output.flush()?;
            }
        }
        Ok::<(), Stop>(())
    })?;
    say(&tally.words());
    Ok(hits.len() - tally.sent)
}

/// Why a request did not get its answer.
enum Failure {
    /// It was answered with another status.
    Refused(u16),
    /// It was not answered.
    Lost(String),
}

/// What became of the requests.
#[derive(Default)]
struct Tally {
    sent: usize,
    refused: BTreeMap<u16, usize>,
    lost: usize,
    last_loss: String,
}

impl Tally {
    fn count(&mut self, end: Result<Hit, Failure>) -> Result<Hit, ()> {
        match end {
            Ok(sent) => {
                self.sent += 1;
                return Ok(sent);
            }
            Err(Failure::Refused(status)) => *self.refused.entry(status).or_default() += 1,
            Err(Failure::Lost(problem)) => {
                self.lost += 1;
                self.last_loss = problem;
            }
        }
        Err(())
    }

    fn words(&self) -> String {
        let refused: usize = self.refused.values().sum();
        let mut words = vec![format!("{} sent, {refused} refused, {} failed", self.sent, self.lost)];
        words.extend(self.refused.iter().map(|(status, count)| {
            let remedy = if *status == 404 { " (is LINK_KEYS what the Worker has?)" } else { "" };
            format!("  refused with {status}: {count}{remedy}")
        }));
        if self.lost > 0 {
            words.push(format!("  the last failure: {}", self.last_loss));
        }
        words.join("\n")
    }
}

/// What every connection shares.
struct Player<'a> {
    agent: Agent,
    base_url: &'a str,
    keys: &'a Keyring,
    speed_up: f64,
    began: Instant,
    sent_at_ms: i64,
    secure: bool,
    /// The cookies that visitors have got, by the ids that the simulation gave the visitors.
    jar: Mutex<HashMap<String, String>>,
}

impl<'a> Player<'a> {
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command may read the clock")]
    fn new(base_url: &'a str, keys: &'a Keyring, speed_up: f64) -> Self {
        // What goes out is what the visitor sends: nothing is added, nothing followed.
        let agent = Agent::config_builder()
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections_per_host(CONNECTIONS)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let host = url::host(base_url).unwrap_or_default();
        let local = url::is_local(&host);
        Self {
            agent,
            base_url,
            keys,
            speed_up,
            began: Instant::now(),
            sent_at_ms: now_ms(),
            secure: local || base_url.starts_with("https://"),
            jar: Mutex::default(),
        }
    }

    /// Waits for a request's time and makes it; the record as it was sent.
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; here a thread may wait")]
    fn play(&self, click: &Record) -> Result<Record, Failure> {
        let request = self.request(click).map_err(Failure::Lost)?;
        thread::sleep(self.due(click).saturating_sub(self.began.elapsed()));
        let mut sent = Record {
            ts_ms: now_ms(),
            sent_at_ms: self.sent_at_ms,
            secure: Some(self.secure),
            ..click.clone()
        };
        let answer = self.agent.run(request).map_err(|error| Failure::Lost(error.to_string()))?;
        let expected = if click.kind == Kind::Open { 200 } else { 302 };
        if answer.status() != expected {
            return Err(Failure::Refused(answer.status().as_u16()));
        }
        self.keep_cookie(&mut sent, &answer);
        Ok(sent)
    }

    /// How long after the send a click is played.
    #[expect(clippy::cast_precision_loss, reason = "times of a send are far smaller")]
    fn due(&self, click: &Record) -> Duration {
        let after_s = (click.ts_ms - click.sent_at_ms) as f64 / 1_000.0 / self.speed_up;
        Duration::from_secs_f64(after_s.max(0.0))
    }

    /// In words, how long it takes.
    fn lasts(&self, hits: &[Hit]) -> String {
        let seconds = hits.last().map_or(0, |last| self.due(&last.record).as_secs());
        match seconds {
            0..600 => format!("{seconds} seconds"),
            600..36_000 => format!("{} minutes", seconds / 60),
            _ => format!("{} hours; --speed-up shortens it", seconds / 3_600),
        }
    }

    fn request(&self, click: &Record) -> Result<Request<()>, String> {
        let mut links: Vec<_> = (0..LINKS)
            .map(Send::link)
            .map(|(link_id, url)| json!({"link_id": link_id, "url": url}))
            .collect();
        if click.kind == Kind::Open {
            links.push(json!({"link_id": click.link_id, "kind": "open"}));
        }
        let body = json!({
            "message_id": click.message_id,
            "recipient_id": click.recipient_id,
            "sent_at_ms": self.sent_at_ms,
            "links": links,
        });
        let body = body.to_string();
        let body = Json::parse(&body).map_err(|problem| problem.to_string())?;
        let copy = mint(&body, self.base_url, self.keys)?;
        let wanted = copy.links.into_iter().find(|link| Some(&link.link_id) == click.link_id.as_ref());
        let href = wanted.ok_or("the copy has no such link")?.href;

        let mut request = Request::builder().method(click.method.as_str()).uri(href);
        let network = json!({
            "asn": click.asn,
            "country": click.country,
            "httpProtocol": click.http_protocol,
            // Without it the local runtime compresses for a client that never asked.
            "clientAcceptEncoding": "",
        });
        let gpc = (click.cookie.as_deref() == Some("none") && click.method == "GET").then(|| "1".to_owned());
        for (name, value) in [
            ("cf-connecting-ip", click.ip.clone()),
            ("mf-cf-blob", Some(network.to_string())),
            ("cookie", self.cookie(click)),
            ("sec-gpc", gpc),
            ("user-agent", click.user_agent.clone()),
            ("referer", click.referer.clone()),
            ("accept", click.accept.clone()),
            ("accept-language", click.accept_language.clone()),
            ("sec-fetch-site", click.sec_fetch_site.clone()),
            ("sec-fetch-mode", click.sec_fetch_mode.clone()),
            ("sec-fetch-dest", click.sec_fetch_dest.clone()),
            ("sec-fetch-user", click.sec_fetch_user.clone()),
            ("sec-purpose", click.sec_purpose.clone()),
            ("sec-ch-ua", click.sec_ch_ua.clone()),
            ("x-forwarded-for", click.x_forwarded_for.clone()),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(()).map_err(|error| error.to_string())
    }

    /// What a returning visitor brings: what it got here, else what it may have got from an earlier send.
    fn cookie(&self, click: &Record) -> Option<String> {
        let id = click.visitor_id.as_deref().filter(|_| click.cookie.as_deref() == Some("returning"))?;
        let kept = self.jar.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        kept.or_else(|| {
            let id = u128::from_str_radix(id, 16).ok()?;
            Some(format!("{NAME}={}", Visitor::new(id.to_be_bytes()).seal(self.keys)))
        })
    }

    /// Takes the answer's cookie: for the visitor's next click, and because it tells the click's own id.
    fn keep_cookie(&self, sent: &mut Record, answer: &http::Response<Body>) {
        let Some(cookie) = set_cookie(answer.headers()) else { return };
        let Some(visitor) = Visitor::open(&cookie, self.keys) else { return };
        if let Some(id) = sent.visitor_id.replace(visitor.hex()) {
            self.jar.lock().unwrap_or_else(PoisonError::into_inner).insert(id, cookie);
        }
        if let Some(newest) = visitor.clicks.first() {
            sent.event_id = newest.event_id.to_string();
            sent.ts_ms = newest.event_id.ts_ms();
        }
    }
}

fn set_cookie(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("set-cookie")?.to_str().ok()?;
    value.split(';').next().map(str::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command may read the clock")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
