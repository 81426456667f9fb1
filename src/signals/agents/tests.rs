//! What agents say of themselves: one case a kind, and the people who look like it.

use proptest::prelude::*;

use super::*;
use crate::compile;

#[test]
fn machines_are_known_by_what_they_are_for() {
    use AgentClass::{App, ImageProxy, Library, Prefetch, Preview, Scanner};
    for (class, certain, name, agent) in [
        (Scanner, true, "barracuda sentinel", "Barracuda Sentinel (EE)"),
        (Scanner, true, "scmguard", "SCMGUARD"),
        (Scanner, true, "google-safety", "Google-Safety"),
        (Scanner, true, "nikto", "Mozilla/5.00 (Nikto/2.1.5) (Evasions:None) (Test:Port Check)"),
        (
            Preview,
            true,
            "slackbot-linkexpanding",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        ),
        (Preview, true, "telegrambot", "TelegramBot (like TwitterBot)"),
        (Preview, true, "skypeuripreview", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"),
        (
            Preview,
            true,
            "microsoftpreview",
            "Mozilla/5.0 (compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview)",
        ),
        (
            Preview,
            true,
            "bingpreview",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
        ),
        (
            Preview,
            true,
            "facebookexternalhit",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        ),
        (Preview, false, "whatsapp", "WhatsApp/2.19.258 A"),
        (Preview, false, "office 365 connectors", "Microsoft Office 365 Connectors"),
        (
            ImageProxy,
            true,
            "googleimageproxy",
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        ),
        (
            ImageProxy,
            true,
            "yahoomailproxy",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        ),
        (Prefetch, false, "Mozilla/5.0", "Mozilla/5.0"),
        (Library, true, "curl", "curl/8.5.0"),
        (Library, true, "python-requests", "python-requests/2.31.0"),
        (Library, true, "python", "Python/3.9 aiohttp/3.7.3"),
        (Library, true, "go-http-client", "Go-http-client/1.1"),
        (Library, true, "java", "Java/17.0.2"),
        (Library, true, "java/1", "Java/1.8.0_151"),
        (Library, true, "java/1", "Mozilla/4.0 (Windows 10 10.0) Java/1.8.0_151"),
        (Library, true, "axios", "axios/0.19.0"),
        (Library, true, "ahc", "AHC/2.1"),
        (Library, true, "lua-resty-http", "lua-resty-http/0.10 (Lua) ngx_lua/10000"),
        (Library, true, "apache-httpclient", "Apache-HttpClient/4.5.2 (Java/1.8.0_65)"),
        (
            Library,
            true,
            "headlesschrome",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/113.0.5672.63 Safari/537.36",
        ),
        (Library, false, "okhttp", "okhttp/4.9.0"),
        (Library, false, "snapchat", "Snapchat/12.3.0.4 (SM-A000; Android 14#A000#34; gzip)"),
        (App, false, "okhttp", "acme-shop/3.1 (Android 14) okhttp/4.9.0"),
        (App, false, "dalvik", "Dalvik/2.1.0 (Linux; U; Android 9; SM-G965U Build/PPR1.180610.011)"),
        (App, false, "cfnetwork", "AcmeShop/31 CFNetwork/1410.1 Darwin/22.6.0"),
        (Library, false, "no browser's form", "Zapier"),
        (Library, false, "no browser's form", "acme-sync/1.0 (nightly)"),
    ] {
        check(class, certain, name, agent);
    }
}

#[test]
fn crawlers_and_monitors_are_known_by_name_and_by_form() {
    use AgentClass::{Crawler, Monitor};
    for (class, certain, name, agent) in [
        (Monitor, true, "uptime-kuma", "Uptime-Kuma/1.23.16"),
        (
            Monitor,
            true,
            "chrome-lighthouse",
            "Mozilla/5.0 (Linux; Android 7.0; Moto G (4)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/98.0.4695.0 Mobile Safari/537.36 Chrome-Lighthouse",
        ),
        (Crawler, true, "bot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        (
            Crawler,
            false,
            "spider",
            "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.1 (KHTML, like Gecko) Chrome/21.0.1180.89 Safari/537.1; 360Spider",
        ),
        (
            Crawler,
            true,
            "storebot-google",
            "Mozilla/5.0 (Linux; Android 8.0; Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 Mobile Safari/537.36",
        ),
        (
            Crawler,
            false,
            "an address in the agent",
            "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/115.0 (abuse@acme.example)",
        ),
        (
            Crawler,
            false,
            "an address in the agent",
            "Mozilla/5.0 (X11; Linux x86_64; https://acme.example/about) Gecko/20100101",
        ),
        (Crawler, false, "(compatible; …", "Mozilla/5.0 (compatible; Acme/2.0; Windows)"),
    ] {
        check(class, certain, name, agent);
    }
}

/// Holds what an agent declares against its class, certainty and name.
fn check(class: AgentClass, certain: bool, name: &str, agent: &str) {
    let found = declared(agent).unwrap_or_else(|| panic!("not found: {agent}"));
    assert_eq!((found.class, found.certain, found.name), (class, certain, name), "{agent}");
}

#[test]
fn what_ends_like_a_machines_name_is_certain_beside_an_address_alone() {
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";
    for (certain, name, tail) in [
        // An app of a person may end so too.
        (false, "bot", "Acmebot/1.0"),
        (true, "bot", "Acmebot/1.0 (+https://acme.example/bot)"),
        (true, "bot", "(abuse@acme.example) Acmebot/1.0"),
        (false, "bot", "Acmebot/1.0 (calendar@150.0)"),
        (false, "fetch", "fetchthing/2"),
        (true, "fetch", "fetchthing/2 https://acme.example"),
        // An address alone says less.
        (false, "an address in the agent", "Acme/1.0 (+https://acme.example)"),
    ] {
        check(AgentClass::Crawler, certain, name, &format!("{chrome} {tail}"));
    }
    check(AgentClass::Library, false, "okhttp", "okhttp/4.9.0 (+https://acme.example)");
}

#[test]
fn people_are_no_machines() {
    for agent in [
        "",
        " ",
        // Phones and apps with a machine's word in their name.
        "Mozilla/5.0 (Linux; Android 7.0; CUBOT X18 Build/NRD90M) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/69.0.3497.100 Mobile Safari/537.36",
        "UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.2; en-US; CUBOT_P9) U2/1.0.0 UCBrowser/10.1.2.571 U2/1.0.0 Mobile",
        "Mozilla/5.0 (Linux; Android 4.4.2; Forward Ruby Build/KOT49H) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/67.0.3396.87 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 11; Acme Spider) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.85 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.123 Mobile Safari/537.36 CamScanner/4.8.5.2310271827",
        // Mail clients.
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.12026; Pro)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36 Edg/117.0.2045.47 OneOutlook/1.2023.927.100",
        "Outlook-iOS/709.2226530.prod.iphone (3.24.1)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Thunderbird/115.4.1",
        // Pages within apps.
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 [FBAN/FBIOS;FBAV/457.0.0.36.104;FBBV/572985372;FBDV/iPhone14,5]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F79 Instagram 330.0.3.29.91 (iPhone14,3; iOS 17_5; en_IR@calendar=gregorian; en; scale=3.00; 1125x2436)",
        "Mozilla/5.0 (Linux; Android 13; 2201116SI Build/TKQ1.221114.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 Instagram 309.1.0.41.113 Android (33/13; 440dpi; 1080x2226; Google/google; Pixel 6a; bluejay; bluejay; en_US)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/13.15.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/284.0.564099828 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/12.50.0.38 (like Safari/8615.3.12.10.2, panda)",
        "Mozilla/5.0 (Linux; Android 12; SM-A125F Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/118.0.0.0 Mobile Safari/537.36 trill_2023105030 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/31.5.3 ByteLocale/en BytedanceWebview/d8a21c6",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.28.7586",
        "Mozilla/5.0 (Linux; Android 11; SM-A505F Build/RP1A.200720.012; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/117.0.0.0 Mobile Safari/537.36 [Pinterest/Android]",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36 (Ecosia android@150.0.0.0)",
        // Old browsers, phones, television sets, consoles.
        "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; .NET CLR 1.1.4322)",
        "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
        "Mozilla/5.0 (compatible; Konqueror/4.4; Linux) KHTML/4.4.5 (like Gecko) Kubuntu",
        "Nokia6230/2.0 (04.44) Profile/MIDP-2.0 Configuration/CLDC-1.1",
        "SAMSUNG-SGH-A737/UCHD2 SHP/VPP/R5 NetFront/3.4 SMM-MMS/1.2.0 profile/MIDP-2.0 configuration/CLDC-1.1",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54",
        "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
        "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
        "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.6.5",
    ] {
        assert_eq!(declared(agent), None, "{agent}");
    }
}

