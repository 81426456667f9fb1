//! What browser an agent claims to be, and what that browser does: the headers it sends ([`headers`]), the age of its version
//! ([`releases`]). Scanners send a browser's agent without being that browser, so what does not fit is a vote against it.
//!
//! The agent is read once, product by product, without a regular expression and without allocating.

mod family;
mod headers;
mod releases;

pub use family::Family;
pub use headers::Header;

use releases::{CHROME, FIREFOX, Releases};

/// What an agent claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Whose browser.
    pub family: Family,
    /// The major version: Chrome's where it is built on Chromium, Samsung Internet's own, the system's in an iOS app.
    pub major: u16,
    /// The second component of the same version.
    pub minor: u16,
    /// The fourth component of Chromium's version, where the agent has one.
    pub patch: Option<u32>,
    /// The system's version, whose web engine every iOS browser runs on.
    ios: (u16, u16),
    /// Chrome's own product stands in an agent of an iPhone or iPad.
    is_chrome_on_ios: bool,
    /// Windows 7 or 8.
    is_old_windows: bool,
    /// The agent of Chrome itself on a desktop tells its build.
    is_unreduced: bool,
}

impl Browser {
    /// The browser that an agent claims; `None` when it names no product in a browser's way (`Mozilla/5.0 (…`), nor is
    /// one that has ended.
    #[must_use]
    pub fn of(user_agent: &str) -> Option<Self> {
        let agent = user_agent.trim_ascii().as_bytes();
        let at = agent.iter().position(|b| *b == b'(')?;
        let (name, rest) = agent.split_at(at + 1);
        let end = rest.iter().position(|b| *b == b')')?;
        let (system, products) = rest.split_at(end);
        if name == b"Mozilla/5.0 (" {
            let browser = Products::read(products).browser(&System::of(system));
            if !matches!(browser.family, Family::Other | Family::OtherChromium) {
                return Some(browser);
            }
            return Some(ended(name, system, products).unwrap_or(browser));
        }
        ended(name, system, products)
    }

    /// Whether this browser in this version sends a header to a secure origin. False for what is not known.
    #[must_use]
    pub fn sends(&self, header: Header) -> bool {
        let version = match self.family {
            Family::ChromeIos | Family::FirefoxIos | Family::IosWebView => self.ios,
            _ => (self.major, self.minor),
        };
        version >= headers::since(header, self.family)
    }

    /// How many major versions the newest one is ahead of this at a time (Unix milliseconds); negative for a version that
    /// was not yet out, 0 for a Firefox of long support while it is kept up. A browser that has ended is as far behind as
    /// Chrome has gone on since. `None` where versions do not follow Chrome's or Firefox's, as Safari's and Samsung's.
    #[must_use]
    pub fn majors_behind(&self, ts_ms: i64) -> Option<i64> {
        if let Some(version) = releases::chrome_at_its_end(self.family, self.major) {
            return Some((CHROME.newest(ts_ms)? - version).max(0));
        }
        if self.family == Family::Firefox && releases::is_kept_up(self.major, self.is_old_windows, ts_ms) {
            return Some(0);
        }
        Some(self.releases()?.newest(ts_ms)? - i64::from(self.major))
    }

    /// Whether this says that it is Chrome itself on a desktop and tells a build, which Chrome has not done since it cut its
    /// agent down: by Chrome 107 (2022-10) everywhere; from 110 on here, so that no late trial of a site's counts. Until
    /// 144 (2026-01) a company's policy could have it otherwise.
    #[must_use]
    pub const fn is_unreduced(&self) -> bool {
        self.is_unreduced
    }

    /// Whether no real browser sends this agent at a time (Unix milliseconds): a version that cannot be out yet, a fourth
    /// component of 1,000 or more (Chromium's never was), Edge before it was Chromium under its new name, Safari between
    /// 19 and 25, Chrome's own product on an iPhone.
    #[must_use]
    pub fn is_impossible(&self, ts_ms: i64) -> bool {
        let family = self.family;
        self.releases().is_some_and(|releases| releases.is_ahead(self.major.into(), ts_ms))
            || family != Family::OtherChromium && self.patch.is_some_and(|patch| patch >= 1_000)
            || family == Family::Edge && self.major < 70
            || matches!(family, Family::Safari | Family::SafariIos) && (19..26).contains(&self.major)
            || self.is_chrome_on_ios
    }

