//! The windows and counts of the rules: one table of settings, read by the Worker's configuration and by the CLI.

/// The windows and counts that the rules use. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// A Safe Links referer sooner than this after the send is the check at delivery.
    pub safelinks_delivery_ms: i64,
    /// Two neighbouring clicks of one recipient on one link at most this far apart are a pair.
    pub pair_ms: i64,
    /// The sandbox works before this much time has passed since the send.
    pub sandbox_ms: i64,
    /// So many clicks of one recipient inside [`Self::sandbox_ms`] are a sandbox.
    pub sandbox_clicks: i64,
    /// A campaign burst lasts at most this long, first to last.
    pub campaign_ms: i64,
    /// So many distinct recipients of one URL inside [`Self::campaign_ms`] are a burst.
    pub campaign_recipients: i64,
    /// An investigation comes later than this after the send.
    pub late_ms: i64,
}

/// One threshold as a setting.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its name in `[vars]`; the CLI's flag is the same in kebab case.
    pub name: &'static str,
    /// What it does, in a line.
    pub words: &'static str,
    /// The published table's value.
    pub default: i64,
    /// The smallest value that makes sense.
    pub min: i64,
    /// The largest: windows are kept in memory while they are open.
    pub max: i64,
    /// Where the value lives.
    pub slot: fn(&mut Thresholds) -> &mut i64,
}

/// The longest window, so that an object's memory stays bounded: one hour.
const MAX_WINDOW_MS: i64 = 3_600_000;

/// Every threshold, in the order of the contract's §7.
pub const SETTINGS: [Setting; 7] = [
    Setting {
        name: "SAFELINKS_DELIVERY_MS",
        words: "a Safe Links referer sooner than this after the send is the check at delivery",
        default: 5_000,
        min: 0,
        max: MAX_WINDOW_MS,
        slot: |t| &mut t.safelinks_delivery_ms,
    },
    Setting {
        name: "PAIR_MS",
        words: "neighbouring clicks on one link at most this far apart are a pair",
        default: 500,
        min: 0,
        max: 60_000,
        slot: |t| &mut t.pair_ms,
    },
    Setting {
        name: "SANDBOX_MS",
        words: "the sandbox works before this much time has passed since the send",
        default: 60_000,
        min: 0,
        max: MAX_WINDOW_MS,
        slot: |t| &mut t.sandbox_ms,
    },
    Setting {
        name: "SANDBOX_CLICKS",
        words: "so many clicks of one recipient inside SANDBOX_MS are a sandbox",
        default: 5,
        min: 1,
        max: 10_000,
        slot: |t| &mut t.sandbox_clicks,
    },
    Setting {
        name: "CAMPAIGN_MS",
        words: "a campaign burst lasts at most this long, first to last",
        default: 60_000,
        min: 0,
        max: MAX_WINDOW_MS,
        slot: |t| &mut t.campaign_ms,
    },
    Setting {
        name: "CAMPAIGN_RECIPIENTS",
        words: "so many distinct recipients of one URL inside CAMPAIGN_MS are a burst",
        default: 30,
        min: 1,
        max: 1_000_000,
        slot: |t| &mut t.campaign_recipients,
    },
    Setting {
        name: "LATE_MS",
        words: "an investigation comes later than this after the send",
        default: 3_600_000,
        min: 0,
        max: 31_536_000_000,
        slot: |t| &mut t.late_ms,
    },
];

impl Default for Thresholds {
    fn default() -> Self {
        let mut thresholds = Self {
            safelinks_delivery_ms: 0,
            pair_ms: 0,
            sandbox_ms: 0,
            sandbox_clicks: 0,
            campaign_ms: 0,
            campaign_recipients: 0,
            late_ms: 0,
        };
        for setting in SETTINGS {
            *(setting.slot)(&mut thresholds) = setting.default;
        }
        thresholds
    }
}

impl Setting {
    /// Puts `value` in its place.
    ///
    /// # Errors
    /// A message with the bounds, when the value lies outside them.
    pub fn set(&self, thresholds: &mut Thresholds, value: i64) -> Result<(), String> {
        if (self.min..=self.max).contains(&value) {
            *(self.slot)(thresholds) = value;
            Ok(())
        } else {
            Err(format!("must be a whole number from {} to {}", self.min, self.max))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_published_tables() {
        let expected = Thresholds {
            safelinks_delivery_ms: 5_000,
            pair_ms: 500,
            sandbox_ms: 60_000,
            sandbox_clicks: 5,
            campaign_ms: 60_000,
            campaign_recipients: 30,
            late_ms: 3_600_000,
        };
        assert_eq!(Thresholds::default(), expected);
    }

    #[test]
    fn each_setting_writes_its_own_slot_and_keeps_its_bounds() {
        for setting in SETTINGS {
            let mut thresholds = Thresholds::default();
            assert!(setting.set(&mut thresholds, setting.max).is_ok(), "{}", setting.name);
            assert!(setting.set(&mut thresholds, setting.max + 1).is_err(), "{}", setting.name);
            assert!(setting.set(&mut thresholds, setting.min - 1).is_err(), "{}", setting.name);
            for other in SETTINGS {
                let expected = if other.name == setting.name { setting.max } else { other.default };
                assert_eq!(*(other.slot)(&mut thresholds), expected, "{} {}", setting.name, other.name);
            }
        }
    }
}
