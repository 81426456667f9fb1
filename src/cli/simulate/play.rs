//! `--send`: plays the simulated visits against a running Worker, each at its time, on several connections, and what their landing
//! pages tell; with an API token also what a mail provider would tell of deliveries.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use clickproof::json::Json;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::mint;
use clickproof::link::url;
use clickproof::proof::cookie::{NAME, Visitor};
use clickproof::record::{Delivery, Kind, Record, Verified};
use serde_json::json;
use ureq::http::{HeaderMap, Request};
use ureq::{Agent, AsSendBody, Body, http};

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

/// Plays; says how many visits got another answer than was due.
pub(super) fn run(hits: &[Hit], base_url: &str, speed_up: f64, output: &mut Output) -> Result<usize, Stop> {
    let keys = keys()?;
    let player = Player::new(base_url, &keys, speed_up);
    let of_providers = hits.iter().filter(|hit| player.delivery(&hit.record).is_some()).count();
    if player.api_token.is_none() && of_providers > 0 {
        say(&format!(
            "API_TOKEN is not set: the Worker is not told of {of_providers} deliveries and bounces, and judges without them"
        ));
    }
    player.agent.get(format!("{base_url}/healthz")).call().map_err(|error| {
        Stop::Refused(format!("--send {base_url}: {error}; start the Worker, or name where it listens"))
    })?;

    say(&format!("playing {} visits over {}", hits.len(), player.lasts(hits)));
    let mut tally = Tally::default();
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (tell, next, player) = (tell.clone(), &next, &player);
            scope.spawn(move || {
                while let Some(hit) = hits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody listens any more when the results cannot be written.
                    let end = player.play(hit);
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
    /// What the Worker is told of deliveries with.
    api_token: Option<String>,
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
            api_token: env::var("API_TOKEN").ok().filter(|token| !token.is_empty()),
            speed_up,
            began: Instant::now(),
            sent_at_ms: now_ms(),
            secure: local || base_url.starts_with("https://"),
            jar: Mutex::default(),
        }
    }

    /// Waits for a visit's time and makes it; the visit as it was played.
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; here a thread may wait")]
    fn play(&self, hit: &Hit) -> Result<Hit, Failure> {
        let click = &hit.record;
        let request = self.request(click).map_err(Failure::Lost)?;
        thread::sleep(self.due(click).saturating_sub(self.began.elapsed()));
        let mut sent = Record {
            ts_ms: now_ms(),
            sent_at_ms: self.sent_at_ms,
            delivered_at_ms: None,
            bounced_at_ms: None,
            secure: Some(self.secure),
            ..click.clone()
        };
        let answer = self.answer(request, if click.kind == Kind::Click { 302 } else { 200 })?;
        let cookie = set_cookie(answer.headers()).or_else(|| self.cookie(click));
        self.keep_cookie(&mut sent, &answer);
        sent.verified = self.show(click, cookie.as_deref())?;
        if let Some((token, delivery)) = self.api_token.as_deref().zip(self.delivery(click)) {
            self.tell(&sent, token, delivery)?;
            sent.learn(delivery);
        }
        Ok(hit.played(sent))
    }

    fn answer<B: AsSendBody>(
        &self,
        request: Request<B>,
        expected: u16,
    ) -> Result<http::Response<Body>, Failure> {
        let answer = self.agent.run(request).map_err(|error| Failure::Lost(error.to_string()))?;
        if answer.status() == expected { Ok(answer) } else { Err(Failure::Refused(answer.status().as_u16())) }
    }

    /// Does what the landing page's script does; says what came of it. Without a cookie it has nothing to say.
    fn show(&self, click: &Record, cookie: Option<&str>) -> Result<Verified, Failure> {
        let Some(cookie) = cookie.filter(|_| click.verified != Verified::None) else {
            return Ok(Verified::None);
        };
        let page = click.url.as_deref().and_then(url::host).map(|host| format!("https://{host}/"));
        let beacon = |method: &str| {
            let mut request = Request::builder().method(method).uri(format!("{}/verify", self.base_url));
            for (name, value) in [
                ("cookie", Some(cookie)),
                ("cf-connecting-ip", click.ip.as_deref()),
                ("user-agent", click.user_agent.as_deref()),
                ("referer", page.as_deref()),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            request
        };
        let lost = |error: http::Error| Failure::Lost(error.to_string());
        self.answer(beacon("GET").body(()).map_err(lost)?, 200)?;
        if click.verified == Verified::Interacted {
            let touch = beacon("POST").header("content-type", "text/plain;charset=UTF-8");
            self.answer(touch.body("1500").map_err(lost)?, 204)?;
        }
        Ok(click.verified)
    }

    /// What a mail provider would tell of the copy that a visit is about, in the time that is played.
    fn delivery(&self, click: &Record) -> Option<Delivery> {
        let played = |ms: i64| self.sent_at_ms + millis(self.after(click, ms));
        let Delivery { delivered_at_ms, bounced_at_ms } = click.delivery();
        let delivery = Delivery {
            delivered_at_ms: delivered_at_ms.map(played),
            bounced_at_ms: bounced_at_ms.map(played),
        };
        Some(delivery).filter(|told| *told != Delivery::default())
    }

    fn tell(&self, sent: &Record, token: &str, delivery: Delivery) -> Result<(), Failure> {
        let Delivery { delivered_at_ms, bounced_at_ms } = delivery;
        let told = json!([{
            "recipient_id": sent.recipient_id,
            "delivered_at_ms": delivered_at_ms,
            "bounced_at_ms": bounced_at_ms,
        }]);
        let request = Request::builder()
            .method("POST")
            .uri(format!("{}/v1/messages/{}/deliveries", self.base_url, sent.message_id))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(told.to_string())
            .map_err(|error| Failure::Lost(error.to_string()))?;
        self.answer(request, 202).map(|_| ())
    }

    /// How long after the send a visit is played.
    fn due(&self, click: &Record) -> Duration {
        self.after(click, click.ts_ms)
    }

    /// How long after the send a time of that visit's send is played.
    #[expect(clippy::cast_precision_loss, reason = "times of a send are far smaller")]
    fn after(&self, click: &Record, ms: i64) -> Duration {
        let after_s = (ms - click.sent_at_ms) as f64 / 1_000.0 / self.speed_up;
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
        let count = click.links_total.and_then(|total| usize::try_from(total).ok()).unwrap_or(LINKS);
        let mut links: Vec<_> = (0..count)
            .map(Send::link)
            .map(|(link_id, url)| json!({"link_id": link_id, "url": url}))
            .collect();
        if click.kind != Kind::Click {
            links.push(json!({"link_id": click.link_id, "kind": click.kind}));
        }
        let body = json!({
            "message_id": click.message_id,
            "recipient_id": click.recipient_id,
            "sent_at_ms": self.sent_at_ms,
            "group": click.group,
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
    millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
