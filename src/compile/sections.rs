//! The form that the catalogue's data files share: sections with a name in brackets, settings, and what they hold, one a
//! line. What settings and lines mean is the file's own affair ([`tables`](super::tables), [`hosts`](super::hosts)).

use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a data file, and on which line (counted from 1).
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line's number.
    pub line: usize,
    /// What is wrong with it, and the remedy.
    pub text: String,
}

impl Mistake {
    pub(super) fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// A section as it stands, with the lines that things stand on.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) line: usize,
    pub(super) name: &'a str,
    settings: BTreeMap<&'static str, (usize, &'a str)>,
    pub(super) entries: Vec<(usize, &'a str)>,
}

impl<'a> Draft<'a> {
    /// Takes out a setting and the number of its line.
    pub(super) fn optional(&mut self, key: &str) -> Option<(usize, &'a str)> {
        self.settings.remove(key)
    }

    /// Takes out a setting that every section has.
    pub(super) fn required(&mut self, key: &str) -> Result<(usize, &'a str), Mistake> {
        let missing = || Mistake::new(self.line, format!("section `{}` has no `{key} = …`", self.name));
        self.settings.remove(key).ok_or_else(missing)
    }

    /// Takes out `vendor`, a name that a verdict may say.
    pub(super) fn vendor(&mut self) -> Result<String, Mistake> {
        let (line, vendor) = self.required("vendor")?;
        if vendor.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Ok(vendor.to_owned());
        }
        Err(Mistake::new(line, format!("a vendor is lower-case letters, digits and `-`, not `{vendor}`")))
    }

    /// Takes out `date`: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub(super) fn date(&mut self) -> Result<String, Mistake> {
        let (line, date) = self.required("date")?;
        if is_date(date) {
            return Ok(date.to_owned());
        }
        Err(Mistake::new(line, format!("a date is YYYY, YYYY-MM or YYYY-MM-DD, not `{date}`")))
    }

    /// Takes out a setting that is one of a list of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, Mistake> {
        let (line, text) = self.required(key)?;
        word(key, text, all, name).map_err(|text| Mistake::new(line, text))
    }
}

/// The word of a list that a text is.
pub(super) fn word<T: Copy>(
    key: &str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    all.iter().copied().find(|word| name(*word) == text).ok_or_else(|| {
        let known: Vec<_> = all.iter().copied().map(name).collect();
        format!("there is no {key} `{text}`, only {}", known.join(", "))
    })
}

/// Reads a file's sections. The first mistake ends it.
pub(super) fn read<'a>(text: &'a str, settings: &[&'static str]) -> Result<Vec<Draft<'a>>, Mistake> {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        // A setting may hold a `#`: a source is often an issue's number.
        let bare = content.split('#').next().unwrap_or_default().trim();
        let mistake = |text: String| Mistake { line, text };
        if bare.is_empty() {
            continue;
        }
        if let Some(header) = bare.strip_prefix('[') {
            let name = header.strip_suffix(']').map(str::trim).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| mistake("a section begins with `[its name]`".to_owned()))?;
            if drafts.iter().any(|draft| draft.name == name) {
                return Err(mistake(format!("there is already a section `{name}`")));
            }
            drafts.push(Draft { line, name, settings: BTreeMap::new(), entries: Vec::new() });
            continue;
        }
        let Some(draft) = drafts.last_mut() else {
            return Err(mistake(format!("`{bare}` stands before the first `[section]`")));
        };
        if bare.contains('=')
            && let Some((key, value)) = content.split_once('=')
        {
            let (key, value) = (key.trim(), value.trim());
            let Some(key) = settings.iter().find(|known| **known == key) else {
                let known = settings.join(", ");
                return Err(mistake(format!("`{key}` is no setting of a section: those are {known}")));
            };
            if value.is_empty() {
                return Err(mistake(format!("`{key}` is empty")));
            }
            if draft.settings.insert(key, (line, value)).is_some() {
                return Err(mistake(format!("`{key}` is set twice in this section")));
            }
        } else {
            draft.entries.push((line, bare));
        }
    }
    Ok(drafts)
}

fn is_date(text: &str) -> bool {
    let number = |part: &str, digits: usize, bounds: std::ops::RangeInclusive<u16>| {
        part.len() == digits
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse().is_ok_and(|n| bounds.contains(&n))
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|year| number(year, 4, 1990..=2199))
        && parts.next().is_none_or(|month| number(month, 2, 1..=12))
        && parts.next().is_none_or(|day| number(day, 2, 1..=31))
        && parts.next().is_none()
}