#[test]
fn what_an_app_says_of_its_phone_is_no_machines_word() {
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; AC-7 Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.7390.43 Mobile Safari/537.36";
    const IPHONE: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
    for agent in [
        format!(
            "{PHONE} Instagram 400.0.0.40.81 Android (34/14; 450dpi; 1080x2340; AcmeBot; AC-7; monitor; mt6789; de_DE)"
        ),
        format!("{PHONE} Telegram-Android/11.14.1 (Acmebot AC-7; Android 14; SDK 34; HIGH)"),
        format!("{PHONE}Snapchat/13.60.0.42 (AcmeBot AC-7; Android 14#20240501#34; gzip; )"),
        format!("{PHONE} [FB_IAB/FB4A;FBAV/530.0.0.47.68;FBMF/AcmeBot;FBBD/AcmeBot;FBDV/Spider 7;]"),
        "Mozilla/5.0 (Linux; Android 14; AC-7; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.7390.43 Mobile Safari/537.36Snapchat/13.60.0.42 (AcmeBot AC-7; Android 14#20240501#34; gzip; )".to_owned(),
        // And a browser says where its maker lives.
        format!("{PHONE} CampusBrowser/3.17 (https://campus.example/browser)"),
        format!("{IPHONE} Mobile/15E148 CampusApp/3.17-ios (https://campus.example/app)"),
    ] {
        assert_eq!(declared(&agent), None, "{agent}");
    }
    for (name, agent) in [
        // Crawlers that dress as phones say so as crawlers do.
        ("bot", format!("{PHONE} (compatible; AcmeBot)")),
        ("bot", format!("{PHONE} (AcmeBot/2.1)")),
        ("an address in the agent", format!("{PHONE} (the acmebot, https://acme.example)")),
        (
            "bot",
            format!("{IPHONE} Mobile/15E148 Safari/604.1 (compatible; AcmeBot/2.1; +https://acme.example)"),
        ),
        ("bot", format!("{PHONE} Acmebot")),
        ("mediapartners-google", "Mozilla/5.0 (Linux; Android 14; AC-7) AppleWebKit/537.36 (KHTML, like Gecko; Mediapartners-Google) Chrome/141.0.0.0 Mobile Safari/537.36".to_owned()),
        ("an address in the agent", format!("{IPHONE} Mobile/15E148 Acme/3.17 (https://acme.example)")),
        // No browser's form is before the name.
        ("an address in the agent", "AcmeBrowser/1.0 (https://acme.example)".to_owned()),
        // On a desktop brackets are nobody's phone.
        (
            "bot",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 (acmebot x1)".to_owned(),
        ),
    ] {
        assert_eq!(declared(&agent).map(|found| found.name), Some(name), "{agent}");
    }
}

