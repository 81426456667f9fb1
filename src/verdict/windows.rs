//! What the rules see around a click: its pair, its recipient's early clicks, the burst on its URL.
//!
//! One pass over a sorted slice of one message answers for every click in it. Nothing is hashed and nothing depends
//! on the order of arrival: the groups are found by sorting positions.

use std::cmp::Ordering;
use std::rc::Rc;

use super::bursts::{self, Burst};
use super::evidence::Views;
use super::order::arrange;
use super::{Click, Judging, Ruleset, Thresholds, repeats};
use crate::record::Kind;
use crate::signals::{Cookie, Signals};

/// How long after it got the cookie an agent's return without it is told, milliseconds: a day. Sooner than
/// [`FRESH_MS`] it is no return: tabs opened together have no cookie yet.
pub const RETURN_MS: i64 = 86_400_000;

/// So soon after it was set on the same copy a cookie that comes back proves nothing, milliseconds: a sandbox keeps its
/// browser while it goes through a mail, and sweeps take no longer.
pub const FRESH_MS: i64 = bursts::SWEEP_REACH_MS;

/// How far a verdict may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Only at the click and what came before it: the provisional verdict.
    Back,
    /// At the whole slice: the settled verdict.
    Whole,
}

/// Which half of a pair a click is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The scanner's.
    Scanner,
    /// The person's.
    Person,
}

/// The other half of a click's pair, and which half this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The other's place in the slice.
    pub other: usize,
    /// Which half this is.
    pub role: Role,
}

/// What was seen around one click. Whoever adds a window adds a field here, and fills it below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that was seen by itself")]
pub struct Around {
    /// Its place in a pair.
    pub pair: Option<Pair>,
    /// How many clicks of its recipient fell before [`Thresholds::sandbox_ms`].
    pub early_clicks: i64,
    /// Whether it lies in a burst of [`Thresholds::campaign_recipients`] on its URL.
    pub in_burst: bool,
    /// The cookie that came back was set some seconds before, on the same copy (ruleset `full`): a sandbox that keeps its
    /// browser while it goes through a mail brings back what it got itself.
    pub has_fresh_cookie: bool,
    /// The recipient has been here with a cookie and this very agent, which came without it now (ruleset `full`).
    pub returns_without_cookie: bool,
    /// It is one of all links of a copy of three at most, which were followed within seconds (ruleset `full`).
    pub in_small_copy: bool,
    /// It is one of many requests for its link by its source (ruleset `full`).
    pub is_repeated: bool,
    /// Its sweep (ruleset `full`).
    pub sweep: Burst,
    /// Its fan-out (ruleset `full`).
    pub fanout: Burst,
}

/// What was seen around every click of a slice.
pub struct Windows {
    ruleset: Ruleset,
    around: Vec<Around>,
}

