//! Signals in a form that can be stored, where less of a request is kept than the rules have seen: they judge by it for ever, and it
//! tells no more than they need. What is yes or no is a bit, a vote is one, networks and agents stand there by name, and who sent
//! it is numbers that nobody can guess, because they are made with a key ([`privacy`](super::privacy)).
//!
//! It is text, hexadecimal digits of these bytes:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version, 1 |
//! | number | the bits of [`Bits`] |
//! | number | the votes, a bit each, in the order of [`SIGNS`] |
//! | 8 | the agent, as a number |
//! | 8, 8, 8 | the source, where there is one: exact, its origin, and what counts as one that asks where that is another |
//! | 8 | the cookie's visitor, where there is one |
//! | texts | the network, the place where it is another, what was learned, the agent and its class: each behind its length, empty for none |
//!
//! What follows is a later version's and passed over, so that what it adds can be read here, too.

use super::agents::{self, AgentClass};
use super::catalogue;
use super::catalogue::learned::LEARNED;
use super::shape::{Cookie, Signals, Source};
use super::votes::{Sign, Votes};
use crate::record::columns::{Damaged, Reader, Writer};
use crate::record::hex::{from_hex, push_hex};
use crate::record::{MAX_FIELD_BYTES, Record};

const VERSION: u8 = 1;

/// What each bit of the votes stands for. Frozen: new signs stand behind the last.
const SIGNS: [Sign; 30] = [
    Sign::NoUserAgent,
    Sign::AppAgent,
    Sign::ImpossibleBrowser,
    Sign::AgedBrowser,
    Sign::StaleBrowser,
    Sign::UnreducedVersion,
    Sign::NoFetchMetadata,
    Sign::NoClientHints,
    Sign::ForeignClientHints,
    Sign::ForeignFetchUser,
    Sign::ClientHintsDisagree,
    Sign::NotANavigation,
    Sign::NoUserActivation,
    Sign::NoAcceptLanguage,
    Sign::AcceptNotHtml,
    Sign::OldProtocol,
    Sign::Hosting,
    Sign::ForwardedScanner,
    Sign::BeforeDelivery,
    Sign::FirstSeconds,
    Sign::FirstMinute,
    Sign::Navigated,
    Sign::CoherentHeaders,
    Sign::ReturnWithoutCookie,
    Sign::Interacted,
    Sign::Rendered,
    Sign::ReturningCookie,
    Sign::WrapperReferer,
    Sign::PrivateRelay,
    Sign::HumanProxy,
];

/// What is yes or no. Frozen: new ones stand behind the last.
const BITS: usize = 20;

/// The signals that are bits, then what says how to read the rest.
type Bits = [bool; BITS];

fn bits(signals: &Signals) -> Bits {
    let source = signals.source;
    [
        signals.is_withheld,
        signals.safelinks_referer,
        signals.has_referer,
        signals.lacks_referer,
        signals.has_address,
        signals.knows_headers,
        signals.is_office,
        signals.is_get,
        signals.is_one_click,
        signals.has_acted,
        signals.is_headless,
        signals.is_prefetch,
        signals.is_microsoft_system,
        source.is_some(),
        source.is_some_and(|source| source.has_agent),
        source.is_some_and(|source| source.group != source.exact),
        matches!(signals.cookie, Cookie::New(_)),
        matches!(signals.cookie, Cookie::Returning(_)),
        signals.agent.is_some_and(|agent| agent.certain),
        signals.place == signals.network,
    ]
}

