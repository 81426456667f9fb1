//! What `networks.txt` says: sections of prefixes and AS numbers, one spelling and one place for each of them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::sections::{self, Mistake, Once};
use crate::signals::catalogue::{Class, Feed, Scope};

/// One section of the data file.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// What the section is called, for people.
    pub name: String,
    /// Whose machines these are.
    pub vendor: String,
    /// What a request from there is worth as evidence.
    pub class: Class,
    /// Which requests it speaks of.
    pub scope: Scope,
    /// Where the facts come from.
    pub source: String,
    /// The source's own date, or else the day it was read.
    pub date: String,
    /// Which people come from there beside what its class says.
    pub people: Option<String>,
    /// Where the prefixes can be had anew.
    pub feed: Option<FeedPart>,
    /// In the file's order.
    pub prefixes: Vec<IpNet>,
    /// AS numbers, in the file's order.
    pub systems: Vec<u32>,
}

/// The part of a live feed that a section takes.
#[derive(Debug, PartialEq, Eq)]
pub struct FeedPart {
    /// Which feed.
    pub feed: Feed,
    /// What of it: a tag, a service, the numbers of sets; empty where all of it is taken.
    pub parts: Vec<String>,
    /// The longest prefixes, IPv4 then IPv6, that the section takes: longer ones are widened to this, and joined.
    pub blocks: Option<(u8, u8)>,
}

impl FeedPart {
    /// A feed's prefixes as the section writes them: ascending, each once, none longer than may be.
    #[must_use]
    pub fn widen(&self, prefixes: Vec<IpNet>) -> Vec<IpNet> {
        let (most_v4, most_v6) = self.blocks.unwrap_or((32, MAX_V6_LEN));
        let shorten = |prefix: IpNet| {
            let most = if prefix.addr().is_ipv4() { most_v4 } else { most_v6 };
            IpNet::new(prefix.addr(), prefix.prefix_len().min(most)).unwrap_or(prefix).trunc()
        };
        let mut widened: Vec<_> = prefixes.into_iter().map(shorten).collect();
        widened.sort_unstable();
        widened.dedup();
        // A list that is widened anyway need not stand as its vendor writes it.
        if self.blocks.is_some() { IpNet::aggregate(&widened) } else { widened }
    }
}

/// As the file writes it.
impl fmt::Display for FeedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.feed.name())?;
        self.parts.iter().try_for_each(|part| write!(f, " {part}"))
    }
}

/// The longest IPv6 prefix: the Worker compares the upper half of an address alone. The other half is an interface's, in
/// networks of this kind.
pub const MAX_V6_LEN: u8 = 64;

const SETTINGS: [&str; 8] = ["vendor", "class", "scope", "people", "source", "date", "feed", "blocks"];

/// How many sections there may be: in the Worker's tables a byte says whose a stretch is, and 0 is nobody.
const MOST: usize = 255;

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    Prefix(IpNet),
    System(u32),
}

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let mut once = Once::new();
    let mut found = Vec::new();
    for section in sections::read(text, &SETTINGS)? {
        if found.len() == MOST {
            return Err(section.mistake(format!("there is room for {MOST} sections: merge some")));
        }
        let scope = section.required("scope")?.word(&Scope::ALL, Scope::name)?;
        let (mut prefixes, mut systems) = (Vec::new(), Vec::new());
        for entry in section.entries("prefixes or AS numbers")? {
            let network = parse_network(entry.text).map_err(|text| entry.mistake(text))?;
            once.note(entry, (scope, network))?;
            match network {
                Network::Prefix(prefix) => prefixes.push(prefix),
                Network::System(number) => systems.push(number),
            }
        }
        found.push(Section {
            name: section.name.to_owned(),
            vendor: section.required("vendor")?.vendor()?,
            class: section.required("class")?.word(&Class::ALL, Class::name)?,
            scope,
            people: section.optional("people").map(|people| people.text.to_owned()),
            source: section.required("source")?.text.to_owned(),
            date: section.required("date")?.date()?,
            feed: feed(&section)?,
            prefixes,
            systems,
        });
    }
    Ok(found)
}

