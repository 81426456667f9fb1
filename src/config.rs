//! The settings (contract §7), read without a runtime: names and values come in, what is bad is named and replaced by
//! its default. A bad setting never stops a redirect.

use crate::event::sink::{Sink, Types, http};
use crate::link::keys::Keyring;
use crate::link::{base64, url};
use crate::signals::privacy::Privacy;
use crate::verdict::Judging;
use crate::verdict::thresholds::SETTINGS;
use crate::verdict::{Ruleset, Thresholds};

/// How long after a click its windows close, where `SETTLE_MS` does not say otherwise, milliseconds.
const SETTLE_MS: i64 = 60_000;

/// The longest time to settle: an hour. Clicks stay in memory until then.
const MAX_SETTLE_MS: i64 = 3_600_000;

/// How long after its last click a message is kept, where `RETENTION_DAYS` does not say otherwise, days.
const RETENTION_DAYS: i64 = 90;

/// The longest that a message is kept, days: a hundred years.
const MAX_RETENTION_DAYS: i64 = 36_500;

/// A day, milliseconds.
const DAY_MS: i64 = 86_400_000;

/// The shortest API token, characters: a shorter one is guessed.
const MIN_TOKEN: usize = 16;

/// The longest name of a URL parameter, characters.
const MAX_PARAM: usize = 32;

/// The longest name of a brand, characters.
const MAX_BRAND: usize = 80;

/// The longest e-mail address, characters (RFC 5321 §4.5.3.1.3).
const MAX_ADDRESS: usize = 254;

/// How many bytes a webhook's secret may have (Standard Webhooks 1.0.0: 24 to 64).
const WEBHOOK_SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The value of a variable as the runtime gives it: numbers from `wrangler.toml` are numbers, what stands in
/// `.dev.vars` is text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// Something that no setting takes: true, false, null or a list.
    Other,
    /// An object, as bindings are.
    Binding,
}

/// A bad setting or binding, and what to do about it. It never holds the value: that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The setting or binding.
    pub name: String,
    /// What it must be.
    pub words: String,
}

impl std::fmt::Display for BadSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.words)
    }
}

/// The `SameSite` attribute of the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with top-level navigation, and with everything on the same site.
    Lax,
    /// Sent only from the same site.
    Strict,
    /// Sent from everywhere.
    None,
}

