//! What `learned.txt` says: networks that the sender's own history convicts, each section with the day from which it no
//! longer holds.

use ipnet::IpNet;

use super::networks::{Network, parse_network};
use super::sections::{self, Mistake, Once, Setting};

/// One section of the data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What the section is called, for people.
    pub name: String,
    /// Whose machines these are, where somebody knows.
    pub vendor: Option<String>,
    /// The exact agent that convicts the AS numbers; none where prefixes stand.
    pub agent: Option<String>,
    /// What was seen there.
    pub source: String,
    /// The day up to which was looked, `YYYY-MM-DD`.
    pub date: String,
    /// The day from which it no longer holds, `YYYY-MM-DD`.
    pub expires: String,
    /// The beginning of that day, Unix milliseconds.
    pub expires_ms: i64,
    /// In the file's order.
    pub prefixes: Vec<IpNet>,
    /// AS numbers, in the file's order; only with an agent.
    pub systems: Vec<u32>,
}

const SETTINGS: [&str; 5] = ["vendor", "agent", "source", "date", "expires"];

/// The shortest prefixes, IPv4 then IPv6: what is wider is not one scanner's.
pub const WIDEST: (u8, u8) = (16, 32);

/// Reads the data file.
///
/// # Errors
///
/// The first mistake ends it.
pub fn parse(text: &str) -> Result<Vec<Section>, Mistake> {
    let (mut once, mut taken) = (Once::new(), Vec::<IpNet>::new());
    let mut found = Vec::new();
    for section in sections::read(text, &SETTINGS)? {
        let agent = section.optional("agent").map(|agent| agent.text);
        let (mut prefixes, mut systems) = (Vec::new(), Vec::new());
        for entry in section.entries("prefixes or AS numbers")? {
            let network = parse_network(entry.text).map_err(|text| entry.mistake(text))?;
            once.note(entry, (network, agent))?;
            match (network, agent) {
                (Network::Prefix(prefix), None) => {
                    if is_wide(prefix) {
                        let (v4, v6) = WIDEST;
                        return Err(entry.mistake(format!(
                            "{prefix} is no single scanner's: at most a /{v4}, in IPv6 a /{v6}"
                        )));
                    }
                    let overlaps = |other: &&IpNet| other.contains(&prefix) || prefix.contains(*other);
                    if let Some(other) = taken.iter().find(overlaps) {
                        return Err(
                            entry.mistake(format!("{prefix} overlaps {other}: leave one of them out"))
                        );
                    }
                    taken.push(prefix);
                    prefixes.push(prefix);
                }
                (Network::System(number), Some(_)) => systems.push(number),
                (Network::Prefix(_), Some(_)) => {
                    return Err(entry.mistake(format!(
                        "`{}` stands under an `agent`, which goes with AS numbers: give it a section of its own",
                        entry.text
                    )));
                }
                (Network::System(_), None) => {
                    return Err(entry.mistake(format!(
                        "`{}` is many people's: add `agent = …` and only that agent's requests are judged by it",
                        entry.text
                    )));
                }
            }
        }
        let (date, expires) = (section.required("date")?, section.required("expires")?);
        let (date_ms, expires_ms) = (day_ms(date)?, day_ms(expires)?);
        if expires_ms <= date_ms {
            return Err(expires.mistake(format!("`expires` is {}, which is not after `date`", expires.text)));
        }
        found.push(Section {
            name: section.name.to_owned(),
            vendor: section.optional("vendor").map(|vendor| vendor.vendor()).transpose()?,
            agent: agent.map(str::to_owned),
            source: section.required("source")?.text.to_owned(),
            date: date.text.to_owned(),
            expires: expires.text.to_owned(),
            expires_ms,
            prefixes,
            systems,
        });
    }
    Ok(found)
}

/// Whether a prefix is wider than any single scanner's network.
fn is_wide(prefix: IpNet) -> bool {
    prefix.prefix_len() < if prefix.addr().is_ipv4() { WIDEST.0 } else { WIDEST.1 }
}

/// The beginning of a day that a setting names, Unix milliseconds.
fn day_ms(setting: Setting) -> Result<i64, Mistake> {
    let text = setting.date()?;
    let mut parts = text.split('-').map_while(|part| part.parse::<i64>().ok());
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(setting.mistake(format!("a day is YYYY-MM-DD, not `{text}`")));
    };
    // Years that begin with March end with the day that not every year has.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    Ok((days - DAYS_TO_1970) * 86_400_000)
}

