//! What `agents.txt` says: patterns by their kind, each with the group of agents that it belongs to.

use std::collections::BTreeMap;

use super::Mistake;
use crate::signals::agents::AgentClass;

/// Longer words are looked at by their beginning and ending only.
pub const LONGEST_WORD: usize = 32;
/// The longest beginning or ending.
pub const LONGEST_STEM: usize = 12;

// A byte of the tables holds the group's number, and what else is true of the pattern.

/// In place of a group's number: a word of people's agents.
pub const PEOPLE: u8 = 0x3e;
/// In place of a group's number: the word only begins phrases.
pub const NO_GROUP: u8 = 0x3f;
/// Only at the agent's beginning.
pub const ANCHORED: u8 = 0x40;
/// There are phrases that begin with this word.
pub const BEGINS_PHRASES: u8 = 0x80;

/// One section of the data file.
#[derive(Debug)]
struct Section {
    line: usize,
    name: String,
    settings: BTreeMap<&'static str, (usize, String)>,
    patterns: Vec<(usize, String)>,
}

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
const NO_MACHINE: &str = "person";

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Patterns, Mistake> {
    let mut patterns = Patterns::default();
    let mut seen = BTreeMap::new();
    for section in sections(text)? {
        let group = group(&section, &mut patterns)?;
        for (line, pattern) in section.patterns {
            if let Some(earlier) = seen.insert(pattern.clone(), line) {
                return Err(Mistake { line, text: format!("`{pattern}` already stands on line {earlier}") });
            }
            patterns.add(&pattern, group).map_err(|text| Mistake { line, text })?;
        }
    }
    Ok(patterns)
}

fn sections(text: &str) -> Result<Vec<Section>, Mistake> {
    let mut sections: Vec<Section> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let mistake = |text: String| Mistake { line, text };
        if let Some(header) = content.strip_prefix('[') {
            let name = header.strip_suffix(']').filter(|name| !name.is_empty());
            let name =
                name.ok_or_else(|| mistake("a section begins with `[its name]`".to_owned()))?.to_owned();
            sections.push(Section { line, name, settings: BTreeMap::new(), patterns: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(mistake(format!("`{content}` stands before the first `[section]`")));
        };
        if let Some((key, value)) = content.split_once(" = ") {
            let Some(key) = SETTINGS.into_iter().find(|known| *known == key) else {
                let known = SETTINGS.join(", ");
                return Err(mistake(format!("`{key}` is no setting of a section: those are {known}")));
            };
            if section.settings.insert(key, (line, value.to_owned())).is_some() {
                return Err(mistake(format!("`{key}` is set twice in this section")));
            }
        } else {
            section.patterns.push((line, content.to_owned()));
        }
    }
    Ok(sections)
}

/// The number of a section's group, which is written down for the tables.
fn group(section: &Section, patterns: &mut Patterns) -> Result<u8, Mistake> {
    let setting = |key: &str| {
        section.settings.get(key).map(|(line, value)| (*line, value.as_str())).ok_or_else(|| Mistake {
            line: section.line,
            text: format!("section `{}` has no `{key} = …`", section.name),
        })
    };
    let (line, class) = setting("class")?;
    if class == NO_MACHINE {
        return Ok(PEOPLE);
    }
    let class = AgentClass::named(class).ok_or_else(|| {
        let known = AgentClass::ALL.map(AgentClass::name);
        Mistake {
            line,
            text: format!("there is no class `{class}`, only {NO_MACHINE}, {}", known.join(", ")),
        }
    })?;
    let certain = match setting("certain")? {
        (_, "yes") => true,
        (_, "no") => false,
        (line, other) => {
            return Err(Mistake { line, text: format!("`certain` is yes or no, not `{other}`") });
        }
    };
    let vendor = section.settings.get("vendor").map(|(_, vendor)| vendor);
    let ((_, source), (_, date)) = (setting("source")?, setting("date")?);
    let number = u8::try_from(patterns.groups.len()).ok().filter(|number| *number < PEOPLE);
    let number = number.ok_or_else(|| Mistake {
        line: section.line,
        text: format!("there is room for {PEOPLE} sections of machines"),
    })?;
    let (vendor, source, date) = (vendor.cloned(), source.to_owned(), date.to_owned());
    patterns.groups.push(Group { class, vendor, certain, source, date });
    Ok(number)
}

impl Patterns {
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
        let first = pattern.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
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
        if first == pattern {
            *word = *word & BEGINS_PHRASES | group | flag;
        } else {
            *word |= BEGINS_PHRASES;
            self.phrases.insert(pattern.to_owned(), group | flag);
        }
        Ok(())
    }
}

fn add_stem(stems: &mut BTreeMap<String, u8>, stem: &str, group: u8) -> Result<(), String> {
    if stem.is_empty() || stem.len() > LONGEST_STEM || !stem.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(format!("a beginning or ending is 1 to {LONGEST_STEM} letters or digits, not `{stem}`"));
    }
    stems.insert(stem.to_owned(), group);
    Ok(())
}
