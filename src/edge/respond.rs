//! Gives what requests come to to the runtime.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::{Answer, Header};
use super::reply::Reply;

#[wasm_bindgen(module = "/src/edge/reply.mjs")]
extern "C" {
    fn reply(status: u16, text: &str, body: Option<&[u8]>, record: &[u8]) -> JsValue;

    fn page(form: &str, json: &str) -> JsValue;

    #[wasm_bindgen(js_name = reply)]
    fn reply_with_stream(status: u16, text: &str, body: Option<&JsValue>, record: &[u8]) -> JsValue;
}

/// What goes out.
pub(super) enum Outgoing {
    /// All of it is known.
    Whole(Reply),
    /// A web page: its form, and the JSON of which it is made.
    Page(&'static str, String),
    /// The body comes by and by; the answer has the rest.
    Stream(Answer, JsValue),
}

impl From<Answer> for Outgoing {
    fn from(answer: Answer) -> Self {
        Self::Whole(answer.into())
    }
}

impl Outgoing {
    /// Adds a header.
    pub(super) fn add(&mut self, header: Header) {
        match self {
            Self::Whole(reply) => reply.answer.headers.push(header),
            Self::Stream(answer, _) => answer.headers.push(header),
            Self::Page(..) => {}
        }
    }

    /// Hands it over, without its body where only the headers are asked for.
    pub(super) fn hand_over(mut self, wants_body: bool) -> JsValue {
        match &mut self {
            Self::Whole(reply) => {
                if !wants_body {
                    reply.answer.body = None;
                }
                whole(reply)
            }
            Self::Page(form, json) => page(form, json),
            Self::Stream(answer, stream) => {
                let text = Reply::from(answer.clone()).text();
                reply_with_stream(answer.status, &text, wants_body.then_some(&*stream), &[])
            }
        }
    }
}

/// Hands a reply over.
fn whole(given: &Reply) -> JsValue {
    let record = given.arrival.as_ref().map_or(&[][..], |arrival| &arrival.record);
    reply(given.answer.status, &given.text(), given.answer.body.as_deref(), record)
}
