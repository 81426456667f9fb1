//! Shares in words.

/// A part of a whole: "1,200 of 9,600 clicks (12.5 %)".
pub(super) fn of(part: i64, whole: i64, what: &str) -> String {
    format!("{} of {} {what} ({})", grouped(part), grouped(whole), percent(part, whole))
}

/// A count with its thousands apart.
fn grouped(count: i64) -> String {
    let mut apart = count.to_string();
    let mut at = apart.len();
    while at > 3 {
        at -= 3;
        apart.insert(at, ',');
    }
    apart
}

/// A share in per cent, to a tenth: "12.5 %".
pub(super) fn percent(part: i64, whole: i64) -> String {
    let tenths = part.saturating_mul(1_000) / whole.max(1);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenths == 0 && part > 0 {
        "less than 0.1 %".to_owned()
    } else if tenth == 0 {
        format!("{whole} %")
    } else {
        format!("{whole}.{tenth} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart_and_shares_tenths() {
        for (part, whole, expected) in [
            (0, 7, "0 of 7 clicks (0 %)"),
            (1, 8, "1 of 8 clicks (12.5 %)"),
            (999, 1_000, "999 of 1,000 clicks (99.9 %)"),
            (1, 12_345_678, "1 of 12,345,678 clicks (less than 0.1 %)"),
        ] {
            assert_eq!(of(part, whole, "clicks"), expected);
        }
    }
}
