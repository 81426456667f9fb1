//! `--records`: brings the simulated visits into a running Worker as records with times of their own, and looks what it makes of
//! them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::env;
use std::thread;
use std::time::{Duration, Instant};

use clickproof::json::Json;
use clickproof::message::replay::MAX_MESSAGES;
use clickproof::record::Kind;
use ureq::Agent;

use super::scene::Hit;
use crate::say::{said, say};
use crate::stop::Stop;

/// What one call takes, bytes: `POST /v1/records` ends at a mebibyte.
const MAX_BODY: usize = 1 << 20;

/// How many clicks one call lists.
const PAGE: usize = 10_000;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a call that was answered with 503 is made again: it says so itself.
const TRIES: u32 = 5;

/// How often it is asked whether all is settled: for a minute. What lies past its alarms judge at two thousand clicks a second.
const LOOKS: usize = 120;

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(500);

/// Brings the visits in; says how many records were refused.
#[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command may read the clock")]
pub(super) fn run(hits: &[Hit], base_url: &str) -> Result<usize, Stop> {
    let api = Api::new(base_url)?;
    // Who only looks at the page of a link that acts has done nothing: the Worker keeps no record of it either.
    let kept: Vec<&Hit> =
        hits.iter().filter(|hit| matches!(hit.record.kind, Kind::Click | Kind::Open)).collect();
    let began = Instant::now();
    let mut taken = Taken::default();
    for body in bodies(&kept)? {
        taken.add(&api.call("POST", "/v1/records", &body)?);
    }
    say(&format!(
        "{} records brought in {:.1} s: {} stored, {} known before, {} refused",
        said(kept.len()),
        began.elapsed().as_secs_f64(),
        said(taken.stored),
        said(taken.known),
        said(taken.bad),
    ));
    if let Some(problem) = &taken.problem {
        say(&format!("  the last refusal: {problem}"));
    }

    let messages: BTreeSet<&str> = kept.iter().map(|hit| hit.record.message_id.as_str()).collect();
    let mut found = Found::default();
    let labels: HashMap<&str, &str> =
        kept.iter().map(|hit| (hit.record.event_id.as_str(), hit.label)).collect();
    for message in &messages {
        api.settled(message)?;
        api.each_click(message, &mut |click| found.count(click, &labels))?;
    }
    say(&found.words());
    for message in messages.iter().take(3) {
        say(&format!("  its report: {base_url}/report/{message}"));
    }
    Ok(taken.bad)
}

/// The records as bodies of calls, in their order.
fn bodies(hits: &[&Hit]) -> Result<Vec<String>, Stop> {
    let (mut bodies, mut body, mut messages) = (Vec::new(), String::new(), BTreeSet::new());
    for hit in hits {
        let line = serde_json::to_string(&hit.record)?;
        let is_another = !messages.contains(hit.record.message_id.as_str());
        if body.len() + line.len() >= MAX_BODY || (is_another && messages.len() == MAX_MESSAGES) {
            bodies.push(std::mem::take(&mut body));
            messages.clear();
        }
        messages.insert(hit.record.message_id.as_str());
        body.push_str(&line);
        body.push('\n');
    }
    bodies.push(body);
    Ok(bodies)
}

/// What became of the records.
#[derive(Default)]
struct Taken {
    stored: usize,
    known: usize,
    bad: usize,
    /// Of the last one that was refused.
    problem: Option<String>,
}

impl Taken {
    fn add(&mut self, answer: &str) {
        let Ok(answer) = Json::parse(answer) else { return };
        let count = |name| answer.get(name).integer().unwrap_or(0);
        self.stored += count("stored");
        self.known += count("known");
        let bad = answer.get("bad").list().unwrap_or_default();
        self.bad += bad.len();
        self.problem =
            bad.last().and_then(|bad| bad.get("message").text()).map(str::to_owned).or(self.problem.take());
    }
}

/// What the Worker found, beside who it was.
#[derive(Default)]
struct Found {
    scanners: usize,
    scanners_flagged: usize,
    people: usize,
    people_flagged: usize,
    /// Clicks of each kind that were taken for the other side.
    wrong: BTreeMap<String, usize>,
}

