//! The request itself with what the runtime gives beside it, for answers that need more than [`super::request`] has: its
//! body, rarer headers, the message's object.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use super::runtime::{self, Context, Env, Request, Result};

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
        self.request.headers().get(name)
    }

    /// The body; `None` where it has more than `most` bytes.
    pub(super) async fn body(&self, most: u32) -> Result<Option<Vec<u8>>> {
        runtime::read(&self.request, most).await
    }

    /// Does something once the answer is out.
    pub(super) fn afterwards(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(&future_to_promise(async {
            work.await;
            Ok(JsValue::UNDEFINED)
        }));
    }
}
