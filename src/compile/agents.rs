//! What `agents.txt` says: patterns by their kind, each with the group of agents that it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use super::sections::{self, Mistake, Once};
use crate::signals::agents::AgentClass;

/// Longer words are looked at by their beginning and ending only.
pub const LONGEST_WORD: usize = 32;
/// The longest beginning or ending.
pub const LONGEST_STEM: usize = 12;

// A byte of the tables holds the group's number, and what else is true of the pattern.

/// In place of a group's number: a system's name, which people's agents have and programs' too. The first such number.
pub const SYSTEM: u8 = 0x3c;
/// In place of a group's number: a word of people's agents.
pub const PEOPLE: u8 = 0x3d;
/// In place of a group's number: a word of people's phones and of the apps there.
pub const PHONE: u8 = 0x3e;
/// In place of a group's number: the word only begins phrases.
pub const NO_GROUP: u8 = 0x3f;
/// Only at the agent's beginning.
pub const ANCHORED: u8 = 0x40;
/// There are phrases that begin with this word.
pub const BEGINS_PHRASES: u8 = 0x80;

/// The patterns by their kind, each with its byte for the table.
#[derive(Debug, Default)]
pub struct Patterns {
    /// What the machines of one section have in common; a pattern's byte is an index here.
    pub groups: Vec<Group>,
    /// Whole words, and the first words of phrases.
    pub words: BTreeMap<String, u8>,
    /// Words with what stands between them.
    pub phrases: BTreeMap<String, u8>,
    /// What words begin with.
    pub beginnings: BTreeMap<String, u8>,
    /// What words end with.
    pub endings: BTreeMap<String, u8>,
    /// Whole agents.
    pub whole: BTreeMap<String, u8>,
}

/// A section of machines, without its patterns.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// What they are for.
    pub class: AgentClass,
    /// Whose they are, where it is one owner.
    pub vendor: Option<String>,
    /// No person's browser or app speaks under these names.
    pub certain: bool,
    /// Where the names come from.
    pub source: String,
    /// When the source was read.
    pub date: String,
}

const SETTINGS: [&str; 5] = ["class", "vendor", "certain", "source", "date"];

/// The classes of words that no machine is known by.
const OF_PEOPLE: [(&str, u8); 3] = [("person", PEOPLE), ("phone", PHONE), ("system", SYSTEM)];

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Patterns, Mistake> {
    let mut patterns = Patterns::default();
    let mut once = Once::new();
    for section in sections::read(text, &SETTINGS)? {
        let group = match group(&section)? {
            Owner::People(value) => value,
            Owner::Machines(group) => patterns.number(group).ok_or_else(|| {
                section.mistake(format!("there is room for {SYSTEM} sections of machines: merge some"))
            })?,
        };
        for pattern in section.entries("patterns")? {
            once.note(pattern, pattern.text)?;
            patterns.add(pattern.text, group).map_err(|text| pattern.mistake(text))?;
        }
    }
    patterns.shorten();
    Ok(patterns)
}

/// Whose a section's patterns are.
enum Owner {
    /// People's: what stands in place of a group's number.
    People(u8),
    /// Machines', and what they have in common.
    Machines(Group),
}

fn group(section: &sections::Section) -> Result<Owner, Mistake> {
    let of_people = OF_PEOPLE.map(|(name, value)| (name, None, value));
    let of_machines = AgentClass::ALL.map(|class| (class.name(), Some(class), NO_GROUP));
    let classes: Vec<_> = of_people.into_iter().chain(of_machines).collect();
    let (_, class, value) = section.required("class")?.word(&classes, |(name, ..)| name)?;
    let Some(class) = class else { return Ok(Owner::People(value)) };
    Ok(Owner::Machines(Group {
        class,
        vendor: section.optional("vendor").map(|vendor| vendor.vendor()).transpose()?,
        certain: section.required("certain")?.yes_or_no()?,
        source: section.required("source")?.text.to_owned(),
        date: section.required("date")?.date()?,
    }))
}

impl Patterns {
    /// Adds a group; `None` where its number would be one that means something else.
    fn number(&mut self, group: Group) -> Option<u8> {
        let number = u8::try_from(self.groups.len()).ok().filter(|number| *number < SYSTEM);
        self.groups.push(group);
        number
    }

    /// A word that means something at the agent's beginning alone needs no phrase of its own.
    fn shorten(&mut self) {
        self.phrases.retain(|phrase, value| match self.words.get_mut(phrase) {
            Some(word) if *word & NO_GROUP == NO_GROUP => {
                *word = *word & BEGINS_PHRASES | *value;
                false
            }
            _ => true,
        });
        let firsts: BTreeSet<_> = self.phrases.keys().map(|phrase| first_word(phrase)).collect();
        for (word, value) in &mut self.words {
            if !firsts.contains(word.as_str()) {
                *value &= !BEGINS_PHRASES;
            }
        }
    }

