//! The one form of all data files. A section is its name in brackets, its settings as `key = value`, and its entries, one a
//! line; `#` begins a comment, save in a setting. What settings and entries mean is each file's own affair.

use std::collections::BTreeMap;
use std::fmt;
use std::str::SplitWhitespace;

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
pub(super) struct Section<'a> {
    line: usize,
    pub(super) name: &'a str,
    settings: BTreeMap<&'static str, Setting<'a>>,
    entries: Vec<Entry<'a>>,
}

impl<'a> Section<'a> {
    pub(super) fn mistake(&self, text: impl Into<String>) -> Mistake {
        Mistake::new(self.line, text)
    }

    /// A setting that not every section has.
    pub(super) fn optional(&self, key: &str) -> Option<Setting<'a>> {
        self.settings.get(key).copied()
    }

    /// A setting that every section has.
    pub(super) fn required(&self, key: &str) -> Result<Setting<'a>, Mistake> {
        let missing = || self.mistake(format!("section `{}` has no `{key} = …`", self.name));
        self.optional(key).ok_or_else(missing)
    }

    /// What the section is there for, `kind` to people.
    pub(super) fn entries(&self, kind: &str) -> Result<&[Entry<'a>], Mistake> {
        if self.entries.is_empty() {
            return Err(self.mistake(format!("section `{}` has no {kind}", self.name)));
        }
        Ok(&self.entries)
    }
}

/// A setting of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    line: usize,
    key: &'static str,
    pub(super) text: &'a str,
}

impl<'a> Setting<'a> {
    pub(super) fn mistake(&self, text: impl Into<String>) -> Mistake {
        Mistake::new(self.line, text)
    }

    /// The setting's first word as if it stood alone, and the words behind it.
    pub(super) fn split(self) -> (Self, SplitWhitespace<'a>) {
        let mut words = self.text.split_whitespace();
        let text = words.next().unwrap_or_default();
        (Self { text, ..self }, words)
    }

    /// The member of an enum that it names.
    pub(super) fn word<T: Copy>(&self, all: &[T], name: fn(T) -> &'static str) -> Result<T, Mistake> {
        all.iter().copied().find(|word| name(*word) == self.text).ok_or_else(|| {
            let known: Vec<_> = all.iter().copied().map(name).collect();
            self.mistake(format!("there is no {} `{}`, only {}", self.key, self.text, known.join(", ")))
        })
    }

    pub(super) fn yes_or_no(&self) -> Result<bool, Mistake> {
        match self.text {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(self.mistake(format!("`{}` is yes or no, not `{other}`", self.key))),
        }
    }

    /// An owner's name as a verdict may say it.
    pub(super) fn vendor(&self) -> Result<String, Mistake> {
        if self.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Ok(self.text.to_owned());
        }
        Err(self.mistake(format!("a vendor is lower-case letters, digits and `-`, not `{}`", self.text)))
    }

    /// A date as exact as it is known.
    pub(super) fn date(&self) -> Result<String, Mistake> {
        if is_date(self.text) {
            return Ok(self.text.to_owned());
        }
        Err(self.mistake(format!("a date is YYYY, YYYY-MM or YYYY-MM-DD, not `{}`", self.text)))
    }
}

/// A line of a section that is no setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    line: usize,
    pub(super) text: &'a str,
}

impl Entry<'_> {
    pub(super) fn mistake(&self, text: impl Into<String>) -> Mistake {
        Mistake::new(self.line, text)
    }
}

/// Entries by what they say, each with its line, so that nothing stands twice.
pub(super) struct Once<T>(BTreeMap<T, usize>);

impl<T: Ord> Once<T> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn note(&mut self, entry: &Entry, says: T) -> Result<(), Mistake> {
        let earlier = self.0.insert(says, entry.line);
        earlier.map_or(Ok(()), |line| {
            Err(entry.mistake(format!("`{}` already stands on line {line}", entry.text)))
        })
    }
}

