//! Links that act: what stands behind `/u/{token}`. A scanner that opens them, or submits every form the moment it
//! sees it, does nothing; a person's press of a button does, and so does a mail provider's one-click request.
//!
//! [`page`] is what a visitor sees, in one of the [`languages`]; [`stamp`] shows that a form was looked at before it
//! was sent. Here is decided whether a request may act.

pub mod languages;
pub mod page;

use crate::link::envelope;
use crate::link::keys::Keyring;
use crate::link::one_click::ONE_CLICK_VALUE;
use crate::proof::stamp;
use crate::record::{Kind, Way};

/// The form field of the page's own stamp.
pub const STAMP: &str = "stamp";

/// What a form asked for: the two fields that are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form<'a> {
    /// [`ONE_CLICK`](crate::link::one_click::ONE_CLICK).
    pub one_click: Option<&'a str>,
    /// [`STAMP`].
    pub stamp: Option<&'a str>,
}

/// Why a form does nothing. The visitor is asked to press once more; the log tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoConsent {
    /// The body is no form.
    NoForm,
    /// It has neither field.
    NoField,
    /// It has the field of RFC 8058, but not with its one value.
    NotOneClick,
    /// One-click is for unsubscribing alone: nobody may confirm anything unseen.
    OneClickElsewhere,
    /// The page's stamp does not hold.
    Stamp(envelope::Refusal),
}

impl NoConsent {
    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoForm => "no_form",
            Self::NoField => "no_consent",
            Self::NotOneClick => "not_one_click",
            Self::OneClickElsewhere => "one_click_elsewhere",
            Self::Stamp(refusal) => refusal.name(),
        }
    }
}

/// Whether a form may act on the link of that token, and whose it is.
///
/// # Errors
/// Why it may not.
pub fn consent(kind: Kind, token: &str, form: Form, now_ms: i64, keys: &Keyring) -> Result<Way, NoConsent> {
    match (form.one_click.map(str::trim), form.stamp) {
        (Some(ONE_CLICK_VALUE), _) if kind == Kind::Unsubscribe => Ok(Way::OneClick),
        (_, Some(stamp)) => match stamp::check(stamp, token, now_ms, keys) {
            Ok(()) => Ok(Way::Page),
            Err(refusal) => Err(NoConsent::Stamp(refusal)),
        },
        (Some(ONE_CLICK_VALUE), None) => Err(NoConsent::OneClickElsewhere),
        (Some(_), None) => Err(NoConsent::NotOneClick),
        (None, None) => Err(NoConsent::NoField),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_click_to_the_letter_or_a_stamp_acts() {
        let keys = Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap();
        let stamp = stamp::seal("token", 1_000_000, &keys);
        let (good, young) = (Some(stamp.as_str()), Some("x"));
        let cases = [
            (Kind::Unsubscribe, Some("One-Click"), None, Ok(Way::OneClick)),
            (Kind::Unsubscribe, Some("One-Click"), young, Ok(Way::OneClick)),
            (Kind::Unsubscribe, None, good, Ok(Way::Page)),
            (Kind::Confirm, None, good, Ok(Way::Page)),
            (Kind::Confirm, Some("One-Click"), good, Ok(Way::Page)),
            (Kind::Confirm, Some("One-Click"), None, Err(NoConsent::OneClickElsewhere)),
            (Kind::Unsubscribe, Some("one-click"), None, Err(NoConsent::NotOneClick)),
            (Kind::Unsubscribe, Some("One-Click\r\n"), None, Ok(Way::OneClick)),
            (Kind::Unsubscribe, Some("One-Clicks"), None, Err(NoConsent::NotOneClick)),
            (Kind::Unsubscribe, Some(""), None, Err(NoConsent::NotOneClick)),
            (Kind::Unsubscribe, None, None, Err(NoConsent::NoField)),
            (Kind::Unsubscribe, None, young, Err(NoConsent::Stamp(envelope::Refusal::Malformed))),
            (Kind::Confirm, Some("One-Click"), young, Err(NoConsent::Stamp(envelope::Refusal::Malformed))),
        ];
        for (kind, one_click, stamp, expected) in cases {
            let found = consent(kind, "token", Form { one_click, stamp }, 1_002_000, &keys);
            assert_eq!(found, expected, "{kind:?} {one_click:?} {stamp:?}");
        }
    }
}
