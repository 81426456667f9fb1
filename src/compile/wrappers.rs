//! What `wrappers.txt` says: the hosts that rewrite links, gateway by gateway.

use super::sections::{self, Mistake, Once};
use crate::signals::catalogue::Status;

/// One section of the data file: a vendor's hosts.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// What the wrapper is called, for people.
    pub name: String,
    /// Whose it is.
    pub vendor: String,
    /// How well it is known.
    pub status: Status,
    /// Where the facts come from.
    pub source: String,
    /// The source's own date, or else the day it was read.
    pub date: String,
    /// In the file's order.
    pub hosts: Vec<Host>,
}

/// A host, or a domain with all that lies below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Host {
    /// In lower case.
    pub name: String,
    /// Whether the hosts below it count too.
    pub below: bool,
    /// What the path begins with, or nothing.
    pub path: String,
}

const SETTINGS: [&str; 4] = ["vendor", "status", "source", "date"];

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let mut once = Once::new();
    let mut found = Vec::new();
    for section in sections::read(text, &SETTINGS)? {
        let mut hosts = Vec::new();
        for entry in section.entries("hosts")? {
            once.note(entry, entry.text)?;
            hosts.push(parse_host(entry.text).map_err(|text| entry.mistake(text))?);
        }
        found.push(Section {
            name: section.name.to_owned(),
            vendor: section.required("vendor")?.vendor()?,
            status: section.required("status")?.word(&Status::ALL, Status::name)?,
            source: section.required("source")?.text.to_owned(),
            date: section.required("date")?.date()?,
            hosts,
        });
    }
    Ok(found)
}

fn parse_host(text: &str) -> Result<Host, String> {
    let (host, path) = text.find('/').map_or((text, ""), |at| text.split_at(at));
    let (name, below) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !name.contains('.') || !name.split('.').all(is_label) {
        return Err(format!(
            "`{text}` is neither a setting nor a host in lower case such as link.example.com, *.example.com (it and all \
             below it) or www.example.com/path"
        ));
    }
    Ok(Host { name: name.to_owned(), below, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_a_wrapper_are_named_with_their_line() {
        let good = "[One]\nvendor = v\nstatus = seen\nsource = s\ndate = 2026\nlink.example.com\n";
        assert!(parse(good).is_ok());
        let and = |more: &str| format!("{good}{more}\n");
        let cases = [
            (and("Link.example.com"), 7, "is neither a setting nor a host in lower case"),
            (and("example"), 7, "is neither a setting nor a host"),
            (and("*.com.."), 7, "is neither a setting nor a host"),
            (and("a.*.example.com"), 7, "is neither a setting nor a host"),
            (and("https://link.example.com"), 7, "is neither a setting nor a host"),
            (and("link.example.com"), 7, "already stands on line 6"),
            (
                and("class = relay"),
                7,
                "`class` is no setting of a section: those are vendor, status, source, date",
            ),
            (good.replace("seen", "sene"), 3, "there is no status `sene`, only documented, seen, believed"),
            (good.replace("link.example.com\n", ""), 1, "section `One` has no hosts"),
        ];
        for (text, expected_line, expected_text) in cases {
            let Mistake { line, text: message } = parse(&text).expect_err(&text);
            assert_eq!(line, expected_line, "{message}\n{text}");
            assert!(message.contains(expected_text), "{message}\n{text}");
        }
    }
}