#[test]
fn a_chat_app_on_a_phone_is_not_its_preview() {
    for preview in ["WhatsApp/2.25.9.78 A", "WhatsApp/2.2521.4 W", "WhatsApp/2.25.9.78", "Viber/24.1.0"] {
        assert_eq!(declared(preview).map(|found| found.class), Some(AgentClass::Preview), "{preview}");
    }
    for app in [
        "WhatsApp/2.18.61 Android/6.0 Device/Acme-AC_7",
        "WhatsApp/2.6.4 iPhone_OS/4.3.3 Device/iPhone_4",
        "WhatsApp/2.11.356 WP7/8.0.10501.0 Device/Acme-AC_7",
        "Tumblr/iPhone/16.2/16.2/17.5.1",
    ] {
        assert_eq!(declared(app), None, "{app}");
    }
}

#[test]
fn programs_on_a_desktop_are_no_browsers() {
    for program in [
        "acme-sdk-cpp/1.0.64 Linux/6.1.0-66-generic x86_64",
        "[acmeconsole/0.4, acme-internal/3 linux/5.4 openjdk/25.302]",
        "AcmeSetup/2.932 (Windows NT 10.0.20348;x86_64)",
        "Acme Updater 5.7; macOS 15.1",
        // The name of a mail program or of a company alone is no program's.
        "outlook",
        "Outlook",
        "my-outlook",
        "OUTLOOK/1",
        "office",
    ] {
        check(AgentClass::Library, false, "no browser's form", program);
    }
    for people in [
        // Somebody's proxy left no more than the system.
        "Windows NT 6.1",
        "Linux x86_64",
        "User-Agent: Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/55.0.2883.87 Safari/537.36",
        // Old phones, by their makers' names.
        "HTC_Desire_300/1.10",
        "LENOVO-P700",
        "Lenovo A390",
        "SIE-S65",
        "Alcatel-OT-S321",
        "BIRD.SC14",
        "HUAWEI-U7010",
        // Mail programs and companies' phones.
        "Lotus-Notes/6.0 (Windows NT; U)",
        "MacOutlook/16.89.0.240901 (Intelx64 Mac OS X 14.6)",
        "Microsoft Office/16.0 (Microsoft Outlook Mail 16.0.6500; Pro)",
        "Outlook-Android/2.0",
        "AirWatch Browser v9.7 (Darwin 24)",
        "MobileIron Web@Work/2.9 (Linux)",
    ] {
        assert_eq!(declared(people), None, "{people}");
    }
}

