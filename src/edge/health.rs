//! `/healthz`: `ok` and the running version, or every bad setting and binding by name.

use super::answer::{Answer, PLAIN_TEXT};
use crate::config::{BadSetting, Config};

/// What is said when all is well: which version it is shows whether a deploy has gone round.
const WELL: &str = concat!("ok ", env!("CARGO_PKG_VERSION"));

/// Says how the settings are.
pub(super) fn answer(config: &Config) -> Answer {
    if config.bad_settings.is_empty() {
        return Answer::text(200, PLAIN_TEXT, WELL.into());
    }
    Answer::text(500, PLAIN_TEXT, format!("{}\n", listed(&config.bad_settings, "\n")).into())
}

/// Bad settings in one text.
pub(super) fn listed(bad_settings: &[BadSetting], separator: &str) -> String {
    let lines: Vec<String> = bad_settings.iter().map(ToString::to_string).collect();
    lines.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn config(settings: &[(&str, String)]) -> Config {
        Config::read(settings.iter().map(|(name, value)| ((*name).to_owned(), Value::Text(value.clone()))))
    }

    #[test]
    fn all_is_well_or_what_is_bad_is_named() {
        let secrets =
            [("LINK_KEYS", format!("k:{}", "A".repeat(43))), ("API_TOKEN", "sixteen-letters!".to_owned())];
        let well = answer(&config(&secrets));
        assert_eq!((well.status, well.body.as_deref()), (200, Some(WELL.as_bytes())));
        assert!(WELL[3..].split('.').all(|part| part.parse::<u32>().is_ok()), "{WELL}");

        let bad = config(&[("COOKIE", "perhaps".to_owned()), ("PAIRS_MS", "5".to_owned())]);
        let ill = answer(&bad);
        let lines = std::str::from_utf8(ill.body.as_deref().unwrap()).unwrap();
        assert_eq!(ill.status, 500);
        let names: Vec<&str> = lines.lines().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(names, ["API_TOKEN", "COOKIE", "LINK_KEYS", "PAIRS_MS"]);
        assert!(lines.ends_with('\n') && !lines.contains("perhaps"), "a value may be a secret: {lines}");
        let joined = listed(&bad.bad_settings, "; ");
        assert!(
            joined.starts_with("API_TOKEN: ") && joined.contains("; COOKIE: must be on or off"),
            "{joined}"
        );
    }
}
