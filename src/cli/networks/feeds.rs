//! The vendors' live feeds: where they are, and how each one's form is read.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use clickproof::compile::networks::FeedPart;
use clickproof::signals::catalogue::Feed;
use ipnet::IpNet;
use serde::Deserialize;

/// Apple's list, the greatest, has some 20 MB.
const MAX_BYTES: u64 = 1 << 27;

const TIMEOUT: Duration = Duration::from_mins(2);

/// What the name of Azure's weekly file begins with; its day follows, and the page for its download links to it.
const AZURE_FILE: &str = "ServiceTags_Public_";

/// Where a feed is when no other place is named: found in the vendors' documentation on 2026-11-22.
pub(crate) const fn home(feed: Feed) -> &'static str {
    match feed {
        Feed::Azure => "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
        // The service asks every client for an id of its own making.
        Feed::Microsoft365 => {
            "https://endpoints.office.com/endpoints/worldwide?clientrequestid=7c1e6f0a-53c1-4f63-9d7b-0f3c9a0b8d51"
        }
        Feed::Apple => "https://mask-api.icloud.com/egress-ip-ranges.csv",
        Feed::Google => {
            "https://developers.google.com/static/crawling/ipranges/user-triggered-fetchers-google.json"
        }
        Feed::Aws => "https://ip-ranges.amazonaws.com/ip-ranges.json",
    }
}

/// The source that a refreshed section names.
pub(crate) fn source(part: &FeedPart) -> String {
    let parts = part.parts.join(", ");
    match part.feed {
        Feed::Azure => format!("Azure service tags, tag {parts}"),
        Feed::Microsoft365 => format!("Microsoft 365 endpoints, worldwide, set {parts}"),
        Feed::Apple => "Apple egress-ip-ranges.csv".to_owned(),
        Feed::Google => "Google user-triggered-fetchers-google.json".to_owned(),
        Feed::Aws => format!("AWS ip-ranges.json, service {parts}"),
    }
}

/// A feed as it was fetched.
pub(crate) struct Fetched {
    feed: Feed,
    text: String,
    /// The feed's own date, where it has one.
    pub(crate) date: Option<String>,
}

/// Fetches a feed from a URL, or reads it from a file.
pub(crate) fn fetch(feed: Feed, place: &str) -> Result<Fetched, String> {
    let mut place = place.to_owned();
    let mut text = read(&place)?;
    if feed == Feed::Azure && !text.trim_start().starts_with('{') {
        place = weekly_file(&text).ok_or_else(|| {
            format!(
                "{place} is neither the service tags nor a page that links to them: download {AZURE_FILE}….json \
                 and pass it with --feed azure=FILE"
            )
        })?;
        text = read(&place)?;
    }
    let date = match feed {
        Feed::Azure => place.split(AZURE_FILE).nth(1).and_then(compact_date),
        Feed::Google => field(&text, "creationTime")?.as_deref().and_then(leading_date),
        Feed::Aws => field(&text, "createDate")?.as_deref().and_then(leading_date),
        Feed::Microsoft365 | Feed::Apple => None,
    };
    Ok(Fetched { feed, text, date })
}

fn read(place: &str) -> Result<String, String> {
    if !place.starts_with("http://") && !place.starts_with("https://") {
        return fs::read_to_string(place).map_err(|error| format!("{place} cannot be read: {error}"));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .user_agent(concat!("clickproof/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let answer = agent
        .get(place)
        .call()
        .and_then(|mut answer| answer.body_mut().with_config().limit(MAX_BYTES).read_to_string());
    answer.map_err(|error| format!("{place} cannot be fetched: {error}"))
}

/// The link to the weekly file on the page for its download.
fn weekly_file(page: &str) -> Option<String> {
    let is_end = |c: char| matches!(c, '"' | '\'' | '<' | '>' | '\\') || c.is_whitespace();
    let mut words = page.split(is_end).filter(|word| word.contains(AZURE_FILE));
    words.find(|word| word.starts_with("http")).map(str::to_owned)
}

/// `20261116…` as `2026-11-16`.
fn compact_date(text: &str) -> Option<String> {
    let digits = text.get(..8).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]))
}

