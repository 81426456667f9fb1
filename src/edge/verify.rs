//! `/verify`: a landing page was shown, or somebody touched it. The script that says so is static (`static/site/verify.js`).
//! The page gets its answer whatever the request proves; the click's object hears of it afterwards.

use super::answer::Answer;
use super::raw::Raw;
use super::request::{Header, Incoming};
use super::{clock, log, stub};
use crate::event::line;
use crate::message::call::Call;
use crate::proof::view::{self, View};
use crate::record::{Sighting, Verb};
use crate::signals::privacy::Privacy;

/// A beacon's body is a number of at most so many digits, and some to spare.
const MAX_BODY: u32 = 16;

/// Answers a page view, or a touch.
pub(super) async fn answer(incoming: &Incoming<'_>, raw: &Raw) -> Answer {
    let (config, origin) = (incoming.config, raw.header("origin"));
    let view = View {
        verb: incoming.verb,
        query: incoming.place.query,
        refuses_tracking: incoming.refuses_tracking(),
        purpose: incoming.purpose(),
        cookies: incoming.cookies(),
        is_foreign: incoming.is_cross_site(),
        page: [incoming.header(Header::Referer), origin.as_deref()],
    };
    match view.credit(config.keys.as_ref(), clock::now_ms()) {
        Ok(credit) => {
            let since_load_ms = if incoming.verb == Verb::Post {
                // Whatever stands in the body, and whether it comes at all, the answer is the same.
                let body = raw.body(MAX_BODY).await.ok().flatten();
                // It is a fact of a request as any other.
                body.and_then(|body| view::since_load_ms(&body))
                    .filter(|_| config.privacy != Privacy::Verdict)
            } else {
                None
            };
            let event_id = clock::next_id();
            log::request_line(config, || line::viewed(&credit, since_load_ms));
            let env = raw.env.clone();
            raw.afterwards(async move {
                let (click, verified) = (credit.click, credit.verified);
                let call = Call::Verify(click.event_id, Sighting { event_id, verified, since_load_ms });
                // What the object knows it does not take twice: asking again is harmless.
                if let Err(failure) = stub::send(&env, &click.object, &call).await {
                    log::failure("verify.unrecorded", &click.event_id.to_string(), &failure);
                }
            });
        }
        Err(why) => log::request_line(config, || line::not_viewed(why)),
    }
    if incoming.verb == Verb::Post { Answer::nothing() } else { Answer::pixel() }
}