#[test]
fn a_desktop_browser_names_its_engine() {
    let name = "a browser's system and no engine";
    for cut in [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X) Word/14.10.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Acme/1.0",
    ] {
        check(AgentClass::Library, false, name, cut);
    }
    for people in [
        // What phones, television sets and Internet Explorer send; and Apple's mail program.
        "Mozilla/5.0 (Linux; Android 10)",
        "Mozilla/5.0 (iPad; U; CPU iPhone OS 5_1 like Mac OS X; en-us)",
        "Mozilla/5.0 (F05A;FOMA;like Gecko)",
        "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AcmeWeb/3.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/75.0.3770.101 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_0) AcmeFlow/5.7 (like Gecko Firefox/53.0 rv:53.0)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    ] {
        assert_eq!(declared(people), None, "{people}");
    }
}

#[test]
fn office_looks_behind_links_and_shows_mail() {
    for program in [
        "Microsoft Office Existence Discovery",
        "Microsoft Office Protocol Discovery",
        "Microsoft-WebDAV-MiniRedir/10.0.19045",
        "Microsoft Data Access Internet Publishing Provider Protocol Discovery",
        "Microsoft Office Word 2014 (16.0.17000) Windows NT 10.0",
        "Microsoft Office Excel 2013 (15.0.4700) Windows NT 6.1",
        "Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)",
        "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; SafeLinks)",
    ] {
        let found = declared(program).unwrap_or_else(|| panic!("not found: {program}"));
        let expected = (AgentClass::Scanner, Some("microsoft"), false);
        assert_eq!((found.class, found.vendor, found.certain), expected, "{program}");
    }
    for person in [
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17000; Pro)",
        // Evidence for a pair alone.
        "ms-office",
        "Microsoft Office",
        "msoffice",
        "Microsoft Office/16.0 (Microsoft Outlook 16.0.17000; Pro), Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Microsoft Office Word/16.90 (Mac OS/14.6; Desktop; de-DE; AppStore; Apple/Mac15,3)",
        "Word/15.22 (Mac OS/10.11; Desktop; de-DE; NonAppStore; Apple/MacBookAir7,1)",
    ] {
        assert_eq!(declared(person), None, "{person}");
    }
}

