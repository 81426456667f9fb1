//! Agents that say that they are machines: what a `User-Agent` declares of itself. The words stand in `agents.txt`, each
//! section with its class, source and date; [`compile`](crate::compile) makes constant tables of them when the crate is
//! built. Here the agent is read once, word by word, without a regular expression and without allocating.
//!
//! A word is a run of letters and digits. What speaks for a machine, the strongest first: a word or phrase of the tables; a
//! word's beginning or ending (`…bot`, `crawl…`); an address in the agent, which crawlers put there for complaints; the form
//! `(compatible; Name`, which among browsers Internet Explorer and a few of its time had; a desktop browser's agent that
//! names no engine; and an agent that does not even say that it is a browser, such as `Zapier` or
//! `acme-feeds/1.0 (linux)`. The last four are never `certain`.
//!
//! What an app says in brackets behind its name is about the phone that it runs on, and phones are called anything: no
//! word there is a machine's, unless the brackets begin as crawlers' do (`(compatible; …`) or hold an address. And a
//! browser may say in brackets where its maker lives.
//!
//! Gateways' scanners do not declare themselves: they send a browser's agent, and nothing here finds them.

mod class;
mod filter;

use std::cmp::Ordering;

pub use class::AgentClass;
use filter::filter_bit;

include!(concat!(env!("OUT_DIR"), "/agents.rs"));

/// An agent that says that it is a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The word or phrase of the catalogue that it was known by, in lower case, or the form that gave it away.
    pub name: &'static str,
    /// What it is for.
    pub class: AgentClass,
    /// Whose it is, as the verdict says it; `None` where the section holds many owners'.
    pub vendor: Option<&'static str>,
    /// No person's browser or app speaks under this name.
    pub certain: bool,
    /// Where the name comes from.
    pub source: &'static str,
    /// The day the source was read: `YYYY-MM-DD`.
    pub date: &'static str,
}

/// What the agents of one section have in common.
struct Group {
    class: AgentClass,
    vendor: Option<&'static str>,
    certain: bool,
    source: &'static str,
    date: &'static str,
}

/// Words of one length, sorted, one after the other in `text`; a byte of `groups` for each.
struct Words {
    text: &'static str,
    groups: &'static [u8],
    /// The bits that their letters set: most words of browsers are told apart by that alone.
    filter: [u8; 32],
}

/// Phrases, sorted, one after the other in `text`: where each ends, and its byte.
struct Phrases {
    text: &'static str,
    ends: &'static [u16],
    groups: &'static [u8],
}

impl Phrases {
    /// A phrase by its number, and its byte; `None` past the last.
    fn at(&self, number: usize) -> Option<(&'static str, u8)> {
        let begin = number.checked_sub(1).map_or(0, |before| *self.ends.get(before).unwrap_or(&0));
        let end = *self.ends.get(number)?;
        Some((self.text.get(usize::from(begin)..usize::from(end))?, *self.groups.get(number)?))
    }

    /// The phrases from the first one on that is not before a text.
    fn from(&self, text: &str) -> impl Iterator<Item = (&'static str, u8)> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.at(middle).is_some_and(|(phrase, _)| phrase < text) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..).map_while(|number| self.at(number))
    }
}

const OBSERVED: &str = "crawlers and browsers of public user-agent corpora, told apart by form";
const OBSERVED_DATE: &str = "2026-11-22";

const ADDRESS: Agent = by_form("an address in the agent", AgentClass::Crawler);
const COMPATIBLE: Agent = by_form("(compatible; …", AgentClass::Crawler);
const NO_ENGINE: Agent = by_form("a browser's system and no engine", AgentClass::Library);
const NO_BROWSER: Agent = by_form("no browser's form", AgentClass::Library);

/// What stands in a desktop browser's first brackets.
const DESKTOPS: [&[u8]; 3] = [b"Windows NT ", b"Macintosh; ", b"X11; "];

/// And what stands behind them, as most write it; some are known to leave all out but Chrome.
const ENGINES: [&[u8]; 3] = [b"AppleWebKit/", b"Gecko/", b"Chrome/"];

/// How the names of browsers and apps end that may give their maker's address.
const OF_PEOPLE: [&[u8]; 2] = [b"browser", b"app"];

const fn by_form(name: &'static str, class: AgentClass) -> Agent {
    Agent { name, class, vendor: None, certain: false, source: OBSERVED, date: OBSERVED_DATE }
}

const OFFICE: [&str; 3] = ["microsoft office", "ms-office", "msoffice"];

