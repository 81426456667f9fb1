//! How long after the mail a click came, in steps that grow: the published table's bounds stand out on such an axis.

/// How many steps there are.
pub const STEPS: usize = 24;

/// Where each step ends and the next begins, seconds since the clock; the last has no end. The table's bounds (5 seconds, a minute, an
/// hour) are among them.
pub const ENDS_S: [i64; STEPS - 1] = [
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400,
    172_800, 259_200, 604_800, 1_209_600, 2_592_000,
];

/// The step of a click that came so many milliseconds after its clock.
#[must_use]
pub fn step(delta_ms: i64) -> u8 {
    let seconds = delta_ms.max(0) / 1_000;
    u8::try_from(ENDS_S.partition_point(|end| *end <= seconds)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_the_table_is_the_beginning_of_a_step() {
        assert!(ENDS_S.is_sorted());
        for bound_s in [5, 60, 3_600] {
            let at = ENDS_S.iter().position(|end| *end == bound_s).unwrap();
            assert_eq!(usize::from(step(bound_s * 1_000 - 1)), at);
            assert_eq!(usize::from(step(bound_s * 1_000)), at + 1);
        }
        for (delta_ms, expected) in [(-5, 0), (0, 0), (999, 0), (1_000, 1), (i64::MAX, 23)] {
            assert_eq!(step(delta_ms), expected, "{delta_ms}");
        }
    }
}
