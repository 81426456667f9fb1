//! Tables for people: rows of texts, each column as wide as its widest.

use chrono::DateTime;

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of columns, each with its side and its head.
pub(crate) struct Columns {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    pub(crate) fn new(heads: &[(Side, &str)]) -> Self {
        let sides = heads.iter().map(|(side, _)| *side).collect();
        Self { sides, rows: vec![heads.iter().map(|(_, head)| (*head).to_owned()).collect()] }
    }

    /// Adds a row. What steers terminals is taken out of it: it may be another's text.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| cell.replace(char::is_control, "\u{fffd}")).collect());
    }

    /// The lines, the heads first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width = |at: usize| self.rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.sides.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.sides).zip(&widths).map(|((cell, side), width)| match side {
                Side::Left => format!("{cell:<width$}"),
                Side::Right => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// A moment as people read it, such as `2026-11-22T10:00:00Z`; nothing for none, the number where no calendar has it.
pub(crate) fn moment(ms: Option<i64>) -> String {
    let named = |ms| {
        let time = DateTime::from_timestamp_millis(ms);
        time.map_or_else(|| ms.to_string(), |time| format!("{:?}Z", time.naive_utc()))
    };
    ms.map_or_else(String::new, named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest() {
        let mut table = Columns::new(&[(Side::Left, "link"), (Side::Right, "clicks"), (Side::Left, "")]);
        table.row(["a-long-link".to_owned(), "7".to_owned(), "é\u{1b}[31m".to_owned()]);
        table.row(["b".to_owned(), "1,234,567".to_owned(), String::new()]);
        assert_eq!(
            table.lines(),
            ["link            clicks", "a-long-link          7  é\u{fffd}[31m", "b            1,234,567"]
        );
    }

    #[test]
    fn moments_are_told_in_utc() {
        assert_eq!(moment(Some(1_795_348_800_000)), "2026-11-22T12:00:00Z");
        assert_eq!(moment(Some(1_795_348_800_007)), "2026-11-22T12:00:00.007Z");
        assert_eq!(moment(Some(i64::MAX)), i64::MAX.to_string());
        assert_eq!(moment(None), "");
    }
}
