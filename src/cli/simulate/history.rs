//! `--sends`: a history of many sends over months, for `networks learn`. Five networks of scanners that no list names come again
//! and again: most often they sweep copies, at times they fetch one link with a modern browser and nothing shows what they
//! are. Twenty kinds of addresses that people share come beside them, with some of what makes them look like scanners: one
//! agent for all, many recipients at once, many links in a few seconds, stripped headers. What tells the two apart is what
//! comes with time: touched pages, cookies that come back.

use std::rc::Rc;

use clickproof::record::Record;

use super::browsers::{
    CHROME, chrome, desktop, edge, iphone, machine_browser, mobile, old, opera_mobile, renew, strip,
};
use super::draw::Draw;
use super::networks::Network;
use super::scene::{HOUR, Hit, LANDS_SANDBOX, LINKS, MINUTE, SECOND, Scene, Send, Visitor};

const WINDOWS: &str = "Windows NT 10.0; Win64; x64";
const LINUX: &str = "X11; Linux x86_64";

/// How long after each other the sends are: 200 of them take four months.
const BETWEEN: (i64, i64) = (8 * HOUR, 21 * HOUR);

/// How often browsers get a new version.
const RELEASE_MS: i64 = 28 * 24 * HOUR;

/// The recipients must be enough for everybody to have mailboxes of their own.
pub(super) const LEAST_RECIPIENTS: usize = 1_500;

/// A network of scanners.
struct Scanner {
    label: &'static str,
    words: &'static str,
    networks: &'static [Network],
    browser: fn(&mut Draw) -> Record,
    /// One agent for all time, from one image.
    is_pinned: bool,
}

/// What a scanner's lone fetch is labelled.
const LONE_FETCH: &str = "scanner_gateway:lone_fetch";

/// What a gateway's sweep is labelled that people browse through.
const OWN_GATEWAY: &str = "scanner_sweep:own_gateway";

/// How many mailboxes each scanner guards.
const GUARDED: usize = 24;

/// Three by their addresses, two by their agent in a large cloud. No list names them.
const SCANNERS: [Scanner; 5] = [
    Scanner {
        label: "scanner_sweep:unlisted_hoster",
        words: "a /24 of a hoster, a browser of today",
        networks: &[Network(51_167, "DE", &["161.97.74.0/24"])],
        browser: modern,
        is_pinned: false,
    },
    Scanner {
        label: "scanner_sweep:unlisted_own_lines",
        words: "two neighbouring /24 of a company's own lines, a browser of today",
        networks: &[Network(3_320, "DE", &["62.154.32.0/24", "62.154.33.0/24"])],
        browser: modern,
        is_pinned: false,
    },
    Scanner {
        label: "scanner_sweep:unlisted_ipv6",
        words: "a /48 in IPv6, a browser of today",
        networks: &[Network(6_830, "NL", &["2001:4c3c:7a10::/48"])],
        browser: modern,
        is_pinned: false,
    },
    Scanner {
        label: "scanner_sweep:unlisted_in_aws",
        words: "addresses of a large cloud in turn, one pinned image",
        networks: &[Network(16_509, "US", &["54.188.0.0/16", "35.160.0.0/16", "52.13.0.0/16"])],
        browser: |_| machine_browser(LINUX, CHROME - 1),
        is_pinned: true,
    },
    Scanner {
        label: "scanner_sweep:unlisted_in_gcp",
        words: "addresses of another large cloud in turn, one pinned image",
        networks: &[Network(396_982, "US", &["34.122.0.0/16", "35.192.0.0/16"])],
        browser: |_| machine_browser(WINDOWS, CHROME - 3),
        is_pinned: true,
    },
];

/// A browser of today that a program drives.
fn modern(draw: &mut Draw) -> Record {
    let platform = draw.one(&[WINDOWS, LINUX, "Macintosh; Intel Mac OS X 10_15_7"]);
    machine_browser(platform, CHROME - draw.between(0, 4))
}

/// People who share addresses.
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
struct Crowd {
    label: &'static str,
    words: &'static str,
    networks: &'static [Network],
    /// All come from one address.
    one_door: bool,
    /// How many there are, each with a mailbox.
    size: usize,
    /// In how many of a hundred sends anybody comes.
    comes: f64,
    /// How many come then.
    guests: (i64, i64),
    browser: fn(&mut Draw) -> Record,
    /// One browser for all, from one image.
    one_image: bool,
    /// Somebody new each time, with no cookie.
    strangers: bool,
    /// All within so long, on one link.
    rush_ms: Option<i64>,
    /// How many of a hundred have their headers stripped on the way.
    stripped: f64,
    /// How many of a hundred open many links in a few seconds.
    tabs: f64,
    /// All read one copy.
    one_copy: bool,
    /// Their own gateway sweeps their copies from the same network.
    has_scanner: bool,
}

