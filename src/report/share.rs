//! Shares in words.

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
