//! Which request goes where.

use worker::{Context, Env, Request, Response, Result};

use super::{act, api, click, demo, open, respond, settings, verify};
use crate::config::Config;
use crate::link::url;

/// What a request wants to do. workers-rs reads a method that it does not know as `GET`, so the name is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Head,
    Post,
    Other,
}

impl Verb {
    fn of(request: &Request) -> Self {
        match request.inner().method().as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            _ => Self::Other,
        }
    }

    /// Whether it only reads.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// A request's URL, taken apart. The runtime has normalised it; only the path's escapes are left.
pub(super) struct Place {
    /// Scheme and host with its port, such as `https://click.brand.example`.
    pub(super) origin: String,
    /// The host without its port, in lower case.
    pub(super) host: String,
    /// From the first slash on, as it was sent.
    pub(super) path: String,
    /// Behind the question mark.
    pub(super) query: String,
}

impl Place {
    fn of(url: &str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = match authority.split_once(']') {
            Some((address, _)) => format!("{address}]"),
            None => authority.split(':').next().unwrap_or_default().to_ascii_lowercase(),
        };
        Self {
            origin: format!("{scheme}://{authority}"),
            host,
            path: format!("/{path}"),
            query: query.to_owned(),
        }
    }

    /// Whether browsers treat the origin as secure: https, or this machine.
    pub(super) fn is_secure(&self) -> bool {
        self.is_local() || self.origin.starts_with("https://")
    }

    /// Whether the host can only be the visitor's own machine.
    pub(super) fn is_local(&self) -> bool {
        url::is_local(&self.host)
    }
}

/// Answers a request.
pub(super) async fn answer(request: Request, env: &Env, context: &Context) -> Result<Response> {
    let config = settings::config(env);
    let place = Place::of(&request.inner().url());
    let verb = Verb::of(&request);
    if let Some(tail) = place.path.strip_prefix("/c/") {
        // The one route that says itself what HEAD means: a click by another method.
        return if verb.reads() {
            click::redirect(&request, verb, env, context, &config, &place, tail)
        } else {
            respond::method_not_allowed("GET, HEAD")
        };
    }
    let response = if let Some(tail) = place.path.strip_prefix("/o/") {
        if verb.reads() {
            open::pixel(&request, verb, env, context, &config, &place, tail)
        } else {
            respond::method_not_allowed("GET, HEAD")
        }
    } else if let Some(tail) = place.path.strip_prefix("/u/") {
        if verb.reads() || verb == Verb::Post {
            act::answer(request, verb, env, &config, &place, tail).await
        } else {
            respond::method_not_allowed("GET, HEAD, POST")
        }
    } else if place.path == "/v1" || place.path.starts_with("/v1/") {
        if config.api_host.as_ref().is_some_and(|host| *host != place.host) {
            respond::not_found()
        } else {
            api::answer(request, verb, env, &config, &place).await
        }
    } else if place.path == "/demo" || place.path.starts_with("/demo/") {
        demo::answer(verb, env, &config, &place).await
    } else if place.path == "/verify" {
        match verb {
            Verb::Other => respond::method_not_allowed("GET, HEAD, POST"),
            _ => verify::answer(request, verb, env, context, &config, &place).await,
        }
    } else if place.path == "/verify.js" {
        if verb.reads() { verify::script(&config) } else { respond::method_not_allowed("GET, HEAD") }
    } else if place.path == "/healthz" {
        if verb.reads() { health(&config) } else { respond::method_not_allowed("GET, HEAD") }
    } else {
        respond::not_found()
    }?;
    if verb == Verb::Head { respond::without_body(&response) } else { Ok(response) }
}

/// `ok`, or every bad setting and binding by name.
fn health(config: &Config) -> Result<Response> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if config.problems.is_empty() {
        return respond::text(200, TEXT, "ok".to_owned());
    }
    let lines: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
    respond::text(500, TEXT, format!("{}\n", lines.join("\n")))
}
