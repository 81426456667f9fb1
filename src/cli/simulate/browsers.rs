//! What visitors send: browsers with the headers that go with them, and what machines send instead.
//!
//! Which browser sends which header since when is MDN's browser-compat-data, as of 2026-11. Fetch metadata and client
//! hints go to secure origins alone.

use clickproof::record::Record;

use super::draw::Draw;

/// Chrome's newest major version at the time of the simulated send.
pub(super) const CHROME: i64 = 154;

const CHROMIUM_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
                               application/signed-exchange;v=b3;q=0.7";
/// Before AVIF.
const OLD_CHROMIUM_ACCEPT: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8";
const PLAIN_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const WINDOWS: &str = "Windows NT 10.0; Win64; x64";
const MAC: &str = "Macintosh; Intel Mac OS X 10_15_7";
const LINUX: &str = "X11; Linux x86_64";

const PHONES: &[&str] = &["Pixel 8", "SM-A546B", "SM-S918B", "M2101K6G", "moto g(60)"];
const CUBOTS: &[&str] = &["CUBOT_NOTE_20", "CUBOT KINGKONG 9", "CUBOT X70", "CUBOT_P80"];

/// How many majors people's desktop Chrome is behind: at least 10 in 8.8 %, 16 in 2.8 %, 20 in 1.2 %, 30 in 0.3 %
/// (`user-agents` on npm).
const PEOPLE_BEHIND: &[(f64, i64, i64)] =
    &[(70.0, 1, 3), (21.2, 3, 10), (6.0, 10, 16), (1.6, 16, 20), (0.9, 20, 30), (0.3, 30, 45)];

/// Which engine a browser is, and so which headers it sends since which version.
#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Chromium,
    Firefox,
    Safari,
    Samsung,
}

impl Engine {
    /// Sends Sec-Fetch-Site, -Mode and -Dest. Safari's versions are tenths: 16.4 is 164.
    const fn fetch_since(self) -> i64 {
        match self {
            Self::Chromium => 80,
            Self::Firefox => 90,
            Self::Safari => 164,
            Self::Samsung => 13,
        }
    }

    /// Sends Sec-CH-UA.
    const fn hints_since(self) -> i64 {
        match self {
            Self::Chromium => 89,
            Self::Samsung => 23,
            Self::Firefox | Self::Safari => i64::MAX,
        }
    }
}

/// A browser that follows a link from a mail program, over https.
fn browser(engine: Engine, version: i64, user_agent: String) -> Record {
    let fetch = version >= engine.fetch_since();
    let accept = match engine {
        Engine::Chromium if version < 85 => OLD_CHROMIUM_ACCEPT,
        Engine::Chromium | Engine::Samsung => CHROMIUM_ACCEPT,
        Engine::Firefox | Engine::Safari => PLAIN_ACCEPT,
    };
    let text = |value: &str, when: bool| when.then(|| value.to_owned());
    Record {
        user_agent: Some(user_agent),
        method: "GET".to_owned(),
        accept: text(accept, true),
        sec_fetch_site: text("none", fetch),
        sec_fetch_mode: text("navigate", fetch),
        sec_fetch_dest: text("document", fetch),
        // Safari never says whether a person pressed the link.
        sec_fetch_user: text("?1", fetch && engine != Engine::Safari),
        http_protocol: text("HTTP/2", true),
        secure: Some(true),
        ..Record::default()
    }
}

/// A Chromium by that brand: Chrome, Edge, a web view.
fn chromium(version: i64, user_agent: String, brand: &str) -> Record {
    Record {
        sec_ch_ua: hints(Engine::Chromium, version, version, brand),
        ..browser(Engine::Chromium, version, user_agent)
    }
}