/// Outlook and Office, whose agents stand beside a person's click at Safe Links' time of click (the published table of
/// Microsoft Defender's traces): evidence for a pair, never for a machine by itself, because the same programs open links
/// and show mail for people.
#[must_use]
pub fn is_office(user_agent: &str) -> bool {
    let agent = user_agent.as_bytes();
    let mut in_word = false;
    for (at, byte) in agent.iter().enumerate() {
        let begins_word = !in_word;
        in_word = byte.is_ascii_alphanumeric();
        if begins_word && byte | 0x20 == b'm' && OFFICE.iter().any(|name| begins(&agent[at..], name)) {
            return true;
        }
    }
    false
}

/// The machine that an agent declares to be; `None` for people's browsers and apps, and for an empty agent.
///
/// The agent of a mail provider's prefetch is matched as a whole: Apple's and others' bare `Mozilla/5.0`, Gmail's frozen
/// Edge. Both matter for opens. No browser sends the bare one, so it counts on clicks too, but is not `certain` there:
/// whatever stands between a browser and the web may have cut the rest.
#[must_use]
pub fn declared(user_agent: &str) -> Option<Agent> {
    let agent = user_agent.trim_ascii();
    if agent.is_empty() {
        return None;
    }
    if let Some((text, group)) = WHOLE.iter().find(|(text, _)| *text == agent) {
        return of_group(text, *group);
    }
    let mut scan = Scan {
        agent: agent.as_bytes(),
        best: None,
        rank: 0,
        known: false,
        has_system: false,
        has_unknown: false,
        is_phone: false,
        has_address: false,
        device: Device::Before,
        bracket: 0,
        is_aside: false,
    };
    scan.words();
    if scan.best.is_some() { scan.best() } else { scan.without_words() }
}

/// An agent by what it was found to be. Where the catalogue no longer has the name, what it was for still counts.
#[must_use]
pub(super) fn named(name: &str, class: AgentClass, certain: bool) -> Agent {
    let word = name.as_bytes();
    let tables = [
        WHOLE.iter().copied().find(|(whole, _)| *whole == name),
        PHRASES.from(name).next().filter(|(phrase, _)| *phrase == name),
        find(&WORDS, word),
        find(&BEGINNINGS, word),
        find(&ENDINGS, word),
    ];
    let by_words = tables.into_iter().flatten().filter_map(|(name, value)| of_group(name, value));
    let by_form = [ADDRESS, COMPATIBLE, NO_ENGINE, NO_BROWSER].into_iter().filter(|agent| agent.name == name);
    // A word may be a name and a stem, each with its class; and an address in the agent makes a stem certain.
    let known = by_words.chain(by_form).find(|agent| agent.class == class && agent.certain <= certain);
    Agent { certain, ..known.unwrap_or(self::by_form("an agent that is no longer known", class)) }
}

/// How much a finding is worth beside the others of the same agent.
const BY_FORM: u8 = 1;
const BY_NAME: u8 = 2;
const BY_STEM: u8 = 3;
const BY_CERTAIN_NAME: u8 = 4;

/// The state of reading one agent.
#[expect(clippy::struct_excessive_bools, reason = "each was seen by itself")]
struct Scan<'a> {
    agent: &'a [u8],
    best: Option<Agent>,
    rank: u8,
    /// A word that people's browsers, phones and apps have.
    known: bool,
    /// A word of people, be it only their system's.
    has_system: bool,
    /// A word that nobody has.
    has_unknown: bool,
    /// A word of phones and of the apps there.
    is_phone: bool,
    /// An address, as crawlers give it for complaints.
    has_address: bool,
    device: Device,
    /// Where brackets last opened.
    bracket: usize,
    /// Within brackets whose words are an app's about its phone.
    is_aside: bool,
}

/// Where an Android phone's name stands: in the first brackets, between the words `Android` and `Build`. Phones are called
/// anything, Spider and Ruby too, so no word there says that this is a machine.
#[derive(PartialEq, Eq)]
enum Device {
    Before,
    Brackets,
    Name,
    After,
}

