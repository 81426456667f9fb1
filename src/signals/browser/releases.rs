//! When browsers' major versions came out: how old a claimed one is, and whether it can exist yet.
//!
//! Anchors of MDN's browser-compat-data 8.1.9 (2026-11-12): between two of them versions lie evenly, which is off by at
//! most 16 days for every release up to 2026-11.

const DAY_MS: i64 = 86_400_000;

/// Weeks between two versions past the last anchor: at least that many for counting behind, so that nobody is taken for
/// late too early, and at most that many for counting ahead. Releases have been two weeks apart since 2026-09.
const SLOW_MS: i64 = 28 * DAY_MS;
const FAST_MS: i64 = 14 * DAY_MS;

/// Canaries and developers' builds, and more of a change of pace than the fast one.
const AHEAD: i64 = 6;

/// A browser's release history: ascending pairs of a version and the day it came out, in days since 1970.
pub(super) struct Releases(&'static [(i64, i64)]);

pub(super) const CHROME: Releases = Releases(&[
    (1, day(2008, 12, 11)),
    (5, day(2010, 5, 25)),
    (6, day(2010, 9, 2)),
    (36, day(2014, 7, 16)),
    (79, day(2019, 12, 10)),
    (81, day(2020, 4, 7)),
    (83, day(2020, 5, 19)),
    (84, day(2020, 7, 27)),
    (87, day(2020, 11, 17)),
    (93, day(2021, 8, 31)),
    (120, day(2023, 12, 5)),
    (127, day(2024, 7, 23)),
    (134, day(2025, 3, 4)),
    (152, day(2026, 8, 25)),
    (158, day(2026, 11, 17)),
]);

pub(super) const FIREFOX: Releases = Releases(&[
    (1, day(2004, 11, 9)),
    (3, day(2008, 6, 17)),
    (4, day(2011, 3, 22)),
    (5, day(2011, 6, 21)),
    (47, day(2016, 6, 7)),
    (69, day(2019, 9, 3)),
    (72, day(2020, 1, 7)),
    (88, day(2021, 4, 19)),
    (92, day(2021, 9, 7)),
    (155, day(2026, 9, 1)),
    (160, day(2026, 11, 10)),
]);

impl Releases {
    /// The newest major version at a time; past the last anchor at least that. `None` before the first one.
    pub(super) fn newest(&self, ts_ms: i64) -> Option<i64> {
        self.at(ts_ms, SLOW_MS)
    }

    /// Whether a major version cannot be out at a time, not even to its developers.
    pub(super) fn is_ahead(&self, major: i64, ts_ms: i64) -> bool {
        self.at(ts_ms, FAST_MS).is_some_and(|newest| major > newest.saturating_add(AHEAD))
    }

    fn at(&self, ts_ms: i64, pace_ms: i64) -> Option<i64> {
        let next = self.0.partition_point(|(_, day)| day * DAY_MS <= ts_ms);
        let &(version, day) = self.0.get(next.checked_sub(1)?)?;
        let since_ms = ts_ms - day * DAY_MS;
        let pace_ms = match self.0.get(next) {
            Some((later_version, later_day)) => (later_day - day) * DAY_MS / (later_version - version),
            None => pace_ms,
        };
        Some(version + since_ms / pace_ms)
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar from March 1970 on.
const fn day(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March end with the leap day.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let before_month = (153 * month + 2) / 5;
    365 * year + year / 4 - year / 100 + year / 400 + before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (days, y, m, d) in [
            (0, 1970, 1, 1),
            (59, 1970, 3, 1),
            (11_016, 2000, 2, 29),
            (11_017, 2000, 3, 1),
            (20_779, 2026, 11, 22),
        ] {
            assert_eq!(day(y, m, d), days, "{y}-{m}-{d}");
        }
    }

    /// Releases between the anchors, of browser-compat-data.
    #[test]
    fn the_newest_version_is_off_by_one_at_most() {
        let chrome = [
            (48, day(2016, 1, 20)),
            (57, day(2017, 3, 9)),
            (64, day(2018, 1, 23)),
            (72, day(2019, 1, 29)),
            (96, day(2021, 11, 15)),
            (97, day(2022, 1, 4)),
            (109, day(2023, 1, 10)),
            (125, day(2024, 5, 14)),
            (131, day(2024, 11, 12)),
            (141, day(2025, 9, 30)),
            (151, day(2026, 7, 28)),
            (154, day(2026, 9, 22)),
            (158, day(2026, 11, 17)),
        ];
        let firefox =
            [(60, day(2018, 5, 9)), (78, day(2020, 6, 30)), (115, day(2023, 7, 4)), (140, day(2025, 6, 24))];
        for (releases, known) in [(&CHROME, &chrome[..]), (&FIREFOX, &firefox[..])] {
            for (version, day) in known {
                let newest = releases.newest(day * DAY_MS).unwrap();
                assert!((newest - version).abs() <= 1, "{version}: {newest}");
            }
        }
    }

    #[test]
    fn past_the_last_anchor_nobody_is_late_or_early_too_soon() {
        let last = day(2026, 11, 17) * DAY_MS;
        assert_eq!(CHROME.newest(last - 1), Some(157));
        assert_eq!(CHROME.newest(last), Some(158));
        assert_eq!(CHROME.newest(last + 280 * DAY_MS), Some(168));
        assert!(!CHROME.is_ahead(158 + 20 + 6, last + 280 * DAY_MS));
        assert!(CHROME.is_ahead(158 + 20 + 7, last + 280 * DAY_MS));
    }

    #[test]
    fn no_time_is_too_far_out() {
        for ts_ms in [i64::MIN, -1, 0, i64::MAX] {
            let _ = CHROME.newest(ts_ms);
            assert_eq!(CHROME.is_ahead(i64::MAX, ts_ms), CHROME.newest(ts_ms).is_some());
        }
        assert_eq!(CHROME.newest(0), None);
    }
}
