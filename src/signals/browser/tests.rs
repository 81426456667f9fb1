//! What agents claim to be, what such a browser sends, and what no browser is.

use proptest::prelude::*;

use super::*;

/// 2026-11-22, noon.
const NOON_MS: i64 = 1_795_348_800_000;

fn windows(products: &str) -> String {
    format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) {products}")
}

fn iphone(system: &str, products: &str) -> String {
    format!(
        "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {products}"
    )
}

fn browser(agent: &str) -> Browser {
    Browser::of(agent).unwrap_or_else(|| panic!("no browser: {agent}"))
}

#[test]
fn browsers_are_told_apart() {
    use Family::{
        AndroidWebView, Chrome, ChromeIos, Edge, Explorer, Firefox, FirefoxIos, IosWebView, OldEdge,
        OldOpera, Other, OtherChromium, Safari, SafariIos, Samsung,
    };
    for (family, major, minor, patch, agent) in [
        (Chrome, 154, 0, Some(0), windows("Chrome/154.0.0.0 Safari/537.36")),
        (Chrome, 57, 0, Some(133), windows("Chrome/57.0.2987.133 Safari/537.36")),
        (Chrome, 120, 0, Some(0), windows("Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0")),
        (Chrome, 113, 0, Some(63), windows("HeadlessChrome/113.0.5672.63 Safari/537.36")),
        (Edge, 153, 0, Some(0), windows("Chrome/153.0.0.0 Safari/537.36 Edg/153.0.0.0")),
        (OtherChromium, 117, 0, Some(0), windows("Chrome/117.0.0.0 Safari/537.36 Edg/117.0.2045.47 OneOutlook/1.2023.927.100")),
        (OldEdge, 17, 0, None, windows("Chrome/64.0.3282.140 Safari/537.36 Edge/17.17134")),
        (Explorer, 8, 0, None, "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; SLCC2)".to_owned()),
        (Explorer, 9, 0, None, "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)".to_owned()),
        (Explorer, 6, 0, None, "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)".to_owned()),
        // Asked to be older.
        (Explorer, 11, 0, None, "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0)".to_owned()),
        (Explorer, 11, 0, None, "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned()),
        (OldOpera, 12, 0, None, "Opera/9.80 (Windows NT 6.0) Presto/2.12.388 Version/12.16".to_owned()),
        (OldOpera, 9, 0, None, "Opera/9.64 (X11; Linux i686; U; en) Presto/2.1.1".to_owned()),
        (OtherChromium, 108, 0, Some(0), windows("Chrome/108.0.0.0 Safari/537.36 AcmeBrowser/3.1")),
        (
            OtherChromium,
            77,
            0,
            Some(116),
            "Mozilla/5.0 (Linux; Android 10; ELE-L29) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/77.0.3865.116 Mobile Safari/537.36 EdgA/45.12.4.5137".to_owned(),
        ),
        (Firefox, 160, 0, None, "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:160.0) Gecko/20100101 Firefox/160.0".to_owned()),
        (Other, 0, 0, None, "Mozilla/5.0 (X11; Linux x86_64; rv:68.9) Gecko/20100101 Goanna/4.8 Firefox/68.9 PaleMoon/29.0".to_owned()),
        (Safari, 26, 1, None, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15".to_owned()),
        (Other, 0, 0, None, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)".to_owned()),
        (SafariIos, 26, 6, None, iphone("18_7", "Version/26.6.1 Mobile/15E148 Safari/604.1")),
        (IosWebView, 17, 4, None, iphone("17_4_1", "Mobile/15E148")),
        (IosWebView, 17, 0, None, iphone("17_0", "GSA/284.0.564099828 Mobile/15E148 Safari/604.1")),
        (ChromeIos, 140, 0, None, iphone("18_6", "CriOS/140.0.7339.122 Mobile/15E148 Safari/604.1")),
        (FirefoxIos, 144, 0, None, iphone("18_6", "FxiOS/144.0 Mobile/15E148 Safari/605.1.15")),
        (
            Samsung,
            28,
            0,
            Some(0),
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36".to_owned(),
        ),
        (
            AndroidWebView,
            124,
            0,
            Some(123),
            "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.123 Mobile Safari/537.36 Acme/1".to_owned(),
        ),
    ] {
        let found = browser(&agent);
        assert_eq!((found.family, found.major, found.minor, found.patch), (family, major, minor, patch), "{agent}");
    }
    for none in [
        "",
        "Mozilla/5.0",
        "curl/8.5.0",
        "Mozilla/5.0 (unclosed",
        // Office's parts, whatever they say, and what people's phones and television sets have.
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; ms-office; MSOffice 16)",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0; Microsoft Outlook 16.0.5134)",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows Phone OS 7.0; Trident/3.1; IEMobile/7.0; Acme; AC7)",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.12.423 Version/12.16",
        "Opera/9.80 (Windows Mobile; Opera Mini/5.1; U; en) Presto/2.12.423 Version/12.16",
        "Opera/9.80 (Linux mips; U; HbbTV/1.1.1; Acme) Presto/2.10.287 Version/12.00",
        "curl/8.5.0 (Windows NT 10.0)",
    ] {
        assert_eq!(Browser::of(none), None, "{none}");
    }
}