impl Scan<'_> {
    fn words(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.agent.get(at) {
            if !byte.is_ascii_alphanumeric() {
                self.sign(byte, at);
                at += 1;
                continue;
            }
            let begin = at;
            let mut is_number = true;
            while let Some(byte) = self.agent.get(at)
                && byte.is_ascii_alphanumeric()
            {
                is_number &= byte.is_ascii_digit();
                at += 1;
            }
            if !is_number && self.word(begin, at) {
                return;
            }
        }
    }

    /// What stands between words: brackets and the signs of an address.
    fn sign(&mut self, byte: u8, at: usize) {
        match byte {
            b'(' | b'[' => {
                (self.bracket, self.is_aside) = (at, self.is_phone && self.opens_aside(at));
                if self.device == Device::Before {
                    self.device = Device::Brackets;
                }
            }
            b')' | b']' => (self.device, self.is_aside) = (Device::After, false),
            b':' if self.agent[at..].starts_with(b"://") => self.address(),
            b'@' if is_mail_domain(&self.agent[at + 1..]) => self.address(),
            _ => {}
        }
    }

    /// Whether the brackets that open here, after a phone's name, are an app's about it: a crawler's begin with its own name
    /// and version.
    fn opens_aside(&self, at: usize) -> bool {
        let inside = &self.agent[at + 1..];
        let name = inside.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let is_product = name > 0 && inside.get(name) == Some(&b'/');
        !is_product && !["compatible", "khtml"].iter().any(|word| begins(inside, word))
    }

    /// Looks one word up; true when nothing stronger can come.
    fn word(&mut self, begin: usize, end: usize) -> bool {
        if self.is_aside {
            return false;
        }
        let (rest, word) = (&self.agent[begin..], &self.agent[begin..end]);
        match self.device {
            Device::Name if !begins(word, "build") => return false,
            Device::Name => self.device = Device::After,
            Device::Brackets if begins(word, "android") => self.device = Device::Name,
            _ => {}
        }
        if let Some((name, value)) = find(&WORDS, word) {
            if value & BEGINS_PHRASES != 0
                && let Some((phrase, value)) = longest_phrase(name, rest)
                && (value & ANCHORED == 0 || begin == 0)
            {
                return self.named(phrase, value);
            }
            if value & NO_GROUP != NO_GROUP && (value & ANCHORED == 0 || begin == 0) {
                return self.named(name, value);
            }
        }
        if word.len() == "compatible".len() && self.is_compatible(begin) {
            self.found(COMPATIBLE, BY_FORM);
        }
        let mut is_unknown = true;
        for (stem, value) in [beginning(word), ending(word)].into_iter().flatten() {
            is_unknown = false;
            match of_group(stem, value) {
                Some(agent) => self.found(agent, BY_STEM),
                None => self.know(value),
            }
        }
        self.has_unknown |= is_unknown;
        false
    }

    /// Whether a crawler's `(compatible; Name` begins here: `Mozilla/5.0`, and no name of a browser behind it.
    fn is_compatible(&self, at: usize) -> bool {
        let Some(name) = strip(&self.agent[at..], "compatible; ") else {
            return false;
        };
        let name = &name[..name.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let before = &self.agent[..at];
        strip(self.agent, "mozilla/5.0").is_some()
            && (before.ends_with(b"(") || before.ends_with(b"Gecko; "))
            && find(&WORDS, name).is_none_or(|(_, value)| !is_of_people(value))
    }

    fn named(&mut self, name: &'static str, value: u8) -> bool {
        match of_group(name, value) {
            Some(agent) if agent.certain => self.found(agent, BY_CERTAIN_NAME),
            Some(agent) => self.found(agent, BY_NAME),
            None => self.know(value),
        }
        self.rank == BY_CERTAIN_NAME
    }

    /// Notes what a word of people says. A system's name alone does not tell a browser from a program there.
    fn know(&mut self, value: u8) {
        self.has_system = true;
        self.known |= value & NO_GROUP != SYSTEM;
        self.is_phone |= value & NO_GROUP == PHONE;
    }

    fn address(&mut self) {
        if !self.is_behind_a_browser() {
            self.has_address = true;
            self.found(ADDRESS, BY_FORM);
        }
    }

    /// Whether the last brackets stand behind a browser or an app of people: `AcmeBrowser/1.2 (`.
    fn is_behind_a_browser(&self) -> bool {
        let before = self.agent[..self.bracket].trim_ascii_end();
        let product = before.rsplit(|b| *b == b' ').next().unwrap_or_default();
        let name = product.split(|b| *b == b'/').next().unwrap_or_default();
        let ends = |end: &&[u8]| {
            let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        };
        strip(self.agent, "mozilla/5.0 (").is_some() && OF_PEOPLE.iter().any(ends)
    }

    /// What was found. An app may end like a machine (`Tweetbot`), but gives no address for complaints; and a chat app
    /// that names its phone is not its preview, which shows no more than the app's name.
    fn best(self) -> Option<Agent> {
        let is_crawler = self.rank == BY_STEM && self.has_address;
        let is_app = |agent: &Agent| self.is_phone && agent.class == AgentClass::Preview && !agent.certain;
        let agent = self.best.filter(|agent| !is_app(agent))?;
        Some(Agent { certain: agent.certain || is_crawler, ..agent })
    }

    /// What an agent is in which no word told.
    fn without_words(&self) -> Option<Agent> {
        if self.names_no_engine() {
            return Some(NO_ENGINE);
        }
        let is_browser = || self.agent.windows(8).any(|text| text.eq_ignore_ascii_case(b"mozilla/"));
        let is_person = self.known || self.has_system && (!self.has_unknown || is_browser());
        (!is_person).then_some(NO_BROWSER)
    }

    /// Whether this is a desktop browser's agent that names no engine behind its first brackets: every one says `Gecko`,
    /// or that it is like that.
    fn names_no_engine(&self) -> bool {
        let Some(inside) = self.agent.strip_prefix(b"Mozilla/5.0 (") else { return false };
        if !DESKTOPS.iter().any(|system| inside.starts_with(system)) {
            return false;
        }
        let end = inside.iter().position(|b| *b == b')').unwrap_or(inside.len());
        let behind = inside.get(end + 2..).unwrap_or_default();
        !ENGINES.iter().any(|engine| behind.starts_with(engine))
            && !behind.windows(4).any(|text| text.eq_ignore_ascii_case(b"ecko"))
    }

    fn found(&mut self, agent: Agent, rank: u8) {
        if rank > self.rank {
            (self.best, self.rank) = (Some(agent), rank);
        }
    }
}

