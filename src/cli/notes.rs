//! What `classify` could not use, told at the end: fields under names that no rule knows, and signals that no record carries.
//! A verdict on what is not there would otherwise look like one on all that may be there.

use std::collections::HashMap;

use clickproof::record::Record;
use clickproof::verdict::Ruleset;

use crate::merge::VerdictNames;
use crate::say::said;

/// How many names of extra fields are shown.
const SHOWN: usize = 5;

/// What our own lines have beside record and verdict, and what other commands read.
const OURS: [&str; 9] = [
    "label",
    "event",
    "network",
    "network_vendor",
    "network_class",
    "agent",
    "safelinks_referer",
    "votes",
    "previous_click_type",
];

/// The fields that rules look at.
const FIELDS: [&str; 24] = [
    "ts_ms",
    "sent_at_ms",
    "delivered_at_ms",
    "message_id",
    "recipient_id",
    "link_id",
    "url",
    "links_total",
    "method",
    "ip",
    "asn",
    "user_agent",
    "referer",
    "accept",
    "accept_language",
    "sec_fetch_site",
    "sec_fetch_mode",
    "sec_fetch_dest",
    "sec_fetch_user",
    "sec_purpose",
    "sec_ch_ua",
    "http_protocol",
    "cookie",
    "kind",
];

/// What exports and logs call them: mail providers' names and those of web servers, without case and signs.
const ALIASES: [(&str, &str); 39] = [
    ("ua", "user_agent"),
    ("agent", "user_agent"),
    ("useragentstring", "user_agent"),
    ("httpuseragent", "user_agent"),
    ("browser", "user_agent"),
    ("ipaddress", "ip"),
    ("ipaddr", "ip"),
    ("clientip", "ip"),
    ("remoteip", "ip"),
    ("remoteaddr", "ip"),
    ("sourceip", "ip"),
    ("cfconnectingip", "ip"),
    ("asnumber", "asn"),
    ("ts", "ts_ms"),
    ("timestamp", "ts_ms"),
    ("time", "ts_ms"),
    ("clickedat", "ts_ms"),
    ("createdat", "ts_ms"),
    ("receivedat", "ts_ms"),
    ("eventtime", "ts_ms"),
    ("sentat", "sent_at_ms"),
    ("sendtime", "sent_at_ms"),
    ("injectiontime", "sent_at_ms"),
    ("deliveredat", "delivered_at_ms"),
    ("email", "recipient_id"),
    ("recipient", "recipient_id"),
    ("rcptto", "recipient_id"),
    ("contactid", "recipient_id"),
    ("campaign", "message_id"),
    ("campaignid", "message_id"),
    ("link", "url"),
    ("href", "url"),
    ("targetlinkurl", "url"),
    ("originallink", "url"),
    ("referrer", "referer"),
    ("httpreferer", "referer"),
    ("httpreferrer", "referer"),
    ("acceptlang", "accept_language"),
    ("protocol", "http_protocol"),
];

/// What was seen of the records.
#[derive(Default)]
pub(crate) struct Notes {
    records: usize,
    carried: Carried,
    extra: HashMap<String, usize>,
}

/// How many records carry what. A header that is not there is known not to be, where a record knows headers.
#[derive(Default)]
struct Carried {
    ip: usize,
    asn: usize,
    user_agent: usize,
    headers: usize,
    referer: usize,
    links_total: usize,
    cookie: usize,
    delivered: usize,
    url: usize,
    link_id: usize,
}

impl Notes {
    /// Sees a field that records do not have.
    pub(crate) fn extra(&mut self, name: &str) {
        if let Some(count) = self.extra.get_mut(name) {
            *count += 1;
        } else {
            self.extra.insert(name.to_owned(), 1);
        }
    }

    /// Sees a record.
    pub(crate) fn record(&mut self, record: &Record) {
        // What a record was kept with speaks for all that was not kept.
        let is_kept = record.signals.is_some();
        let knows_headers = record.knows_headers() || is_kept;
        self.records += 1;
        for (count, is_carried) in [
            (&mut self.carried.ip, record.ip.is_some() || is_kept),
            (&mut self.carried.asn, record.asn.is_some() || is_kept),
            (&mut self.carried.user_agent, record.user_agent.is_some() || knows_headers),
            (&mut self.carried.headers, knows_headers),
            (&mut self.carried.referer, record.referer.is_some() || knows_headers),
            (&mut self.carried.links_total, record.links_total.is_some()),
            (&mut self.carried.cookie, record.cookie.is_some() || is_kept),
            (&mut self.carried.delivered, record.delivered_at_ms.is_some()),
            (&mut self.carried.url, record.url.is_some()),
            (&mut self.carried.link_id, record.link_id.is_some()),
        ] {
            *count += usize::from(is_carried);
        }
    }

    /// The lines to say; none where all that rules look at is there. `bad` is how many lines were no record.
    pub(crate) fn lines(&self, ruleset: Ruleset, bad: usize, verdict: &VerdictNames) -> Vec<String> {
        let mut lines = self.names(bad, verdict);
        if self.records > 0 {
            let of = said(self.records);
            let missing = self.missing(ruleset).into_iter();
            lines.extend(missing.map(|(field, words)| format!("0 of {of} records have {field}: {words}")));
        }
        lines
    }