/// An office as offices are, which the others differ from.
const OFFICE: Crowd = Crowd {
    label: "human:nat_office",
    words: "an office behind one address, one browser rolled out to all",
    networks: &[Network(3_320, "DE", &["217.6.44.0/24"])],
    one_door: true,
    size: 30,
    comes: 90.0,
    guests: (5, 14),
    browser: |draw| edge(CHROME - draw.between(0, 1)),
    one_image: true,
    strangers: false,
    rush_ms: None,
    stripped: 0.0,
    tabs: 4.0,
    one_copy: false,
    has_scanner: false,
};

const CROWDS: [Crowd; 20] = [
    OFFICE,
    Crowd {
        label: "human:nat_busy_office",
        words: "an office that clicks when the boss says so: a dozen within ten seconds",
        networks: &[Network(7_018, "US", &["12.186.9.0/24"])],
        guests: (10, 14),
        rush_ms: Some(10 * SECOND),
        ..OFFICE
    },
    Crowd {
        label: "human:nat_carrier",
        words: "a mobile carrier's addresses, each for many customers",
        networks: &[Network(21_928, "US", &["172.58.44.0/24"])],
        one_door: false,
        size: 40,
        browser: mobile,
        one_image: false,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_university",
        words: "a university's wireless network: all browsers there are",
        networks: &[Network(680, "DE", &["129.13.72.0/24"])],
        one_door: false,
        size: 40,
        browser: anything,
        one_image: false,
        tabs: 10.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_hotel",
        words: "a hotel's wireless network: other guests each night",
        networks: &[Network(3_215, "FR", &["193.252.41.16/29"])],
        guests: (3, 8),
        browser: anything,
        one_image: false,
        strangers: true,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_airport",
        words: "an airport's wireless network",
        networks: &[Network(2_856, "GB", &["81.130.7.0/28"])],
        one_door: false,
        guests: (4, 10),
        browser: mobile,
        one_image: false,
        strangers: true,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_conference",
        words: "a conference where the speaker says: open the mail now",
        networks: &[Network(7_922, "US", &["50.233.8.0/24"])],
        one_door: false,
        size: 60,
        comes: 12.0,
        guests: (25, 45),
        browser: anything,
        one_image: false,
        strangers: true,
        rush_ms: Some(40 * SECOND),
        ..OFFICE
    },
    Crowd {
        label: "human:nat_carrier_ipv6",
        words: "a mobile carrier's IPv6: each phone has a network of its own",
        networks: &[Network(21_928, "US", &["2607:fb90:9a2c::/48"])],
        one_door: false,
        size: 40,
        browser: mobile,
        one_image: false,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_web_proxy",
        words: "a web proxy that no list names, which strips headers",
        networks: &[Network(20_473, "US", &["45.76.88.0/24"])],
        one_door: false,
        size: 60,
        guests: (8, 20),
        browser: desktop,
        one_image: false,
        stripped: 50.0,
        tabs: 6.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_vpn",
        words: "a VPN provider's exits in rented machines",
        networks: &[Network(9_009, "GB", &["185.225.28.0/24"]), Network(16_509, "US", &["52.13.77.0/24"])],
        one_door: false,
        size: 40,
        browser: anything,
        one_image: false,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_cloud_pcs",
        words: "cloud PCs of one image, their addresses in turn",
        networks: &[Network(8_075, "NL", &["20.61.8.0/21", "51.145.160.0/21"])],
        one_door: false,
        tabs: 10.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_relay",
        words: "a privacy relay's exits",
        networks: &[Network(36_183, "US", &["172.225.188.0/24"])],
        one_door: false,
        size: 40,
        browser: |draw| iphone(draw.one(&[261, 260, 186])),
        one_image: false,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_browser_proxy",
        words: "a phone browser's own proxy, which saves data",
        networks: &[Network(60_781, "NL", &["95.211.190.0/24"])],
        one_door: false,
        size: 40,
        browser: opera_mobile,
        one_image: false,
        stripped: 70.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_isolation",
        words: "a company's gateway: it sweeps what comes in, and its people browse through its isolation",
        networks: &[Network(14_061, "US", &["159.65.44.0/24"])],
        one_door: false,
        guests: (1, 4),
        browser: |draw| chrome(LINUX, CHROME - draw.between(0, 1)),
        has_scanner: true,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_call_centre",
        words: "a call centre: one image, and everybody opens the new script as the shift begins",
        networks: &[Network(28_573, "BR", &["177.33.90.0/24"])],
        size: 40,
        guests: (12, 25),
        browser: |_| chrome(WINDOWS, CHROME - 4),
        rush_ms: Some(MINUTE),
        ..OFFICE
    },
    Crowd {
        label: "human:nat_kiosk",
        words: "a library's computers, which forget everything in between",
        networks: &[Network(1_136, "NL", &["84.83.17.0/28"])],
        guests: (2, 5),
        browser: old,
        strangers: true,
        tabs: 10.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_family",
        words: "a family at home",
        networks: &[Network(7_922, "US", &["73.162.18.0/24"])],
        size: 4,
        comes: 70.0,
        guests: (1, 3),
        browser: anything,
        one_image: false,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_team_mailbox",
        words: "a team that reads one mailbox",
        networks: &[Network(3_209, "DE", &["178.202.31.0/24"])],
        size: 6,
        guests: (2, 6),
        tabs: 15.0,
        one_copy: true,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_transparent_proxy",
        words: "a provider's transparent proxy: some addresses for a town, headers stripped",
        networks: &[Network(55_836, "IN", &["49.36.80.0/27"])],
        one_door: false,
        size: 50,
        guests: (6, 14),
        browser: anything,
        one_image: false,
        stripped: 90.0,
        ..OFFICE
    },
    Crowd {
        label: "human:nat_school",
        words: "a school: a class of thirty opens the link as the teacher says so, through a filter that strips headers",
        networks: &[Network(5_617, "PL", &["83.10.66.0/24"])],
        size: 60,
        comes: 60.0,
        guests: (25, 32),
        browser: |_| chrome("X11; CrOS x86_64 14541.0.0", CHROME - 1),
        stripped: 100.0,
        rush_ms: Some(9 * SECOND),
        ..OFFICE
    },
];

