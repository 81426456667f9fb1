//! `SendGrid`'s Event Webhook: a JSON array of flat events, times in Unix seconds.
//!
//! Source: the Event Webhook reference on www.twilio.com/docs/sendgrid, and payloads in django-anymail's tests, read 2026-11-28.

use clickproof::json::Json;

use super::event::{Found, What};
use super::shape::{Shape, at, word};

const SHAPE: Shape = Shape {
    time: &[&["timestamp"]],
    recipient: &[&["email"]],
    copy: &[&["sg_message_id"], &["smtp-id"]],
    // Single sends, automations and older campaigns name themselves; the API's sends have categories at most.
    campaign: &[
        &["singlesend_id"],
        &["marketing_campaign_id"],
        &["mc_auto_id"],
        &["campaign_id"],
        &["newsletter", "newsletter_id"],
        &["category"],
    ],
    mail: &[&["sg_message_id"], &["smtp-id"]],
    id: &[&["sg_event_id"]],
    sent: &[],
    fields: &[("url", &["url"]), ("ip", &["ip"]), ("user_agent", &["useragent"])],
    kept: &[
        ("sg_event_id", &["sg_event_id"]),
        ("sg_message_id", &["sg_message_id"]),
        ("sg_machine_open", &["sg_machine_open"]),
    ],
};

/// Reads an item.
pub(super) fn read(item: &Json, into: &mut Vec<Found>) -> Result<(), String> {
    let name = word(at(item, &["event"])).ok_or("`event`: missing; a SendGrid event has it")?;
    let Some(what) = What::named(&name) else {
        into.push(Found::Other(name));
        return Ok(());
    };
    let mut event = SHAPE.event(item, what)?;
    // What stands behind the first point goes by the server that handled the event, so it differs from event to event of a
    // copy; what stands before it is one call's, so it is the copy's only together with the recipient.
    for name in [&mut event.copy, &mut event.mail].into_iter().flatten() {
        if let Some(end) = name.find('.').filter(|_| !name.starts_with('<')) {
            name.truncate(end);
        }
    }
    into.push(Found::Event(Box::new(event)));
    Ok(())
}