    /// What is said of names.
    fn names(&self, bad: usize, verdict: &VerdictNames) -> Vec<String> {
        let is_ours = |name: &str| OURS.contains(&name) || verdict.has(name);
        let mut extra: Vec<(&str, usize)> = self
            .extra
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .filter(|(name, _)| !is_ours(name))
            .collect();
        extra.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let (mut lines, mut others) = (Vec::new(), Vec::new());
        for (name, count) in extra {
            match meant(name).filter(|field| self.lacks(field, bad)) {
                Some(field) => lines.push(format!(
                    "`{}` in {} {}: no rule knows it; did you mean `{field}`?",
                    name.replace(char::is_control, "\u{fffd}"),
                    said(count),
                    if count == 1 { "record" } else { "records" },
                )),
                None => others.push(format!("`{}`", name.replace(char::is_control, "\u{fffd}"))),
            }
        }
        if !others.is_empty() {
            let more = if others.len() > SHOWN { ", …" } else { "" };
            let fields = if others.len() == 1 { "field" } else { "fields" };
            let shown = others[..others.len().min(SHOWN)].join(", ");
            lines.push(format!("{} {fields} that no rule looks at: {shown}{more}", said(others.len())));
        }
        lines
    }

    /// Whether some record may do without a field: where all have it, another name beside it is nobody's mistake.
    fn lacks(&self, field: &str, bad: usize) -> bool {
        let count = match field {
            "ip" => self.carried.ip,
            "asn" => self.carried.asn,
            "user_agent" => self.carried.user_agent,
            "referer" => self.carried.referer,
            "links_total" => self.carried.links_total,
            "cookie" => self.carried.cookie,
            "delivered_at_ms" => self.carried.delivered,
            "url" => self.carried.url,
            "link_id" => self.carried.link_id.max(self.carried.url),
            "ts_ms" | "sent_at_ms" | "message_id" | "recipient_id" => return bad > 0,
            // What has a default is never missed.
            "kind" | "method" => 0,
            _ => self.carried.headers,
        };
        count < self.records || self.records == 0
    }

    /// The signals that no record carries, and what was not judged for that.
    fn missing(&self, ruleset: Ruleset) -> Vec<(&'static str, &'static str)> {
        let Carried { ip, asn, user_agent, headers, referer, links_total, cookie, .. } = self.carried;
        let mut missing = Vec::new();
        if ruleset == Ruleset::Defender {
            if ip == 0 {
                missing.push(("`ip`", "networks were not judged"));
            }
            if referer == 0 {
                missing.push(("`referer`", "Safe Links was not judged"));
            }
            return missing;
        }
        match (ip, asn) {
            (0, 0) => missing.push(("`ip`", "networks and sources were not judged")),
            (0, _) => missing.push(("`ip`", "sources were not judged, networks by their AS number alone")),
            (_, 0) => missing.push(("`asn`", "networks were judged by the address alone")),
            _ => {}
        }
        match (user_agent, headers) {
            (0, _) => missing.push(("`user_agent`", "agents and headers were not judged")),
            (_, 0) => {
                missing.push(("headers such as `accept` and `sec_fetch_mode`", "headers were not judged"));
            }
            _ => {}
        }
        if links_total == 0 {
            missing.push(("`links_total`", "whether all links of a mail were clicked was not judged"));
        }
        if cookie == 0 {
            missing.push(("`cookie`", "who came back was not judged"));
        }
        missing
    }
}

/// The field that a name was most likely meant to be.
fn meant(name: &str) -> Option<&'static str> {
    let plain = plain(name);
    if let Some((_, field)) = ALIASES.iter().find(|(alias, _)| *alias == plain) {
        return Some(field);
    }
    // A short name is near to many.
    let reach = match plain.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    let near = FIELDS.iter().map(|field| (distance(&plain, &self::plain(field)), *field));
    near.filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, field)| field)
}

/// A name without case and signs.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many letters make one word of the other: each put in, left out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut above = row[0];
        row[0] = at + 1;
        for (place, wanted) in other.bytes().enumerate() {
            let changed = above + usize::from(letter != wanted);
            above = row[place + 1];
            row[place + 1] = changed.min(above + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_the_field_that_was_meant() {
        for (name, field) in [
            ("useragent", "user_agent"),
            ("User-Agent", "user_agent"),
            ("userAgent", "user_agent"),
            ("user_agnet", "user_agent"),
            ("ua", "user_agent"),
            ("ip_address", "ip"),
            ("IP", "ip"),
            ("ts", "ts_ms"),
            ("timestamp", "ts_ms"),
            ("ts", "ts_ms"),
            ("email", "recipient_id"),
            ("recipientId", "recipient_id"),
            ("referrer", "referer"),
            ("linkid", "link_id"),
            ("Sec-Fetch-Mode", "sec_fetch_mode"),
            ("sent_at", "sent_at_ms"),
            ("links_totals", "links_total"),
        ] {
            assert_eq!(meant(name), Some(field), "{name}");
        }
        for name in
            ["note", "test", "source", "sg_event_id", "tag", "pi", "x", "", "seen", "city", "mailgun_bot"]
        {
            assert_eq!(meant(name), None, "{name}");
        }
    }

    #[test]
    fn distances_count_letters() {
        for (one, other, far) in
            [("", "", 0), ("ab", "ab", 0), ("ab", "", 2), ("abc", "acb", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (far, far), "{one} {other}");
        }
    }
}