#[test]
fn a_machine_within_a_browsers_agent_is_found_by_its_word() {
    use AgentClass::{Crawler, ImageProxy, Library, Preview, Scanner};
    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/158.0.0.0 Safari/537.36";
    for (class, certain, name, tail) in [
        (Scanner, true, "zoomeye", "ZoomEye"),
        (Scanner, false, "proofpoint", "Proofpoint URL Defense"),
        (Preview, true, "imessage-preview", "imessage-preview"),
        (Preview, false, "preview", "AcmePreview/2"),
        (Crawler, false, "downloader", "Acme%20Downloader/1750"),
        (Crawler, false, "check", "acmecheck"),
        (Crawler, false, "expander", "LinkExpander/1"),
        (Library, true, "aws-sdk", "aws-sdk-java/2.11"),
        (Library, false, "headless", "HeadlessAcme/1"),
        (ImageProxy, false, "ggpht", "(via ggpht.com)"),
        (ImageProxy, false, "imageproxy", "AcmeImageProxy/2"),
        (ImageProxy, false, "mail proxy", "Acme Mail Proxy"),
    ] {
        check(class, certain, name, &format!("{CHROME} {tail}"));
    }
    check(ImageProxy, false, "ggpht", "ggpht.com");
    check(ImageProxy, true, "yahoo mail proxy", "Yahoo Mail Proxy");
    // Add-ons of people's browsers.
    for tail in ["AcmeToolbar/2", "BRI/2", "QQDownload 760", "WebMoney Advisor", "Acme Advisor/1.2"] {
        assert_eq!(declared(&format!("{CHROME} {tail}")), None, "{tail}");
    }
}

#[test]
fn a_phones_system_asks_for_itself() {
    for (name, agent) in [
        ("swcd", "swcd (unknown version) CFNetwork/3826.500.131 Darwin/24.5.0"),
        ("safariviewservice", "SafariViewService/8619.1 CFNetwork/1568.100.1 Darwin/24.0.0"),
        ("networkingextension", "NetworkingExtension/8621.1 Network/4277.1 iOS/18.5"),
        ("ddg_android", "ddg_android/5.230.0 (com.duckduckgo.mobile.android; Android API 34)"),
    ] {
        check(AgentClass::Library, false, name, agent);
    }
    // The app's own pages are people's.
    assert_eq!(
        declared(
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.0.0 Mobile DuckDuckGo/5 Safari/537.36"
        ),
        None
    );
}

