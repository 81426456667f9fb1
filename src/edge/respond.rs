//! Answers: pages, JSON and their headers.

use serde::Serialize;
use worker::{Headers, Response, Result};

/// The page for links that do not work.
const NOT_FOUND: &str = include_str!("../../static/404.html");

/// What a page of words may load and do: nothing.
const PAGE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// An error of the API: its status, and a code that programs can tell apart.
#[derive(Clone, Copy)]
pub(super) enum Code {
    BadRequest,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    Misconfigured,
    Unavailable,
}

impl Code {
    const fn parts(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "bad_request"),
            Self::Unauthorized => (401, "unauthorized"),
            Self::NotFound => (404, "not_found"),
            Self::MethodNotAllowed => (405, "method_not_allowed"),
            Self::TooLarge => (413, "too_large"),
            Self::Misconfigured => (500, "misconfigured"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

/// A response with a status, a content type and a body.
pub(super) fn text(status: u16, content_type: &str, body: String) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-content-type-options", "nosniff")?;
    Ok(Response::from_bytes(body.into_bytes())?.with_status(status).with_headers(headers))
}

/// The transparent image of one pixel: a GIF of 43 bytes.
pub(super) fn pixel() -> Result<Response> {
    const GIF: &[u8; 43] =
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    let headers = Headers::new();
    headers.set("content-type", "image/gif")?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-content-type-options", "nosniff")?;
    // Pages and mails of any site show it.
    headers.set("cross-origin-resource-policy", "cross-origin")?;
    Ok(Response::from_bytes(GIF.to_vec())?.with_headers(headers))
}

/// Nothing to say, to a page of any site.
pub(super) fn nothing() -> Result<Response> {
    let headers = Headers::new();
    headers.set("cache-control", "no-store, private")?;
    headers.set("cross-origin-resource-policy", "cross-origin")?;
    Ok(Response::empty()?.with_status(204).with_headers(headers))
}

/// A script that pages of any site run. It is asked for again within the hour, so that a setting shows.
pub(super) fn script(code: String) -> Result<Response> {
    let response = text(200, "text/javascript; charset=utf-8", code)?;
    let headers = response.headers();
    headers.set("cache-control", "public, max-age=3600")?;
    headers.set("cross-origin-resource-policy", "cross-origin")?;
    Ok(response)
}

/// A page. What it may run and load is its policy's to say.
pub(super) fn page(status: u16, html: String, policy: &str) -> Result<Response> {
    let response = text(status, "text/html; charset=utf-8", html)?;
    let headers = response.headers();
    headers.set("content-security-policy", policy)?;
    headers.set("referrer-policy", "no-referrer")?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    Ok(response)
}

/// The page for links that do not work: the same whatever is wrong with them.
pub(super) fn not_found() -> Result<Response> {
    page(404, NOT_FOUND.to_owned(), PAGE_POLICY)
}

/// The link may be good, but nothing can be said of it now.
pub(super) fn try_later() -> Result<Response> {
    let response = text(503, "text/plain; charset=utf-8", "Please try again in a minute.\n".to_owned())?;
    response.headers().set("retry-after", "60")?;
    Ok(response)
}

/// Another method than the route's.
pub(super) fn method_not_allowed(allow: &str) -> Result<Response> {
    let response = text(405, "text/plain; charset=utf-8", format!("Use {allow}.\n"))?;
    response.headers().set("allow", allow)?;
    Ok(response)
}

/// JSON.
pub(super) fn json(status: u16, value: &impl Serialize) -> Result<Response> {
    text(status, "application/json", serde_json::to_string(value)?)
}

/// An error of the API.
pub(super) fn error(code: Code, message: &str) -> Result<Response> {
    #[derive(Serialize)]
    struct Body<'a> {
        error: Error<'a>,
    }
    #[derive(Serialize)]
    struct Error<'a> {
        code: &'a str,
        message: &'a str,
    }
    let (status, code_name) = code.parts();
    let response = json(status, &Body { error: Error { code: code_name, message } })?;
    match code {
        Code::Unauthorized => response.headers().set("www-authenticate", "Bearer")?,
        Code::Unavailable => response.headers().set("retry-after", "5")?,
        _ => {}
    }
    Ok(response)
}

/// The answer to `HEAD`: the headers of `GET`'s.
pub(super) fn without_body(response: &Response) -> Result<Response> {
    let (status, headers) = (response.status_code(), response.headers().clone());
    Ok(Response::empty()?.with_status(status).with_headers(headers))
}
