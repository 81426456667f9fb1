//! The files that hold shipped events, and which of them can tell of a day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate};

use crate::stop::Stop;

/// A day of UTC, counted from 1970-01-01.
pub(super) type Day = i64;

pub(super) const DAY_MS: i64 = 86_400_000;

/// The day as paths name it.
pub(super) fn date(day: Day) -> String {
    let time = day.checked_mul(DAY_MS).and_then(DateTime::from_timestamp_millis);
    time.unwrap_or_default().format("%F").to_string()
}

/// A file with events.
pub(super) struct Object {
    pub(super) path: PathBuf,
    /// When it was uploaded, where whoever fetched it has kept that.
    pub(super) modified: SystemTime,
    /// The day that a directory of its path names: that of its earliest event.
    day: Option<Day>,
}

impl Object {
    /// Whether it can hold an event of that day or a later one. An object is uploaded after what it tells of; a day's leeway is for
    /// clocks. A file whose time cannot be that of its upload, as it is before its own events, says nothing.
    pub(super) fn may_tell_of(&self, day: Day) -> bool {
        let Some(named) = self.day else { return true };
        let since = self.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let uploaded = i64::try_from(since.as_secs()).unwrap_or(i64::MAX) / (DAY_MS / 1_000);
        uploaded < named || uploaded + 1 >= day
    }
}

/// What lies below some directories.
pub(super) struct Found {
    /// In the order of their paths.
    pub(super) objects: Vec<Object>,
    /// How many files are none.
    pub(super) left: usize,
}

/// The objects below those directories, without what lies in `output`.
pub(super) fn below(directories: &[PathBuf], output: &Path) -> Result<Found, Stop> {
    let output = fs::canonicalize(output).ok();
    let mut found = Found { objects: Vec::new(), left: 0 };
    for directory in directories {
        let before = found.objects.len();
        collect(directory, output.as_deref(), &mut found).map_err(|(path, error)| {
            Stop::Refused(format!("{}: {error}; name directories that can be read", path.display()))
        })?;
        if found.objects.len() == before {
            return Err(Stop::Refused(format!(
                "{}: no events lie below it; name the directory that holds events/dt=…, with files that end in .ndjson",
                directory.display()
            )));
        }
    }
    found.objects.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn collect(directory: &Path, output: Option<&Path>, found: &mut Found) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        let about = fs::metadata(&path).map_err(at(&path))?;
        if about.is_dir() {
            if output.is_none() || fs::canonicalize(&path).ok().as_deref() != output {
                collect(&path, output, found)?;
            }
        } else if holds_events(&path) {
            let modified = about.modified().map_err(at(&path))?;
            found.objects.push(Object { day: named_day(&path), path, modified });
        } else {
            found.left += 1;
        }
    }
    Ok(())
}

fn holds_events(path: &Path) -> bool {
    let path = if path.extension().is_some_and(|end| end == "gz") {
        path.with_extension("")
    } else {
        path.to_owned()
    };
    path.extension().is_some_and(|end| ["ndjson", "jsonl", "json"].iter().any(|known| end == *known))
}

fn named_day(path: &Path) -> Option<Day> {
    let mut parts = path.iter().filter_map(|part| part.to_str()?.strip_prefix("dt="));
    let date: NaiveDate = parts.next_back()?.parse().ok()?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Day = 20_779;

    fn object(path: &str, uploaded: Day) -> Object {
        let seconds = u64::try_from(uploaded * DAY_MS / 1_000).unwrap();
        let path = PathBuf::from(path);
        Object { day: named_day(&path), path, modified: UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    #[test]
    fn a_day_is_named_as_paths_name_it() {
        assert_eq!(date(NOON), "2026-11-22");
        assert_eq!(named_day(Path::new("/x/events/dt=2026-11-22/hh=12/a.ndjson")), Some(NOON));
        assert_eq!(named_day(Path::new("dt=2025-01-01/dt=2026-11-22/a.ndjson")), Some(NOON));
        for path in ["events/a.ndjson", "dt=/a.ndjson", "dt=2026-13-01/a.ndjson", "xdt=2026-11-22/a"] {
            assert_eq!(named_day(Path::new(path)), None, "{path}");
        }
    }

    /// What is passed over is never read: only what surely cannot hold an event of the day may be.
    #[test]
    fn only_an_object_that_was_uploaded_before_a_day_is_passed_over() {
        let path = "dt=2026-11-22/hh=12/a.ndjson";
        assert!(!object(path, NOON).may_tell_of(NOON + 2));
        assert!(object(path, NOON + 1).may_tell_of(NOON + 2), "clocks differ");
        assert!(object(path, NOON + 9).may_tell_of(NOON + 2), "it was uploaded late");
        assert!(object(path, 0).may_tell_of(NOON + 2), "its time was lost");
        assert!(object("a.ndjson", NOON).may_tell_of(NOON + 2), "nobody knows");
    }

    #[test]
    fn events_lie_in_files_of_ndjson_gzipped_or_not() {
        for name in ["a.ndjson", "a.ndjson.gz", "a.jsonl", "a.json.gz", "dt=x.y/a.b.ndjson"] {
            assert!(holds_events(Path::new(name)), "{name}");
        }
        for name in ["a.parquet", "a.gz", "a", ".ndjson", "ndjson.gz", "a.ndjson.zst", "a.csv"] {
            assert!(!holds_events(Path::new(name)), "{name}");
        }
    }
}