/// Whether a pattern is people's.
fn is_of_people(value: u8) -> bool {
    (SYSTEM..NO_GROUP).contains(&(value & NO_GROUP))
}

/// The agent of a pattern, unless the pattern is people's.
fn of_group(name: &'static str, value: u8) -> Option<Agent> {
    let Group { class, vendor, certain, source, date } = GROUPS.get(usize::from(value & NO_GROUP))?;
    Some(Agent { name, class: *class, vendor: *vendor, certain: *certain, source, date })
}

/// A word as the table spells it, and its byte.
fn find(table: &'static [Words], word: &[u8]) -> Option<(&'static str, u8)> {
    let words = table.get(word.len())?;
    let bit = filter_bit(word)?;
    if words.filter[bit / 8] >> (bit % 8) & 1 == 0 {
        return None;
    }
    let (mut low, mut high) = (0, words.groups.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let known = &words.text[middle * word.len()..][..word.len()];
        match known.bytes().cmp(word.iter().map(u8::to_ascii_lowercase)) {
            Ordering::Equal => return Some((known, words.groups[middle])),
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    None
}

/// The longest phrase that stands at the beginning, of those that begin with a word.
fn longest_phrase(word: &str, agent: &[u8]) -> Option<(&'static str, u8)> {
    let sign = agent.get(word.len());
    let phrases = PHRASES.from(word).take_while(|(phrase, _)| phrase.starts_with(word));
    let phrases =
        phrases.filter(|(phrase, _)| phrase.len() == word.len() || phrase.as_bytes().get(word.len()) == sign);
    phrases.filter(|(phrase, _)| begins(agent, phrase)).max_by_key(|(phrase, _)| phrase.len())
}

/// The longest beginning of a word that the table knows.
fn beginning(word: &[u8]) -> Option<(&'static str, u8)> {
    let lengths = LENGTHS_OF_BEGINNINGS[usize::from(*word.first()? & 31)];
    longest(&BEGINNINGS, lengths, &|length| word.get(..length))
}

/// The longest ending of a word that the table knows, digits behind it left out.
fn ending(word: &[u8]) -> Option<(&'static str, u8)> {
    let digits = word.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let word = &word[..word.len() - digits];
    let lengths = LENGTHS_OF_ENDINGS[usize::from(*word.last()? & 31)];
    longest(&ENDINGS, lengths, &|length| word.get(word.len().checked_sub(length)?..))
}

/// The longest stem of a table in a word's part of its length. The bits of `lengths` are those of the stems that begin or end with
/// the word's letter.
fn longest<'a>(
    table: &'static [Words],
    mut lengths: u16,
    part: &dyn Fn(usize) -> Option<&'a [u8]>,
) -> Option<(&'static str, u8)> {
    while let Some(length) = lengths.checked_ilog2() {
        lengths ^= 1 << length;
        let found = part(length as usize).and_then(|part| find(table, part));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What follows a text that stands at the beginning, in whichever case.
fn strip<'a>(agent: &'a [u8], text: &str) -> Option<&'a [u8]> {
    let (head, rest) = agent.split_at_checked(text.len())?;
    head.eq_ignore_ascii_case(text.as_bytes()).then_some(rest)
}

/// Whether whole words stand at the beginning.
fn begins(agent: &[u8], words: &str) -> bool {
    strip(agent, words).is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// Whether the domain of a mail address stands here: labels, the last of letters alone. `android@150.0.0.0` has none.
fn is_mail_domain(rest: &[u8]) -> bool {
    let length =
        rest.iter().position(|b| !b.is_ascii_alphanumeric() && !b"-.".contains(b)).unwrap_or(rest.len());
    let domain = rest[..length].trim_ascii_end();
    let mut labels = domain.strip_suffix(b".").unwrap_or(domain).rsplit(|b| *b == b'.');
    let top = labels.next().unwrap_or_default();
    top.len() >= 2
        && top.iter().all(u8::is_ascii_alphabetic)
        && labels.next().is_some_and(|label| !label.is_empty())
}

#[cfg(test)]
mod tests;