/// From 1 March of the year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[One]\nsource = s\ndate = 2026-11-22\nexpires = 2027-02-20\n192.0.2.0/24\n";

    #[test]
    fn a_section_is_read_with_its_comments() {
        let agent = "Mozilla/5.0 (X11; a=b) Scan/7 # +https://scan.example/#us";
        let text = format!(
            "# for people\n[ One ]\nvendor = some-vendor2\nagent = {agent}\nsource = 12 sends\ndate = 2026-11-22\n\
             expires = 2027-02-20\nAS64496 # why\nAS64500\n[Two]\nsource = s\ndate = 2024-02-28\nexpires = 2024-02-29\n\
             192.0.2.0/24\n2001:db8::/48\n"
        );
        let one = Section {
            name: "One".to_owned(),
            vendor: Some("some-vendor2".to_owned()),
            agent: Some(agent.to_owned()),
            source: "12 sends".to_owned(),
            date: "2026-11-22".to_owned(),
            expires: "2027-02-20".to_owned(),
            expires_ms: 1_803_081_600_000,
            prefixes: Vec::new(),
            systems: vec![64_496, 64_500],
        };
        let two = Section {
            name: "Two".to_owned(),
            vendor: None,
            agent: None,
            source: "s".to_owned(),
            date: "2024-02-28".to_owned(),
            expires: "2024-02-29".to_owned(),
            expires_ms: 1_709_164_800_000,
            prefixes: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/48".parse().unwrap()],
            systems: Vec::new(),
        };
        assert_eq!(parse(&text), Ok(vec![one, two]));
        assert_eq!(parse("# nothing learned yet\n"), Ok(Vec::new()));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        assert!(parse(GOOD).is_ok());
        let with = |from: &str, to: &str| GOOD.replace(from, to);
        let and = |more: &str| format!("{GOOD}{more}\n");
        let agent = |more: &str| with("source", &format!("agent = x/1\n{more}source"));
        for (text, line, words) in [
            (and("192.0.2.0/24"), 6, "already stands on line 5"),
            (and("192.0.2.0/25"), 6, "192.0.2.0/25 overlaps 192.0.2.0/24: leave one of them out"),
            (and("192.0.0.0/22"), 6, "192.0.0.0/22 overlaps 192.0.2.0/24"),
            (and("10.0.0.0/15"), 6, "10.0.0.0/15 is no single scanner's: at most a /16, in IPv6 a /32"),
            (and("2001:db8::/31"), 6, "2001:db8::/31 is no single scanner's"),
            (and("AS64496"), 6, "`AS64496` is many people's: add `agent = …`"),
            (agent(""), 6, "`192.0.2.0/24` stands under an `agent`"),
            (with("192.0.2.0/24", "192.0.2.1/24"), 5, "is 192.0.2.0/24 meant?"),
            (with("expires = 2027-02-20\n", ""), 1, "section `One` has no `expires = …`"),
            (with("source = s\n", ""), 1, "section `One` has no `source = …`"),
            (with("2027-02-20", "2027-02"), 4, "a day is YYYY-MM-DD, not `2027-02`"),
            (with("2027-02-20", "soon"), 4, "not `soon`"),
            (with("2026-11-22", "2026"), 3, "a day is YYYY-MM-DD, not `2026`"),
            (with("2027-02-20", "2026-11-22"), 4, "`expires` is 2026-11-22, which is not after `date`"),
            (with("source", "vendor = V\nsource"), 2, "a vendor is lower-case letters"),
            (with("source", "class = hosting\nsource"), 2, "`class` is no setting of a section"),
        ] {
            let Mistake { line: at, text: message } = parse(&text).expect_err(&text);
            assert!(message.contains(words), "{message}\n{text}");
            assert_eq!(at, line, "{message}\n{text}");
        }
        let twice = "[A]\nagent = x/1\nsource = s\ndate = 2026-01-01\nexpires = 2026-01-02\nAS64496\n";
        let other = twice.replace("[A]", "[B]");
        assert!(parse(&format!("{twice}{other}")).unwrap_err().text.contains("already stands on line 6"));
        assert!(parse(&format!("{twice}{}", other.replace("x/1", "x/2"))).is_ok(), "another agent");
    }
}
