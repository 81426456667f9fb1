//! When browsers' major versions came out, and until when their makers kept the old ones up: how old a claimed one is, and
//! whether it can exist yet.
//!
//! Anchors of MDN's browser-compat-data 8.1.9 (2026-11-12): between two of them versions lie evenly, which is off by at
//! most 16 days for every release up to 2026-11.

use super::family::Family;

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

/// Firefox's lines of long support: the major version, the day it came out and the day of its last release, which is that
/// of the next line's third. BCD as above; the ends are those of endoflife.date (2026-10-20), the last one of the same rule.
const LONG_SUPPORT: [(u16, i64, i64); 4] = [
    (115, day(2023, 7, 4), day(2024, 10, 1)),
    (128, day(2024, 7, 9), day(2025, 9, 16)),
    (140, day(2025, 6, 24), day(2026, 10, 13)),
    (153, day(2026, 7, 21), day(2027, 10, 12)),
];

/// Until when Firefox 115 is kept up for Windows 7 and 8, which no later one runs on: Mozilla's release calendar as
/// pupuweb.com quotes it in 2026. On a Mac the agent does not tell the system's age.
const ON_OLD_WINDOWS: (u16, i64) = (115, day(2026, 9, 15));

/// Whether a Firefox of long support is kept up at a time.
pub(super) fn is_kept_up(major: u16, is_old_windows: bool, ts_ms: i64) -> bool {
    let lasts = |line: u16, end: i64| line == major && ts_ms < end * DAY_MS;
    let (line, end) = ON_OLD_WINDOWS;
    is_old_windows && lasts(line, end)
        || LONG_SUPPORT.iter().any(|(line, begin, end)| ts_ms >= begin * DAY_MS && lasts(*line, *end))
}

/// Chrome's version at the time from which on nobody kept a browser up; `None` for one that is. Microsoft's lifecycle pages
/// say so of Internet Explorer (only the newest since 2016-01-12, none since 2022-06-15) and Edge (2021-03-09); the last
/// Opera of its kind, 12.18, came out on 2016-02-15.
pub(super) const fn chrome_at_its_end(family: Family, major: u16) -> Option<i64> {
    match (family, major) {
        (Family::Explorer, ..=10) => Some(47),
        (Family::Explorer, _) => Some(102),
        (Family::OldEdge, _) => Some(89),
        (Family::OldOpera, _) => Some(48),
        _ => None,
    }
}

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
    fn a_line_of_long_support_lasts_from_its_release_to_its_end() {
        let at = |y, m, d| day(y, m, d) * DAY_MS;
        for (kept_up, major, is_old_windows, ts_ms) in [
            (true, 153, false, at(2026, 11, 22)),
            (false, 153, false, at(2026, 7, 20)),
            (false, 153, false, at(2027, 11, 22)),
            (true, 140, false, at(2026, 9, 1)),
            (false, 140, false, at(2026, 11, 22)),
            // Its neighbours are no such line.
            (false, 152, false, at(2026, 11, 22)),
            (false, 154, false, at(2026, 11, 22)),
            // Windows 7 has no other.
            (false, 115, false, at(2025, 6, 1)),
            (true, 115, true, at(2025, 6, 1)),
            (false, 115, true, at(2026, 11, 22)),
            (false, 128, true, at(2026, 6, 1)),
        ] {
            assert_eq!(is_kept_up(major, is_old_windows, ts_ms), kept_up, "{major} at {ts_ms}");
        }
    }

    #[test]
    fn what_has_ended_did_so_in_chromes_time() {
        for (family, major, day) in [
            (Family::Explorer, 10, day(2016, 1, 12)),
            (Family::Explorer, 11, day(2022, 6, 15)),
            (Family::OldEdge, 18, day(2021, 3, 9)),
            (Family::OldOpera, 12, day(2016, 2, 15)),
        ] {
            let newest = CHROME.newest(day * DAY_MS).unwrap();
            let found = chrome_at_its_end(family, major).unwrap();
            assert!((newest - found).abs() <= 1, "{family:?} {major}: {newest}");
        }
        assert_eq!(chrome_at_its_end(Family::Chrome, 158), None);
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
            let _ = (CHROME.newest(ts_ms), is_kept_up(153, false, ts_ms));
            assert_eq!(CHROME.is_ahead(i64::MAX, ts_ms), CHROME.newest(ts_ms).is_some());
        }
        assert_eq!(CHROME.newest(0), None);
    }
}
