//! Times as exports write them: Unix seconds, with a fraction or without, Unix milliseconds, ISO 8601. In the years that a
//! record's time may have, no number is both seconds and milliseconds, so each says itself what it is.

use chrono::{DateTime, FixedOffset, NaiveDateTime};
use clickproof::record::moment;

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Unit {
    /// Unix milliseconds
    Ms,
    /// Unix seconds
    S,
    /// ISO 8601, such as 2026-11-22T12:00:00Z
    Iso,
}

/// What is known of how times are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// How all of them are; where nothing is said, each is looked at.
    pub(super) unit: Option<Unit>,
    /// Whose time one without a zone is.
    pub(super) zone: Option<FixedOffset>,
}

impl Clock {
    /// Reads a time, Unix milliseconds.
    ///
    /// # Errors
    /// What is wrong with it. `name` is what it is called where it comes from.
    pub(super) fn read(self, name: &str, text: &str) -> Result<i64, String> {
        let text = text.trim();
        let ms = match (self.unit, number(text)) {
            (Some(Unit::Iso), _) | (None, None) => return self.iso(name, text),
            (Some(Unit::Ms | Unit::S), None) => return Err(format!("`{name}` is `{text}`: not a number")),
            (Some(Unit::Ms), Some(number)) => number.whole,
            (Some(Unit::S), Some(number)) => number.thousandfold(),
            (None, Some(number)) => {
                let thousandfold = number.thousandfold();
                if moment::check(name, thousandfold).is_ok() { thousandfold } else { number.whole }
            }
        };
        let outside = || {
            format!(
                "`{name}` is `{text}`: neither Unix seconds nor milliseconds of the years from 2000 to 2100"
            )
        };
        match self.unit {
            None => moment::check(name, ms).map_err(|_| outside())?,
            Some(_) => moment::check(name, ms)?,
        }
        Ok(ms)
    }

    fn iso(self, name: &str, text: &str) -> Result<i64, String> {
        let text = text
            .strip_suffix(" UTC")
            .or_else(|| text.strip_suffix(" GMT"))
            .map_or_else(|| text.to_owned(), |time| format!("{}Z", time.trim_end()));
        let zoned = DateTime::parse_from_rfc3339(&text)
            .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f %z"));
        if let Ok(time) = zoned {
            let ms = time.timestamp_millis();
            return moment::check(name, ms).map(|()| ms);
        }
        let bare = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f"));
        let Ok(bare) = bare else {
            return Err(format!(
                "`{name}` is `{text}`: no time; it may be Unix seconds, Unix milliseconds or ISO 8601 such as \
                 2026-11-22T12:00:00Z"
            ));
        };
        let zone = self.zone.ok_or_else(|| {
            format!("`{name}` is `{text}`, which has no zone: say whose time it is, such as `--zone Z` or `--zone +02:00`")
        })?;
        let ms = bare.and_utc().timestamp_millis() - i64::from(zone.local_minus_utc()) * 1_000;
        moment::check(name, ms).map(|()| ms)
    }
}

/// Reads a zone: `Z`, or hours and minutes before Greenwich such as `+02:00`.
///
/// # Errors
/// What it must be.
pub(super) fn zone(text: &str) -> Result<FixedOffset, String> {
    let text = if matches!(text, "z" | "Z" | "UTC" | "utc") { "+00:00" } else { text };
    text.parse().map_err(|_| "must be Z or such as +02:00".to_owned())
}

/// A number that is not below zero.
struct Number {
    whole: i64,
    thousandths: i64,
}

impl Number {
    /// A thousand times the number, what is smaller than one left out.
    fn thousandfold(&self) -> i64 {
        self.whole.saturating_mul(1_000).saturating_add(self.thousandths)
    }
}

/// Reads digits, with a point and more digits behind them or without.
fn number(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let thousandths =
        fraction.bytes().chain(*b"00").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    // What has too many digits is out of every range.
    Some(Number { whole: whole.parse().unwrap_or(i64::MAX), thousandths })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_795_348_800_000;

    #[test]
    fn each_way_of_writing_noon_is_read() {
        for text in [
            "1795348800",
            "1795348800000",
            "1795348800.000",
            "1795348800.0",
            " 1795348800 ",
            "2026-11-22T12:00:00Z",
            "2026-11-22T12:00:00.0000000Z",
            "2026-11-22T07:00:00-05:00",
            "2026-11-22T14:00:00+0200",
            "2026-11-22 12:00:00 UTC",
            "2026-11-22 13:00:00 +0100",
            "2026-11-22 12:00:00.000+00:00",
        ] {
            assert_eq!(Clock::default().read("t", text), Ok(NOON_MS), "{text}");
        }
        for (text, more) in
            [("1795348800.123456", 123), ("1795348800.5", 500), ("2026-11-22T12:00:00.9065619Z", 906)]
        {
            assert_eq!(Clock::default().read("t", text), Ok(NOON_MS + more), "{text}");
        }
    }

    #[test]
    fn what_may_be_two_times_is_refused() {
        let bare = "2026-11-22 14:00:00";
        assert!(Clock::default().read("time", bare).unwrap_err().contains("has no zone"));
        let clock = Clock { zone: Some(zone("+02:00").unwrap()), ..Clock::default() };
        assert_eq!(clock.read("time", bare), Ok(NOON_MS));
        for text in [
            "11/22/2026 12:00",
            "22.11.2026",
            "noon",
            "",
            "1.79535E+09",
            "-1",
            "17953488",
            "1795348800000000",
        ] {
            let said = Clock::default().read("time", text).unwrap_err();
            assert!(said.starts_with(&format!("`time` is `{text}`")), "{said}");
        }
    }

    #[test]
    fn a_unit_that_is_said_holds() {
        let clock = |unit| Clock { unit: Some(unit), zone: None };
        assert_eq!(clock(Unit::Ms).read("t", "1795348800000"), Ok(NOON_MS));
        assert!(clock(Unit::Ms).read("t", "1795348800").unwrap_err().contains("looks like seconds"));
        assert_eq!(clock(Unit::S).read("t", "1795348800"), Ok(NOON_MS));
        assert!(clock(Unit::S).read("t", "1795348800000").is_err());
        assert_eq!(clock(Unit::Iso).read("t", "2026-11-22T12:00:00Z"), Ok(NOON_MS));
        assert!(clock(Unit::Iso).read("t", "1795348800").is_err());
    }
}