impl SameSite {
    /// The attribute's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// The settings in force.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting that is on or off")]
pub struct Config {
    /// What minted links begin with, without a final slash; else the request's own origin.
    pub public_url: Option<String>,
    /// What minted open pixels begin with, likewise; else what links begin with.
    pub pixel_url: Option<String>,
    /// The one host that answers `/v1`, in lower case.
    pub api_host: Option<String>,
    /// Where `/` leads.
    pub home_url: Option<String>,
    /// Who is told of abuse, as a URI: `mailto:` or `https:`.
    pub abuse_contact: Option<String>,
    /// How messages are judged.
    pub judging: Judging,
    /// How long after its last click a message is kept, and how old what is kept of one that never ends may be, milliseconds.
    pub retention_ms: i64,
    /// How much of a request is kept.
    pub privacy: Privacy,
    /// Whether clicks set the cookie.
    pub cookie: bool,
    /// Its `SameSite`.
    pub same_site: SameSite,
    /// The parameter by which landing pages on another site learn which click led to them.
    pub click_ref_param: Option<String>,
    /// Who asks on the pages of links that act.
    pub brand_name: Option<String>,
    /// The colour of their button: red, green, blue.
    pub brand_color: Option<[u8; 3]>,
    /// Who is told that somebody acted.
    pub unsubscribe_webhook_url: Option<String>,
    /// Who is told of verdicts.
    pub events_webhook_url: Option<String>,
    /// Of which.
    pub events_webhook_types: Types,
    /// Who is posted whole packs, with `{key}` for their keys.
    pub events_http_url: Option<String>,
    /// The headers of that, with `{key}`, too.
    pub events_http_headers: Vec<(String, String)>,
    /// Who is told what an operator should look at.
    pub alert_webhook_url: Option<String>,
    /// The sinks that have a part of the environment's bindings or of these settings, and all that they need.
    pub sinks: Vec<Sink>,
    /// What webhooks are signed with.
    pub webhook_secret: Option<Vec<u8>>,
    /// Whether each request has its line in the log; else only what no object took, and errors.
    pub logs_requests: bool,
    /// Whether `/demo` is answered, on this machine alone.
    pub demo: bool,
    /// The signing keys; without them no link can be opened.
    pub keys: Option<Keyring>,
    /// What `/v1` and `/report` ask for, any of them; without one everything is refused.
    pub api_tokens: Vec<String>,
    /// Whether `/report` is answered.
    pub report: bool,
    /// Everything that is bad, by name.
    pub bad_settings: Vec<BadSetting>,
}

impl Config {
    /// Reads the variables and secrets of an environment. Bindings are not among them.
    #[must_use]
    pub fn read(variables: impl IntoIterator<Item = (String, Value)>) -> Self {
        let judging = Judging {
            ruleset: Ruleset::Full,
            shadow: None,
            thresholds: Thresholds::default(),
            settle_ms: SETTLE_MS,
        };
        let mut config = Self {
            public_url: None,
            pixel_url: None,
            api_host: None,
            home_url: None,
            abuse_contact: None,
            judging,
            retention_ms: RETENTION_DAYS * DAY_MS,
            privacy: Privacy::Full,
            cookie: true,
            same_site: SameSite::Lax,
            click_ref_param: None,
            brand_name: None,
            brand_color: None,
            unsubscribe_webhook_url: None,
            events_webhook_url: None,
            events_webhook_types: Types::default(),
            events_http_url: None,
            events_http_headers: Vec::new(),
            alert_webhook_url: None,
            sinks: Vec::new(),
            webhook_secret: None,
            logs_requests: true,
            demo: false,
            keys: None,
            api_tokens: Vec::new(),
            report: true,
            bad_settings: Vec::new(),
        };
        let mut keys_named = false;
        for (name, value) in variables {
            // Empty is the same as absent, so that a setting can be switched off where it stands.
            if value == Value::Text(String::new()) {
                continue;
            }
            keys_named |= name == "LINK_KEYS";
            if let Err(words) = config.set(&name, &value) {
                config.refuse(&name, &words);
            }
        }
        if !keys_named {
            config.refuse(
                "LINK_KEYS",
                "missing; without keys no link can be opened: kid:base64 of 32 bytes or more",
            );
        }
        let is_named = |name| config.bad_settings.iter().any(|bad: &BadSetting| bad.name == name);
        if config.api_tokens.is_empty() && !is_named("API_TOKEN") {
            config.refuse("API_TOKEN", "missing; the API refuses everything without it");
        }
        if config.judging.shadow == Some(config.judging.ruleset) {
            config.judging.shadow = None;
            config.refuse(
                "SHADOW_RULESET",
                "is the ruleset that judges anyway; name the other one or remove it",
            );
        }
        config.check_sinks();
        config
    }

    /// Says which sinks are fed, and what those lack that are not.
    fn check_sinks(&mut self) {
        let webhooks = [
            ("UNSUBSCRIBE_WEBHOOK_URL", self.unsubscribe_webhook_url.is_some()),
            ("EVENTS_WEBHOOK_URL", self.events_webhook_url.is_some()),
            ("ALERT_WEBHOOK_URL", self.alert_webhook_url.is_some()),
        ];
        let is_named = self.bad_settings.iter().any(|bad| bad.name == "WEBHOOK_SECRET");
        if let Some((name, _)) = webhooks.into_iter().find(|(_, is_set)| *is_set)
            && self.webhook_secret.is_none()
            && !is_named
        {
            self.refuse("WEBHOOK_SECRET", &format!("missing; {name} is told nothing without it"));
        }
        if !self.events_http_headers.is_empty() && self.events_http_url.is_none() {
            self.refuse("EVENTS_HTTP_HEADERS", "stands alone; set EVENTS_HTTP_URL, or remove it");
        }
        // A request without the headers that it was to have would be refused, or worse.
        let is_bad = |name| self.bad_settings.iter().any(|bad| bad.name == name);
        let signs = self.webhook_secret.is_some();
        let fed = [
            (Sink::Webhook, signs && self.events_webhook_url.is_some()),
            (Sink::Http, self.events_http_url.is_some() && !is_bad("EVENTS_HTTP_HEADERS")),
            (Sink::Alerts, signs && self.alert_webhook_url.is_some()),
        ];
        self.sinks.extend(fed.into_iter().filter(|(_, is_fed)| *is_fed).map(|(sink, _)| sink));
    }

