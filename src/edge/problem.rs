//! Everything that a handler may fail with or refuse, and how each is answered: here and nowhere else.

use std::borrow::Cow;

use serde::Serialize;

use super::answer::{Answer, PLAIN_TEXT};
use super::methods::Methods;

/// What the runtime fails with. In native tests there is none.
#[cfg(target_arch = "wasm32")]
type RuntimeError = super::runtime::Error;
#[cfg(not(target_arch = "wasm32"))]
type RuntimeError = std::convert::Infallible;

/// Why a request is not answered as it wants to be.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is no such page.
    NoSuchPage,
    /// The link is none of ours, by this name for the log: the same page, whatever is wrong with it.
    BadLink(&'static str),
    /// The route takes other methods.
    Method(Methods),
    /// A page that asks for a token as a password.
    NoPassword,
    /// The link may be good, but nothing can be said of it now.
    TryLater,
    /// The form on the page of a link that acts is too large.
    FormTooLarge,
    /// A call of the API is refused.
    Api(ApiProblem),
    /// The runtime fails, and answers for itself.
    Runtime(RuntimeError),
}

/// Why a call of the API is refused. Its answer has a code that programs can tell apart, and words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiProblem {
    /// The call says what it must not: the words name the field.
    BadRequest(Cow<'static, str>),
    /// No token, or a wrong one.
    Unauthorized,
    /// There is no such thing.
    NotFound(&'static str),
    /// The route takes other methods.
    Method(Methods),
    /// The body is too large.
    TooLarge,
    /// Settings or bindings are bad: the words name them.
    Misconfigured(String),
    /// The message's object does not answer.
    Unavailable,
}

impl From<ApiProblem> for Problem {
    fn from(problem: ApiProblem) -> Self {
        Self::Api(problem)
    }
}

#[cfg(target_arch = "wasm32")]
impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error)
    }
}

impl Problem {
    /// The answer; none where there is no such page or link: that is a page of its own, the same whatever is wrong.
    ///
    /// # Errors
    /// What the runtime fails with: it is thrown.
    pub(super) fn answer(self) -> Result<Option<Answer>, RuntimeError> {
        Ok(Some(match self {
            Self::NoSuchPage | Self::BadLink(_) => return Ok(None),
            Self::Method(methods) => {
                let allow = methods.allow();
                Answer::text(405, PLAIN_TEXT, format!("Use {allow}.\n").into()).with(("allow", allow.into()))
            }
            Self::TryLater => Answer::text(503, PLAIN_TEXT, "Please try again in a minute.\n".into())
                .with(("retry-after", "60".into())),
            Self::NoPassword => {
                let words = "The password is one of the Worker's API tokens; the name is yours to choose.\n";
                let scheme = "Basic realm=\"Clickproof\", charset=\"UTF-8\"";
                Answer::text(401, PLAIN_TEXT, words.into()).with(("www-authenticate", scheme.into()))
            }
            Self::FormTooLarge => Answer::text(413, PLAIN_TEXT, "The form has more than 64 KiB.\n".into()),
            Self::Api(problem) => problem.answer(),
            Self::Runtime(error) => return Err(error),
        }))
    }
}

impl ApiProblem {
    /// A field that is not what it must be.
    pub(super) fn bad(words: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(words.into())
    }