/// Writes signals. `number` makes of a number that stands for an address, an agent or a visitor one that cannot be guessed: of
/// the same the same.
#[must_use]
pub fn seal(signals: &Signals, number: &dyn Fn(u64) -> u64) -> String {
    let mut writer = Writer(vec![VERSION]);
    writer.number(set(&bits(signals)));
    writer.number(set(&SIGNS.map(|sign| signals.votes.has(sign))));
    let source = signals.source;
    let group = source.filter(|source| source.group != source.exact).map(|source| source.group);
    let visitor = match signals.cookie {
        Cookie::New(visitor) | Cookie::Returning(visitor) => Some(visitor),
        Cookie::None => None,
    };
    let numbers = [source.map(|source| source.exact), source.map(|source| source.origin), group, visitor];
    for one in [Some(signals.browser)].into_iter().chain(numbers).flatten() {
        writer.0.extend_from_slice(&number(one).to_le_bytes());
    }
    let place = signals.place.filter(|_| signals.place != signals.network);
    for name in [
        signals.network.map(|network| network.name),
        place.map(|network| network.name),
        signals.learned.map(|learned| learned.name),
        signals.agent.map(|agent| agent.name),
        signals.agent.map(|agent| agent.class.name()),
    ] {
        writer.bytes(name.unwrap_or_default().as_bytes());
    }
    let mut text = String::with_capacity(2 * writer.0.len());
    push_hex(&mut text, &writer.0);
    text
}

/// Reads signals; `None` for what is damaged, or of a later version. A network that the catalogue of this build does not name is
/// nobody's, as it is where the address is kept.
#[must_use]
pub fn open(text: &str) -> Option<Signals> {
    read(&from_hex(text.bytes())?).ok()
}

/// What is wrong with the signals of a record that comes from outside.
///
/// # Errors
/// They cannot be read, or are longer than any that are written.
pub fn check(record: &Record) -> Result<(), String> {
    match record.signals.as_deref() {
        Some(text) if text.len() > MAX_FIELD_BYTES || open(text).is_none() => {
            Err("signals: must be as a line of the log has them; without them the other fields are judged"
                .to_owned())
        }
        _ => Ok(()),
    }
}

fn read(bytes: &[u8]) -> Result<Signals, Damaged> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return Err(Damaged);
    }
    let bits: Bits = unset(reader.number()?);
    let mut votes = Votes::default();
    for (sign, seen) in SIGNS.into_iter().zip(unset::<{ SIGNS.len() }>(reader.number()?)) {
        votes.note(sign, seen);
    }
    let [
        is_withheld,
        safelinks_referer,
        has_referer,
        lacks_referer,
        has_address,
        knows_headers,
        is_office,
        is_get,
        is_one_click,
        has_acted,
        is_headless,
        is_prefetch,
        is_microsoft_system,
        has_source,
        has_agent,
        has_group,
        is_new,
        is_returning,
        is_certain,
        is_in_place,
    ] = bits;
    let browser = number(&mut reader)?;
    let source = if has_source {
        let (exact, origin) = (number(&mut reader)?, number(&mut reader)?);
        let group = if has_group { number(&mut reader)? } else { exact };
        Some(Source { exact, group, origin, has_agent })
    } else {
        None
    };
    let cookie = match (is_new, is_returning) {
        (true, _) => Cookie::New(number(&mut reader)?),
        (_, true) => Cookie::Returning(number(&mut reader)?),
        _ => Cookie::None,
    };
    let mut name = || std::str::from_utf8(reader.bytes()?).map_err(|_| Damaged);
    let (network, place, learned, agent, class) = (name()?, name()?, name()?, name()?, name()?);
    let network = catalogue::named(network);
    Ok(Signals {
        is_withheld,
        safelinks_referer,
        has_referer,
        lacks_referer,
        has_address,
        network,
        place: if is_in_place { network } else { catalogue::named(place) },
        learned: LEARNED.named(learned),
        agent: AgentClass::named(class).map(|class| agents::named(agent, class, is_certain)),
        knows_headers,
        is_office,
        is_get,
        is_one_click,
        has_acted,
        is_headless,
        is_prefetch,
        is_microsoft_system,
        votes,
        source,
        cookie,
        browser,
    })
}

/// A number whose bits are these, the first the lowest.
fn set(bits: &[bool]) -> u64 {
    bits.iter().rev().fold(0, |number, bit| number << 1 | u64::from(*bit))
}

/// The lowest bits of a number.
fn unset<const COUNT: usize>(number: u64) -> [bool; COUNT] {
    std::array::from_fn(|at| number >> at & 1 == 1)
}

