//! A record's fields by their names: one table for who reads them from text, who writes them as bytes and who cuts them. What is
//! the click's identity (`event_id` with its `ts_ms`, `kind`) and what a verdict writes (`verified`) is not among them.

use super::{MAX_FIELD_BYTES, Record, cut, cut_referer};

/// A field that is text: its name, what it is, and how it is set.
pub(super) type Text = (&'static str, fn(&Record) -> Option<&str>, fn(&mut Record, Option<String>));

/// A field that is a whole number, or a truth value as one.
pub(super) type Integer = (&'static str, fn(&Record) -> Option<i64>, fn(&mut Record, Option<i64>));

/// A field that is text.
macro_rules! text {
    ($field:ident) => {
        (stringify!($field), |record| record.$field.as_deref(), |record, text| record.$field = text)
    };
}

/// A field that is text and never absent.
macro_rules! always {
    ($field:ident) => {
        (
            stringify!($field),
            |record| Some(&record.$field),
            |record, text| record.$field = text.unwrap_or_default(),
        )
    };
}

/// A field that is a whole number.
macro_rules! integer {
    ($field:ident) => {
        (stringify!($field), |record| record.$field, |record, number| record.$field = number)
    };
}

/// The texts of a record. The order is that of version 1 of [`packed`](super::packed) and frozen.
pub(super) const TEXTS: [Text; 22] = [
    always!(message_id),
    always!(recipient_id),
    text!(link_id),
    text!(url),
    always!(method),
    text!(ip),
    text!(country),
    text!(user_agent),
    text!(referer),
    text!(accept),
    text!(accept_language),
    text!(sec_fetch_site),
    text!(sec_fetch_mode),
    text!(sec_fetch_dest),
    text!(sec_fetch_user),
    text!(sec_purpose),
    text!(sec_ch_ua),
    text!(x_forwarded_for),
    text!(http_protocol),
    text!(cookie),
    text!(visitor_id),
    text!(act),
];

/// How many of [`TEXTS`] say which link of whom was requested: ids and a URL, which are never cut.
pub(super) const IDS: usize = 4;

/// The whole numbers of a record. This order is frozen, too.
pub(super) const INTEGERS: [Integer; 6] = [
    (
        "sent_at_ms",
        |record| Some(record.sent_at_ms),
        |record, number| record.sent_at_ms = number.unwrap_or_default(),
    ),
    integer!(delivered_at_ms),
    integer!(links_total),
    integer!(asn),
    (
        "secure",
        |record| record.secure.map(i64::from),
        |record, number| record.secure = number.map(|number| number != 0),
    ),
    integer!(repeats),
];

/// A field that not every record has, by what it is.
pub(super) enum Further {
    /// A whole number.
    Integer(Integer),
    /// A text.
    Text(Text),
}

/// What not every record has. Of [`packed`](super::packed) each is a further column, whose number is its place here: new ones
/// stand behind the last.
pub(super) const FURTHER: [Further; 4] = [
    Further::Integer(integer!(bounced_at_ms)),
    // To a column of texts an empty one is none, and this one says that somebody has looked.
    Further::Integer((
        "user_agent",
        |record| record.user_agent.as_ref().filter(|agent| agent.is_empty()).map(|_| 1),
        |record, number| record.user_agent = number.map(|_| String::new()),
    )),
    Further::Text(text!(group)),
    Further::Text(text!(signals)),
];

impl Record {
    /// Takes out what the request showed: what is left is the click's identity, what the link and the sender say, and how a link
    /// that acts was told to.
    pub fn forget_request(&mut self) {
        for (name, _, put) in TEXTS.iter().skip(IDS) {
            if *name != "act" {
                put(self, None);
            }
        }
        (self.asn, self.secure) = (None, None);
    }

    /// Cuts free text as the edge cuts it: a record that comes from elsewhere must not outgrow a queue message either, and a
    /// wrapper's referer may hold an address.
    pub fn cut(&mut self) {
        self.referer = self.referer.take().and_then(cut_referer);
        for (_, get, put) in TEXTS.iter().skip(IDS) {
            if let Some(text) = get(self).filter(|text| text.len() > MAX_FIELD_BYTES) {
                let text = cut(text.to_owned());
                put(self, text);
            }
        }
    }
}
