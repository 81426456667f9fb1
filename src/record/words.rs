//! The words that a record's fields say of a visitor. The fields themselves hold text, as records come from elsewhere too:
//! what is none of these is passed on and says nothing.

use super::named::named;

named! {
    /// What our cookie said (`cookie`).
    pub enum CookieState {
        /// It was set with this request.
        New = "new",
        /// It came back.
        Returning = "returning",
        /// Neither: switched off, not wanted, or not possible.
        None = "none",
    }
}

named! {
    /// How a link that acts was told to (`act`).
    pub enum Way {
        /// By a mail provider, for a person who pressed its button (RFC 8058).
        OneClick = "one_click",
        /// By the page's own form.
        Page = "form",
        /// By the page's form that takes an unsubscription back: a confirmation, on the link that unsubscribed.
        Undo = "undo",
    }
}