    fn answer(self) -> Answer {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Error<'a>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: &'a str,
            message: &'a str,
        }
        let (status, code) = self.status_and_code();
        let answer = Answer::json(status, &Body { error: Error { code, message: &self.words() } });
        match self {
            Self::Unauthorized => answer.with(("www-authenticate", "Bearer".into())),
            Self::Method(methods) => answer.with(("allow", methods.allow().into())),
            Self::Unavailable => answer.with(("retry-after", "5".into())),
            _ => answer,
        }
    }

    const fn status_and_code(&self) -> (u16, &'static str) {
        match self {
            Self::BadRequest(_) => (400, "bad_request"),
            Self::Unauthorized => (401, "unauthorized"),
            Self::NotFound(_) => (404, "not_found"),
            Self::Method(_) => (405, "method_not_allowed"),
            Self::TooLarge => (413, "too_large"),
            Self::Misconfigured(_) => (500, "misconfigured"),
            Self::Unavailable => (503, "unavailable"),
        }
    }

    fn words(&self) -> Cow<'_, str> {
        match self {
            Self::BadRequest(words) => Cow::Borrowed(words),
            Self::Unauthorized => "send the API token: Authorization: Bearer <API_TOKEN>".into(),
            Self::NotFound(words) => Cow::Borrowed(words),
            Self::Method(methods) => format!("use {}", methods.allow()).into(),
            Self::TooLarge => "the body has more than 1 MiB; send it in parts".into(),
            Self::Misconfigured(words) => Cow::Borrowed(words),
            Self::Unavailable => "the message's object does not answer; try again".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(problem: impl Into<Problem>) -> Answer {
        let Ok(answer) = problem.into().answer();
        answer.unwrap()
    }

    fn text(answer: &Answer) -> &str {
        std::str::from_utf8(answer.body.as_deref().unwrap()).unwrap()
    }

    #[test]
    fn a_link_that_does_not_work_is_told_like_a_page_that_is_not_there() {
        for problem in [Problem::BadLink("forged"), Problem::NoSuchPage] {
            assert_eq!(problem.answer(), Ok(None));
        }
    }

    #[test]
    fn what_is_no_page_is_a_sentence_for_people() {
        for (problem, status, header, words) in [
            (Problem::Method(Methods::Read), 405, ("allow", "GET, HEAD"), "Use GET, HEAD.\n"),
            (
                Problem::Method(Methods::ReadOrPost),
                405,
                ("allow", "GET, HEAD, POST"),
                "Use GET, HEAD, POST.\n",
            ),
            (Problem::TryLater, 503, ("retry-after", "60"), "Please try again in a minute.\n"),
            (
                Problem::NoPassword,
                401,
                ("www-authenticate", "Basic realm=\"Clickproof\", charset=\"UTF-8\""),
                "The password is one of the Worker's API tokens; the name is yours to choose.\n",
            ),
            (
                Problem::FormTooLarge,
                413,
                ("cache-control", "no-store, private"),
                "The form has more than 64 KiB.\n",
            ),
        ] {
            let answer = answer(problem);
            assert_eq!((answer.status, text(&answer)), (status, words));
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{words}");
            assert_eq!(answer.header(header.0), Some(header.1), "{words}");
        }
    }

    #[test]
    fn an_error_of_the_api_has_a_status_a_code_and_words() {
        for (problem, status, code, words, header) in [
            (ApiProblem::bad("limit: \"x\""), 400, "bad_request", "limit: \"x\"", None),
            (
                ApiProblem::Unauthorized,
                401,
                "unauthorized",
                "send the API token: Authorization: Bearer <API_TOKEN>",
                Some(("www-authenticate", "Bearer")),
            ),
            (ApiProblem::NotFound("no such route"), 404, "not_found", "no such route", None),
            (
                ApiProblem::Method(Methods::Post),
                405,
                "method_not_allowed",
                "use POST",
                Some(("allow", "POST")),
            ),
            (ApiProblem::TooLarge, 413, "too_large", "the body has more than 1 MiB; send it in parts", None),
            (ApiProblem::Misconfigured("A: b".to_owned()), 500, "misconfigured", "A: b", None),
            (
                ApiProblem::Unavailable,
                503,
                "unavailable",
                "the message's object does not answer; try again",
                Some(("retry-after", "5")),
            ),
        ] {
            let answer = answer(problem);
            let body: Value = serde_json::from_str(text(&answer)).unwrap();
            assert_eq!(answer.status, status, "{code}");
            assert_eq!(body, json!({"error": {"code": code, "message": words}}));
            assert_eq!(answer.header("content-type"), Some("application/json"), "{code}");
            assert_eq!(answer.headers.len(), 3 + usize::from(header.is_some()), "{answer:?}");
            assert_eq!(header.map(|(name, _)| answer.header(name)), header.map(|(_, value)| Some(value)));
        }
    }
}
