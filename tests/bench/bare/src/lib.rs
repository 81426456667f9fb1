//! What the benchmarks measure against: a redirect and nothing else.

use worker::{Context, Env, Headers, Request, Response, Result, event};

const DESTINATION: &str = "https://shop.example/offer";

#[event(fetch)]
async fn fetch(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    let headers = Headers::new();
    headers.set("location", DESTINATION)?;
    Ok(Response::empty()?.with_status(302).with_headers(headers))
}