    fn refuse(&mut self, name: &str, words: &str) {
        let place = self.bad_settings.partition_point(|bad| bad.name.as_str() <= name);
        self.bad_settings.insert(place, BadSetting { name: name.to_owned(), words: words.to_owned() });
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) {
            let number = whole(value).unwrap_or(i64::MIN);
            return setting
                .set(&mut self.judging.thresholds, number)
                .map_err(|bounds| format!("{bounds}; {} holds", setting.default));
        }
        match name {
            "PUBLIC_URL" => self.public_url = Some(base_url(text(value)?)?),
            "PIXEL_URL" => self.pixel_url = Some(base_url(text(value)?)?),
            "API_HOST" => self.api_host = Some(host_name(text(value)?)?),
            "HOME_URL" | "UNSUBSCRIBE_WEBHOOK_URL" | "EVENTS_WEBHOOK_URL" | "ALERT_WEBHOOK_URL" => {
                let url = page_url(text(value)?)?;
                let place = match name {
                    "HOME_URL" => &mut self.home_url,
                    "UNSUBSCRIBE_WEBHOOK_URL" => &mut self.unsubscribe_webhook_url,
                    "EVENTS_WEBHOOK_URL" => &mut self.events_webhook_url,
                    _ => &mut self.alert_webhook_url,
                };
                *place = Some(url);
            }
            "ABUSE_CONTACT" => self.abuse_contact = Some(contact(text(value)?)?),
            "RULESET" => {
                self.judging.ruleset = Ruleset::named(text(value)?)
                    .ok_or_else(|| format!("must be one of {}; full holds", Ruleset::NAMES.join(", ")))?;
            }
            "SHADOW_RULESET" => {
                self.judging.shadow = Some(Ruleset::named(text(value)?).ok_or_else(|| {
                    format!("must be one of {}; no shadow judges", Ruleset::NAMES.join(", "))
                })?);
            }
            "SETTLE_MS" => {
                self.judging.settle_ms =
                    whole(value).filter(|ms| (0..=MAX_SETTLE_MS).contains(ms)).ok_or_else(|| {
                        format!("must be a whole number from 0 to {MAX_SETTLE_MS}; {SETTLE_MS} holds")
                    })?;
            }
            "RETENTION_DAYS" => {
                self.retention_ms = days_ms(value).ok_or_else(|| {
                    format!("must be a number of days above 0, at most {MAX_RETENTION_DAYS}; {RETENTION_DAYS} holds")
                })?;
            }
            "PRIVACY" => {
                let privacy = text(value).ok().and_then(Privacy::named);
                self.privacy = privacy.ok_or("must be full, truncated or verdict; full holds")?;
            }
            "COOKIE" => self.cookie = switch(value).ok_or("must be on or off; on holds")?,
            "LOG" => {
                let log = text(value).ok().filter(|log| ["all", "loss"].contains(log));
                self.logs_requests = log.ok_or("must be all or loss; all holds")? == "all";
            }
            "DEMO" => self.demo = switch(value).ok_or("must be on or off; off holds")?,
            "CLICK_REF_PARAM" => self.click_ref_param = Some(parameter(text(value)?)?),
            "BRAND_NAME" => self.brand_name = Some(brand(text(value)?)?),
            "BRAND_COLOR" => {
                self.brand_color = Some(color(text(value)?).ok_or("must be a colour such as #1a73e8")?);
            }
            "EVENTS_WEBHOOK_TYPES" => self.events_webhook_types = Types::parse(text(value)?)?,
            "EVENTS_HTTP_URL" => {
                let url = text(value)?;
                page_url(&http::filled(url, "key"))?;
                self.events_http_url = Some(url.to_owned());
            }
            "EVENTS_HTTP_HEADERS" => self.events_http_headers = http::headers(text(value)?)?,
            "WEBHOOK_SECRET" => {
                let text = text(value)?;
                let secret = base64::decode(text.strip_prefix("whsec_").unwrap_or(text));
                let fits = |secret: &Vec<u8>| WEBHOOK_SECRET_BYTES.contains(&secret.len());
                self.webhook_secret =
                    Some(secret.filter(fits).ok_or("must be whsec_ and the base64 of 24 to 64 bytes")?);
            }
            "COOKIE_SAMESITE" => {
                let wanted = text(value)?;
                self.same_site = [SameSite::Lax, SameSite::Strict, SameSite::None]
                    .into_iter()
                    .find(|same_site| same_site.name().eq_ignore_ascii_case(wanted))
                    .ok_or("must be Lax, Strict or None; Lax holds")?;
            }
            "LINK_KEYS" => {
                let (keys, problems) = Keyring::parse(text(value)?);
                self.keys = keys;
                if !problems.is_empty() {
                    return Err(problems.join("; "));
                }
            }
            "API_TOKEN" => {
                let tokens: Vec<&str> = text(value)?.split(',').map(str::trim).collect();
                if tokens.iter().any(|token| token.len() < MIN_TOKEN) {
                    return Err(format!(
                        "each token must have at least {MIN_TOKEN} characters; several stand behind commas"
                    ));
                }
                self.api_tokens = tokens.into_iter().map(str::to_owned).collect();
            }
            "REPORT" => self.report = switch(value).ok_or("must be on or off; on holds")?,
            // A binding is an object; which of them must be there is the shell's to say.
            _ if *value == Value::Binding => {}
            _ => return Err("no such setting; remove it, or mend its name".to_owned()),
        }
        Ok(())
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err("must be a string".to_owned()),
    }
}