fn feed(section: &sections::Section) -> Result<Option<FeedPart>, Mistake> {
    let blocks = section.optional("blocks");
    let Some(setting) = section.optional("feed") else {
        return blocks.map_or(Ok(None), |blocks| {
            Err(blocks.mistake("`blocks` says how a feed is read: add `feed = …`"))
        });
    };
    let (name, parts) = setting.split();
    let feed = name.word(&Feed::ALL, Feed::name)?;
    let parts: Vec<_> = parts.map(str::to_owned).collect();
    let (is_right, remedy) = match feed {
        Feed::Azure => (parts.len() == 1, "name one tag, such as `feed = azure EOPExtPublished`"),
        Feed::Microsoft365 => (
            !parts.is_empty() && parts.iter().all(|part| part.parse::<u32>().is_ok()),
            "name its sets, such as `feed = microsoft365 9 10`",
        ),
        Feed::Aws => (parts.len() == 1, "name one service, such as `feed = aws CLOUDFRONT_ORIGIN_FACING`"),
        Feed::Apple | Feed::Google => (parts.is_empty(), "it is taken as a whole: write its name alone"),
    };
    if !is_right {
        return Err(setting.mistake(format!("`feed = {}`: {remedy}", setting.text)));
    }
    let blocks = blocks.map(|blocks| {
        parse_blocks(blocks.text).ok_or_else(|| {
            blocks.mistake(format!(
                "`blocks` is two lengths, IPv4 up to 32 and IPv6 up to {MAX_V6_LEN}, not `{}`",
                blocks.text
            ))
        })
    });
    Ok(Some(FeedPart { feed, parts, blocks: blocks.transpose()? }))
}

fn parse_blocks(text: &str) -> Option<(u8, u8)> {
    let (v4, v6) = text.split_once(' ')?;
    let (v4, v6) = (v4.parse().ok()?, v6.trim().parse().ok()?);
    ((1..=32).contains(&v4) && (1..=MAX_V6_LEN).contains(&v6)).then_some((v4, v6))
}

pub(super) fn parse_network(text: &str) -> Result<Network, String> {
    match text.strip_prefix("AS") {
        // A sign or leading zeros would be a second spelling; AS0 is nobody's.
        Some(digits) => match digits.parse() {
            Ok(number) if number > 0 && format!("AS{number}") == text => Ok(Network::System(number)),
            _ => Err(format!("`{text}` is no AS number such as AS64496")),
        },
        None => parse_prefix(text).map(Network::Prefix),
    }
}

