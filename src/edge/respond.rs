//! Gives answers to the runtime.

use worker::{Headers, Response, Result};

use super::answer::Answer;
use super::problem::Problem;

impl Answer {
    /// The answer as a handler returns it.
    pub(super) fn send(self) -> std::result::Result<Response, Problem> {
        Ok(self.response()?)
    }

    /// The answer as the runtime's response.
    pub(super) fn response(self) -> Result<Response> {
        let headers = Headers::new();
        for (name, value) in &self.headers {
            headers.set(name, value)?;
        }
        let response = match self.body {
            Some(body) => Response::from_bytes(body.into_owned())?,
            None => Response::empty()?,
        };
        Ok(response.with_status(self.status).with_headers(headers))
    }
}

/// The answer to `HEAD`: the headers of `GET`'s.
pub(super) fn without_body(response: &Response) -> Result<Response> {
    let (status, headers) = (response.status_code(), response.headers().clone());
    Ok(Response::empty()?.with_status(status).with_headers(headers))
}
