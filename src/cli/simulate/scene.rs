//! The send that visitors come to, and what one episode of a kind does in it.

use std::collections::BTreeSet;
use std::rc::Rc;

use clickproof::proof::cookie;
use clickproof::record::{Kind, Record, Verified};

use super::browsers::speak;
use super::draw::Draw;
use super::networks::Network;

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

/// The links of each copy.
pub(super) const LINKS: usize = 10;

/// When people click after the send: 11 % within a minute, a quarter within five, 52 % within an hour (Proofpoint,
/// Human Factor 2018); nobody is faster than the mail and an eye.
const PEOPLE: &[(f64, i64, i64)] = &[
    (11.0, 8 * SECOND, MINUTE),
    (14.0, MINUTE, 5 * MINUTE),
    (27.0, 5 * MINUTE, HOUR),
    (30.0, HOUR, 12 * HOUR),
    (18.0, 12 * HOUR, 72 * HOUR),
];

/// Where webmail says that a click comes from, and what the browser calls the step.
const WEBMAILS: &[&str] = &[
    "https://outlook.live.com/",
    "https://mail.yahoo.com/",
    "https://www.gmx.net/",
    "android-app://com.google.android.gm/",
];

/// One send.
pub(super) struct Send {
    pub(super) message_id: String,
    pub(super) sent_at_ms: i64,
    /// The addressees, in no order.
    pub(super) recipients: Vec<Rc<str>>,
}

impl Send {
    /// Its link number `at`: id and URL.
    pub(super) fn link(at: usize) -> (String, String) {
        (format!("l{}", at + 1), format!("https://shop.example/{}?utm_source=mail", at + 1))
    }
}

/// A click or an open, and who really made it.
pub(super) struct Hit {
    pub(super) record: Record,
    pub(super) label: &'static str,
    /// What its landing page may show.
    lands: Lands,
}

impl Hit {
    /// The same visit as it was played.
    pub(super) fn played(&self, record: Record) -> Self {
        Self { record, ..*self }
    }

    /// Draws what the landing page shows.
    pub(super) fn land(&mut self, draw: &mut Draw) {
        // What is fetched ahead runs no script, and of what is not a page there is nothing to show.
        let is_page = self.record.method == "GET" && self.record.sec_purpose.is_none();
        self.record.verified = if !is_page || !draw.percent(self.lands.shown) {
            Verified::None
        } else if draw.percent(self.lands.touched) {
            Verified::Interacted
        } else {
            Verified::Rendered
        };
    }
}

/// What becomes of the cookie.
#[derive(Clone)]
enum Jar {
    /// It is kept: the second click brings back what the first one got.
    Kept { id: String, holds: bool },
    /// Each request is somebody new.
    Thrown,
    /// It is neither set nor read: `Sec-GPC: 1`.
    Refused,
}

/// What becomes of landing pages, in percent: how often one is shown, with its script run, and how often one that is shown is
/// touched.
#[derive(Clone, Copy)]
pub(super) struct Lands {
    shown: f64,
    touched: f64,
}

/// People's: some block scripts, some go away at once.
const LANDS_PEOPLE: Lands = Lands { shown: 85.0, touched: 60.0 };

/// A program's that fetches and looks no further.
const LANDS_NOT: Lands = Lands { shown: 0.0, touched: 0.0 };

/// A sandbox's, which runs a whole browser: what it shows it does not touch.
pub(super) const LANDS_SANDBOX: Lands = Lands { shown: 40.0, touched: 0.0 };

/// One that also presses what is there, as Defender's did at times (`FusionAuth` 1.49; fleet #26976).
pub(super) const LANDS_DETONATION: Lands = Lands { shown: 60.0, touched: 5.0 };

/// Somebody, or something, that makes requests.
#[derive(Clone)]
pub(super) struct Visitor {
    /// What every request of it shows.
    pub(super) shows: Record,
    jar: Jar,
    lands: Lands,
}

impl Visitor {
    /// Comes from that network.
    pub(super) fn moves(&mut self, draw: &mut Draw, networks: &[Network]) {
        let Network(asn, country, prefixes) = draw.one(networks);
        let prefix = draw.one(prefixes);
        self.shows.ip = Some(draw.address(prefix));
        self.shows.asn = Some(i64::from(asn));
        self.shows.country = Some(country.to_owned());
    }

    /// The id of somebody new.
    fn stranger(draw: &mut Draw) -> String {
        cookie::Visitor::new(draw.bytes()).hex()
    }

    /// Has been here before.
    pub(super) fn known(mut self) -> Self {
        if let Jar::Kept { holds, .. } = &mut self.jar {
            *holds = true;
        }
        self
    }

    /// Sends `Sec-GPC: 1`. What its landing pages show is nobody's then.
    pub(super) fn refusing(self) -> Self {
        Self { jar: Jar::Refused, lands: LANDS_NOT, ..self }
    }

    /// What becomes of its landing pages.
    pub(super) fn landing(self, lands: Lands) -> Self {
        Self { lands, ..self }
    }
}

/// One episode of a kind.
pub(super) struct Scene<'a> {
    pub(super) draw: &'a mut Draw,
    pub(super) send: &'a Send,
    /// The place of the next recipient of whom no episode has told yet.
    pub(super) next: &'a mut usize,
    pub(super) hits: &'a mut Vec<Hit>,
}

