//! Links that act: what stands behind `/u/{token}`. A scanner that opens them, or submits every form the moment it
//! sees it, does nothing; a person's press of a button does, and so does a mail provider's one-click request.
//!
//! [`stamp`] shows that a form was looked at before it was sent. Here is decided whether a request may act.

use crate::link::envelope;
use crate::link::keys::Keyring;
use crate::link::one_click::ONE_CLICK_VALUE;
use crate::proof::stamp;
use crate::record::{Kind, Way};

/// The form field of the page's own stamp.
pub const STAMP: &str = "stamp";

/// The form field of the stamp by which an unsubscription is taken back.
pub const UNDO: &str = "undo";

/// What the stamp of [`UNDO`] is bound to: that page is shown to those who have unsubscribed, and no other page's stamp takes back.
#[must_use]
pub fn undoing(token: &str) -> String {
    [token, "/", UNDO].concat()
}

/// What a form asked for: the three fields that are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form<'a> {
    /// [`ONE_CLICK`](crate::link::one_click::ONE_CLICK).
    pub one_click: Option<&'a str>,
    /// [`STAMP`].
    pub stamp: Option<&'a str>,
    /// [`UNDO`].
    pub undo: Option<&'a str>,
}

/// Why a form does nothing. The visitor is asked to press once more; the log tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoConsent {
    /// The body is no form.
    NoForm,
    /// It has none of the fields.
    NoField,
    /// It has the field of RFC 8058, but not with its one value.
    NotOneClick,
    /// One-click is for unsubscribing alone: nobody may confirm anything unseen.
    OneClickElsewhere,
    /// The page's stamp does not hold.
    Stamp(envelope::Refusal),
    /// The stamp that takes back does not hold.
    Undo(envelope::Refusal),
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
            Self::Stamp(refusal) | Self::Undo(refusal) => refusal.name(),
        }
    }

    /// Whether the button that takes back is shown again: only to whom it was shown before.
    #[must_use]
    pub const fn may_undo(self) -> bool {
        matches!(self, Self::Undo(envelope::Refusal::TooYoung | envelope::Refusal::Expired))
    }
}

/// Whether a form may act on the link of that token, and whose it is.
///
/// # Errors
/// Why it may not.
pub fn consent(kind: Kind, token: &str, form: Form, now_ms: i64, keys: &Keyring) -> Result<Way, NoConsent> {
    let check = |stamp, bound_to: &str| stamp::check(stamp, bound_to, now_ms, keys);
    match (form.one_click.map(str::trim), form.stamp, form.undo) {
        (Some(ONE_CLICK_VALUE), _, _) if kind == Kind::Unsubscribe => Ok(Way::OneClick),
        (_, Some(stamp), _) => check(stamp, token).map(|()| Way::Page).map_err(NoConsent::Stamp),
        // Behind the others: whoever asks for both is unsubscribed.
        (_, None, Some(undo)) if kind == Kind::Unsubscribe => {
            check(undo, &undoing(token)).map(|()| Way::Undo).map_err(NoConsent::Undo)
        }
        (Some(ONE_CLICK_VALUE), None, _) => Err(NoConsent::OneClickElsewhere),
        (Some(_), None, _) => Err(NoConsent::NotOneClick),
        (None, None, _) => Err(NoConsent::NoField),
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
            let form = Form { one_click, stamp, undo: None };
            let found = consent(kind, "token", form, 1_002_000, &keys);
            assert_eq!(found, expected, "{kind:?} {one_click:?} {stamp:?}");
        }
    }

    #[test]
    fn what_takes_back_has_a_stamp_of_its_own_and_stands_behind_what_unsubscribes() {
        let keys = Keyring::parse(&format!("k1:{}", "A".repeat(43))).0.unwrap();
        let seal = |bound_to: &str| stamp::seal(bound_to, 1_000_000, &keys);
        let (page, undo, other) = (seal("token"), seal(&undoing("token")), seal(&undoing("other")));
        let found = |kind, one_click, stamp, undo| {
            consent(kind, "token", Form { one_click, stamp, undo }, 1_002_000, &keys)
        };
        let forged = envelope::Refusal::Forged;
        let unsubscribe = Kind::Unsubscribe;
        assert_eq!(found(unsubscribe, None, None, Some(&undo)), Ok(Way::Undo));
        for (elsewhere, whose) in [(&page, "of the first page"), (&other, "of another link")] {
            let refused = found(unsubscribe, None, None, Some(elsewhere));
            assert_eq!(refused, Err(NoConsent::Undo(forged)), "{whose}");
            assert!(!refused.unwrap_err().may_undo(), "nobody gets the button by asking");
        }
        let refused = found(unsubscribe, None, Some(&undo), None);
        assert_eq!(refused, Err(NoConsent::Stamp(forged)), "it does not unsubscribe");
        assert_eq!(found(unsubscribe, None, Some(&page), Some(&undo)), Ok(Way::Page));
        assert_eq!(found(unsubscribe, Some("One-Click"), None, Some(&undo)), Ok(Way::OneClick));
        assert_eq!(found(Kind::Confirm, None, None, Some(&undo)), Err(NoConsent::NoField));
        let young =
            consent(unsubscribe, "token", Form { undo: Some(&undo), ..Form::default() }, 1_000_500, &keys);
        assert_eq!(young, Err(NoConsent::Undo(envelope::Refusal::TooYoung)));
        assert!(young.unwrap_err().may_undo(), "the button was shown, and is shown again");
    }
}