#[test]
fn headers_come_with_the_version_that_introduced_them() {
    use Header::{Priority, SecChUa, SecFetchDest, SecFetchMode, SecFetchSite, SecFetchUser, SecPurpose};
    let all = [SecFetchMode, SecFetchSite, SecFetchDest, SecFetchUser, SecChUa, SecPurpose, Priority];
    let safari = |version: &str| {
        format!(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Safari/605.1.15"
        )
    };
    let firefox = |version: u32| {
        format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0")
    };
    let chrome = |version: u32| windows(&format!("Chrome/{version}.0.0.0 Safari/537.36"));
    let samsung = |version: u32| {
        format!(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{version}.0 Chrome/100.0.0.0 Mobile Safari/537.36"
        )
    };
    let sec_fetch = &[SecFetchMode, SecFetchSite, SecFetchDest, SecFetchUser][..];
    for (sent, agent) in [
        (&[][..], chrome(75)),
        (&[SecFetchMode, SecFetchSite, SecFetchUser], chrome(79)),
        (sec_fetch, chrome(88)),
        (&[SecFetchMode, SecFetchSite, SecFetchDest, SecFetchUser, SecChUa], chrome(109)),
        (&all[..6], chrome(123)),
        (&all, chrome(124)),
        (&all, windows("Chrome/124.0.0.0 Safari/537.36 Edg/124.0.0.0")),
        (&[], windows("Chrome/124.0.0.0 Safari/537.36 AcmeBrowser/1.0")),
        (&[], firefox(89)),
        (sec_fetch, firefox(114)),
        (&[SecFetchMode, SecFetchSite, SecFetchDest, SecFetchUser, SecPurpose], firefox(127)),
        (&[SecFetchMode, SecFetchSite, SecFetchDest, SecFetchUser, SecPurpose, Priority], firefox(128)),
        (&[], safari("16.3")),
        (&sec_fetch[..3], safari("16.4")),
        (&[SecFetchMode, SecFetchSite, SecFetchDest, SecPurpose], safari("26.0")),
        (&[], iphone("16_3", "CriOS/140.0.7339.122 Mobile/15E148 Safari/604.1")),
        (&sec_fetch[..3], iphone("16_4", "CriOS/110.0.5481.114 Mobile/15E148 Safari/604.1")),
        (&sec_fetch[..3], iphone("26_1", "Mobile/15E148")),
        (&[], samsung(11)),
        (&[SecFetchMode, SecFetchSite, SecFetchUser], samsung(12)),
        (&all[..6], samsung(26)),
        (&all, samsung(27)),
    ] {
        for header in all {
            assert_eq!(browser(&agent).sends(header), sent.contains(&header), "{header:?}: {agent}");
        }
    }
}

