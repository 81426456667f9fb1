//! Asking a running Worker's API about a message: which, where it is, the token, and what its refusals mean.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::Duration;

use clickproof::config::base_url;
use clickproof::link::text_id::check_message_id;
use serde::Deserialize;
use ureq::http::StatusCode;
use ureq::{Agent, Body, http};

use crate::secrets::{Secrets, read};
use crate::stop::Stop;

/// The variable of the API's tokens.
const TOKEN: &str = "API_TOKEN";

/// How long a Worker may take to begin an answer, and between two parts of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest answer that is held as a whole, bytes: a report of a month's minutes has some ten megabytes.
const MAX_BYTES: u64 = 1 << 27;

/// How much of a refusal is read, bytes.
const MAX_REFUSAL_BYTES: u64 = 1 << 16;

#[derive(clap::Args)]
pub(crate) struct Api {
    /// The message
    #[arg(value_name = "MESSAGE", value_parser = message_id)]
    pub(crate) message_id: String,
    /// Where the Worker answers, such as `https://click.brand.example` (its `API_HOST`, where it has one)
    #[arg(long, value_name = "URL", value_parser = base_url)]
    url: String,
    /// Read the API token from this file instead of the environment
    #[arg(long, value_name = "FILE", conflicts_with = "dev_vars")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    secrets: Secrets,
}

/// A Worker that can be asked.
pub(crate) struct Client<'a> {
    agent: Agent,
    url: &'a str,
    token: String,
}

/// The id of a message, as a flag's value.
fn message_id(text: &str) -> Result<String, String> {
    check_message_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

impl Api {
    /// Finds the token.
    pub(crate) fn client(&self) -> Result<Client<'_>, Stop> {
        const REMEDY: &str =
            "set it to one of the Worker's API tokens, or name a file with one by --token-file";
        let (text, place) = match &self.token_file {
            Some(path) => (read("token-file", path)?, path.display().to_string()),
            None => (self.secrets.get(TOKEN, REMEDY)?, TOKEN.to_owned()),
        };
        // The Worker's own variable may hold several, for rotation.
        let token = text.split(',').map(str::trim).find(|token| !token.is_empty());
        let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.ok_or_else(|| Stop::Refused(format!("{place} holds no token: {REMEDY}")))?;
        // A redirect is not followed: it would carry the token elsewhere.
        let agent = Agent::config_builder()
            .user_agent(concat!("clickproof/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .build()
            .new_agent();
        Ok(Client { agent, url: &self.url, token: token.to_owned() })
    }
}

impl Client<'_> {
    /// Where the Worker answers.
    pub(crate) fn url(&self) -> &str {
        self.url
    }

    /// An answer as a whole.
    pub(crate) fn text(&self, path: &str) -> Result<String, Stop> {
        let mut answer = self.ask(path, "application/json")?;
        let text = answer.body_mut().with_config().limit(MAX_BYTES).read_to_string();
        text.map_err(|error| self.broken(&error))
    }

    /// An answer's lines, as they come.
    pub(crate) fn lines(&self, path: &str) -> Result<impl Iterator<Item = Result<String, Stop>>, Stop> {
        let answer = self.ask(path, "application/x-ndjson")?;
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        Ok(lines.map(|line| line.map_err(|error| self.broken(&error))))
    }

    /// Asks; an answer other than 200, or of another type, is refused with what to do.
    fn ask(&self, path: &str, media_type: &str) -> Result<http::Response<Body>, Stop> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let answer = request.header("authorization", format!("Bearer {}", self.token)).call();
        let mut answer = answer.map_err(|error| {
            Stop::Refused(format!("{} cannot be asked: {error}; name by --url a Worker that is up", self.url))
        })?;
        let status = answer.status();
        if status != StatusCode::OK {
            let mut body = Vec::new();
            let reader = answer.body_mut().as_reader().take(MAX_REFUSAL_BYTES);
            // What cannot be read has no words: the status is told all the same.
            let _ = { reader }.read_to_end(&mut body);
            return Err(Stop::Refused(self.refusal(status, &body)));
        }
        let found = answer.headers().get("content-type").and_then(|found| found.to_str().ok());
        if !found.is_some_and(|found| found.starts_with(media_type)) {
            let found = found.unwrap_or("something without a type");
            let words =
                format!("answers with {found}, which no Clickproof does: name by --url where the API is");
            return Err(Stop::Refused(format!("{} {words}", self.url)));
        }
        Ok(answer)
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> String {
        #[derive(Deserialize)]
        struct Refusal {
            error: Words,
        }
        #[derive(Deserialize)]
        struct Words {
            message: String,
        }
        let refusal = serde_json::from_slice::<Refusal>(body).ok();
        let words = match (status, refusal) {
            (StatusCode::UNAUTHORIZED, _) => {
                format!("refuses the token: give one of those in its {TOKEN}")
            }
            // The words are another machine's: they must not steer the terminal.
            (_, Some(Refusal { error })) => {
                format!(
                    "answers {}: {}",
                    status.as_u16(),
                    error.message.replace(char::is_control, "\u{fffd}")
                )
            }
            (_, None) => format!("answers {status}: name by --url where the API is"),
        };
        format!("{} {words}", self.url)
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> Stop {
        Stop::Refused(format!("{} broke off: {error}; ask again", self.url))
    }
}
