//! A message's clicks as they are listed: page by page, so that neither an object nor the edge holds ten thousand at once, and merged
//! where several objects have them.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::future_to_promise;

use super::failure::Failure;
use super::runtime::{self, Env, Error};
use super::v1::Listing;
use super::{shards, stub};
use crate::link::shard;
use crate::message::call::Call;
use crate::message::merged::Merged;
use crate::message::wanted::Filter;

/// A listing that is under way.
struct Clicks {
    /// The objects that are asked, as the merger numbers them.
    addresses: Vec<String>,
    merged: Merged,
    filter: Filter,
    /// So many more are wanted.
    limit: usize,
}

/// The listing as bytes that come by and by. The first page is fetched before this returns: a failure is still an error then.
pub(super) async fn stream(env: &Env, message_id: &str, listing: Listing) -> Result<JsValue, Failure> {
    let mut clicks = begin(env, message_id, listing).await?;
    let first = clicks.next(env).await?;
    let (env, state) = (env.clone(), Rc::new(RefCell::new((first, Some(clicks)))));
    let lines = Closure::<dyn FnMut() -> Promise>::new(move || {
        let (env, state) = (env.clone(), Rc::clone(&state));
        future_to_promise(async move {
            if let Some(lines) = state.borrow_mut().0.take() {
                return Ok(lines.into());
            }
            let clicks = state.borrow_mut().1.take();
            let Some(mut clicks) = clicks else { return Ok(JsValue::UNDEFINED) };
            match clicks.next(&env).await {
                Ok(Some(lines)) => {
                    state.borrow_mut().1 = Some(clicks);
                    Ok(lines.into())
                }
                Ok(None) => Ok(JsValue::UNDEFINED),
                Err(failure) => Err(Error::Words(failure.to_string()).into()),
            }
        })
    });
    Ok(runtime::stream(lines.into_js_value()))
}

/// Asks the message's object; where there are others, they are asked with the first page.
async fn begin(env: &Env, message_id: &str, listing: Listing) -> Result<Clicks, Failure> {
    let Listing { after, limit, filter } = listing;
    let mut clicks = Clicks {
        addresses: vec![shard::object_name(message_id, 0)],
        merged: Merged::new(1, after),
        filter,
        limit,
    };
    let [first] = &clicks.addresses[..] else { return Ok(clicks) };
    match stub::ask_text(env, first, &clicks.call(after)).await {
        Ok(page) => clicks.merged.give(0, page),
        Err(failure) => {
            let shards = failure.several().ok_or(failure)?;
            clicks.addresses = shard::addresses(message_id, shards);
            if let Some(recipient_id) = &clicks.filter.recipient_id {
                // The first has what came before it was known how many there are.
                let theirs = shard::address(message_id, shard::shard(recipient_id, shards), shards);
                let first = clicks.addresses.first().cloned();
                clicks.addresses.retain(|address| *address == theirs || first.as_ref() == Some(address));
            }
            clicks.merged = Merged::new(clicks.addresses.len(), after);
        }
    }
    Ok(clicks)
}

impl Clicks {
    fn call(&self, after: Option<crate::record::EventId>) -> Call {
        Call::Page { after, limit: self.merged.page(self.limit), filter: self.filter.clone() }
    }

    /// The next lines; `None` when there are no more.
    async fn next(&mut self, env: &Env) -> Result<Option<String>, Failure> {
        loop {
            let (lines, count) = self.merged.take(self.limit);
            self.limit = self.limit.saturating_sub(count);
            if count > 0 {
                return Ok(Some(lines));
            }
            if self.limit == 0 || self.merged.is_done() {
                return Ok(None);
            }
            let wanting = self.merged.wanting();
            let address = |at: usize| self.addresses.get(at).cloned().unwrap_or_default();
            let calls = wanting.iter().map(|(at, after)| shards::asked(address(*at), &self.call(*after)));
            let pages = shards::all(shards::each(env, calls.collect()).await)?;
            for ((at, _), page) in wanting.into_iter().zip(pages) {
                self.merged.give(at, page);
            }
        }
    }
}
