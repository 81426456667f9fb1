//! What a link is for: the word that tokens, records and events say it by.

use super::named::named;

named! {
    /// What kind of link was requested. The position is its number in a token.
    #[derive(Default)]
    pub enum Kind: serde {
        /// A tracked link.
        #[default]
        Click = "click",
        /// The open pixel.
        Open = "open",
        /// The unsubscribe page.
        Unsubscribe = "unsubscribe",
        /// The confirmation page.
        Confirm = "confirm",
    }
}

impl Kind {
    /// Whether a press on its page does something.
    #[must_use]
    pub const fn acts(self) -> bool {
        matches!(self, Self::Unsubscribe | Self::Confirm)
    }
}