#[test]
fn the_prefetch_of_a_mail_provider_is_matched_whole() {
    let gmail = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0";
    let found = declared(gmail).unwrap();
    assert_eq!((found.class, found.vendor, found.certain), (AgentClass::Prefetch, Some("google"), true));
    // The same without its mark is somebody's old Edge.
    assert_eq!(declared(gmail.strip_suffix(" Mozilla/5.0").unwrap()), None);
    assert_eq!(
        declared("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
        None
    );
}

#[test]
fn what_speaks_louder_is_the_name() {
    for (agent, name) in [
        // The address says less than the name, a name that apps share less than an ending.
        ("Slackbot 1.0 (+https://api.slack.com/robots)", "slackbot"),
        ("okhttp/4.9.0 (+https://acme.example)", "okhttp"),
        ("okhttp/4.9.0 AcmeBot", "bot"),
        ("AcmeBot okhttp/4.9.0", "bot"),
        // The longest phrase, and words only as a whole.
        ("Slackbot-LinkExpanding 1.0", "slackbot-linkexpanding"),
        ("Python-urllib/3.7", "python-urllib"),
        ("Pythonista/3 (abuse@acme.example)", "an address in the agent"),
    ] {
        assert_eq!(declared(agent).map(|found| found.name), Some(name), "{agent}");
    }
}

#[test]
fn case_does_not_matter_and_position_does_where_it_is_said() {
    assert_eq!(declared("PYTHON-REQUESTS/2.31").unwrap().name, "python-requests");
    assert_eq!(declared("acmeBOT7/1.0").unwrap().name, "bot");
    assert_eq!(declared("Mozilla/5.0 (Linux; U; Java; Android 9)"), None);
    assert_eq!(
        declared("UCWEB/2.0 (Java; U; MIDP-2.0; en-US; nokia203) U2/1.0.0 UCBrowser/9.4 U2/1.0.0 Mobile"),
        None
    );
}

#[test]
fn an_address_has_a_domain() {
    for (yes, domain) in [
        (true, "acme.example"),
        (true, "mail.acme.example."),
        (true, "acme.example)"),
        (false, "150.0.0.0"),
        (false, "calendar=gregorian"),
        (false, "acme"),
        (false, ".example"),
        (false, "acme.e"),
        (false, ""),
    ] {
        assert_eq!(is_mail_domain(domain.as_bytes()), yes, "{domain}");
    }
}

#[test]
fn office_is_a_name_and_not_a_machine() {
    for yes in [
        "Microsoft Office/16.0 (Windows NT 10.0; 16.0.12026; Pro)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "MSOFFICE 16",
        "Microsoft Office Word 2014",
    ] {
        assert!(is_office(yes), "{yes}");
    }
    for no in
        ["", "Microsoft Outlook 16", "xms-office", "ms-officer", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"]
    {
        assert!(!is_office(no), "{no}");
    }
}

#[test]
fn every_pattern_is_found_by_itself() {
    let patterns = compile::agents::parse(include_str!("agents.txt")).unwrap();
    assert_eq!(patterns.groups.len(), GROUPS.len());
    assert_eq!((patterns.phrases.len(), patterns.whole.len()), (PHRASES.ends.len(), WHOLE.len()));
    for (table, words) in
        [(&WORDS[..], &patterns.words), (&BEGINNINGS, &patterns.beginnings), (&ENDINGS, &patterns.endings)]
    {
        assert_eq!(table.iter().map(|words| words.groups.len()).sum::<usize>(), words.len());
        for (word, value) in words {
            assert_eq!(find(table, word.to_uppercase().as_bytes()), Some((word.as_str(), *value)));
        }
    }
    for stem in patterns.beginnings.keys() {
        assert!(
            beginning(format!("{stem}zzz").as_bytes()).is_some_and(|(found, _)| found.len() >= stem.len())
        );
    }
    for stem in patterns.endings.keys() {
        assert!(
            ending(format!("zzz{stem}42").as_bytes()).is_some_and(|(found, _)| found.len() >= stem.len())
        );
    }
    for (phrase, value) in PHRASES.from("").filter(|(_, value)| !is_of_people(*value)) {
        let found = declared(phrase).unwrap_or_else(|| panic!("not found: {phrase}"));
        let group = of_group(phrase, value).unwrap();
        assert!(found.name == phrase || found.certain && !group.certain, "{phrase}: {}", found.name);
    }
}

proptest! {
    #[test]
    fn spaces_around_an_agent_say_nothing(agent in "\\PC{0,200}") {
        prop_assert_eq!(declared(&agent), declared(&format!(" {agent}\t")));
        let _ = is_office(&agent);
    }

    /// A crawler's name stays a crawler's wherever it stands behind a browser's agent.
    #[test]
    fn a_bot_is_a_bot_behind_any_browser(name in "[A-Z][a-z]{1,8}", version in 1..200) {
        let agent = format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36 {name}bot/1.0");
        let found = declared(&agent);
        prop_assert!(found.is_some() || name == "Cu", "{}", agent);
    }
}

#[test]
fn every_agent_of_the_tables_is_found_again_by_its_name() {
    let of_length = |length: usize, words: &'static Words| {
        let name = move |at| &words.text[at * length..][..length];
        words.groups.iter().enumerate().map(move |(at, value)| (name(at), *value))
    };
    let tables = [&WORDS[..], &BEGINNINGS, &ENDINGS];
    let words = tables.iter().flat_map(|table| table.iter().enumerate());
    let words = words.flat_map(|(length, words)| of_length(length, words));
    let phrases = (0..).map_while(|number| PHRASES.at(number));
    let all = words.chain(phrases).chain(WHOLE);
    let agents: Vec<Agent> = all.filter_map(|(name, value)| of_group(name, value)).collect();
    assert!(agents.len() > 500, "{}", agents.len());
    for agent in agents.into_iter().chain([ADDRESS, COMPATIBLE, NO_ENGINE, NO_BROWSER]) {
        assert_eq!(named(agent.name, agent.class, agent.certain), agent);
        // An address makes a stem certain.
        let Agent { name, class, vendor, certain, .. } = named(agent.name, agent.class, true);
        assert_eq!((name, class, vendor, certain), (agent.name, agent.class, agent.vendor, true));
    }
}
