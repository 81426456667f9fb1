//! edge
use worker::{Context, DurableObject, Env, Request, Response, Result, State, durable_object, event};

#[event(fetch)]
async fn fetch(_req: Request, _env: Env, _ctx: Context) -> Result<Response> {
    Response::ok("ok")
}

/// obj
#[durable_object]
pub struct Message {
    _state: State,
    _env: Env,
}

impl DurableObject for Message {
    fn new(state: State, env: Env) -> Self {
        Self { _state: state, _env: env }
    }
    async fn fetch(&self, _req: Request) -> Result<Response> {
        Response::ok("x")
    }
}