#[test]
fn age_is_counted_in_major_versions() {
    for (behind, agent) in [
        (Some(0), windows("Chrome/158.0.0.0 Safari/537.36")),
        (Some(-2), windows("Chrome/160.0.0.0 Safari/537.36")),
        (Some(101), windows("Chrome/57.0.2987.133 Safari/537.36")),
        (Some(5), windows("Chrome/153.0.0.0 Safari/537.36 Edg/153.0.0.0")),
        (Some(20), "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        // A line of long support that is kept up, and its neighbour.
        (
            Some(0),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0".to_owned(),
        ),
        (
            Some(8),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:152.0) Gecko/20100101 Firefox/152.0".to_owned(),
        ),
        // What has ended.
        (Some(56), "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned()),
        (Some(69), windows("Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763")),
        (None, iphone("18_7", "Version/26.6.1 Mobile/15E148 Safari/604.1")),
    ] {
        assert_eq!(browser(&agent).majors_behind(NOON_MS), behind, "{agent}");
    }
}

#[test]
fn windows_7_has_no_newer_firefox_than_115() {
    let year_ago_ms = NOON_MS - 365 * 86_400_000;
    for (behind, system) in [(0, "Windows NT 6.1; Win64; x64"), (30, "Windows NT 10.0; Win64; x64")] {
        let agent = format!("Mozilla/5.0 ({system}; rv:109.0) Gecko/20100101 Firefox/115.0");
        assert_eq!(browser(&agent).majors_behind(year_ago_ms), Some(behind), "{agent}");
    }
}

#[test]
fn chrome_on_a_desktop_tells_no_build() {
    for yes in [
        windows("Chrome/142.0.7444.175 Safari/537.36"),
        windows("Chrome/158.0.7800.0 Safari/537.36"),
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.5481.77 Safari/537.36".to_owned(),
    ] {
        assert!(browser(&yes).is_unreduced(), "{yes}");
    }
    for no in [
        windows("Chrome/142.0.0.0 Safari/537.36"),
        windows("Chrome/142.0 Safari/537.36"),
        // Before it was cut down, other browsers, apps, phones.
        windows("Chrome/109.0.5414.120 Safari/537.36"),
        windows("Chrome/142.0.7444.175 Safari/537.36 Edg/142.0.3595.90"),
        windows("Chrome/112.0.5615.165 Safari/537.36 OPR/98.0.4759.39"),
        windows("AcmeDesk/4.1 Chrome/142.0.7444.175 Electron/39.1.0 Safari/537.36"),
        "Mozilla/5.0 (Linux; Android 14; AC-7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.158 Mobile Safari/537.36".to_owned(),
    ] {
        assert!(!browser(&no).is_unreduced(), "{no}");
    }
}

#[test]
fn impossible_is_what_nobody_released() {
    for agent in [
        windows("Chrome/170.0.0.0 Safari/537.36"),
        windows("Chrome/53.0.7149.1690 Safari/537.36"),
        windows("Chrome/120.0.0.0 Safari/537.36 Edg/18.17134"),
        "Mozilla/5.0 (X11; Linux x86_64; rv:199.0) Gecko/20100101 Firefox/199.0".to_owned(),
        iphone("18_7", "Version/22.0 Mobile/15E148 Safari/604.1"),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 11_0 like Mac OS X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/40.0.1567.127 Mobile Safari/537.36".to_owned(),
    ] {
        assert!(browser(&agent).is_impossible(NOON_MS), "{agent}");
    }
    for agent in [
        windows("Chrome/164.0.0.0 Safari/537.36"),
        windows("Chrome/57.0.2987.999 Safari/537.36"),
        windows("Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.1444"),
        windows("Chrome/64.0.3282.140 Safari/537.36 Edge/17.17134"),
        iphone("18_7", "Version/26.6.1 Mobile/15E148 Safari/604.1"),
        iphone("18_6", "CriOS/140.0.7339.1220 Mobile/15E148 Safari/604.1"),
        // Yandex counts its own builds there.
        "Mozilla/5.0 (Linux; arm_64; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.6834.2037 YaSearchBrowser/25.20.1 Mobile Safari/537.36".to_owned(),
    ] {
        assert!(!browser(&agent).is_impossible(NOON_MS), "{agent}");
    }
    // A version that is out today was not yet five years ago.
    let today = browser(&windows("Chrome/158.0.0.0 Safari/537.36"));
    assert!(!today.is_impossible(NOON_MS));
    assert!(today.is_impossible(NOON_MS - 5 * 365 * 86_400_000));
}

#[test]
fn client_hints_tell_chromium_s_version() {
    for (major, hints) in [
        (Some(117), r#""Google Chrome";v="117", "Not;A=Brand";v="8", "Chromium";v="117""#),
        (Some(98), r#""(Not(A:Brand";v="8", "Chromium";v="98""#),
        (Some(96), r#"" Not A;Brand";v="99", "Chromium";v="96", "Microsoft Edge";v="96""#),
        (Some(95), r#""Opera";v="81", " Not;A Brand";v="99", "Chromium";v="95""#),
        (Some(88), r#""Google Chrome";v="88", ";Not A Brand";v="99""#),
        (None, r#""Not A;Brand";v="99""#),
        (None, r#""Chromium";v="""#),
        (None, r#""Chromium";v="99999999999""#),
        (None, "Chromium 117"),
        (None, ""),
    ] {
        assert_eq!(client_hints_major(hints), major, "{hints}");
    }
    assert!(is_headless_brand(r#""HeadlessChrome";v="129", "Not=A?Brand";v="8", "Chromium";v="129""#));
    assert!(!is_headless_brand(r#""Google Chrome";v="117", "Not;A=Brand";v="8", "Chromium";v="117""#));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        text in "\\PC{0,120}",
        product in "(Chrome|Edg|Version|Firefox|CriOS)/[0-9.]{0,30}",
        ts_ms in any::<i64>(),
    ) {
        for agent in [text.clone(), windows(&format!("{text}{product} Safari/1")), iphone(&text, &product)] {
            if let Some(browser) = Browser::of(&agent) {
                let _ = (browser.is_impossible(ts_ms), browser.majors_behind(ts_ms), browser.sends(Header::Priority));
            }
        }
        let _ = client_hints_major(&text);
    }
}