impl Scene<'_> {
    /// A recipient of whom no other episode tells, as long as there are such.
    pub(super) fn recipient(&mut self) -> Rc<str> {
        let at = *self.next;
        *self.next += 1;
        Rc::clone(&self.send.recipients[at % self.send.recipients.len()])
    }

    /// Any recipient.
    pub(super) fn anyone(&mut self) -> Rc<str> {
        self.draw.one(&self.send.recipients)
    }

    /// So many different recipients, whatever else happens to them.
    pub(super) fn audience(&mut self, count: usize) -> Vec<Rc<str>> {
        // Of a large send few are wanted: to shuffle it for each burst would take longer than all else.
        let mut chosen = BTreeSet::new();
        while chosen.len() < count.min(self.send.recipients.len()) {
            chosen.insert(self.anyone());
        }
        self.draw.shuffled(chosen.into_iter().collect())
    }

    /// A link as people choose: the first ones more often.
    pub(super) fn link(&mut self) -> usize {
        self.draw.one(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9])
    }

    /// So many different links, in the order of the mail.
    pub(super) fn links(&mut self, count: usize) -> Vec<usize> {
        let mut links = self.draw.shuffled((0..LINKS).collect());
        links.truncate(count);
        links.sort_unstable();
        links
    }

    /// When a person clicks, milliseconds after the send.
    pub(super) fn reading(&mut self) -> i64 {
        self.draw.of_bins(PEOPLE)
    }

    /// A person with that browser in one of those networks; a third of them reads on the web.
    pub(super) fn person(&mut self, networks: &[Network], browser: Record) -> Visitor {
        let id = Visitor::stranger(self.draw);
        let jar = Jar::Kept { id, holds: false };
        let mut person = Visitor { shows: browser, jar, lands: LANDS_PEOPLE };
        person.moves(self.draw, networks);
        let country = person.shows.country.clone().unwrap_or_default();
        speak(&mut person.shows, &country);
        if self.draw.percent(35.0) {
            if person.shows.sec_fetch_site.is_some() {
                person.shows.sec_fetch_site = Some("cross-site".to_owned());
            }
            if self.draw.percent(40.0) {
                person.shows.referer = Some(self.draw.one(WEBMAILS).to_owned());
            }
        }
        person
    }

    /// A machine that sends these headers from one of those networks and forgets the cookie.
    pub(super) fn machine(&mut self, networks: &[Network], shows: Record) -> Visitor {
        let mut machine = Visitor { shows, jar: Jar::Thrown, lands: LANDS_NOT };
        machine.moves(self.draw, networks);
        machine
    }

    /// A machine that keeps one browser profile.
    pub(super) fn machine_with_profile(&mut self, networks: &[Network], shows: Record) -> Visitor {
        let id = Visitor::stranger(self.draw);
        Visitor { jar: Jar::Kept { id, holds: false }, ..self.machine(networks, shows) }
    }

    /// A click.
    pub(super) fn click(
        &mut self,
        label: &'static str,
        visitor: &mut Visitor,
        recipient: &Rc<str>,
        link: usize,
        after_ms: i64,
    ) {
        let (link_id, url) = Send::link(link);
        let record =
            Record { link_id: Some(link_id), url: Some(url), ..self.record(visitor, recipient, after_ms) };
        self.hits.push(Hit { record, label, lands: visitor.lands });
    }

    /// A look at the page of a link that acts.
    pub(super) fn act(
        &mut self,
        label: &'static str,
        visitor: &mut Visitor,
        recipient: &Rc<str>,
        (kind, link_id): (Kind, &str),
        after_ms: i64,
    ) {
        let record =
            Record { link_id: Some(link_id.to_owned()), kind, ..self.record(visitor, recipient, after_ms) };
        self.hits.push(Hit { record, label, lands: LANDS_NOT });
    }

    /// Says more of the last visit.
    pub(super) fn and(&mut self, change: impl FnOnce(&mut Record)) {
        if let Some(hit) = self.hits.last_mut() {
            change(&mut hit.record);
        }
    }

    /// A fetch of the open pixel.
    pub(super) fn open(
        &mut self,
        label: &'static str,
        visitor: &mut Visitor,
        recipient: &Rc<str>,
        after_ms: i64,
    ) {
        let record = Record {
            link_id: Some("open".to_owned()),
            kind: Kind::Open,
            cookie: None,
            visitor_id: None,
            ..self.record(visitor, recipient, after_ms)
        };
        self.hits.push(Hit { record, label, lands: LANDS_NOT });
    }

    fn record(&mut self, visitor: &mut Visitor, recipient: &Rc<str>, after_ms: i64) -> Record {
        let head = visitor.shows.method == "HEAD";
        let (cookie, visitor_id) = match &mut visitor.jar {
            Jar::Kept { id, holds } if *holds => ("returning", Some(id.clone())),
            // On a HEAD the cookie is not set.
            _ if head => ("none", None),
            Jar::Kept { id, holds } => {
                *holds = true;
                ("new", Some(id.clone()))
            }
            Jar::Thrown => ("new", Some(Visitor::stranger(self.draw))),
            Jar::Refused => ("none", None),
        };
        Record {
            message_id: self.send.message_id.clone(),
            recipient_id: recipient.to_string(),
            ts_ms: self.send.sent_at_ms + after_ms,
            sent_at_ms: self.send.sent_at_ms,
            links_total: i64::try_from(LINKS).ok(),
            cookie: Some(cookie.to_owned()),
            visitor_id,
            ..visitor.shows.clone()
        }
    }
}