/// `on` or `off`.
fn switch(value: &Value) -> Option<bool> {
    match text(value) {
        Ok("on") => Some(true),
        Ok("off") => Some(false),
        _ => None,
    }
}

/// The name of a URL parameter: it stands in URLs as it is.
fn parameter(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    if (1..=MAX_PARAM).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {MAX_PARAM} of A-Z a-z 0-9 _ . ~ -"))
    }
}

/// A URL as links may have it.
fn page_url(text: &str) -> Result<String, String> {
    let target = url::Target::parse(text).map_err(|error| error.to_string())?;
    Ok(target.as_str().to_owned())
}

/// The name of a brand.
fn brand(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_BRAND || name.contains(char::is_control) {
        return Err(format!("must be 1 to {MAX_BRAND} characters on one line"));
    }
    Ok(name.to_owned())
}

/// Who is told: an e-mail address or a page, as the URI that RFC 9116 §2.5.3 wants.
fn contact(text: &str) -> Result<String, String> {
    const WANTED: &str =
        "must be an e-mail address or a page, such as abuse@brand.example or https://brand.example/abuse";
    if text.starts_with("https://") {
        return page_url(text);
    }
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let (user, host) = address.split_once('@').ok_or(WANTED)?;
    let is_address = [user, host].iter().all(|part| !part.is_empty() && part.bytes().all(fits));
    if is_address && address.len() <= MAX_ADDRESS && host_name(host).is_ok() {
        Ok(format!("mailto:{address}"))
    } else {
        Err(WANTED.to_owned())
    }
}

/// `#rrggbb`.
fn color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

/// A whole number, as a number or in digits.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Text(digits) => digits.trim().parse().ok(),
        // Nothing takes more than JavaScript's safe integers.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
        Value::Number(number) => {
            (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(*number as i64)
        }
        Value::Other | Value::Binding => None,
    }
}

/// Days, which need not be whole, as milliseconds. In digits they are read as two whole numbers: to parse a fraction would be ten
/// kilobytes of wasm.
fn days_ms(value: &Value) -> Option<i64> {
    let ms = match value {
        #[expect(clippy::cast_possible_truncation, reason = "what is out of bounds stays so")]
        Value::Number(days) => (days * 86_400_000.0) as i64,
        Value::Text(digits) => {
            let (days, part) = digits.trim().split_once('.').unwrap_or((digits.trim(), "0"));
            let number =
                |digits: &str| digits.parse::<u32>().ok().map(i64::from).filter(|_| !digits.starts_with('+'));
            let scale = 10_i64.pow(u32::try_from(part.len()).ok().filter(|length| *length <= 9)?);
            number(days)? * DAY_MS + number(part)? * DAY_MS / scale
        }
        Value::Other | Value::Binding => return None,
    };
    (1..=MAX_RETENTION_DAYS * DAY_MS).contains(&ms).then_some(ms)
}

/// What links begin with: scheme and host, without a final slash.
///
/// # Errors
/// What it must be.
pub fn base_url(text: &str) -> Result<String, String> {
    let target = url::Target::parse(text).map_err(|error| error.to_string())?;
    let base = target.as_str().trim_end_matches('/');
    // Links are answered at the root: below a path they would be dead in the mail.
    if base.matches('/').count() > 2 || base.contains(['?', '#']) {
        return Err("must be scheme and host alone, such as https://click.brand.example".to_owned());
    }
    Ok(base.to_owned())
}