impl Windows {
    /// Looks around every click of `clicks`: one message's, sorted by [`Click::order`].
    #[must_use]
    pub fn of(clicks: &[Rc<Click>], ruleset: Ruleset, thresholds: &Thresholds, look: Look) -> Self {
        debug_assert!(clicks.is_sorted_by(|a, b| a.order() <= b.order()), "clicks must be sorted");
        let is_full = ruleset == Ruleset::Full;
        let mut windows = Self { ruleset, around: vec![Around::default(); clicks.len()] };
        let mut swept = vec![Burst::default(); clicks.len()];
        let mut fanouts = swept.clone();
        // Opens are nobody's neighbours; acts belong to a sweep and to nothing else.
        let is_click = |at: &usize| clicks[*at].kind == Kind::Click;
        let of_clicks = || (0..clicks.len()).filter(is_click);
        let back = look == Look::Back;
        let sweeps = |at: &usize| if is_full { clicks[*at].sweeps() } else { is_click(at) };
        let mut positions: Vec<usize> = (0..clicks.len()).filter(sweeps).collect();
        // Which recipient, and which link of whose copy, each click belongs to.
        let (mut person, mut link) = (vec![0_usize; clicks.len()], vec![0_usize; clicks.len()]);
        let mut seen = vec![0_u32; clicks.len()];

        arrange(&mut positions, &|at| (clicks[at].recipient.number(), clicks[at].link.number()));
        for (number, copy_of_link) in positions
            .chunk_by(|&a, &b| (clicks[a].recipient, clicks[a].link) == (clicks[b].recipient, clicks[b].link))
            .enumerate()
        {
            for &at in copy_of_link {
                link[at] = number;
            }
            // An act's link may be called like a click's.
            let followed: Vec<usize>;
            let followed = if copy_of_link.iter().all(is_click) {
                copy_of_link
            } else {
                followed = copy_of_link.iter().copied().filter(is_click).collect();
                &followed
            };
            windows.find_pairs(clicks, followed, thresholds, look);
            if is_full {
                let around = &mut windows.around;
                repeats::find(clicks, followed, back, &mut |at| around[at].is_repeated = true);
            }
        }
        for (number, copy) in
            positions.chunk_by(|&a, &b| clicks[a].recipient == clicks[b].recipient).enumerate()
        {
            // The group is sorted by link first: what follows goes by time.
            let mut by_time = copy.to_vec();
            arrange(&mut by_time, &|at| (0, at as u128));
            if is_full {
                bursts::sweep(clicks, &by_time, &link, &mut seen, back, &mut swept);
                by_time.retain(is_click);
                windows.find_returns(clicks, &by_time);
                let around = &mut windows.around;
                bursts::small_copies(clicks, &by_time, &link, &mut seen, back, &mut |at| {
                    around[at].in_small_copy = true;
                });
            }
            windows.count_early(clicks, &by_time, thresholds, look);
            for &at in copy {
                person[at] = number;
            }
        }

        positions = of_clicks().collect();
        arrange(&mut positions, &|at| (clicks[at].url.number(), 0));
        for link in positions.chunk_by(|&a, &b| clicks[a].url == clicks[b].url) {
            windows.find_campaigns(clicks, link, &person, &mut seen, thresholds, look);
        }

        if is_full {
            // Whoever presses a button may have got the cookie just before.
            positions = (0..clicks.len()).filter(|at| clicks[*at].kind != Kind::Open).collect();
            arrange(&mut positions, &|at| (clicks[at].recipient.number(), 0));
            for copy in positions.chunk_by(|&a, &b| clicks[a].recipient == clicks[b].recipient) {
                windows.find_fresh_cookies(clicks, copy);
            }
            let source = |at: usize| clicks[at].signals.own_source().map(|source| source.group);
            positions = of_clicks().filter(|at| source(*at).is_some()).collect();
            arrange(&mut positions, &|at| (source(at).unwrap_or_default().into(), 0));
            for group in positions.chunk_by(|&a, &b| source(a) == source(b)) {
                bursts::fanout(clicks, group, &person, &mut seen, back, &mut fanouts);
            }
        }
        for (around, (sweep, fanout)) in windows.around.iter_mut().zip(swept.into_iter().zip(fanouts)) {
            (around.sweep, around.fanout) = (sweep, fanout);
        }
        windows
    }

    /// Sees the crowds that clicks lie in together with those that other objects of the message keep.
    pub(super) fn see_elsewhere(&mut self, clicks: &[Rc<Click>], judging: &Judging, views: &Views) {
        let crowds = judging.crowds();
        for (click, around) in clicks.iter().zip(&mut self.around) {
            judging.groups_of(&crowds, click, &mut |at, group| {
                let crowd = crowds.get(at).filter(|(row, _)| row.rulesets.contains(&self.ruleset));
                let Some((_, crowd)) = crowd else { return };
                for (shape, (within_ms, _)) in (crowd.shapes)(&judging.thresholds).into_iter().enumerate() {
                    if views.is_hot(group, shape, within_ms, click.ts_ms) {
                        (crowd.show)(around, shape);
                    }
                }
            });
        }
    }

