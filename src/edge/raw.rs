//! The request itself with what the runtime gives beside it, for answers that need more than [`super::request`] has: its
//! body, rarer headers, the message's object.

use futures_util::StreamExt;
use worker::{Context, Env, Request, Result};

/// A request as the runtime has it.
pub(super) struct Raw {
    request: Request,
    pub(super) env: Env,
    context: Context,
}

impl Raw {
    pub(super) const fn new(request: Request, env: Env, context: Context) -> Self {
        Self { request, env, context }
    }

    /// The value of a header that [`super::request::Header`] does not have.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// The body; `None` where it has more than `most` bytes.
    pub(super) async fn body(&mut self, most: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        if self.request.inner().body().is_none() {
            return Ok(Some(bytes));
        }
        let mut chunks = self.request.stream()?;
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk?);
            if bytes.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }

    /// Does something once the answer is out.
    pub(super) fn afterwards(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(work);
    }
}