/// The date that a time begins with.
fn leading_date(text: &str) -> Option<String> {
    let date = text.get(..10)?;
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    (shape == "9999-99-99").then(|| date.to_owned())
}

/// A text field of a feed's outermost object.
fn field(text: &str, name: &str) -> Result<Option<String>, String> {
    let object: serde_json::Map<String, serde_json::Value> = json(text)?;
    Ok(object.get(name).and_then(|value| value.as_str()).map(str::to_owned))
}

fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("not the JSON that was expected: {error}"))
}

#[derive(Deserialize)]
struct AzureTags {
    values: Vec<AzureTag>,
}

#[derive(Deserialize)]
struct AzureTag {
    name: String,
    properties: AzureProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureProperties {
    address_prefixes: Vec<String>,
}

#[derive(Deserialize)]
struct EndpointSet {
    id: u32,
    #[serde(default)]
    ips: Vec<String>,
}

#[derive(Deserialize)]
struct GooglePrefixes {
    prefixes: Vec<GooglePrefix>,
}

#[derive(Deserialize)]
enum GooglePrefix {
    #[serde(rename = "ipv4Prefix")]
    V4(String),
    #[serde(rename = "ipv6Prefix")]
    V6(String),
}

#[derive(Deserialize)]
struct AwsRanges {
    prefixes: Vec<AwsPrefix>,
    ipv6_prefixes: Vec<AwsPrefix>,
}

#[derive(Deserialize)]
struct AwsPrefix {
    #[serde(alias = "ip_prefix", alias = "ipv6_prefix")]
    prefix: String,
    service: String,
}

impl Fetched {
    /// The prefixes of a part, as the section writes them: widened, ascending, each once.
    pub(crate) fn prefixes(&self, part: &FeedPart) -> Result<Vec<IpNet>, String> {
        let texts = self.texts(&part.parts)?;
        let prefixes: Vec<_> = texts.iter().map(|text| prefix(text)).collect::<Result<_, _>>()?;
        Ok(part.widen(prefixes))
    }

    fn texts(&self, parts: &[String]) -> Result<Vec<String>, String> {
        let is_asked = |name: &str| parts.iter().any(|part| part == name);
        let texts: Vec<String> = match self.feed {
            Feed::Azure => {
                let tags: AzureTags = json(&self.text)?;
                let tags = tags.values.into_iter().filter(|tag| is_asked(&tag.name));
                tags.flat_map(|tag| tag.properties.address_prefixes).collect()
            }
            Feed::Microsoft365 => {
                let sets: Vec<EndpointSet> = json(&self.text)?;
                let sets = sets.into_iter().filter(|set| is_asked(&set.id.to_string()));
                sets.flat_map(|set| set.ips).collect()
            }
            // Each line is a prefix, then the place that it is shown for.
            Feed::Apple => {
                let lines = self.text.lines().filter(|line| !line.trim().is_empty());
                lines.map(|line| line.split(',').next().unwrap_or_default().trim().to_owned()).collect()
            }
            Feed::Google => {
                let GooglePrefixes { prefixes } = json(&self.text)?;
                prefixes.into_iter().map(|(GooglePrefix::V4(text) | GooglePrefix::V6(text))| text).collect()
            }
            Feed::Aws => {
                let AwsRanges { prefixes, ipv6_prefixes } = json(&self.text)?;
                let all = prefixes.into_iter().chain(ipv6_prefixes);
                all.filter(|range| is_asked(&range.service)).map(|range| range.prefix).collect()
            }
        };
        if texts.is_empty() {
            return Err("nothing in it for this section".to_owned());
        }
        Ok(texts)
    }
}

/// Reads a prefix, or an address alone. One as wide as this belongs to nobody: it would judge half the world.
fn prefix(text: &str) -> Result<IpNet, String> {
    let read = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let prefix = read.map_err(|_| format!("`{text}` in it is no prefix"))?;
    let least = if prefix.addr().is_ipv4() { 8 } else { 16 };
    if prefix.prefix_len() < least {
        return Err(format!("{prefix} in it is wider than /{least}, which is nobody's alone"));
    }
    if is_private(prefix.addr()) {
        return Err(format!("{prefix} in it is no public network"));
    }
    Ok(prefix.trunc())
}

/// Whether an address is of a machine's or a house's own network.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unspecified(),
    }
}
