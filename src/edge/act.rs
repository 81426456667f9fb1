//! `/u/{token}`: links that act. GET is a page with one button and stores nothing; POST acts, by one-click (RFC 8058) or
//! by the page's form. Here, unlike on a click, the answer waits: that it is done is said once the object has stored it.
//!
//! The page of an unsubscription that is done has a button that takes it back. What that stores is a confirmation, on the link that
//! unsubscribed: it is told, too, once its verdict is final, because what mailing somebody again does cannot be taken back.

use super::problem::Problem;
use super::raw::Raw;
use super::request::Incoming;
use super::respond::Outgoing;
use super::runtime::{self, Env};
use super::visitor::{self, Act, State};
use super::{clock, log, stub};
use crate::act::{self, Form, NoConsent};
use crate::event::line;
use crate::link::keys::Keyring;
use crate::link::{Link, one_click, token, url};
use crate::message::call::Call;
use crate::proof::cookie::Visitor;
use crate::proof::stamp;
use crate::record::{CookieState, Kind, Record, Way};
use crate::signals::Signals;

/// The largest form, bytes.
const MAX_FORM: u32 = 64 << 10;

/// Answers a request to a link that acts. `tail` is the path behind `/u/`.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw, tail: &str) -> Result<Outgoing, Problem> {
    let (keys, link) = incoming.link(tail, &[Kind::Unsubscribe, Kind::Confirm])?;
    let token = token::leading(tail);
    let (config, id) = (incoming.config, clock::next_id());
    let shown = || {
        let mut record = incoming.record(&link, id);
        know(&mut record, incoming, keys);
        record
    };
    log::request_line(config, || {
        let record = config.privacy.keep(shown(), keys);
        line::received(&record, &Signals::of(&record))
    });

    // Where a form is shown again, `undoes` says which.
    let say = |state, undoes: bool| {
        let field = match (state, link.kind) {
            (State::Done, Kind::Unsubscribe) => Some(act::UNDO),
            (State::Done | State::Undone, _) => None,
            _ if undoes => Some(act::UNDO),
            _ => Some(act::STAMP),
        };
        let now_ms = clock::now_ms();
        let stamp = if field == Some(act::UNDO) {
            stamp::seal(&act::undoing(token), now_ms, keys)
        } else {
            stamp::seal(token, now_ms, keys)
        };
        let act = Act {
            state,
            kind: link.kind,
            action: &["/u/", token].concat(),
            field,
            stamp: &stamp,
            url: link.url.as_ref().map(url::Target::as_str),
        };
        Outgoing::Page("act", visitor::facts(incoming, Some(&act)))
    };
    if incoming.verb.reads() {
        return Ok(say(State::Ask, false));
    }
    let mut record = shown();

    let Some(body) = raw.body(MAX_FORM).await? else {
        log::request_line(config, || line::not_acted(&record, "too_large"));
        return Err(Problem::FormTooLarge);
    };
    let content_type = raw.header("content-type").unwrap_or_default();
    // Read by the runtime's own parser: urlencoded or multipart.
    let names = [one_click::ONE_CLICK, act::STAMP, act::UNDO];
    let fields = match runtime::fields(&content_type, &body, names).await {
        Err(_) | Ok([None, None, None]) if one_click::is_one_click(&content_type, &body) => {
            Ok([Some(one_click::ONE_CLICK_VALUE.to_owned()), None, None])
        }
        fields => fields.map_err(|_| NoConsent::NoForm),
    };
    let consent = fields.and_then(|[one_click, stamp, undo]| {
        let form = Form { one_click: one_click.as_deref(), stamp: stamp.as_deref(), undo: undo.as_deref() };
        // By when it came, however long its body took.
        act::consent(link.kind, token, form, record.ts_ms, keys)
    });
    let way = match consent {
        Ok(way) => way,
        Err(why) => {
            log::request_line(config, || line::not_acted(&record, why.name()));
            return Ok(say(State::Again, why.may_undo()));
        }
    };
    let undoes = way == Way::Undo;
    record.act = Some(way.name().to_owned());
    if undoes {
        record.kind = Kind::Confirm;
    }
    let record = config.privacy.keep(record, keys);
    if !store(&raw.env, &link, &record).await {
        return Ok(say(State::Unavailable, undoes));
    }
    log::request_line(config, || line::acted(&record));
    Ok(say(if undoes { State::Undone } else { State::Done }, undoes))
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