    fn add(&mut self, pattern: &str, group: u8) -> Result<(), String> {
        if let Some(whole) = pattern.strip_prefix('=') {
            self.whole.insert(whole.to_owned(), group);
            return Ok(());
        }
        if pattern.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
            return Err(format!("write `{pattern}` in lower-case ASCII: upper case matches it too"));
        }
        if let Some(stem) = pattern.strip_prefix('*') {
            return add_stem(&mut self.endings, stem, group);
        }
        if let Some(stem) = pattern.strip_suffix('*') {
            return add_stem(&mut self.beginnings, stem, group);
        }
        let (pattern, flag) = pattern.strip_prefix('^').map_or((pattern, 0), |rest| (rest, ANCHORED));
        let first = first_word(pattern);
        if first.is_empty() || !pattern.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(format!("`{pattern}` does not begin and end with a letter or digit"));
        }
        if first.len() > LONGEST_WORD {
            return Err(format!("`{first}` is longer than {LONGEST_WORD} letters"));
        }
        if first.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("`{first}` is a number: numbers are not looked up"));
        }
        let word = self.words.entry(first.to_owned()).or_insert(NO_GROUP);
        if first == pattern && flag == 0 {
            *word = *word & BEGINS_PHRASES | group;
        } else {
            *word |= BEGINS_PHRASES;
            self.phrases.insert(pattern.to_owned(), group | flag);
        }
        Ok(())
    }
}

/// The letters and digits that a pattern begins with.
fn first_word(pattern: &str) -> &str {
    pattern.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

fn add_stem(stems: &mut BTreeMap<String, u8>, stem: &str, group: u8) -> Result<(), String> {
    if stem.is_empty() || stem.len() > LONGEST_STEM || !stem.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(format!("a beginning or ending is 1 to {LONGEST_STEM} letters or digits, not `{stem}`"));
    }
    stems.insert(stem.to_owned(), group);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_by_their_kind_with_their_group() {
        let text = "[m]\nclass = library\nvendor = acme\ncertain = yes\nsource = issue #7 of a=b\ndate = 2026-09\n\
                    acme # why\n^acme-get\n^acme\n^solo\nget*\n*bot\n=Acme/1.0 (a=b)\n[p]\nclass = person\ncubot\n\
                    [t]\nclass = phone\nandroid\n[s]\nclass = system\nlinux\n";
        let Patterns { groups, words, phrases, beginnings, endings, whole } = parse(text).unwrap();
        let group = Group {
            class: AgentClass::Library,
            vendor: Some("acme".to_owned()),
            certain: true,
            source: "issue #7 of a=b".to_owned(),
            date: "2026-09".to_owned(),
        };
        assert_eq!(groups, [group]);
        let of =
            |texts: &[(&str, u8)]| texts.iter().map(|(text, byte)| ((*text).to_owned(), *byte)).collect();
        let people = [("cubot", PEOPLE), ("android", PHONE), ("linux", SYSTEM)];
        assert_eq!(words, of(&[&[("acme", BEGINS_PHRASES), ("solo", ANCHORED)][..], &people].concat()));
        // What says something else at the beginning is a phrase of its own.
        assert_eq!(phrases, of(&[("acme-get", ANCHORED), ("acme", ANCHORED)]));
        assert_eq!((beginnings, endings), (of(&[("get", 0)]), of(&[("bot", 0)])));
        assert_eq!(whole, of(&[("Acme/1.0 (a=b)", 0)]));
    }

    #[test]
    fn a_mistake_in_the_file_names_its_line() {
        let section = "[x]\nclass = crawler\ncertain = yes\nsource = s\ndate = 2026\n";
        for (text, line, words) in [
            ("[x]\nclas = crawler", 2, "`clas` is no setting"),
            ("[x]\nclass = robot", 2, "no class `robot`, only person, phone, system, crawler, scanner"),
            ("[x]\nword", 1, "has no `class = …`"),
            ("[x]\nclass = crawler\ncertain = maybe", 3, "yes or no, not `maybe`"),
            ("[x]\nclass = crawler\ncertain = yes", 1, "has no `source = …`"),
            (section, 1, "section `x` has no patterns"),
            (&format!("{section}vendor = Acme\nword"), 6, "a vendor is lower-case letters"),
            (&section.replace("2026", "today"), 5, "a date is YYYY"),
            (&format!("{section}word\nword"), 7, "already stands on line 6"),
            (&format!("{section}Word"), 6, "in lower-case ASCII"),
            (&format!("{section}word-"), 6, "begin and end with a letter or digit"),
            (&format!("{section}^+word"), 6, "begin and end with a letter or digit"),
            (&format!("{section}123"), 6, "is a number"),
            (&format!("{section}*"), 6, "1 to 12 letters or digits, not ``"),
            (&format!("{section}a-b*"), 6, "1 to 12 letters or digits, not `a-b`"),
            (&format!("{section}{}", "a".repeat(33)), 6, "longer than 32 letters"),
        ] {
            let mistake = parse(text).expect_err(text);
            assert_eq!(mistake.line, line, "{text}: {}", mistake.text);
            assert!(mistake.text.contains(words), "{text}: {}", mistake.text);
        }
    }
}