/// Reads a file's sections. The first mistake ends it.
pub(super) fn read<'a>(text: &'a str, settings: &[&'static str]) -> Result<Vec<Section<'a>>, Mistake> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let bare = content.split('#').next().unwrap_or_default().trim();
        let mistake = |text: String| Mistake { line, text };
        if bare.is_empty() {
            continue;
        }
        if let Some(header) = bare.strip_prefix('[') {
            let name = header.strip_suffix(']').map(str::trim).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| mistake("a section begins with `[its name]`".to_owned()))?;
            if sections.iter().any(|section| section.name == name) {
                return Err(mistake(format!("there is already a section `{name}`")));
            }
            sections.push(Section { line, name, settings: BTreeMap::new(), entries: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(mistake(format!("`{bare}` stands before the first `[section]`")));
        };
        let Some((key, text)) = setting(content) else {
            section.entries.push(Entry { line, text: bare });
            continue;
        };
        let Some(key) = settings.iter().find(|known| **known == key) else {
            let known = settings.join(", ");
            return Err(mistake(format!("`{key}` is no setting of a section: those are {known}")));
        };
        if text.is_empty() {
            return Err(mistake(format!("`{key}` is empty")));
        }
        if section.settings.insert(key, Setting { line, key, text }).is_some() {
            return Err(mistake(format!("`{key}` is set twice in this section")));
        }
    }
    Ok(sections)
}

/// The key and value of a setting: letters stand before its first `=`. The value may hold a `#`: a source is often an
/// issue's number.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphabetic());
    is_key.then_some((key, value))
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

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: [&str; 2] = ["source", "date"];

    #[test]
    fn a_line_is_a_setting_where_letters_stand_before_its_first_sign() {
        let text = "# for people\n\n [ Some name ] # a note\nsource = issue #7 of a=b \n date=2026\n\
                    one # why = this\n=a = b\n a b=c\n[2]\n";
        let [first, second] = read(text, &SETTINGS).unwrap().try_into().unwrap();
        assert_eq!((first.line, first.name, second.line, second.name), (3, "Some name", 9, "2"));
        let setting = |key| first.required(key).map(|setting| (setting.line, setting.text));
        assert_eq!(setting("source"), Ok((4, "issue #7 of a=b")));
        assert_eq!(setting("date"), Ok((5, "2026")));
        let entries: Vec<_> =
            first.entries("x").unwrap().iter().map(|entry| (entry.line, entry.text)).collect();
        assert_eq!(entries, [(6, "one"), (7, "=a = b"), (8, "a b=c")]);
        assert_eq!(second.entries("entries").unwrap_err(), Mistake::new(9, "section `2` has no entries"));
        assert_eq!(second.required("date").unwrap_err(), Mistake::new(9, "section `2` has no `date = …`"));
        assert!(second.optional("date").is_none());
    }

    #[test]
    fn mistakes_of_form_are_named_with_their_line() {
        for (text, line, words) in [
            ("date = 2026", 1, "`date = 2026` stands before the first `[section]`"),
            ("[x]\n[]", 2, "a section begins with `[its name]`"),
            ("\n[x", 2, "a section begins with `[its name]`"),
            ("[x]\ny\n[ x ]", 3, "there is already a section `x`"),
            ("[x]\ndat = 2026", 2, "`dat` is no setting of a section: those are source, date"),
            ("[x]\ndate = ", 2, "`date` is empty"),
            ("[x]\ndate = 2026\ny\ndate = 2026", 4, "`date` is set twice in this section"),
        ] {
            assert_eq!(read(text, &SETTINGS).unwrap_err(), Mistake::new(line, words), "{text}");
        }
    }

    #[test]
    fn values_are_what_they_say() {
        let setting = |text| Setting { line: 7, key: "certain", text };
        for text in ["2026", "1990-01", "2026-12-31"] {
            assert_eq!(setting(text).date(), Ok(text.to_owned()));
        }
        for text in ["", "n/a", "1989", "2200", "+026", "2026-1", "2026-13", "2026-12-32", "2026-12-31-1"] {
            let mistake = Mistake::new(7, format!("a date is YYYY, YYYY-MM or YYYY-MM-DD, not `{text}`"));
            assert_eq!(setting(text).date(), Err(mistake));
        }
        assert_eq!(setting("some-vendor2").vendor(), Ok("some-vendor2".to_owned()));
        for text in ["Vendor", "some vendor", "vendör"] {
            assert!(setting(text).vendor().is_err(), "{text}");
        }
        assert_eq!((setting("yes").yes_or_no(), setting("no").yes_or_no()), (Ok(true), Ok(false)));
        assert_eq!(setting("on").yes_or_no(), Err(Mistake::new(7, "`certain` is yes or no, not `on`")));
        let (first, rest) = setting("one  two three").split();
        assert_eq!((first.text, rest.collect::<Vec<_>>()), ("one", vec!["two", "three"]));
    }
}
