//! Sinks: where shipped events go, each one type behind one trait. What they are given is made in [`crate::event::sink`]; here it
//! is handed over.
//!
//! The [`Bucket`](bucket::Bucket) is always there and comes first: [`super::consumer`] gives it each pack. The others are fed by the
//! queue `FEEDS`, whose consumer is [`feeds`]: there each has its own tries.

pub(super) mod bucket;
mod collector;
pub(super) mod feeds;
mod points;
pub(super) mod sink;
mod stream;
mod webhooks;

use sink::Sink;

use crate::config::Config;
use crate::event::sink::Sink as Name;

/// The sink of that name. It may be one that is no longer set: what waits for it is for whoever sets it again.
fn named<'a>(name: Name, config: &'a Config) -> Result<Box<dyn Sink + 'a>, &'static str> {
    if !config.sinks.contains(&name) {
        return Err("it is not set, or lacks what it needs");
    }
    let secret = config.webhook_secret.as_deref().unwrap_or_default();
    let url = |url: &'a Option<String>| url.as_deref().unwrap_or_default();
    Ok(match name {
        Name::Webhook => Box::new(webhooks::Webhooks { url: url(&config.events_webhook_url), secret }),
        Name::Alerts => Box::new(webhooks::Webhooks { url: url(&config.alert_webhook_url), secret }),
        Name::Http => Box::new(collector::Collector {
            url: url(&config.events_http_url),
            headers: &config.events_http_headers,
        }),
        Name::Stats => Box::new(points::Points::default()),
        Name::Stream => Box::new(stream::Stream),
    })
}