    fn releases(&self) -> Option<&'static Releases> {
        match self.family {
            Family::Chrome
            | Family::Edge
            | Family::AndroidWebView
            | Family::ChromeIos
            | Family::OtherChromium => Some(&CHROME),
            Family::Firefox | Family::FirefoxIos => Some(&FIREFOX),
            _ => None,
        }
    }
}

/// The version of Chromium that `Sec-CH-UA` tells, by its brand `Chromium` or `Google Chrome`; the made-up brands beside
/// them (`Not A;Brand`) are passed over. `None` where there is no such brand.
#[must_use]
pub fn client_hints_major(sec_ch_ua: &str) -> Option<u16> {
    ["\"Chromium\";v=\"", "\"Google Chrome\";v=\""].iter().find_map(|brand| {
        let (_, version) = sec_ch_ua.split_once(brand)?;
        let (major, _) = number(version.as_bytes())?;
        u16::try_from(major).ok()
    })
}

/// Whether `Sec-CH-UA` names a browser without a window: `HeadlessChrome` or `HeadlessEdg`.
#[must_use]
pub fn is_headless_brand(sec_ch_ua: &str) -> bool {
    sec_ch_ua.contains("\"Headless")
}

/// The browser that has ended whose agent this is, by what stands before, in and behind its first brackets.
///
/// On desktops only: phones, television sets and Opera Mini's servers still send such agents for people. Office shows mail
/// with Internet Explorer's parts and dresses as version 7, whatever its age.
fn ended(name: &[u8], system: &[u8], products: &[u8]) -> Option<Browser> {
    let names = |names: &[&[u8]]| names.iter().any(|name| after(system, name).is_some());
    if !names(&[b"Windows", b"Macintosh", b"X11"])
        || names(&[b"Phone", b"Windows CE", b"Xbox", b"Mini/", b"ffice", b"Outlook"])
    {
        return None;
    }
    let (family, version_of) = if name.starts_with(b"Opera/") {
        (Family::OldOpera, after(products, b"Version/").or_else(|| name.get(6..)))
    } else if let Some(edge) = after(products, b" Edge/") {
        (Family::OldEdge, Some(edge))
    } else {
        (Family::Explorer, after(system, b"MSIE ").or_else(|| after(system, b"Trident/")))
    };
    let mut major = version(version_of?).major;
    // The engine tells more than the name, which a company's pages may ask to be older.
    if family == Family::Explorer
        && let Some(engine) = after(system, b"Trident/")
    {
        major = version(engine).major.saturating_add(4);
    }
    Some(Browser {
        family,
        major,
        minor: 0,
        patch: None,
        ios: (0, 0),
        is_chrome_on_ios: false,
        is_old_windows: false,
        is_unreduced: false,
    })
}

/// The first version of Chrome that tells no build on any desktop, and a few more.
const REDUCED: u16 = 110;

/// What an agent's first brackets say.
#[expect(clippy::struct_excessive_bools, reason = "each is said by itself")]
struct System {
    is_ios: bool,
    is_desktop: bool,
    is_old_windows: bool,
    is_mac: bool,
    is_webview: bool,
    version: (u16, u16),
}

impl System {
    fn of(system: &[u8]) -> Self {
        let is_ios = [&b"iPhone"[..], b"iPad", b"iPod"].iter().any(|name| system.starts_with(name));
        let version = if is_ios { after(system, b" OS ").map(version) } else { None };
        Self {
            is_ios,
            is_desktop: [&b"Windows NT"[..], b"Macintosh", b"X11"]
                .iter()
                .any(|name| system.starts_with(name)),
            is_old_windows: system.starts_with(b"Windows NT 6."),
            is_mac: system.starts_with(b"Macintosh"),
            is_webview: system.ends_with(b"; wv"),
            version: version.map_or((0, 0), |version| (version.major, version.minor)),
        }
    }
}

/// Edge for Android counted on its own until it took Chromium's versions.
const EDGE_IS_CHROMIUM: u16 = 79;

/// A product's version; absent components are 0.
#[derive(Clone, Copy, Default)]
struct Version {
    major: u16,
    minor: u16,
    build: Option<u32>,
    patch: Option<u32>,
}

/// The products behind the first brackets, each with its version where it is there.
#[derive(Default)]
struct Products {
    chrome: Option<Version>,
    edge: Option<Version>,
    firefox: Option<Version>,
    samsung: Option<Version>,
    chrome_ios: Option<Version>,
    firefox_ios: Option<Version>,
    /// `Version/…`, which Safari and pages within Android's apps have.
    version: Option<Version>,
    safari: bool,
    /// Another product, which makes it another browser or an app.
    foreign: bool,
    /// Another browser's product that goes by Chrome's version and sends what Chrome does.
    kin: bool,
}