impl Found {
    fn count(&mut self, click: &Json, labels: &HashMap<&str, &str>) {
        let label = click.get("event_id").text().and_then(|id| labels.get(id));
        let Some(label) = label.filter(|_| click.get("kind").text() == Some("click")) else { return };
        let is_bot = *click.get("is_bot") == Json::Boolean(true);
        let is_person = label.starts_with("human:");
        if is_person {
            self.people += 1;
            self.people_flagged += usize::from(is_bot);
        } else {
            self.scanners += 1;
            self.scanners_flagged += usize::from(is_bot);
        }
        if is_person == is_bot {
            *self.wrong.entry((*label).to_owned()).or_default() += 1;
        }
    }

    fn words(&self) -> String {
        let mut words = vec![format!(
            "the Worker found {} of {} clicks by scanners, and flagged {} of {} by people",
            said(self.scanners_flagged),
            said(self.scanners),
            said(self.people_flagged),
            said(self.people),
        )];
        words
            .extend(self.wrong.iter().map(|(label, count)| format!("  mistaken: {label}: {}", said(*count))));
        words.join("\n")
    }
}

/// The Worker's API.
struct Api<'a> {
    agent: Agent,
    base_url: &'a str,
    authorization: String,
}

impl<'a> Api<'a> {
    #[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command has an environment")]
    fn new(base_url: &'a str) -> Result<Self, Stop> {
        let token = env::var("API_TOKEN").unwrap_or_default();
        if token.is_empty() {
            let remedy = "set it to one of the Worker's tokens; that of `npm start` stands in .dev.vars";
            return Err(Stop::Refused(format!("API_TOKEN is missing from the environment: {remedy}")));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Ok(Self { agent, base_url, authorization: format!("Bearer {token}") })
    }

    /// Makes a call, again where the Worker asks for that.
    fn call(&self, method: &str, path: &str, body: &str) -> Result<String, Stop> {
        let url = format!("{}{path}", self.base_url);
        let failed = |why: &str| Stop::Refused(format!("--records: {method} {url}: {why}"));
        let mut tries = 1;
        loop {
            let request = ureq::http::Request::builder()
                .method(method)
                .uri(&url)
                .header("authorization", &self.authorization)
                .body(body.to_owned())
                .map_err(|error| failed(&error.to_string()))?;
            let mut answer = self
                .agent
                .run(request)
                .map_err(|error| failed(&format!("{error}; start the Worker, or name where it listens")))?;
            let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string();
            let text = text.map_err(|error| failed(&error.to_string()))?;
            match answer.status().as_u16() {
                200..300 => return Ok(text),
                503 if tries < TRIES => tries += 1,
                401 => return Err(failed("401; is API_TOKEN one of the Worker's tokens?")),
                status => return Err(failed(&format!("{status} {}", text.trim()))),
            }
            pause();
        }
    }

    /// Waits until all of a message's clicks are settled, or until that takes too long; says so then.
    fn settled(&self, message: &str) -> Result<(), Stop> {
        let mut unsettled = 0_usize;
        for _ in 0..LOOKS {
            let report = self.call("GET", &format!("/v1/messages/{message}"), "")?;
            let report = Json::parse(&report);
            unsettled = report.ok().and_then(|report| report.get("unsettled").integer()).unwrap_or(0);
            if unsettled == 0 {
                return Ok(());
            }
            pause();
        }
        let count = said(unsettled);
        say(&format!("{count} clicks of {message} are not settled yet: their verdicts are provisional"));
        Ok(())
    }

    /// Lists a message's clicks.
    fn each_click(&self, message: &str, tell: &mut dyn FnMut(&Json)) -> Result<(), Stop> {
        let mut after = String::new();
        loop {
            let path = format!("/v1/messages/{message}/clicks?limit={PAGE}&after={after}");
            let listed = self.call("GET", &path, "")?;
            let mut count = 0;
            for click in listed.lines().filter_map(|line| Json::parse(line).ok()) {
                tell(&click);
                count += 1;
                click.get("event_id").text().unwrap_or_default().clone_into(&mut after);
            }
            if count < PAGE {
                return Ok(());
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the ban is the Worker's; a command may wait")]
fn pause() {
    thread::sleep(PAUSE);
}
