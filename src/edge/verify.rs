//! `/verify`: a landing page was shown, or somebody touched it; `/verify.js`: the script that says so. The page gets its
//! answer whatever the request proves; the click's object is told afterwards.

use futures_util::StreamExt;
use worker::{Context, Env, Request, Response, Result};

use super::incoming::{self, header};
use super::routes::{Place, Verb};
use super::{log, respond, stub};
use crate::config::Config;
use crate::event::line;
use crate::message::call::Call;
use crate::proof::view::{self, View};
use crate::record::Sighting;

/// The script, with the name of its parameter left open.
const SCRIPT: &str = include_str!("../../static/verify.js");

/// What stands for the name there.
const PARAMETER: &str = "CLICK_REF_PARAM";

/// A beacon's body is a number of at most so many digits, and some to spare.
const MAX_BODY: usize = 16;

/// Answers a page view, or a touch.
pub(super) async fn answer(
    mut request: Request,
    verb: Verb,
    env: &Env,
    context: &Context,
    config: &Config,
    place: &Place,
) -> Result<Response> {
    let credit = {
        let headers = request.headers();
        let text = |name: &str| header(headers, name);
        let refuses_tracking = incoming::refuses_tracking(headers);
        let method = request.inner().method();
        let (cookies, purpose) = (incoming::cookies(headers, config), incoming::purpose(headers));
        let (referer, origin) = (text("referer"), text("origin"));
        let view = View {
            method: &method,
            query: &place.query,
            refuses_tracking,
            purpose: purpose.as_deref(),
            cookies: cookies.as_deref(),
            is_foreign: text("sec-fetch-site").as_deref() == Some("cross-site"),
            page: [referer.as_deref(), origin.as_deref()],
        };
        view.credit(config.keys.as_ref(), incoming::now_ms())
    };
    match credit {
        Ok(credit) => {
            let since_load_ms = if verb == Verb::Post {
                view::since_load_ms(&head_of_body(&mut request).await)
            } else {
                None
            };
            let id = incoming::next_id();
            log::line(&line::viewed(&credit, since_load_ms));
            let env = env.clone();
            context.wait_until(async move {
                let (click, verified) = (credit.click, credit.verified);
                let call = Call::Verify(click.event_id, Sighting { event_id: id, verified, since_load_ms });
                // What the object knows it does not take twice: asking again is harmless.
                if let Err(failure) = stub::tell(&env, &click.object, &call).await {
                    log::failure("verify.unrecorded", &click.event_id.to_string(), &failure);
                }
            });
        }
        Err(refusal) => log::line(&line::not_viewed(refusal)),
    }
    if verb == Verb::Post { respond::nothing() } else { respond::pixel() }
}

/// The script, which knows where it came from; the name of the parameter is all that it must be told.
pub(super) fn script(config: &Config) -> Result<Response> {
    let name = config.click_ref_param.as_deref().unwrap_or_default();
    respond::script(SCRIPT.replace(PARAMETER, name))
}

/// The body, as far as a beacon's may go: whatever stands in it, and whether it comes at all, the answer is the same.
async fn head_of_body(request: &mut Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    if request.inner().body().is_some()
        && let Ok(mut chunks) = request.stream()
    {
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes.extend(chunk);
            if bytes.len() > MAX_BODY {
                break;
            }
        }
    }
    bytes
}