    /// The rules that look.
    #[must_use]
    pub fn ruleset(&self) -> Ruleset {
        self.ruleset
    }

    /// What was seen around the click at `at`.
    #[must_use]
    pub fn around(&self, at: usize) -> Around {
        self.around[at]
    }

    /// Pairs neighbours of one (recipient, link), going forward, each click joining the first pair that it can.
    /// A click of the check at delivery keeps its place among the neighbours and joins none.
    fn find_pairs(&mut self, clicks: &[Rc<Click>], group: &[usize], thresholds: &Thresholds, look: Look) {
        let mut next = 0;
        while let Some(&[first, second]) = group.get(next..next + 2) {
            let (earlier, later) = (&clicks[first], &clicks[second]);
            let near = later.ts_ms.saturating_sub(earlier.ts_ms) <= thresholds.pair_ms
                && !is_delivery_check(earlier, thresholds)
                && !is_delivery_check(later, thresholds);
            let roles = if near { pair_of(self.ruleset, earlier, later) } else { None };
            if let Some([one, other]) = roles {
                // Looking back, the earlier one has not seen the later one yet.
                if look == Look::Whole {
                    self.around[first].pair = Some(Pair { other: second, role: one });
                }
                self.around[second].pair = Some(Pair { other: first, role: other });
                next += 2;
            } else {
                next += 1;
            }
        }
    }

    /// Finds the cookies that came back shortly after they were set on the same copy; `group` goes by time.
    fn find_fresh_cookies(&mut self, clicks: &[Rc<Click>], group: &[usize]) {
        let visitor = |at: usize| match clicks[at].signals.cookie {
            Cookie::New(visitor) | Cookie::Returning(visitor) => Some(visitor),
            Cookie::None => None,
        };
        let mut brought: Vec<usize> = group.iter().copied().filter(|at| visitor(*at).is_some()).collect();
        arrange(&mut brought, &|at| (visitor(at).unwrap_or_default().into(), 0));
        for theirs in brought.chunk_by(|&a, &b| visitor(a) == visitor(b)) {
            let mut set_ms = None;
            for &at in theirs {
                let ts_ms = clicks[at].ts_ms;
                if !is_new(&clicks[at]) {
                    let is_fresh = |set_ms: i64| ts_ms.saturating_sub(set_ms) <= FRESH_MS;
                    self.around[at].has_fresh_cookie = set_ms.is_some_and(is_fresh);
                } else if clicks[at].kind == Kind::Click {
                    // A click alone sets it.
                    set_ms = Some(ts_ms);
                }
            }
        }
    }

    /// Finds the clicks of an agent without the cookie that it got on the same copy; `group` goes by time.
    fn find_returns(&mut self, clicks: &[Rc<Click>], group: &[usize]) {
        let browser = |at: usize| clicks[at].signals.browser;
        let mut group = group.to_vec();
        arrange(&mut group, &|at| (browser(at).into(), 0));
        for theirs in group.chunk_by(|&a, &b| browser(a) == browser(b)) {
            // When it got it, ascending.
            let mut got: Vec<i64> = Vec::new();
            for &at in theirs {
                let ts_ms = clicks[at].ts_ms;
                if is_new(&clicks[at]) {
                    let before = got.partition_point(|got_ms| ts_ms.saturating_sub(*got_ms) > FRESH_MS);
                    self.around[at].returns_without_cookie =
                        before > 0 && ts_ms.saturating_sub(got[before - 1]) <= RETURN_MS;
                }
                if got_cookie(&clicks[at]) {
                    got.push(ts_ms);
                }
            }
        }
    }

    /// Counts one recipient's clicks inside the sandbox's time; `group` goes by time.
    fn count_early(&mut self, clicks: &[Rc<Click>], group: &[usize], thresholds: &Thresholds, look: Look) {
        let is_early = |&at: &usize| clicks[at].delta_ms() < thresholds.sandbox_ms;
        match look {
            Look::Whole => {
                let count = group.iter().filter(|at| is_early(at)).fold(0, |count, _| count + 1);
                for &at in group {
                    self.around[at].early_clicks = count;
                }
            }
            Look::Back => {
                let mut count = 0;
                for &at in group {
                    count += i64::from(is_early(&at));
                    self.around[at].early_clicks = count;
                }
            }
        }
    }

