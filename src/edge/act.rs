//! `/u/{token}`: links that act. GET is a page with one button and stores nothing; POST acts, by one-click (RFC 8058) or
//! by the page's form. Here, unlike on a click, the answer waits: that it is done is said once the object has stored it.

use super::answer::Answer;
use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::runtime::{self, Env};
use super::{clock, log, stub};
use crate::act::page::{self, Brand, Page, State};
use crate::act::{self, Form, NoConsent, languages};
use crate::event::line;
use crate::link::keys::Keyring;
use crate::link::{Link, one_click, token, url};
use crate::message::call::Call;
use crate::proof::cookie::Visitor;
use crate::proof::stamp;
use crate::record::{CookieState, Kind, Record};
use crate::signals::Signals;

/// The largest form, bytes.
const MAX_FORM: u32 = 64 << 10;

/// When to come again if nothing could be stored, seconds.
const RETRY_AFTER_S: &str = "60";

/// Answers a request to a link that acts. `tail` is the path behind `/u/`.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw, tail: &str) -> Result<Answer, Problem> {
    let (keys, link) = incoming.link(tail, &[Kind::Unsubscribe, Kind::Confirm])?;
    let token = token::leading(tail);
    let mut record = incoming.record(&link, clock::next_id());
    know(&mut record, incoming, keys);
    let config = incoming.config;
    log::request_line(config, || line::received(&record, &Signals::of(&record)));

    let language = languages::negotiate(record.accept_language.as_deref());
    let say = |state| {
        let nonce = base64(clock::random());
        let page = Page {
            state,
            kind: link.kind,
            action: &format!("/u/{token}"),
            stamp: &stamp::seal(token, clock::now_ms(), keys),
            url: link.url.as_ref().map(url::Target::as_str),
            language,
            brand: Brand { name: config.brand_name.as_deref(), color: config.brand_color },
            nonce: &nonce,
        };
        let status = match state {
            State::Ask | State::Done => 200,
            State::Again => 400,
            State::Unavailable => 503,
        };
        let answer = Answer::page(status, page.html().into(), page::policy(&nonce).into());
        match state {
            State::Unavailable => answer.with(("retry-after", RETRY_AFTER_S.into())),
            State::Ask | State::Done | State::Again => answer,
        }
    };
    if incoming.verb.reads() {
        return Ok(say(State::Ask));
    }

    let Some(body) = raw.body(MAX_FORM).await? else {
        log::request_line(config, || line::not_acted(&record, "too_large"));
        return Err(Problem::FormTooLarge);
    };
    let content_type = raw.header("content-type").unwrap_or_default();
    let fields = match fields(&content_type, &body).await {
        Err(_) | Ok((None, None)) if one_click::is_one_click(&content_type, &body) => {
            Ok((Some(one_click::ONE_CLICK_VALUE.to_owned()), None))
        }
        fields => fields,
    };
    let consent = fields.and_then(|(one_click, stamp)| {
        let form = Form { one_click: one_click.as_deref(), stamp: stamp.as_deref() };
        act::consent(link.kind, token, form, clock::now_ms(), keys)
    });
    Ok(say(match consent {
        Err(why) => {
            log::request_line(config, || line::not_acted(&record, why.name()));
            State::Again
        }
        Ok(way) => {
            record.act = Some(way.name().to_owned());
            if store(&raw.env, &link, &record).await {
                log::request_line(config, || line::acted(&record));
                State::Done
            } else {
                State::Unavailable
            }
        }
    }))
}

/// Notes whom the cookie shows, where there is one. None is set here.
fn know(record: &mut Record, incoming: &Incoming, keys: &Keyring) {
    let visitor = incoming.cookies().and_then(|cookies| Visitor::open(cookies, keys));
    let state = if visitor.is_some() { CookieState::Returning } else { CookieState::None };
    record.cookie = Some(state.name().to_owned());
    record.visitor_id = visitor.as_ref().map(Visitor::hex);
}

/// Gives the act to its message's object and waits for it. A loss is logged with the whole record, so that it can be
/// replayed.
async fn store(env: &Env, link: &Link, record: &Record) -> bool {
    let object = link.object();
    // The object knows an act that it has: asking again is harmless.
    let Err(failure) = stub::send(env, &object, &Call::Act(line::record(record))).await else { return true };
    log::alarm(&line::unrecorded(record, &failure.to_string()));
    false
}

/// The two fields of a form that are looked at, read by the runtime's own parser: urlencoded or multipart.
async fn fields(content_type: &str, body: &[u8]) -> Result<(Option<String>, Option<String>), NoConsent> {
    let fields = runtime::fields(content_type, body, [one_click::ONE_CLICK, act::STAMP]).await;
    fields.map(|[one_click, stamp]| (one_click, stamp)).map_err(|_| NoConsent::NoForm)
}

fn base64(bytes: [u8; 16]) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(&bytes)
}