fn anything(draw: &mut Draw) -> Record {
    if draw.percent(50.0) { desktop(draw) } else { mobile(draw) }
}

/// Whoever belongs to a scanner or a crowd, over all sends.
struct Group {
    draw: Draw,
    mailboxes: Vec<Rc<str>>,
    /// Who clicks: of a scanner one, of a crowd one for each mailbox.
    visitors: Vec<Visitor>,
}

/// Every visit of so many sends, in no order; the first of them is `first`.
pub(super) fn hits(seed: u64, count: usize, first: &Send) -> Vec<Hit> {
    let (mut hits, mut next) = (Vec::new(), 0);
    let mut scanners: Vec<Group> = SCANNERS.iter().map(|of| of.gather(seed, first, &mut next)).collect();
    let mut crowds: Vec<Group> = CROWDS.iter().map(|of| of.gather(seed, first, &mut next)).collect();
    let mut times = Draw::new(seed, "sends");
    let (mut sent_at_ms, mut renewed) = (first.sent_at_ms, 0);
    for number in 1..=count {
        let this = Send {
            message_id: format!("{}-{number}", first.message_id),
            sent_at_ms,
            recipients: first.recipients.clone(),
        };
        let releases = (sent_at_ms - first.sent_at_ms) / RELEASE_MS;
        for (of, group) in CROWDS.iter().zip(&mut crowds) {
            for visitor in &mut group.visitors {
                renew(&mut visitor.shows, releases - renewed);
            }
            of.visit(group, &this, &mut next.clone(), &mut hits, releases);
        }
        for (of, group) in SCANNERS.iter().zip(&mut scanners) {
            of.visit(group, &this, &mut next.clone(), &mut hits, releases);
        }
        renewed = releases;
        sent_at_ms += times.between(BETWEEN.0, BETWEEN.1);
    }
    hits
}

/// What `--list` says of them: label and words.
pub(super) fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
    let scanners = SCANNERS.iter().map(|of| (of.label, of.words));
    let others = [
        (LONE_FETCH, "one link, fetched by one of these with a modern browser's headers"),
        (OWN_GATEWAY, "copies swept from where their people browse through isolation"),
    ];
    scanners.chain(others).chain(CROWDS.iter().map(|of| (of.label, of.words)))
}

impl Scanner {
    fn gather(&self, seed: u64, first: &Send, next: &mut usize) -> Group {
        let mut draw = Draw::new(seed, self.label);
        let shows = (self.browser)(&mut draw);
        let mut scene = Scene { draw: &mut draw, send: first, next, hits: &mut Vec::new() };
        let mailboxes = (0..GUARDED).map(|_| scene.recipient()).collect();
        let visitors = vec![scene.machine(self.networks, shows).landing(LANDS_SANDBOX)];
        Group { draw, mailboxes, visitors }
    }