fn hints(engine: Engine, version: i64, chromium: i64, brand: &str) -> Option<String> {
    (version >= engine.hints_since())
        .then(|| format!(r#""Chromium";v="{chromium}", "{brand}";v="{version}", "Not?A_Brand";v="24""#))
}

fn webkit(platform: &str, rest: &str) -> String {
    format!("Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko) {rest} Safari/537.36")
}

/// Chrome on a desktop.
pub(super) fn chrome(platform: &str, version: i64) -> Record {
    chromium(version, webkit(platform, &format!("Chrome/{version}.0.0.0")), "Google Chrome")
}

/// Edge on Windows.
pub(super) fn edge(version: i64) -> Record {
    let agent = format!("{} Edg/{version}.0.0.0", webkit(WINDOWS, &format!("Chrome/{version}.0.0.0")));
    chromium(version, agent, "Microsoft Edge")
}

/// Firefox on that platform.
pub(super) fn firefox(platform: &str, version: i64) -> Record {
    browser(
        Engine::Firefox,
        version,
        format!("Mozilla/5.0 ({platform}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
    )
}

/// Safari on a Mac, by the tenths of its version.
pub(super) fn safari(tenths: i64) -> Record {
    let version = format!("{}.{}", tenths / 10, tenths % 10);
    let agent = format!(
        "Mozilla/5.0 ({MAC}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Safari/605.1.15"
    );
    browser(Engine::Safari, tenths, agent)
}

/// Safari on an iPhone, by the tenths of its version.
pub(super) fn iphone(tenths: i64) -> Record {
    browser(
        Engine::Safari,
        tenths,
        format!("{} Version/{}.{} Mobile/15E148 Safari/604.1", ios(tenths), tenths / 10, tenths % 10),
    )
}

fn ios(tenths: i64) -> String {
    // From 26 on Apple freezes the system's version in the agent.
    let (major, minor) = if tenths >= 260 { (18, 6) } else { (tenths / 10, tenths % 10) };
    format!(
        "Mozilla/5.0 (iPhone; CPU iPhone OS {major}_{minor} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    )
}

/// Chrome on an Android phone of that name.
fn android(model: &str, version: i64) -> Record {
    chromium(
        version,
        webkit(&format!("Linux; Android 14; {model}"), &format!("Chrome/{version}.0.0.0 Mobile")),
        "Google Chrome",
    )
}

fn samsung(version: i64, chromium: i64) -> Record {
    let agent =
        webkit("Linux; Android 10; K", &format!("SamsungBrowser/{version}.0 Chrome/{chromium}.0.0.0 Mobile"));
    let sec_ch_ua = hints(Engine::Samsung, version, chromium, "Samsung Internet");
    Record { sec_ch_ua, ..browser(Engine::Samsung, version, agent) }
}

/// A version of Chrome as people have it.
fn version(draw: &mut Draw) -> i64 {
    CHROME + 1 - draw.of_bins(PEOPLE_BEHIND)
}

/// A browser as people have it on their desks.
pub(super) fn desktop(draw: &mut Draw) -> Record {
    let version = version(draw);
    match draw.between(1, 100) {
        1..=38 => chrome(WINDOWS, version),
        39..=50 => chrome(MAC, version),
        51..=53 => chrome(LINUX, version),
        54..=74 => edge(version),
        75..=78 => firefox(MAC, version),
        79..=84 => firefox(WINDOWS, version),
        _ => safari(draw.one(&[261, 260, 260, 186, 185, 176, 166])),
    }
}

/// A browser as people have it in their hands.
pub(super) fn mobile(draw: &mut Draw) -> Record {
    let newest = version(draw);
    match draw.between(1, 100) {
        1..=52 => iphone(draw.one(&[261, 260, 260, 186, 185, 176, 167, 164])),
        53..=80 => android(if draw.percent(70.0) { "K" } else { draw.one(PHONES) }, newest),
        81..=90 => samsung(draw.one(&[29, 28, 27, 25]), draw.one(&[136, 130, 125, 121])),
        _ => webview(draw, ""),
    }
}

/// Android's web view inside an app, whose mark stands at the end.
fn webview(draw: &mut Draw, mark: &str) -> Record {
    let version = version(draw);
    let model = draw.one(PHONES);
    let agent = webkit(
        &format!("Linux; Android 14; {model}; wv"),
        &format!("Version/4.0 Chrome/{version}.0.0.0 Mobile"),
    );
    chromium(version, format!("{agent}{mark}"), "Android WebView")
}

/// A browser inside an app.
pub(super) fn in_app(draw: &mut Draw) -> Record {
    let tenths = draw.one(&[261, 260, 186]);
    let apple = |mark: &str| browser(Engine::Safari, tenths, format!("{} Mobile/15E148{mark}", ios(tenths)));
    match draw.between(1, 7) {
        1 => apple(" [FBAN/FBIOS;FBAV/482.0.0.29.110;FBBV/647330246;FBDV/iPhone15,2;FBMD/iPhone]"),
        2 => apple(" [LinkedInApp]/9.30.2215"),
        3 => apple(" GSA/340.3.691178234 Safari/604.1"),
        4 => apple(" Instagram 355.0.0.22.86 (iPhone15,2; iOS 18_6; de_DE; de; scale=3.00)"),
        5 => webview(draw, " [FB_IAB/FB4A;FBAV/487.0.0.46.85;]"),
        6 => webview(draw, " GoogleApp/15.44.38"),
        _ => webview(draw, " LinkedIn/4.1.1015"),
    }
}

/// Phones whose name holds the word of robots.
pub(super) fn cubot(draw: &mut Draw) -> Record {
    let model = draw.one(CUBOTS);
    android(model, version(draw))
}

/// The browser of an app on a phone whose maker's name holds the word of robots.
pub(super) fn bot_phone_in_app(draw: &mut Draw) -> Record {
    let version = version(draw);
    let (maker, model) = draw.one(&[("FOSSiBOT", "F106 Pro"), ("CUBOT", "CUBOT_X70"), ("FOSSiBOT", "DT2")]);
    let rest = format!("Version/4.0 Chrome/{version}.0.0.0 Mobile");
    let agent = webkit(&format!("Linux; Android 14; {model}; wv"), &rest);
    let tail = draw.one(&["Instagram 355.0.0.22.86", "Barcelona 350.0.0.33.76"]);
    let tail = format!("{tail} Android (34/14; 480dpi; 1080x2412; {maker}; {model}; {model}; mt6789; de_DE)");
    chromium(version, format!("{agent} {tail}"), "Android WebView")
}

/// A browser that a company's management puts on its phones.
pub(super) fn managed(draw: &mut Draw) -> Record {
    let tenths = draw.one(&[260, 186]);
    match draw.between(1, 3) {
        1 => browser(Engine::Safari, tenths, format!("{} Mobile/15E148 AirWatch Browser v24.2", ios(tenths))),
        2 => webview(draw, " MobileIron Web@Work/2.9"),
        _ => webview(draw, " Citrix Secure Web/24.11"),
    }
}

/// Firefox's long-lived releases, each supported for a year and more.
pub(super) fn esr(draw: &mut Draw) -> Record {
    let platform = draw.one(&[WINDOWS, WINDOWS, LINUX, "Macintosh; Intel Mac OS X 10.15"]);
    firefox(platform, 153)
}

/// Browsers that are not renewed: a Mac at its last Safari, a Firefox ESR, a kiosk's Chrome, Internet Explorer.
pub(super) fn old(draw: &mut Draw) -> Record {
    match draw.between(1, 5) {
        1 => safari(156),
        2 => iphone(158),
        3 => firefox(WINDOWS, 78),
        4 => chrome("Windows NT 6.1; Win64; x64", 70),
        _ => Record {
            accept: Some("text/html, application/xhtml+xml, image/jxr, */*".to_owned()),
            ..browser(
                Engine::Firefox,
                0,
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(),
            )
        },
    }
}

/// Browsers that send `Sec-GPC: 1`.
pub(super) fn private(draw: &mut Draw) -> Record {
    let version = version(draw);
    match draw.between(1, 3) {
        1 => firefox(WINDOWS, version),
        2 => chromium(version, webkit(MAC, &format!("Chrome/{version}.0.0.0")), "Brave"),
        _ => browser(
            Engine::Safari,
            260,
            format!("{} Version/26.0 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", ios(260)),
        ),
    }
}

/// Opera on an Android phone.
pub(super) fn opera_mobile(draw: &mut Draw) -> Record {
    let version = version(draw);
    let rest = format!("Chrome/{version}.0.0.0 Mobile");
    let agent = format!("{} OPR/{}.0.0.0", webkit("Linux; Android 10; K", &rest), version - 57);
    chromium(version, agent, "Opera")
}

/// A Chrome that a program drives, with all that it sends.
pub(super) fn machine_browser(platform: &str, version: i64) -> Record {
    Record { accept_language: Some("en-US,en;q=0.9".to_owned()), ..chrome(platform, version) }
}

/// The same browser so many major versions later. Safari has a calendar of its own.
pub(super) fn renew(record: &mut Record, majors: i64) {
    if majors == 0 {
        return;
    }
    let later = |text: &str, before: &str| {
        let mut parts = text.split(before);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            // A smaller number is no version of these browsers.
            let number: i64 = number.parse().unwrap_or_default();
            out += before;
            if number < 100 {
                out += part;
            } else {
                out += &(number + majors).to_string();
                out += rest;
            }
        }
        out
    };
    for (text, marks) in [
        (&mut record.user_agent, &["Chrome/", "Edg/", "Firefox/", "rv:"][..]),
        (&mut record.sec_ch_ua, &[";v=\""]),
    ] {
        if let Some(text) = text {
            *text = marks.iter().fold(text.clone(), |text, mark| later(&text, mark));
        }
    }
}

/// The new Outlook, a web view of Edge.
pub(super) fn new_outlook(draw: &mut Draw) -> Record {
    let version = version(draw);
    let agent = format!(
        "{} Edg/{version}.0.0.0 OneOutlook/1.2026.1020.400",
        webkit(WINDOWS, &format!("Chrome/{version}.0.0.0"))
    );
    chromium(version, agent, "Microsoft Edge WebView2")
}

/// Outlook itself, which asks for a link before it hands it to the browser.
pub(super) fn outlook(draw: &mut Draw) -> Record {
    let agent = draw.one(&[
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    ]);
    machine(agent, "*/*")
}

/// What Safe Links asks with at the click.
pub(super) fn safe_links(draw: &mut Draw) -> Record {
    machine(
        draw.one(&[
            "Microsoft Office",
            "ms-office",
            "msoffice",
            "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        ]),
        "*/*",
    )
}

/// A program that says `agent`, or nothing, and sends little else.
pub(super) fn machine(agent: &str, accept: &str) -> Record {
    Record {
        user_agent: (!agent.is_empty()).then(|| agent.to_owned()),
        method: "GET".to_owned(),
        accept: (!accept.is_empty()).then(|| accept.to_owned()),
        http_protocol: Some("HTTP/1.1".to_owned()),
        secure: Some(true),
        ..Record::default()
    }
}

/// A headless Chrome as sandboxes run it: a Windows 10 agent of a varying old version. The headers are its own, so they
/// agree with it.
pub(super) fn sandbox(draw: &mut Draw) -> Record {
    // Agents with a date in public logs were 4 to 22 majors behind.
    let behind = draw.between(4, 24);
    chrome(WINDOWS, CHROME - behind)
}

/// An old Chrome's agent on a program that does not send what that Chrome would.
pub(super) fn pretender(draw: &mut Draw) -> Record {
    let (behind, build, patch) = (draw.between(4, 60), draw.between(2_000, 7_000), draw.between(40, 250));
    let agent = webkit(WINDOWS, &format!("Chrome/{}.0.{build}.{patch}", CHROME - behind));
    let accept = draw.one(&["*/*", PLAIN_ACCEPT, CHROMIUM_ACCEPT]);
    Record {
        accept_language: draw.percent(30.0).then(|| "en-US,en;q=0.9".to_owned()),
        ..machine(&agent, accept)
    }
}

/// A program with a Chrome of today that names its whole version, where Chrome itself says `0.0.0`.
pub(super) fn unreduced(draw: &mut Draw) -> Record {
    let (behind, build, patch) = (draw.between(0, 3), draw.between(7_000, 7_900), draw.between(40, 250));
    let platform = draw.one(&[WINDOWS, MAC, LINUX]);
    let agent = webkit(platform, &format!("Chrome/{}.0.{build}.{patch}", CHROME - behind));
    machine(&agent, draw.one(&["*/*", PLAIN_ACCEPT, CHROMIUM_ACCEPT]))
}

/// Headers that contradict each other: a pretender, or a Safari that sends client hints, which no Safari does.
pub(super) fn contradictory(draw: &mut Draw) -> Record {
    if draw.percent(75.0) {
        return Record {
            http_protocol: Some(draw.one(&["HTTP/1.1", "HTTP/2"]).to_owned()),
            ..pretender(draw)
        };
    }
    let hinted = chrome(LINUX, CHROME - draw.between(0, 20));
    Record { user_agent: safari(176).user_agent, ..hinted }
}

/// What gateways ask with: mostly an old Chrome's agent, sometimes a headless Chrome with all that it sends, sometimes
/// nothing.
pub(super) fn gateway(draw: &mut Draw) -> Record {
    match draw.between(1, 100) {
        1..=12 => machine("", draw.one(&["*/*", ""])),
        13..=70 => pretender(draw),
        _ => sandbox(draw),
    }
}

/// What Microsoft's correlation passes ask with: nothing, or something generic.
pub(super) fn generic(draw: &mut Draw) -> Record {
    machine(
        draw.one(&["", "", "Mozilla/5.0", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"]),
        draw.one(&["", "*/*"]),
    )
}

/// The language that a browser's headers name, by the country that it is in. Firefox counts down in other steps.
pub(super) fn speak(record: &mut Record, country: &str) {
    let language = match country {
        "GB" | "IE" | "IN" => "en-GB",
        "AU" => "en-AU",
        "DE" => "de-DE",
        "FR" => "fr-FR",
        "NL" => "nl-NL",
        "ES" => "es-ES",
        "IT" => "it-IT",
        "PL" => "pl-PL",
        "BR" => "pt-BR",
        _ => "en-US",
    };
    let short = &language[..2];
    let agent = record.user_agent.as_deref().unwrap_or_default();
    record.accept_language = Some(if agent.contains("Firefox") {
        format!("{language},{short};q=0.5")
    } else if agent.contains("605.1.15") || short == "en" {
        format!("{language},{short};q=0.9")
    } else {
        format!("{language},{short};q=0.9,en-US;q=0.8,en;q=0.7")
    });
}

/// Takes away what a filtering proxy on the way takes away.
pub(super) fn strip(record: &mut Record) {
    record.sec_fetch_site = None;
    record.sec_fetch_mode = None;
    record.sec_fetch_dest = None;
    record.sec_fetch_user = None;
    record.sec_ch_ua = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_sends_what_its_version_sends() {
        for (record, fetch, user, hints) in [
            (chrome(WINDOWS, 154), true, true, true),
            (chrome(WINDOWS, 88), true, true, false),
            (chrome(WINDOWS, 79), false, false, false),
            (firefox(WINDOWS, 146), true, true, false),
            (firefox(WINDOWS, 89), false, false, false),
            (safari(164), true, false, false),
            (safari(163), false, false, false),
            (samsung(22, 111), true, true, false),
            (samsung(29, 136), true, true, true),
        ] {
            let agent = record.user_agent.as_deref().unwrap();
            assert_eq!(record.sec_fetch_mode.is_some(), fetch, "{agent}");
            assert_eq!(record.sec_fetch_user.is_some(), user, "{agent}");
            assert_eq!(record.sec_ch_ua.is_some(), hints, "{agent}");
        }
    }

    #[test]
    fn the_hints_name_the_agents_own_version() {
        let mut draw = Draw::new(1, "hints");
        for _ in 0..500 {
            let record = if draw.percent(50.0) { desktop(&mut draw) } else { mobile(&mut draw) };
            let agent = record.user_agent.unwrap();
            let Some(hints) = record.sec_ch_ua else { continue };
            let version = agent.split("Chrome/").nth(1).unwrap().split('.').next().unwrap();
            assert!(hints.contains(&format!("\"Chromium\";v=\"{version}\"")), "{agent}: {hints}");
        }
    }
}