impl Products {
    fn read(products: &[u8]) -> Self {
        let mut all = Self::default();
        for slash in (0..products.len()).filter(|at| products[*at] == b'/') {
            let (before, behind) = (&products[..slash], &products[slash + 1..]);
            let begin =
                before.iter().rposition(|b| !b.is_ascii_alphanumeric() && *b != b'_').map_or(0, |at| at + 1);
            let version = version(behind);
            match &before[begin..] {
                b"Chrome" | b"Chromium" | b"HeadlessChrome" => all.chrome = Some(version),
                b"EdgA" if version.major < EDGE_IS_CHROMIUM => all.foreign = true,
                b"Edg" | b"EdgA" => all.edge = Some(version),
                b"Firefox" => all.firefox = Some(version),
                b"SamsungBrowser" => all.samsung = Some(version),
                b"CriOS" => all.chrome_ios = Some(version),
                b"FxiOS" => all.firefox_ios = Some(version),
                b"Version" => all.version = Some(version),
                b"Safari" => all.safari = true,
                b"OPR" | b"Vivaldi" | b"Brave" => all.kin = true,
                b"AppleWebKit" | b"Gecko" | b"Mobile" | b"Build" | b"Ubuntu" => {}
                _ => all.foreign = true,
            }
        }
        all
    }

    fn browser(&self, system: &System) -> Browser {
        let zero = Version::default();
        let own = self.foreign;
        let (family, version) = match self {
            _ if system.is_ios => self.on_ios(system),
            Self { samsung: Some(version), .. } => (Family::Samsung, *version),
            Self { edge: Some(version), .. } if !own => (Family::Edge, *version),
            Self { chrome: Some(version), .. } if system.is_webview || self.version.is_some() => {
                (Family::AndroidWebView, *version)
            }
            Self { chrome: Some(version), .. } if own || self.edge.is_some() => {
                (Family::OtherChromium, *version)
            }
            Self { chrome: Some(version), .. } => (Family::Chrome, *version),
            Self { firefox: Some(version), .. } if !own => (Family::Firefox, *version),
            Self { version: Some(version), .. } if self.safari && system.is_mac && !own => {
                (Family::Safari, *version)
            }
            _ => (Family::Other, zero),
        };
        let tells_build =
            version.build.is_some_and(|build| build > 0) || version.patch.is_some_and(|patch| patch > 0);
        Browser {
            is_old_windows: system.is_old_windows,
            is_unreduced: tells_build
                && family == Family::Chrome
                && version.major >= REDUCED
                && system.is_desktop
                && !self.kin,
            family,
            major: version.major,
            minor: version.minor,
            patch: self.chrome.unwrap_or(zero).patch,
            ios: system.version,
            is_chrome_on_ios: system.is_ios
                && self.chrome.is_some()
                && self.version.is_none()
                && !self.foreign,
        }
    }

    fn on_ios(&self, system: &System) -> (Family, Version) {
        match self {
            Self { chrome_ios: Some(version), .. } => (Family::ChromeIos, *version),
            Self { firefox_ios: Some(version), .. } => (Family::FirefoxIos, *version),
            Self { version: Some(version), .. } if self.safari && !self.foreign => {
                (Family::SafariIos, *version)
            }
            _ => {
                let (major, minor) = system.version;
                (Family::IosWebView, Version { major, minor, ..Version::default() })
            }
        }
    }
}

/// Reads up to four numbers with dots or underscores between them.
fn version(text: &[u8]) -> Version {
    let mut parts = [None; 4];
    let mut rest = text;
    for part in &mut parts {
        let Some((value, behind)) = number(rest) else { break };
        *part = Some(value);
        let Some((b'.' | b'_', behind)) = behind.split_first() else { break };
        rest = behind;
    }
    let short = |part: Option<u32>| part.map_or(0, |value| u16::try_from(value).unwrap_or(u16::MAX - 1));
    Version { major: short(parts[0]), minor: short(parts[1]), build: parts[2], patch: parts[3] }
}

/// A number and what follows it; one past what 32 bits hold counts as the largest they do.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number
        .iter()
        .fold(0_u32, |value, digit| value.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    (digits > 0).then_some((value, rest))
}

/// What stands behind the first place where a text does.
fn after<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(needle.len()).position(|window| window == needle)?;
    text.get(at + needle.len()..)
}

#[cfg(test)]
mod tests;
