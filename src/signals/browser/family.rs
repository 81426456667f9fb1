//! The browsers that are told apart: what each sends and how old it is depends on whose it is.

/// Browsers whose headers and versions are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Chrome, Chromium, and those that go by Chrome's version: Brave, Opera, Vivaldi.
    Chrome,
    /// Edge since it is Chromium, on any system but iOS.
    Edge,
    /// Firefox, on any system but iOS.
    Firefox,
    /// Safari on a Mac, or on an iPad that asks for desktop pages.
    Safari,
    /// Safari on an iPhone or iPad.
    SafariIos,
    /// Samsung Internet.
    Samsung,
    /// A page within an Android app.
    AndroidWebView,
    /// Chrome on an iPhone or iPad: its version, the system's headers.
    ChromeIos,
    /// Firefox on an iPhone or iPad: its version, the system's headers.
    FirefoxIos,
    /// Any other browser on an iPhone or iPad, or a page within an app there.
    IosWebView,
    /// Something built on Chromium that may send other headers than Chrome.
    OtherChromium,
    /// Internet Explorer on a desktop.
    Explorer,
    /// Edge before it was Chromium, on a desktop.
    OldEdge,
    /// Opera before it was Chromium, on a desktop.
    OldOpera,
    /// Any other agent.
    Other,
}
