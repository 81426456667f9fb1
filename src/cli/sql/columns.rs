//! The columns of the table of events, in the order of its lines.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// True or false.
    Boolean,
    /// A list of texts.
    Texts,
    /// JSON of its own.
    Json,
}

/// Every field of every shipped event.
pub(super) const COLUMNS: [(&str, Holds); 56] = {
    use Holds::{Boolean, Integer, Json, Text, Texts};
    [
        ("event", Text),
        ("event_id", Text),
        ("revision", Integer),
        ("ts_ms", Integer),
        ("message_id", Text),
        ("recipient_id", Text),
        ("link_id", Text),
        ("url", Text),
        ("group", Text),
        ("kind", Text),
        ("sent_at_ms", Integer),
        ("delivered_at_ms", Integer),
        ("bounced_at_ms", Integer),
        ("links_total", Integer),
        ("method", Text),
        ("ip", Text),
        ("asn", Integer),
        ("country", Text),
        ("user_agent", Text),
        ("referer", Text),
        ("accept", Text),
        ("accept_language", Text),
        ("sec_fetch_site", Text),
        ("sec_fetch_mode", Text),
        ("sec_fetch_dest", Text),
        ("sec_fetch_user", Text),
        ("sec_purpose", Text),
        ("sec_ch_ua", Text),
        ("x_forwarded_for", Text),
        ("http_protocol", Text),
        ("secure", Boolean),
        ("cookie", Text),
        ("visitor_id", Text),
        ("repeats", Integer),
        ("act", Text),
        ("network", Text),
        ("network_vendor", Text),
        ("network_class", Text),
        ("safelinks_referer", Boolean),
        ("click_type", Text),
        ("vendor", Text),
        ("confidence", Text),
        ("rule", Text),
        ("reasons", Texts),
        ("paired_with", Text),
        ("is_bot", Boolean),
        ("is_defender_bot", Boolean),
        ("verified", Text),
        ("ruleset", Text),
        ("final", Boolean),
        ("previous_click_type", Text),
        ("shadow", Json),
        ("since_load_ms", Integer),
        ("click_event_id", Text),
        ("click_ts_ms", Integer),
        ("code", Text),
    ]
};