fn host_name(text: &str) -> Result<String, String> {
    let whole = format!("https://{text}/");
    match url::host(&whole) {
        Some(host) if host.eq_ignore_ascii_case(text) => Ok(host.into_owned()),
        _ => Err("must be a host name alone, such as api.brand.example".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, Value)]) -> Config {
        let key = format!("k:{}", "A".repeat(43));
        let secrets =
            [("LINK_KEYS", Value::Text(key)), ("API_TOKEN", Value::Text("sixteen-letters!".into()))];
        Config::read(secrets.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), value.clone())))
    }

    fn names(config: &Config) -> Vec<&str> {
        config.bad_settings.iter().map(|bad| bad.name.as_str()).collect()
    }

    fn word(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn the_defaults_hold_without_settings() {
        let config = read(&[]);
        assert_eq!(config.bad_settings, []);
        assert_eq!(config.judging.thresholds, Thresholds::default());
        assert_eq!((config.judging.ruleset, config.judging.settle_ms), (Ruleset::Full, 60_000));
        assert!(config.cookie && config.same_site == SameSite::Lax && config.keys.is_some());
        assert!(config.logs_requests);
    }

    #[test]
    fn days_need_not_be_whole() {
        assert_eq!(read(&[]).retention_ms, 90 * DAY_MS);
        for (value, ms) in [
            (Value::Number(30.0), 30 * DAY_MS),
            (Value::Number(0.5), DAY_MS / 2),
            (word(" 30 "), 30 * DAY_MS),
            (word("1.5"), 3 * DAY_MS / 2),
            (word("0.0001"), 8_640),
            (word("36500"), 36_500 * DAY_MS),
        ] {
            let config = read(&[("RETENTION_DAYS", value.clone())]);
            assert_eq!((config.bad_settings.len(), config.retention_ms), (0, ms), "{value:?}");
        }
        for value in ["0", "-1", "+1", "1.", ".5", "1.+5", "1e3", "forever", "36500.1", "0.0000000001"] {
            let config = read(&[("RETENTION_DAYS", word(value))]);
            assert_eq!(
                (names(&config), config.retention_ms),
                (vec!["RETENTION_DAYS"], 90 * DAY_MS),
                "{value}"
            );
        }
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                names(&read(&[("RETENTION_DAYS", Value::Number(value))])),
                ["RETENTION_DAYS"],
                "{value}"
            );
        }
    }

    #[test]
    fn every_good_setting_is_obeyed_as_number_or_text() {
        for number in [Value::Number(700.0), word("700"), word(" 700 ")] {
            let config = read(&[("PAIR_MS", number.clone()), ("SETTLE_MS", number)]);
            assert_eq!(config.bad_settings, []);
            assert_eq!((config.judging.thresholds.pair_ms, config.judging.settle_ms), (700, 700));
        }
        let config = read(&[
            ("RULESET", word("defender")),
            ("SHADOW_RULESET", word("full")),
            ("COOKIE", word("off")),
            ("COOKIE_SAMESITE", word("none")),
            ("PUBLIC_URL", word("https://click.brand.example/")),
            ("PIXEL_URL", word("https://img.brand.example/")),
            ("API_HOST", word("API.brand.example")),
            ("HOME_URL", word("https://brand.example/home")),
            ("ABUSE_CONTACT", word("abuse@brand.example")),
            ("CLICK_REF_PARAM", word("cp_ref")),
            ("BRAND_NAME", word(" Käse & Co ")),
            ("BRAND_COLOR", word("#1A73e8")),
            ("UNSUBSCRIBE_WEBHOOK_URL", word("https://hooks.brand.example/in?x=1")),
            ("WEBHOOK_SECRET", word("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
            ("EVENTS_WEBHOOK_URL", word("https://hooks.brand.example/events")),
            ("EVENTS_WEBHOOK_TYPES", word("human, scanner_sweep")),
            ("EVENTS_HTTP_URL", word("https://in.brand.example/?token={key}")),
            ("EVENTS_HTTP_HEADERS", word("X-Key: {key}")),
            ("ALERT_WEBHOOK_URL", word("https://hooks.brand.example/alerts")),
            ("LOG", word("loss")),
            ("DEMO", word("on")),
        ]);
        assert_eq!(config.bad_settings, []);
        assert_eq!(config.sinks, [Sink::Webhook, Sink::Http, Sink::Alerts]);
        assert_eq!(config.events_http_url.as_deref(), Some("https://in.brand.example/?token={key}"));
        assert_eq!(config.events_http_headers, [("X-Key".to_owned(), "{key}".to_owned())]);
        assert_eq!(Ok(config.events_webhook_types), Types::parse("human,scanner_sweep"));
        assert_eq!(config.home_url.as_deref(), Some("https://brand.example/home"));
        assert_eq!(config.abuse_contact.as_deref(), Some("mailto:abuse@brand.example"));
        assert_eq!(config.click_ref_param.as_deref(), Some("cp_ref"));
        assert_eq!(config.brand_name.as_deref(), Some("Käse & Co"));
        assert_eq!(config.brand_color, Some([0x1a, 0x73, 0xe8]));
        assert_eq!(config.unsubscribe_webhook_url.as_deref(), Some("https://hooks.brand.example/in?x=1"));
        assert_eq!(config.webhook_secret, Some(vec![0; 24]));
        assert!(config.demo && !config.logs_requests);
        assert!(read(&[("LOG", word("all"))]).logs_requests);
        assert_eq!((config.judging.ruleset, config.judging.shadow), (Ruleset::Defender, Some(Ruleset::Full)));
        assert!(!config.cookie && config.same_site == SameSite::None);
        assert_eq!(config.public_url.as_deref(), Some("https://click.brand.example"));
        assert_eq!(config.pixel_url.as_deref(), Some("https://img.brand.example"));
        assert_eq!(config.api_host.as_deref(), Some("api.brand.example"));
    }

    #[test]
    fn every_typo_is_named_and_its_default_holds() {
        let mut typos = vec![
            ("PUBLIC_URL", word("click.brand.example")),
            ("PIXEL_URL", word("https://img.brand.example/o")),
            ("API_HOST", word("https://api.brand.example/")),
            ("HOME_URL", word("brand.example")),
            ("ABUSE_CONTACT", word("brand.example")),
            ("RULESET", word("defnder")),
            ("SHADOW_RULESET", word("none")),
            ("SETTLE_MS", word("6OOOO")),
            ("COOKIE", word("yes")),
            ("COOKIE_SAMESITE", word("Loose")),
            ("PAIR_SM", Value::Number(500.0)),
            ("SETTLE", Value::Other),
            ("LOG", word("ALL")),
            ("DEMO", word("yes")),
            ("CLICK_REF_PARAM", word("a b")),
            ("BRAND_NAME", word("two\nlines")),
            ("BRAND_COLOR", word("#+12345")),
            ("UNSUBSCRIBE_WEBHOOK_URL", word("hooks.brand.example")),
            ("EVENTS_WEBHOOK_URL", word("hooks.brand.example")),
            ("EVENTS_WEBHOOK_TYPES", word("humans")),
            ("EVENTS_HTTP_URL", word("{key}")),
            ("EVENTS_HTTP_HEADERS", word("X Y: z")),
            ("ALERT_WEBHOOK_URL", word("//hooks.brand.example/")),
            ("WEBHOOK_SECRET", word("whsec_short")),
        ];
        typos.extend(SETTINGS.iter().map(|setting| (setting.name, word("1e3"))));
        let config = read(&typos);
        let mut expected: Vec<&str> = typos.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(names(&config), expected);
        assert_eq!(config.judging.thresholds, Thresholds::default());
        assert_eq!((config.judging.ruleset, config.judging.settle_ms), (Ruleset::Full, 60_000));
        assert!(config.cookie && config.same_site == SameSite::Lax && config.public_url.is_none());
        assert!(config.logs_requests);
    }

    #[test]
    fn a_shadow_is_another_ruleset() {
        for (active, shadow) in [(None, "full"), (Some("full"), "full"), (Some("defender"), "defender")] {
            let active = active.map(|active| ("RULESET", word(active)));
            let settings: Vec<_> = [("SHADOW_RULESET", word(shadow))].into_iter().chain(active).collect();
            let config = read(&settings);
            assert_eq!(names(&config), ["SHADOW_RULESET"]);
            assert_eq!(config.judging.shadow, None);
        }
        assert_eq!(read(&[("SHADOW_RULESET", word("defender"))]).judging.shadow, Some(Ruleset::Defender));
    }

    #[test]
    fn odd_numbers_are_typos() {
        for odd in [
            Value::Number(0.5),
            Value::Number(-1.0),
            Value::Number(1e300),
            Value::Number(f64::NAN),
            Value::Other,
        ] {
            assert_eq!(names(&read(&[("PAIR_MS", odd.clone())])), ["PAIR_MS"], "{odd:?}");
        }
    }

    #[test]
    fn a_webhook_needs_its_secret() {
        let url = ("EVENTS_WEBHOOK_URL", word("https://hooks.brand.example/"));
        let without = read(std::slice::from_ref(&url));
        assert_eq!(names(&without), ["WEBHOOK_SECRET"]);
        assert_eq!(without.sinks, [], "it is not fed what it cannot be told");
        let named_once = read(&[url, ("WEBHOOK_SECRET", word("whsec_short"))]);
        assert_eq!(names(&named_once), ["WEBHOOK_SECRET"]);
        assert!(named_once.bad_settings.iter().all(|bad| !bad.words.contains("short")));
    }

    #[test]
    fn a_collector_is_not_fed_without_the_headers_that_it_was_to_have() {
        let url = ("EVENTS_HTTP_URL", word("https://in.brand.example/"));
        assert_eq!(read(std::slice::from_ref(&url)).sinks, [Sink::Http]);
        let headers = ("EVENTS_HTTP_HEADERS", word("secretish"));
        let bad = read(&[url, headers]);
        assert_eq!((names(&bad), bad.sinks.len()), (vec!["EVENTS_HTTP_HEADERS"], 0));
        assert!(bad.bad_settings.iter().all(|bad| !bad.words.contains("secretish")));
        assert_eq!(names(&read(&[("EVENTS_HTTP_HEADERS", word("X: y"))])), ["EVENTS_HTTP_HEADERS"]);
    }

    #[test]
    fn secrets_are_missed_by_name_and_never_shown() {
        let config = Config::read([]);
        assert_eq!(names(&config), ["API_TOKEN", "LINK_KEYS"]);
        let config = Config::read([
            ("LINK_KEYS".to_owned(), word("k:secretish,k2")),
            ("API_TOKEN".to_owned(), word("")),
        ]);
        assert_eq!(names(&config), ["API_TOKEN", "LINK_KEYS"]);
        assert!(config.keys.is_none());
        assert!(config.bad_settings.iter().all(|bad| !bad.words.contains("secretish")));
    }

    #[test]
    fn a_base_is_scheme_and_host_alone() {
        assert_eq!(base_url("http://127.0.0.1:8787"), Ok("http://127.0.0.1:8787".to_owned()));
        for bad in ["https://x.example/t", "https://x.example/?q", "https://x.example#f", "x.example"] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_is_told_of_abuse_is_an_address_or_a_page() {
        for (text, uri) in [
            ("a.b+c@brand.example", "mailto:a.b+c@brand.example"),
            ("mailto:abuse@brand.example", "mailto:abuse@brand.example"),
            ("https://brand.example/abuse?x=1", "https://brand.example/abuse?x=1"),
        ] {
            assert_eq!(contact(text).as_deref(), Ok(uri));
        }
        let long = format!("{}@brand.example", "a".repeat(241));
        for bad in [
            "abuse",
            "@brand.example",
            "abuse@",
            "a b@brand.example",
            "Abuse <abuse@brand.example>",
            "a@b@brand.example",
            "abuse@brand.example\nContact: x",
            "http://brand.example/abuse",
            "https://",
            "tel:+1-201-555-0123",
            &long,
        ] {
            let config = read(&[("ABUSE_CONTACT", word(bad))]);
            assert_eq!(names(&config), ["ABUSE_CONTACT"], "{bad}");
            assert_eq!(config.abuse_contact, None, "{bad}");
        }
    }

    #[test]
    fn bindings_are_no_settings() {
        assert_eq!(read(&[("MESSAGES", Value::Binding)]).bad_settings, []);
        assert_eq!(names(&read(&[("PAIR_MS", Value::Binding)])), ["PAIR_MS"]);
    }

    #[test]
    fn empty_is_absent() {
        assert_eq!(read(&[("SHADOW_RULESET", word("")), ("PAIR_MS", word(""))]).bad_settings, []);
    }
}