    /// Three of four sends are swept, copy by copy; in between some copies are only looked at.
    fn visit(&self, group: &mut Group, send: &Send, next: &mut usize, hits: &mut Vec<Hit>, releases: i64) {
        let mailboxes = group.draw.shuffled(group.mailboxes.clone());
        let (copies, looks) = match group.draw.between(1, 100) {
            1..=75 => (group.draw.between(1, 4), group.draw.between(0, 1)),
            76..=90 => (0, group.draw.between(1, 2)),
            _ => (0, 0),
        };
        let scene = &mut Scene { draw: &mut group.draw, send, next, hits };
        for (number, mailbox) in (0..copies + looks).zip(&mailboxes) {
            let mut machine = group.visitors[0].clone();
            if !self.is_pinned {
                machine.shows = (self.browser)(scene.draw);
                renew(&mut machine.shows, releases);
            }
            let mut at = scene.draw.scaled(15 * SECOND, 10 * MINUTE);
            if number >= copies {
                machine.moves(scene.draw, self.networks);
                let link = scene.link();
                scene.click(LONE_FETCH, &mut machine, mailbox, link, at);
                continue;
            }
            let count = LINKS - usize::from(scene.draw.percent(40.0));
            for link in scene.links(count) {
                // A pool: each link may be another machine's.
                machine.moves(scene.draw, self.networks);
                scene.click(self.label, &mut machine, mailbox, link, at);
                at += scene.draw.between(5, 90);
            }
        }
    }
}

impl Crowd {
    fn gather(&self, seed: u64, first: &Send, next: &mut usize) -> Group {
        let mut draw = Draw::new(seed, self.label);
        let image = (self.browser)(&mut draw);
        let mut scene = Scene { draw: &mut draw, send: first, next, hits: &mut Vec::new() };
        let door = scene.person(self.networks, image.clone());
        let mut mailboxes: Vec<Rc<str>> = (0..self.size).map(|_| scene.recipient()).collect();
        if self.one_copy {
            mailboxes = vec![Rc::clone(&mailboxes[0]); self.size];
        }
        let visitors = (0..self.size).map(|_| self.person(&mut scene, &door, &image)).collect();
        Group { draw, mailboxes, visitors }
    }

    fn person(&self, scene: &mut Scene, door: &Visitor, image: &Record) -> Visitor {
        let browser = if self.one_image { image.clone() } else { (self.browser)(scene.draw) };
        let mut person = scene.person(self.networks, browser);
        if self.one_door {
            person.shows.ip.clone_from(&door.shows.ip);
            person.shows.asn = door.shows.asn;
        }
        if scene.draw.percent(self.stripped) {
            strip(&mut person.shows);
        }
        person
    }

    fn visit(&self, group: &mut Group, send: &Send, next: &mut usize, hits: &mut Vec<Hit>, releases: i64) {
        let Group { draw, mailboxes, visitors } = group;
        let scene = &mut Scene { draw, send, next, hits };
        if self.has_scanner {
            self.sweep(scene, mailboxes, &visitors[0]);
        }
        if !scene.draw.percent(self.comes) {
            return;
        }
        let (count, link) = (scene.draw.between(self.guests.0, self.guests.1), scene.link());
        let begins = scene.reading();
        let order = scene.draw.shuffled((0..self.size).collect());
        for (_, at) in (0..count).zip(order) {
            if self.strangers {
                let (door, mut image) = (visitors[0].clone(), visitors[0].shows.clone());
                if !self.one_image {
                    image = (self.browser)(scene.draw);
                    renew(&mut image, releases);
                }
                visitors[at] = self.person(scene, &door, &image);
            }
            let (person, mailbox) = (&mut visitors[at], Rc::clone(&mailboxes[at]));
            if !self.one_door {
                person.moves(scene.draw, self.networks);
            }
            let (links, mut at) = match self.rush_ms {
                Some(rush_ms) => (vec![link], begins + scene.draw.between(0, rush_ms)),
                None if scene.draw.percent(self.tabs) => (scene.links(6), scene.reading()),
                None => (vec![scene.link()], scene.reading()),
            };
            for link in links {
                scene.click(self.label, person, &mailbox, link, at);
                at += scene.draw.between(300, 2_500);
            }
        }
    }

    /// What the people's own gateway does with their copies before they see them.
    fn sweep(&self, scene: &mut Scene, mailboxes: &[Rc<str>], like: &Visitor) {
        let copies = scene.draw.shuffled(mailboxes.to_vec());
        for mailbox in copies.iter().take(3) {
            let mut machine = scene.machine(self.networks, like.shows.clone());
            let mut at = scene.draw.scaled(15 * SECOND, 2 * MINUTE);
            for link in scene.links(LINKS) {
                machine.moves(scene.draw, self.networks);
                scene.click(OWN_GATEWAY, &mut machine, mailbox, link, at);
                at += scene.draw.between(5, 90);
            }
        }
    }
}
