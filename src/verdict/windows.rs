//! What the rules see around a click: its pair, its recipient's early clicks, the burst on its URL.
//!
//! One pass over a sorted slice of one message answers for every click in it. Nothing is hashed and nothing depends
//! on the order of arrival: the groups are found by sorting positions.

use super::{Click, Key, Thresholds};

/// How far a verdict may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Only at the click and what came before it: the provisional verdict.
    Back,
    /// At the whole slice: the settled verdict.
    Whole,
}

/// Which of a pair's two clicks came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The earlier one: the scanner's.
    Earlier,
    /// The later one: the person's.
    Later,
}

/// The other half of a click's pair, and which half this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    other: usize,
    role: Role,
}

/// All that the rules need to know about every click of a slice.
pub struct Windows {
    pairs: Vec<Option<Pair>>,
    early: Vec<i64>,
    bursts: Vec<bool>,
}

/// One click with all that the rules look at.
pub struct Case<'a> {
    /// The click itself.
    pub click: &'a Click,
    /// Its time since the clock, never negative, milliseconds.
    pub delta_ms: i64,
    /// Its place in a pair, with the other's `event_id`.
    pub pair: Option<(Role, &'a str)>,
    /// How many clicks of its recipient fell before [`Thresholds::sandbox_ms`].
    pub early_clicks: i64,
    /// Whether it lies in a burst of [`Thresholds::campaign_recipients`] on its URL.
    pub in_burst: bool,
    /// The windows and counts in force.
    pub thresholds: &'a Thresholds,
}

impl Windows {
    /// Looks around every click of `clicks`: one message's, sorted by [`Click::order`].
    #[must_use]
    pub fn of(clicks: &[Click], thresholds: &Thresholds, look: Look) -> Self {
        debug_assert!(clicks.is_sorted_by(|a, b| a.order() <= b.order()), "clicks must be sorted");
        let mut windows = Self {
            pairs: vec![None; clicks.len()],
            early: vec![0; clicks.len()],
            bursts: vec![false; clicks.len()],
        };
        let mut positions: Vec<usize> = (0..clicks.len()).collect();

        arrange(&mut positions, &|at| (clicks[at].recipient, clicks[at].link));
        for copy_of_link in positions
            .chunk_by(|&a, &b| (clicks[a].recipient, clicks[a].link) == (clicks[b].recipient, clicks[b].link))
        {
            windows.find_pairs(clicks, copy_of_link, thresholds, look);
        }
        let mut person = vec![0_usize; clicks.len()];
        for (number, copy) in
            positions.chunk_by(|&a, &b| clicks[a].recipient == clicks[b].recipient).enumerate()
        {
            windows.count_early(clicks, copy, thresholds, look);
            for &at in copy {
                person[at] = number;
            }
        }

        positions = (0..clicks.len()).collect();
        arrange(&mut positions, &|at| (clicks[at].url, clicks[at].url));
        let mut seen = vec![0_u32; clicks.len()];
        for link in positions.chunk_by(|&a, &b| clicks[a].url == clicks[b].url) {
            windows.find_bursts(clicks, link, &person, &mut seen, thresholds, look);
        }
        windows
    }

    /// The click at `at` with all that was found around it.
    #[must_use]
    pub fn case<'a>(&self, clicks: &'a [Click], at: usize, thresholds: &'a Thresholds) -> Case<'a> {
        Case {
            click: &clicks[at],
            delta_ms: clicks[at].delta_ms(),
            pair: self.pairs[at].map(|pair| (pair.role, clicks[pair.other].event_id.as_ref())),
            early_clicks: self.early[at],
            in_burst: self.bursts[at],
            thresholds,
        }
    }

    /// Pairs neighbours of one (recipient, link), going forward, each click joining the first pair that it can.
    /// A click of the check at delivery keeps its place among the neighbours and joins none.
    fn find_pairs(&mut self, clicks: &[Click], group: &[usize], thresholds: &Thresholds, look: Look) {
        let mut next = 0;
        while let Some(&[first, second]) = group.get(next..next + 2) {
            let (earlier, later) = (&clicks[first], &clicks[second]);
            let fits = later.ts_ms.saturating_sub(earlier.ts_ms) <= thresholds.pair_ms
                && (earlier.signals.safelinks_referer || later.signals.safelinks_referer)
                && !is_delivery_check(earlier, thresholds)
                && !is_delivery_check(later, thresholds);
            if fits {
                // Looking back, the earlier one has not seen the later one yet.
                if look == Look::Whole {
                    self.pairs[first] = Some(Pair { other: second, role: Role::Earlier });
                }
                self.pairs[second] = Some(Pair { other: first, role: Role::Later });
                next += 2;
            } else {
                next += 1;
            }
        }
    }

    /// Counts one recipient's clicks inside the sandbox's time.
    fn count_early(&mut self, clicks: &[Click], group: &[usize], thresholds: &Thresholds, look: Look) {
        let is_early = |&at: &usize| clicks[at].delta_ms() < thresholds.sandbox_ms;
        match look {
            Look::Whole => {
                let count = group.iter().filter(|at| is_early(at)).fold(0, |count, _| count + 1);
                for &at in group {
                    self.early[at] = count;
                }
            }
            Look::Back => {
                // The group is sorted by link first: the count goes by time.
                let mut by_time = group.to_vec();
                by_time.sort_unstable();
                let mut count = 0;
                for at in by_time {
                    count += i64::from(is_early(&at));
                    self.early[at] = count;
                }
            }
        }
    }

    /// Marks the clicks of one URL that lie in some window of `campaign_ms` with enough distinct recipients.
    /// `person` numbers the recipients; `seen` counts them inside the window and is all zero before and after.
    fn find_bursts(
        &mut self,
        clicks: &[Click],
        group: &[usize],
        person: &[usize],
        seen: &mut [u32],
        thresholds: &Thresholds,
        look: Look,
    ) {
        let (mut start, mut marked, mut distinct) = (0, 0, 0);
        for (end, &at) in group.iter().enumerate() {
            seen[person[at]] += 1;
            distinct += i64::from(seen[person[at]] == 1);
            while clicks[at].ts_ms.saturating_sub(clicks[group[start]].ts_ms) > thresholds.campaign_ms {
                let gone = person[group[start]];
                seen[gone] -= 1;
                distinct -= i64::from(seen[gone] == 0);
                start += 1;
            }
            if distinct >= thresholds.campaign_recipients {
                let from = if look == Look::Whole { marked.max(start) } else { end };
                for &inside in &group[from..=end] {
                    self.bursts[inside] = true;
                }
                marked = end + 1;
            }
        }
        for &at in &group[start..] {
            seen[person[at]] -= 1;
        }
    }
}

/// Brings positions into the order of a key, each group in the order of time: the sort is stable. There is one for all
/// keys, because each would be some kilobytes of wasm.
fn arrange(positions: &mut [usize], key: &dyn Fn(usize) -> (Key, Key)) {
    positions.sort_by_key(|&at| key(at));
}

/// Whether rule 1 of the published table claims the click: it then joins no pair.
#[must_use]
pub fn is_delivery_check(click: &Click, thresholds: &Thresholds) -> bool {
    click.signals.safelinks_referer && click.delta_ms() < thresholds.safelinks_delivery_ms
}