    /// Marks the clicks of one URL that lie in some window of `campaign_ms` with enough distinct recipients.
    /// `person` numbers the recipients; `seen` counts them inside the window and is all zero before and after.
    fn find_campaigns(
        &mut self,
        clicks: &[Rc<Click>],
        group: &[usize],
        person: &[usize],
        seen: &mut [u32],
        thresholds: &Thresholds,
        look: Look,
    ) {
        let ruleset = self.ruleset;
        let counted: Vec<usize> =
            group.iter().copied().filter(|at| counts_in_campaign(ruleset, &clicks[*at])).collect();
        let group = counted.as_slice();
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
                    self.around[inside].in_burst = true;
                }
                marked = end + 1;
            }
        }
        for &at in &group[start..] {
            seen[person[at]] -= 1;
        }
    }
}

/// Whether a click came without our cookie, though it could have brought it.
#[must_use]
pub fn is_new(click: &Click) -> bool {
    matches!(click.signals.cookie, Cookie::New(_))
}

/// Whether a click left our cookie with what looks like a person's browser.
#[must_use]
pub fn got_cookie(click: &Click) -> bool {
    click.signals.cookie != Cookie::None && click.signals.looks_like_a_person()
}

/// Whether rule 1 of the published table claims the click: it then joins no pair.
#[must_use]
pub fn is_delivery_check(click: &Click, thresholds: &Thresholds) -> bool {
    click.signals.safelinks_referer && click.delta_ms() < thresholds.safelinks_delivery_ms
}

/// Whether a click counts towards a campaign burst. Under the published table every click on the URL does; thirty people
/// a minute click a link of any large send, so `full` counts only Microsoft's own, and those not where a person is
/// proven, which nobody is in a network that only scanners use.
#[must_use]
pub fn counts_in_campaign(ruleset: Ruleset, click: &Click) -> bool {
    let is_machine = || click.signals.is_scanner_for_certain() || !click.is_proof();
    ruleset == Ruleset::Defender || click.signals.is_microsoft() && is_machine()
}

/// The roles of two neighbouring clicks on one link, the earlier one first, where they are a pair.
fn pair_of(ruleset: Ruleset, earlier: &Click, later: &Click) -> Option<[Role; 2]> {
    const IN_ORDER: [Role; 2] = [Role::Scanner, Role::Person];
    let (one, other) = (&earlier.signals, &later.signals);
    let checked = one.safelinks_referer || other.safelinks_referer;
    if ruleset == Ruleset::Defender {
        return checked.then_some(IN_ORDER);
    }
    if one.is_something_else() || other.is_something_else() {
        return None;
    }
    let reversed = [Role::Person, Role::Scanner];
    // Without Safe Links' referer on either side only Microsoft's own network beside a person's is a pair; whose headers
    // nobody knows is given that much.
    let may_be_person = |person: &Signals| person.looks_like_a_person() || !person.knows_headers;
    let beside = |check: &Signals, person: &Signals| checked || check.is_microsoft() && may_be_person(person);
    match one.check_strength().cmp(&other.check_strength()) {
        Ordering::Greater => beside(one, other).then_some(IN_ORDER),
        Ordering::Less => beside(other, one).then_some(reversed),
        Ordering::Equal if !checked => None,
        // Two of Microsoft's own: neither is a person's.
        Ordering::Equal if one.is_microsoft() && other.is_microsoft() => None,
        Ordering::Equal => match (one.looks_like_a_person(), other.looks_like_a_person()) {
            (true, false) => Some(reversed),
            // Somebody clicked twice, or two did.
            (true, true) => None,
            (false, false) if one.source.is_some_and(|it| it.has_agent && Some(it) == other.source) => None,
            (false, _) => Some(IN_ORDER),
        },
    }
}
