//! A click's name: a `UUIDv7` whose time is the click's `ts_ms`.
//!
//! The ids that one isolate makes ascend: inside a millisecond, and where the clock steps back, a counter goes on
//! (RFC 9562 §6.2, method 1). It takes the 12 bits of `rand_a` and the first 30 of `rand_b`; 32 random bits remain.

use std::fmt;

use super::hex::push_hex;
use serde::{Serialize, Serializer};

/// Sixteen bytes in the order of time, as two numbers: every index compares ids, and numbers compare without a loop over bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(u64, u64);

/// 2^42: where the counter would overflow.
const COUNTER_END: u64 = 1 << 42;

impl EventId {
    /// Puts an id together. `counter` has 42 bits, `ts_ms` 48.
    const fn new(ts_ms: u64, counter: u64, random: u32) -> Self {
        let high = ts_ms << 16 | 0x7000 | counter >> 30;
        let low = 0b10 << 62 | (counter & 0x3fff_ffff) << 32 | random as u64;
        Self(high, low)
    }

    /// The id of a click from elsewhere, which has none of its own: its time (before 1970 as in 1970) and 74 bits of a digest of
    /// it, so that the same click has the same id whenever it is read again.
    #[must_use]
    pub fn of_digest(ts_ms: i64, digest: [u8; 16]) -> Self {
        let digest = u128::from_be_bytes(digest);
        let (counter, random) = (digest >> 32 & u128::from(COUNTER_END - 1), digest & u128::from(u32::MAX));
        // Both fit: they are masked.
        let counter = u64::try_from(counter).unwrap_or_default();
        Self::new(
            u64::try_from(ts_ms).unwrap_or_default(),
            counter,
            u32::try_from(random).unwrap_or_default(),
        )
    }

    /// The id of these bytes, as storage keeps it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_number(u128::from_be_bytes(bytes))
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half is meant")]
    const fn from_number(number: u128) -> Self {
        Self((number >> 64) as u64, number as u64)
    }

    const fn number(self) -> u128 {
        (self.0 as u128) << 64 | self.1 as u128
    }

    /// Its bytes, as storage keeps it.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.number().to_be_bytes()
    }

    /// The smallest id of a millisecond; a time before 1970 counts as 0, one after the year 10889 as the last.
    #[must_use]
    pub fn first_of(ts_ms: i64) -> Self {
        let ts = u64::try_from(ts_ms).unwrap_or(0).min((1 << 48) - 1);
        Self(ts << 16, 0)
    }

    /// The next id in order.
    #[must_use]
    pub fn successor(self) -> Self {
        Self::from_number(self.number().saturating_add(1))
    }

    /// Its time, Unix milliseconds.
    #[must_use]
    pub fn ts_ms(self) -> i64 {
        (self.0 >> 16).cast_signed()
    }

    /// Reads the canonical form: 36 characters, lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let mut digits = text.bytes().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
        for byte in &mut bytes {
            *byte = nibble(digits.next()?.1)? << 4 | nibble(digits.next()?.1)?;
        }
        let has_dashes = [8, 13, 18, 23].into_iter().all(|at| text.as_bytes().get(at) == Some(&b'-'));
        (has_dashes && text.len() == 36).then(|| Self::from_bytes(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(36);
        let bytes = self.bytes();
        let mut rest = bytes.as_slice();
        for (at, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
            if at > 0 {
                text.push('-');
            }
            let (part, others) = rest.split_at(length);
            push_hex(&mut text, part);
            rest = others;
        }
        f.write_str(&text)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes one isolate's ids.
#[derive(Debug, Default)]
pub struct EventIds {
    ts_ms: u64,
    counter: u64,
}

impl EventIds {
    /// The next id. `now_ms` is the clock, `random` twelve fresh random bytes.
    ///
    /// Where the clock stands still or steps back, the id keeps the last time and counts on; its own
    /// [`EventId::ts_ms`] is the click's time.
    pub fn next(&mut self, now_ms: i64, random: [u8; 12]) -> EventId {
        let now = u64::try_from(now_ms).unwrap_or(0);
        let [c0, c1, c2, c3, c4, c5, c6, c7, tail @ ..] = random;
        if now > self.ts_ms {
            self.ts_ms = now;
            // Half the counter's range is left to count in.
            self.counter = u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]) % (COUNTER_END / 2);
        } else {
            self.counter += 1;
            if self.counter == COUNTER_END {
                self.ts_ms += 1;
                self.counter = 0;
            }
        }
        EventId::new(self.ts_ms, self.counter, u32::from_be_bytes(tail))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_is_rfc_9562s() {
        let id = EventIds::default().next(0x017F_22E2_79B0, [0xff; 12]);
        assert_eq!(id.to_string(), "017f22e2-79b0-77ff-bfff-ffffffffffff");
        assert_eq!(id.ts_ms(), 0x017F_22E2_79B0);
    }

    #[test]
    fn an_id_of_a_digest_has_its_time_and_its_bits() {
        let id = EventId::of_digest(0x017F_22E2_79B0, [0xff; 16]);
        assert_eq!(id.to_string(), "017f22e2-79b0-7fff-bfff-ffffffffffff");
        let id = EventId::of_digest(0x017F_22E2_79B0, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(
            (id.to_string().as_str(), id.ts_ms()),
            ("017f22e2-79b0-7004-8203-040506070809", 0x017F_22E2_79B0)
        );
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let id = EventIds::default().next(1_700_000_000_000, [7; 12]);
        let text = id.to_string();
        assert_eq!(EventId::parse(&text), Some(id));
        for bad in [text.to_uppercase(), text.replace('-', ""), format!("{text}0"), text[1..].to_owned()] {
            assert_eq!(EventId::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ids_ascend_whatever_the_clock_does(steps in prop::collection::vec((-5_i64..5, any::<[u8; 12]>()), 1..200)) {
            let (mut ids, mut now, mut last) = (EventIds::default(), 1_700_000_000_000, None);
            for (step, random) in steps {
                now += step;
                let id = ids.next(now, random);
                prop_assert!(last.is_none_or(|last| last < id));
                prop_assert!(last.is_none_or(|last: EventId| last.to_string() < id.to_string()));
                prop_assert!(id.ts_ms() >= now);
                prop_assert_eq!(EventId::parse(&id.to_string()), Some(id));
                prop_assert!(EventId::first_of(id.ts_ms()) <= id && id < EventId::first_of(id.ts_ms() + 1));
                last = Some(id);
            }
        }
    }
}
