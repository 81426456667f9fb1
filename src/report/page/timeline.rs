//! A message's minutes as bars: as many as a screen has room for, whatever the message's age.

use super::super::figures::Minute;
use super::class::{CLASSES, Stack, add};

/// The most bars.
const MOST_BARS: i64 = 240;

/// The fewest places for bars: one bar alone is no wall.
const FEWEST_PLACES: i64 = 30;

/// A minute, milliseconds.
pub(super) const MINUTE_MS: i64 = 60_000;

/// Steps of time that people count in, minutes.
const STEPS: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];

/// Clicks over time.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Where the first bar begins, Unix milliseconds.
    pub(super) from_ms: i64,
    /// How long each bar is, milliseconds.
    pub(super) width_ms: i64,
    /// The bars, without gaps: of those without a click, all are nought.
    pub(super) bars: Vec<Stack>,
}

impl Timeline {
    /// The timeline of a message's minutes, which stand in their order; `None` without a click.
    pub(super) fn of(minutes: &[Minute]) -> Option<Self> {
        let (first_ms, last_ms) = (minutes.first()?.ts_ms, minutes.last()?.ts_ms);
        let width_ms = step_ms(first_ms, last_ms, MOST_BARS);
        let place = |ts_ms: i64| ts_ms.div_euclid(width_ms);
        let from = place(first_ms);
        let places = (place(last_ms) - from + 1).max(FEWEST_PLACES);
        let mut bars = vec![[0; CLASSES]; usize::try_from(places).unwrap_or_default()];
        for minute in minutes {
            let at = usize::try_from(place(minute.ts_ms) - from).ok();
            if let Some(bar) = at.and_then(|at| bars.get_mut(at)) {
                add(bar, &minute.by_type);
            }
        }
        Some(Self { from_ms: from * width_ms, width_ms, bars })
    }

    /// Where a bar begins, Unix milliseconds.
    pub(super) fn begin_ms(&self, bar: usize) -> i64 {
        self.from_ms + self.width_ms * i64::try_from(bar).unwrap_or_default()
    }

    /// Where the last bar ends, Unix milliseconds.
    pub(super) fn until_ms(&self) -> i64 {
        self.begin_ms(self.bars.len())
    }
}

/// The shortest step of which at most so many, on the clock, hold both times, milliseconds.
pub(super) fn step_ms(first_ms: i64, last_ms: i64, most: i64) -> i64 {
    let holds = |step_ms: &i64| last_ms.div_euclid(*step_ms) - first_ms.div_euclid(*step_ms) < most;
    if let Some(step_ms) = STEPS.iter().map(|minutes| minutes * MINUTE_MS).find(holds) {
        return step_ms;
    }
    let mut step_ms = 2 * 1_440 * MINUTE_MS;
    while !holds(&step_ms) {
        step_ms = step_ms.saturating_mul(2);
    }
    step_ms
}

#[cfg(test)]
mod tests {
    use super::super::class::sum;
    use super::*;
    use crate::report::counts::ByType;
    use crate::verdict::ClickType;

    const DAY_MS: i64 = 86_400_000;
    const NOON_MS: i64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn minute(ts_ms: i64, human: i64, sweep: i64) -> Minute {
        let by_type = ByType(vec![(ClickType::Human, human), (ClickType::ScannerSweep, sweep)]);
        Minute { ts_ms, by_type }
    }

    #[test]
    fn a_message_of_any_age_fits_and_no_click_is_lost() {
        assert!(Timeline::of(&[]).is_none());
        for (span_min, width_min) in [
            (0, 1),
            (239, 1),
            (240, 2),
            (479, 2),
            (480, 5),
            (3_000, 15),
            (10_000, 60),
            (130_000, 720),
            (240 * 1_440 - 721, 1_440),
            (240 * 1_440, 2_880),
            (3_000_000, 11_520),
        ] {
            let minutes: Vec<Minute> = (0..=1_000)
                .map(|at| minute(NOON_MS + at * span_min / 1_000 * MINUTE_MS, at % 7, at % 3))
                .collect();
            let timeline = Timeline::of(&minutes).unwrap();
            assert_eq!(timeline.width_ms, width_min * MINUTE_MS, "{span_min}");
            assert!((30..=240).contains(&timeline.bars.len()), "{span_min}: {}", timeline.bars.len());
            let expected: [i64; 2] = [(0..=1_000).map(|at| at % 7).sum(), (0..=1_000).map(|at| at % 3).sum()];
            let sums = sum(&timeline.bars);
            assert_eq!([sums[0], sums[6]], expected, "{span_min}");
            assert_eq!(sums.iter().sum::<i64>(), expected[0] + expected[1]);
            assert!(timeline.from_ms <= NOON_MS && NOON_MS < timeline.begin_ms(1));
            assert!(timeline.until_ms() > NOON_MS + span_min * MINUTE_MS);
        }
    }

    #[test]
    fn each_click_stands_in_the_bar_of_its_time() {
        let minutes = [minute(NOON_MS, 1, 0), minute(NOON_MS + 300 * MINUTE_MS, 2, 3)];
        let timeline = Timeline::of(&minutes).unwrap();
        assert_eq!(timeline.width_ms, 2 * MINUTE_MS);
        assert_eq!(timeline.from_ms, NOON_MS);
        assert_eq!((timeline.bars[0][0], timeline.bars[150][0], timeline.bars[150][6]), (1, 2, 3));
        assert_eq!(timeline.begin_ms(150), NOON_MS + 300 * MINUTE_MS);
    }
}
