//! Whether a time from outside can be one in Unix milliseconds. What is sent instead most often are seconds, and a verdict
//! would go by them in silence, decades off.

use std::ops::Range;

/// 2000-01-01 and 2101-01-01 (UTC), Unix seconds: no mail was tracked before, and none is sent for a later century.
const SECONDS: Range<i64> = 946_684_800..4_133_980_800;

/// Checks a time that came under that name.
///
/// # Errors
/// What is wrong with it, and what is wanted.
pub fn check(name: &str, ms: i64) -> Result<(), String> {
    if SECONDS.contains(&ms.div_euclid(1_000)) {
        return Ok(());
    }
    let looks = if SECONDS.contains(&ms) { "looks like seconds" } else { "is before 2000 or after 2100" };
    Err(format!("`{name}` is {ms}, which {looks}: give Unix milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_our_century_passes_and_another_is_told_what_it_looks_like() {
        for ms in [946_684_800_000, 1_795_348_800_000, 4_133_980_799_999] {
            assert_eq!(check("ts_ms", ms), Ok(()));
        }
        for (ms, looks) in [
            (946_684_799_999, "is before 2000 or after 2100"),
            (4_133_980_800_000, "is before 2000 or after 2100"),
            (i64::MIN, "is before 2000 or after 2100"),
            (0, "is before 2000 or after 2100"),
            (1_795_348_800_000_000, "is before 2000 or after 2100"),
            (946_684_799, "is before 2000 or after 2100"),
            (946_684_800, "looks like seconds"),
            (1_795_348_800, "looks like seconds"),
            (4_133_980_799, "looks like seconds"),
        ] {
            let words = format!("`sent_at_ms` is {ms}, which {looks}: give Unix milliseconds");
            assert_eq!(check("sent_at_ms", ms), Err(words));
        }
    }
}
