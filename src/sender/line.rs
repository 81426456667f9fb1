//! A line of `rewrite`: whose copy, of which bodies; and its answer.

use encoding_rs::UTF_8;
use serde::Serialize;

use super::eml::rewrite_mail;
use super::left::Left;
use super::mail::Envelope;
use super::options::Options;
use super::rewrite::{NewLink, Plan, Rewritten, Track};
use crate::json::Json;
use crate::link::copy::MailCopy;
use crate::link::fields::Fields;
use crate::link::keys::Keyring;
use crate::link::mint::MailHeaders;

/// The fields of a line.
const FIELDS: [&str; 10] =
    ["message_id", "recipient_id", "sent_at_ms", "group", "shards", "sent", "html", "text", "eml", "track"];

/// Rewrites the bodies of lines. What the bodies of one line were planned like holds for the next line that has the same.
pub struct Lines<'a> {
    keys: &'a Keyring,
    options: &'a Options,
    /// The bodies of all lines, where they have none of their own.
    html: Option<&'a str>,
    text: Option<&'a str>,
    plan: Option<Plan>,
    plans: usize,
}

/// The answer to a line.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The HTML body, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The text body, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The whole mail, where the line has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eml: Option<String>,
    /// What goes into the mail's head where it says nothing of unsubscribing yet; a whole mail has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<MailHeaders>,
    /// The links that were minted.
    pub links: Vec<NewLink>,
    /// The links that stay as they are.
    pub left: Vec<Left>,
    /// What may go wrong with the mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl<'a> Lines<'a> {
    /// Begins; `html` and `text` are the bodies of all lines.
    #[must_use]
    pub fn new(
        keys: &'a Keyring,
        options: &'a Options,
        html: Option<&'a str>,
        text: Option<&'a str>,
    ) -> Self {
        Self { keys, options, html, text, plan: None, plans: 0 }
    }

    /// How many plans were made.
    #[must_use]
    pub fn plans(&self) -> usize {
        self.plans
    }

    /// The answer to a line.
    ///
    /// # Errors
    /// A message that names the first bad field and says what it must be.
    pub fn answer(&mut self, line: &Json) -> Result<Answer, String> {
        let fields = Fields::new(line, "")?;
        fields.only(&FIELDS)?;
        let copy = MailCopy::read(&fields)?;
        let track = track(&fields)?;
        if let Some(eml) = fields.get("eml") {
            return self.mail(&fields, eml, copy, track);
        }
        let html = body(&fields, "html", self.html)?;
        let text = body(&fields, "text", self.text)?;
        if html.is_none() && text.is_none() {
            return Err(
                "html: missing; a line has html, text or eml, unless --html or --text gives a body for all"
                    .to_owned(),
            );
        }
        let (html, text) = (html.map(str::as_bytes), text.map(str::as_bytes));
        let plan = match self.plan.take() {
            Some(plan) if plan.is_of(html, text) => plan,
            _ => {
                self.plans += 1;
                Plan::new(html.map(|html| (html, UTF_8)), text.map(|text| (text, UTF_8)), self.options)
            }
        };
        let Rewritten { html, text, headers, links, left, warnings } =
            plan.rewrite(&copy, track, self.keys, self.options);
        self.plan = Some(plan);
        let headers = Some(headers);
        Ok(Answer { html: utf8(html)?, text: utf8(text)?, eml: None, headers, links, left, warnings })
    }

    /// The answer to a line with a whole mail.
    fn mail(&self, fields: &Fields, eml: &Json, copy: MailCopy, track: Track) -> Result<Answer, String> {
        if fields.get("html").is_some() || fields.get("text").is_some() {
            return Err("eml: the mail has its bodies; leave out html and text".to_owned());
        }
        if self.html.is_some() || self.text.is_some() {
            return Err("eml: --html and --text are for lines without a mail; leave out the flags".to_owned());
        }
        let eml = eml.text().ok_or("eml: must be a string")?;
        let given = Envelope {
            message_id: Some(copy.message_id),
            recipient_id: Some(copy.recipient_id),
            sent_at_ms: Some(copy.sent_at_ms.cast_signed()),
            group: copy.group,
            // What the line leaves out the mail may say.
            shards: fields.get("shards").map(|_| copy.shards),
            sent: copy.sent,
            clicks: fields.get("track").map(|_| track.clicks),
            opens: fields.get("track").map(|_| track.opens),
            date_ms: None,
        };
        let rewritten = rewrite_mail(eml.as_bytes(), &given, self.keys, self.options)
            .map_err(|problem| format!("eml: {problem}"))?;
        Ok(Answer {
            html: None,
            text: None,
            eml: utf8(Some(rewritten.mail))?,
            headers: None,
            links: rewritten.links,
            left: rewritten.left,
            warnings: rewritten.warnings,
        })
    }
}

/// A body of text with text put in is text.
fn utf8(body: Option<Vec<u8>>) -> Result<Option<String>, String> {
    body.map(String::from_utf8).transpose().map_err(|error| format!("the body is no UTF-8: {error}"))
}

/// A body: the line's own, else that of all lines.
fn body<'a>(fields: &Fields<'a>, name: &str, of_all: Option<&'a str>) -> Result<Option<&'a str>, String> {
    match (fields.get(name), of_all) {
        (None, of_all) => Ok(of_all),
        (Some(_), Some(_)) => {
            Err(format!("{name}: --{name} gives one for all lines; leave out the one or the other"))
        }
        (Some(own), None) => own.text().map(Some).ok_or_else(|| format!("{name}: must be a string")),
    }
}

/// What of the recipient may be tracked: all, where nothing is said.
fn track(fields: &Fields) -> Result<Track, String> {
    let Some(track) = fields.get("track") else { return Ok(Track { clicks: true, opens: true }) };
    let track = Fields::new(track, "track")?;
    track.only(&["clicks", "opens"])?;
    let choice = |name| match track.get(name) {
        None => Ok(true),
        Some(Json::Boolean(choice)) => Ok(*choice),
        Some(_) => Err(format!("{}: must be true or false", track.path(name))),
    };
    Ok(Track { clicks: choice("clicks")?, opens: choice("opens")? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_bodies_are_planned_once() {
        let keys = Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap();
        let options = Options { base_url: "https://click.brand.example".to_owned(), ..Options::default() };
        let mut lines = Lines::new(&keys, &options, None, None);
        let mut plans = |recipient: &str, html: Option<&str>, text: Option<&str>| {
            let line = json!({
                "message_id": "m", "recipient_id": recipient, "sent_at_ms": 1_795_348_800_000_u64, "html": html, "text": text,
            });
            lines.answer(&Json::parse(&line.to_string()).unwrap()).unwrap();
            lines.plans()
        };
        assert_eq!(plans("r1", Some("<p>"), None), 1);
        assert_eq!(plans("r2", Some("<p>"), None), 1, "another recipient of the same");
        assert_eq!(plans("r3", Some("<p>"), Some("x")), 2);
        assert_eq!(plans("r3", None, Some("x")), 3);
        assert_eq!(plans("r3", Some("<b>"), Some("x")), 4);
    }
}
