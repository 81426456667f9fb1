//! What the benchmarks measure against: a redirect and nothing else; below `/recorded/{object}/` with one row in a
//! Durable Object besides, written behind the answer. `/rows/{object}` says how many it has.

use worker::{
    Context, DurableObject, Env, Headers, Request, Response, Result, SqlStorageValue, State, durable_object,
    event,
};

const DESTINATION: &str = "https://shop.example/offer";

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let path = request.path();
    if let Some(object) = path.strip_prefix("/rows/") {
        return ask(&env, object, "https://object/rows").await;
    }
    if let Some(object) = path.strip_prefix("/recorded/").and_then(|rest| rest.split('/').next()) {
        let object = object.to_owned();
        context.wait_until(async move {
            // A failure shows in the count of rows.
            let _ = ask(&env, &object, "https://object/record").await;
        });
    }
    let headers = Headers::new();
    headers.set("location", DESTINATION)?;
    Ok(Response::empty()?.with_status(302).with_headers(headers))
}

async fn ask(env: &Env, object: &str, url: &str) -> Result<Response> {
    env.durable_object("Rows")?.get_by_name(object)?.fetch_with_str(url).await
}

#[durable_object]
pub struct Rows {
    state: State,
}

impl DurableObject for Rows {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        // A failure shows in the next statement.
        let _ =
            sql.exec("CREATE TABLE IF NOT EXISTS clicks (id INTEGER PRIMARY KEY, url TEXT NOT NULL)", None);
        Self { state }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let sql = self.state.storage().sql();
        if request.path() == "/record" {
            sql.exec("INSERT INTO clicks (url) VALUES (?)", vec![SqlStorageValue::from(DESTINATION)])?;
            return Response::empty();
        }
        let count = sql.exec("SELECT count(*) FROM clicks", None)?.raw().next();
        match count.transpose()?.and_then(|row| row.into_iter().next()) {
            Some(SqlStorageValue::Integer(count)) => Response::ok(count.to_string()),
            _ => Response::error("no count", 500),
        }
    }
}
