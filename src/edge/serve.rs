//! What the runtime calls: a request comes in, the queue brings a batch.

use worker::{Context, Env, MessageBatch, Request, Response, Result, event};

use super::problem::Problem;
use super::request::Incoming;
use super::routes::{self, Route};
use super::{act, api, click, consumer, demo, health, open, respond, settings, verify};
use crate::record::Verb;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let (config, url) = (settings::config(&env), request.inner().url());
    let incoming = Incoming::new(request, &url, &config, &env, &context);
    let route = routes::route(incoming.verb, &incoming.place, &config);
    // A click is the one route that says itself what HEAD means: a click by another method.
    let wants_body = incoming.verb != Verb::Head || matches!(route, Ok(Route::Click(_)));
    let answer = match route {
        Ok(route) => answer(incoming, route).await,
        Err(problem) => Err(problem),
    };
    let response = match answer {
        Ok(response) => response,
        Err(problem) => problem.answer()?.response()?,
    };
    if wants_body { Ok(response) } else { respond::without_body(&response) }
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    consumer::consume(&batch, &env).await
}

/// Answers a request by its route's handler.
async fn answer(incoming: Incoming<'_>, route: Route<'_>) -> std::result::Result<Response, Problem> {
    match route {
        Route::Click(tail) => click::redirect(&incoming, tail),
        Route::Open(tail) => open::pixel(&incoming, tail),
        Route::Act(tail) => act::answer(incoming, tail).await,
        Route::Verify => verify::answer(incoming).await,
        Route::Script => verify::script(incoming.config).send(),
        Route::Api => api::answer(incoming).await,
        Route::Demo => demo::answer(incoming).await,
        Route::Health => health::answer(incoming.config).send(),
    }
}
