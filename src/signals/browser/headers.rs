//! Which browser sends which request header, and since which version: MDN's browser-compat-data 8.1.9 (2026-11-12).
//! Browsers send all of these to secure origins alone.

use super::family::Family;

/// Request headers that tell browsers and their ages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// `Sec-Fetch-Mode`.
    SecFetchMode,
    /// `Sec-Fetch-Site`.
    SecFetchSite,
    /// `Sec-Fetch-Dest`.
    SecFetchDest,
    /// `Sec-Fetch-User`, with a person's own navigation.
    SecFetchUser,
    /// `Sec-CH-UA`.
    SecChUa,
    /// `Sec-Purpose`, with a prefetch.
    SecPurpose,
    /// `Priority`.
    Priority,
}

/// A version no browser reaches.
const NEVER: (u16, u16) = (u16::MAX, 0);

/// The first version, major and minor, of a family that sends a header.
pub(super) fn since(header: Header, family: Family) -> (u16, u16) {
    let row = match header {
        //                                 Chrome   Edge     Firefox  Safari   its WebView  Samsung
        Header::SecFetchMode | Header::SecFetchSite => [(76, 0), (79, 0), (90, 0), (16, 4), (16, 4), (12, 0)],
        Header::SecFetchDest => [(80, 0), (80, 0), (90, 0), (16, 4), (16, 4), (13, 0)],
        Header::SecFetchUser => [(76, 0), (79, 0), (90, 0), NEVER, NEVER, (12, 0)],
        Header::SecChUa => [(89, 0), (89, 0), NEVER, NEVER, NEVER, (23, 0)],
        Header::SecPurpose => [(110, 0), (110, 0), (115, 0), (26, 0), NEVER, (21, 0)],
        Header::Priority => [(124, 0), (124, 0), (128, 0), NEVER, NEVER, (27, 0)],
    };
    match family {
        Family::Chrome | Family::AndroidWebView => row[0],
        Family::Edge => row[1],
        Family::Firefox => row[2],
        Family::Safari | Family::SafariIos => row[3],
        Family::ChromeIos | Family::FirefoxIos | Family::IosWebView => row[4],
        Family::Samsung => row[5],
        Family::Explorer | Family::OldEdge | Family::OldOpera | Family::OtherChromium | Family::Other => {
            NEVER
        }
    }
}
