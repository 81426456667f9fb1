//! `EVENTS_WEBHOOK_TYPES`: which verdicts a webhook is told of.

use crate::verdict::ClickType;

/// The types that are told, a bit each by their places; none says all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(Option<u32>);

impl Default for Types {
    /// People's clicks: what triggers wait for.
    fn default() -> Self {
        Self(Some(bit(ClickType::Human)))
    }
}

impl Types {
    /// Reads the setting: `*`, or names of click types with commas between them.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self(None));
        }
        let mut types = 0;
        for name in text.split(',') {
            let Some(click_type) = ClickType::named(name.trim()) else {
                return Err(
                    "must be * or names of click types with commas between them; human holds".to_owned()
                );
            };
            types |= bit(click_type);
        }
        Ok(Self(Some(types)))
    }

    /// Whether a verdict is told: it is of these types, or the revision before was, which a receiver has acted on.
    #[must_use]
    pub fn take(self, now: Option<ClickType>, before: Option<ClickType>) -> bool {
        let Some(types) = self.0 else { return true };
        types & (now.map_or(0, bit) | before.map_or(0, bit)) != 0
    }
}

const fn bit(click_type: ClickType) -> u32 {
    1 << click_type as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_all_or_those_that_are_named() {
        let [human, sweep] = [ClickType::Human, ClickType::ScannerSweep].map(Some);
        let told = |setting: &str| {
            let types = Types::parse(setting).unwrap();
            [(human, None), (sweep, None), (sweep, human), (human, sweep), (None, None)]
                .map(|(now, before)| types.take(now, before))
        };
        assert_eq!(Types::parse("human"), Ok(Types::default()));
        assert_eq!(told("human"), [true, false, true, true, false], "what was a person's is told, too");
        assert_eq!(told(" scanner_sweep ,scanner_fanout"), [false, true, true, true, false]);
        assert_eq!(told("*"), [true; 5]);
        for bad in ["humans", "human,", "human,*", "human scanner_sweep"] {
            assert!(Types::parse(bad).is_err(), "{bad}");
        }
    }
}