fn parse_prefix(text: &str) -> Result<IpNet, String> {
    let prefix: IpNet = text.parse().map_err(|_| {
        format!(
            "`{text}` is neither a setting, a prefix such as 192.0.2.0/24 or 2001:db8::/32, nor an AS number such as AS64496"
        )
    })?;
    if prefix.trunc() != prefix {
        return Err(format!("{text} has bits set beyond its length: is {} meant?", prefix.trunc()));
    }
    // One spelling for each prefix, so that a difference between two versions of the file is a difference in fact.
    if prefix.to_string() != text {
        return Err(format!("write {text} as {prefix}"));
    }
    if let IpAddr::V6(address) = prefix.addr() {
        if prefix.prefix_len() >= 96 && address.to_ipv4_mapped().is_some() {
            return Err(format!("{text} is looked up as IPv4 addresses: write it as an IPv4 prefix"));
        }
        if prefix.prefix_len() > MAX_V6_LEN {
            return Err(format!(
                "{text} is longer than /{MAX_V6_LEN}: write its /{MAX_V6_LEN}, or leave it out"
            ));
        }
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn a_section_is_read_with_its_comments() {
        let text = "# for people\n\n [ Some name ] # a note\nvendor = some-vendor2\nclass=scanner-probable\n\
                    scope = opens\npeople = readers\nsource = issue #7 of a=b\ndate = 2026-09\nfeed = azure SomeTag\nblocks = 24 40\n\
                    192.0.2.0/24 # why = this\nAS64496\n2001:db8::/32\n";
        let expected = Section {
            name: "Some name".to_owned(),
            vendor: "some-vendor2".to_owned(),
            class: Class::ScannerProbable,
            scope: Scope::Opens,
            people: Some("readers".to_owned()),
            source: "issue #7 of a=b".to_owned(),
            date: "2026-09".to_owned(),
            feed: Some(FeedPart {
                feed: Feed::Azure,
                parts: vec!["SomeTag".to_owned()],
                blocks: Some((24, 40)),
            }),
            prefixes: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            systems: vec![64496],
        };
        assert_eq!(parse(text), Ok(vec![expected]));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let good = "[One]\nvendor = v\nclass = scanner-certain\nsource = s\ndate = 2026\nscope = all\n192.0.2.0/24\n";
        assert!(parse(good).is_ok());
        let with = |from: &str, to: &str| good.replace(from, to);
        let and = |more: &str| format!("{good}{more}\n");
        let cases = [
            (and("192.0.2.0/33"), 8, "`192.0.2.0/33` is neither a setting, a prefix"),
            (and("192.0.2.1"), 8, "is neither a setting, a prefix"),
            (and("2001:db8::g/32"), 8, "is neither a setting, a prefix"),
            (and("40.92.1.0/16"), 8, "has bits set beyond its length: is 40.92.0.0/16 meant?"),
            (and("2001:db8::1/32"), 8, "has bits set beyond its length: is 2001:db8::/32 meant?"),
            (and("2001:DB8::/32"), 8, "write 2001:DB8::/32 as 2001:db8::/32"),
            (and("::ffff:192.0.2.0/120"), 8, "write it as an IPv4 prefix"),
            (and("192.0.2.0/24"), 8, "`192.0.2.0/24` already stands on line 7"),
            (and("[Two]\nscope = all\n192.0.2.0/24"), 10, "already stands on line 7"),
            (and("AS0"), 8, "`AS0` is no AS number such as AS64496"),
            (and("AS064496"), 8, "is no AS number"),
            (and("AS4294967296"), 8, "is no AS number"),
            (and("as64496"), 8, "is neither a setting, a prefix"),
            (and("AS64496\nAS64496"), 9, "`AS64496` already stands on line 8"),
            (and("2001:db8::/65"), 8, "2001:db8::/65 is longer than /64"),
            (and("feed = bing"), 8, "there is no feed `bing`, only azure, microsoft365, apple, google, aws"),
            (and("feed = azure"), 8, "name one tag"),
            (and("feed = azure One Two"), 8, "name one tag"),
            (and("feed = microsoft365"), 8, "name its sets"),
            (and("feed = microsoft365 nine"), 8, "name its sets"),
            (and("feed = aws"), 8, "name one service"),
            (and("feed = apple v4"), 8, "it is taken as a whole"),
            (and("blocks = 24 40"), 8, "add `feed = …`"),
            (and("feed = apple\nblocks = 24"), 9, "`blocks` is two lengths"),
            (and("feed = apple\nblocks = 33 40"), 9, "`blocks` is two lengths"),
            (and("feed = apple\nblocks = 24 65"), 9, "`blocks` is two lengths"),
            (
                and("[Two]\nvendor = v\nclass = scanner-certain\nscope = all\nsource = s\ndate = 2026"),
                8,
                "section `Two` has no prefixes or AS numbers",
            ),
            (
                and("note = n"),
                8,
                "`note` is no setting of a section: those are vendor, class, scope, people, source, date, feed, blocks",
            ),
            (with("vendor = v\n", ""), 1, "section `One` has no `vendor = …`"),
            (with("class = scanner-certain\n", ""), 1, "section `One` has no `class = …`"),
            (with("source = s\n", ""), 1, "section `One` has no `source = …`"),
            (with("date = 2026\n", ""), 1, "section `One` has no `date = …`"),
            (with("vendor = v", "vendor = Vendor"), 2, "a vendor is lower-case letters"),
            (
                with("scanner-certain", "scanner"),
                3,
                "there is no class `scanner`, only scanner-certain, scanner-probable, threat-intelligence, human-proxy",
            ),
            (
                with("scope = all", "scope = clicked"),
                6,
                "there is no scope `clicked`, only all, clicks, opens",
            ),
            (with("scope = all\n", ""), 1, "section `One` has no `scope = …`"),
            (with("2026", "n/a"), 5, "a date is YYYY, YYYY-MM or YYYY-MM-DD, not `n/a`"),
        ];
        for (text, expected_line, expected_text) in cases {
            let Mistake { line, text: message } = parse(&text).expect_err(&text);
            assert_eq!(line, expected_line, "{message}\n{text}");
            assert!(message.contains(expected_text), "{message}\n{text}");
        }
    }

    #[test]
    fn a_byte_says_whose_a_stretch_is() {
        let mut text = String::new();
        for number in 0..256 {
            let _ = writeln!(
                text,
                "[{number}]\nvendor = v\nclass = relay\nscope = all\nsource = s\ndate = 2026\n192.0.{number}.0/24"
            );
        }
        let Mistake { line, text: message } = parse(&text).unwrap_err();
        assert_eq!((line, message.as_str()), (255 * 7 + 1, "there is room for 255 sections: merge some"));
        let most = text.split_inclusive('\n').take(255 * 7).collect::<String>();
        assert_eq!(parse(&most).map(|sections| sections.len()), Ok(255));
    }

    #[test]
    fn a_feed_is_widened_to_its_sections_blocks() {
        let widened = |blocks, prefixes: &[&str]| -> Vec<_> {
            let part = FeedPart { feed: Feed::Apple, parts: Vec::new(), blocks };
            let prefixes = prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
            part.widen(prefixes).iter().map(ToString::to_string).collect()
        };
        let feed = [
            "2001:db8:aabb:ccdd::/64",
            "2001:db8:aa00:1::7/128",
            "192.0.3.1/32",
            "192.0.2.77/32",
            "192.0.2.0/28",
            "10.0.0.0/16",
            "10.0.0.0/16",
        ];
        assert_eq!(widened(Some((24, 40)), &feed), ["10.0.0.0/16", "192.0.2.0/23", "2001:db8:aa00::/40"]);
        let plain = [
            "10.0.0.0/16",
            "192.0.2.0/28",
            "192.0.2.77/32",
            "192.0.3.1/32",
            "2001:db8:aa00:1::/64",
            "2001:db8:aabb:ccdd::/64",
        ];
        assert_eq!(widened(None, &feed), plain);
    }
}