fn number(reader: &mut Reader) -> Result<u64, Damaged> {
    let bytes = reader.take(8)?.try_into().map_err(|_| Damaged)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;

    fn plain(signals: &Signals) -> String {
        seal(signals, &|number| number)
    }

    /// Of everything one: a scanner's address, a machine's agent, a cookie, headers that vote.
    fn spoken() -> Signals {
        let text = |text: &str| Some(text.to_owned());
        Signals::of(&Record {
            ip: text("40.92.1.1"),
            asn: Some(8_075),
            user_agent: text("curl/8.5.0"),
            referer: text("https://nam02.safelinks.protection.outlook.com/"),
            http_protocol: text("HTTP/2"),
            cookie: text("returning"),
            visitor_id: text("07"),
            method: "GET".to_owned(),
            ..Record::default()
        })
    }

    /// Frozen: rows of years hold these bytes.
    #[test]
    fn the_bytes_are_frozen() {
        let nothing = Signals::of(&Record { method: "GET".to_owned(), ..Record::default() });
        let zero = |_| 0;
        assert_eq!(seal(&nothing, &zero), "018081200000000000000000000000000000");
        let mut counted = std::cell::Cell::new(0);
        let next = |_| {
            counted.set(counted.get() + 1);
            counted.get()
        };
        assert_eq!(
            seal(&spoken(), &next),
            "01b6e13b8080802001000000000000000200000000000000030000000000000004000000000000000500000000000000\
             1b446566656e646572207461626c653a206d61696c2066696c746572\
             0000046375726c076c696272617279"
        );
        assert_eq!(*counted.get_mut(), 5);
        // What the bits of the votes stand for, by their names.
        let names = SIGNS.map(|sign| {
            let mut votes = Votes::default();
            votes.note(sign, true);
            votes.seen().next().map_or("", |vote| vote.reason)
        });
        assert_eq!(
            names[..30].join(" "),
            "+no_user_agent +app_agent +impossible_browser +aged_browser +stale_browser +unreduced_version \
             +no_fetch_metadata +no_client_hints +foreign_client_hints +foreign_fetch_user +client_hints_disagree \
             +not_a_navigation +no_user_activation +no_accept_language +accept_not_html +old_protocol +hosting_network \
             +forwarded_for_scanner +before_delivery +first_seconds +first_minute -navigated -coherent_headers \
             +return_without_cookie -interacted -rendered -returning_cookie -wrapper_referer -private_relay -human_proxy"
        );
    }

    #[test]
    fn every_sign_has_a_bit() {
        for sign in Sign::ALL {
            assert!(SIGNS.contains(sign), "{sign:?}: give it the next bit");
        }
    }

    #[test]
    fn signals_come_back_as_they_were() {
        let withheld = Signals { is_withheld: true, ..spoken() };
        let apart = Signals { network: None, source: None, cookie: Cookie::New(7), ..spoken() };
        let open_of_proxy = Signals::of(&Record {
            kind: Kind::Open,
            ip: Some("66.249.84.1".to_owned()),
            user_agent: Some("Mozilla/5.0".to_owned()),
            ..Record::default()
        });
        for signals in [spoken(), withheld, apart, open_of_proxy, Signals::of(&Record::default())] {
            assert_eq!(open(&plain(&signals)), Some(signals));
        }
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over_and_what_is_damaged_is_none() {
        let whole = plain(&spoken());
        assert_eq!(open(&format!("{whole}07aa")), Some(spoken()));
        for end in 0..whole.len() {
            assert_eq!(open(&whole[..end]), None, "{end}");
        }
        for other in ["", "02", "xyz", &whole.to_uppercase(), &whole.replacen("01", "02", 1)] {
            assert_eq!(open(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_the_catalogue_no_longer_has_is_survived() {
        let hex = |text: &str| text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let whole = plain(&spoken());
        let gone = whole.replace(&hex("Defender table: mail filter"), &hex("Defender table: mail_filter"));
        assert_ne!(gone, whole);
        assert_eq!(open(&gone), Some(Signals { network: None, place: None, ..spoken() }));
        let gone = open(&whole.replace(&hex("curl"), &hex("curm"))).unwrap();
        assert_eq!(gone.agent.map(|agent| (agent.class, agent.certain)), Some((AgentClass::Library, true)));
        assert_eq!(
            gone.declares().map(|(_, certain)| certain),
            spoken().declares().map(|(_, certain)| certain)
        );
    }
}
