//! Who may ask: whoever has one of the API's tokens.

use super::raw::Raw;
use crate::config::Config;
use crate::link::{base64, keys};

/// Whether a call of the API has a token (`Authorization: Bearer`).
pub(super) fn is_bearer(config: &Config, raw: &Raw) -> bool {
    sent(raw, "bearer").is_some_and(|token| is_known(config, &token))
}

/// Whether a visitor of the pages has one, as the password behind any name (`Authorization: Basic`).
pub(super) fn is_visitor(config: &Config, raw: &Raw) -> bool {
    let Some(encoded) = sent(raw, "basic") else { return false };
    let decoded = base64::decode(&encoded).and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded.as_deref().and_then(|text| text.split_once(':')).map(|(_, password)| password);
    password.is_some_and(|password| is_known(config, password))
}

/// What was sent by a scheme.
fn sent(raw: &Raw, scheme: &str) -> Option<String> {
    let header = raw.header("authorization")?;
    let (named, token) = header.split_once(' ')?;
    named.eq_ignore_ascii_case(scheme).then(|| token.trim().to_owned())
}

/// Each is compared, whichever it may be: how long that takes says nothing.
fn is_known(config: &Config, token: &str) -> bool {
    config.api_tokens.iter().fold(false, |known, one| keys::same_secret(one, token) | known)
}
