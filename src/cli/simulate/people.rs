//! How people click. Each function plays one episode of the kind of its name in the table ([`super::kinds`]).

use super::browsers::{self, CHROME, chrome, desktop, edge, mobile, safari, strip};
use super::networks::{APPLE_RELAY, AZURE, HOME, MIMECAST, MOBILE, OFFICE, PROOFPOINT, VPN, ZSCALER};
use super::scanners::{beside, sweep_then};
use super::scene::{HOUR, MINUTE, SECOND, Scene, Visitor};

const WINDOWS: &str = "Windows NT 10.0; Win64; x64";

/// Hosts that rewrite links, as they stand in the referer of who came through them (contract: without the query).
const WRAPPERS: &[&str] = &[
    "https://nam02.safelinks.protection.outlook.com/",
    "https://eur01.safelinks.protection.outlook.com/",
    "https://statics.teams.cdn.office.net/",
    "https://urldefense.com/",
    "https://urldefense.proofpoint.com/",
    "https://protect-eu.mimecast.com/",
    "https://url.us.m.mimecastprotect.com/",
    "https://linkprotect.cudasvc.com/",
    "https://secure-web.cisco.com/",
    "https://link.edgepilot.com/",
    "https://urlsand.esvalabs.com/",
    "https://url.emailprotection.link/",
    "https://url11.mailanyone.net/",
];

/// Reads a mail: one link mostly, sometimes another one or two, each after a look at the page before.
fn reads(scene: &mut Scene, label: &'static str, person: &mut Visitor) {
    let recipient = scene.recipient();
    let mut at = scene.reading();
    let count = match scene.draw.between(1, 100) {
        1..=75 => 1,
        76..=93 => 2,
        _ => 3,
    };
    for link in scene.links(count) {
        // Of one link alone people choose, so the first ones stand out.
        let link = if count == 1 { scene.link() } else { link };
        scene.click(label, person, &recipient, link, at);
        at += scene.draw.scaled(12 * SECOND, 5 * MINUTE);
    }
}

/// Somebody at a desk or with a phone, at home or on the way.
fn anybody(scene: &mut Scene) -> Visitor {
    if scene.draw.percent(50.0) { at_desk(scene) } else { on_phone(scene) }
}

fn at_desk(scene: &mut Scene) -> Visitor {
    let browser = desktop(scene.draw);
    let networks = if scene.draw.percent(40.0) { OFFICE } else { HOME };
    scene.person(networks, browser)
}

fn on_phone(scene: &mut Scene) -> Visitor {
    let browser = mobile(scene.draw);
    let networks = if scene.draw.percent(50.0) { MOBILE } else { HOME };
    scene.person(networks, browser)
}

pub(super) fn desktop_reader(scene: &mut Scene) {
    let mut person = at_desk(scene);
    reads(scene, "human:desktop", &mut person);
}

pub(super) fn mobile_reader(scene: &mut Scene) {
    let mut person = on_phone(scene);
    reads(scene, "human:mobile", &mut person);
}

pub(super) fn fast(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, at) = (scene.link(), scene.draw.between(8 * SECOND, MINUTE));
    scene.click("human:fast", &mut person, &recipient, link, at);
}

pub(super) fn tabs(scene: &mut Scene) {
    let (mut person, recipient) = (at_desk(scene), scene.recipient());
    let (count, mut at) = (if scene.draw.percent(60.0) { 2 } else { 3 }, scene.reading());
    for link in scene.links(count) {
        scene.click("human:tabs", &mut person, &recipient, link, at);
        at += scene.draw.scaled(SECOND, 8 * SECOND);
    }
}

/// Somebody who goes through a digest and opens what looks good, as fast as hands do that.
pub(super) fn many_tabs(scene: &mut Scene) {
    let (mut person, recipient) = (at_desk(scene), scene.recipient());
    let (count, mut at) = (scene.draw.between(5, 7), scene.reading());
    for link in scene.links(usize::try_from(count).unwrap_or(5)) {
        scene.click("human:many_tabs", &mut person, &recipient, link, at);
        at += scene.draw.scaled(SECOND, 3 * SECOND);
    }
}

/// A school or a company's announcement: twelve of them behind one address within the same ten seconds.
pub(super) fn busy_office(scene: &mut Scene) {
    let browser = chrome(WINDOWS, CHROME - 1);
    let door = scene.person(OFFICE, browser.clone()).shows;
    let begins = scene.reading();
    for _ in 0..12 {
        let mut person = scene.person(OFFICE, browser.clone());
        person.shows = door.clone();
        let (recipient, link) = (scene.recipient(), scene.link());
        let at = begins + scene.draw.between(0, 10 * SECOND);
        scene.click("human:busy_office", &mut person, &recipient, link, at);
    }
}

pub(super) fn double_click(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, at) = (scene.link(), scene.reading());
    scene.click("human:double_click", &mut person, &recipient, link, at);
    let again = at + scene.draw.between(90, 900);
    scene.click("human:double_click", &mut person, &recipient, link, again);
}

/// Thirty people behind one address, with the one browser that their company rolls out.
pub(super) fn office(scene: &mut Scene) {
    let browser = if scene.draw.percent(60.0) { edge(CHROME - 1) } else { chrome(WINDOWS, CHROME - 2) };
    let door = scene.person(OFFICE, browser.clone()).shows;
    let (opens_at, hours) = (scene.draw.between(MINUTE, 2 * HOUR), scene.draw.between(1, 4));
    for _ in 0..30 {
        let mut person = scene.person(OFFICE, browser.clone());
        person.shows = door.clone();
        let (recipient, link) = (scene.recipient(), scene.link());
        let at = opens_at + scene.draw.between(0, hours * HOUR);
        scene.click("human:office", &mut person, &recipient, link, at);
    }
}

/// Mobile carriers put many customers behind one address.
pub(super) fn shared_address(scene: &mut Scene) {
    let browser = mobile(scene.draw);
    let door = scene.person(MOBILE, browser).shows;
    let begins = scene.reading();
    for _ in 0..6 {
        let browser = mobile(scene.draw);
        let mut person = scene.person(MOBILE, browser);
        person.shows.ip.clone_from(&door.ip);
        person.shows.asn = door.asn;
        person.shows.country.clone_from(&door.country);
        let (recipient, link) = (scene.recipient(), scene.link());
        let at = begins + scene.draw.between(0, 10 * MINUTE);
        scene.click("human:shared_address", &mut person, &recipient, link, at);
    }
}

pub(super) fn cloud_pc(scene: &mut Scene) {
    let browser = edge(CHROME - scene.draw.between(0, 3));
    let mut person = scene.person(AZURE, browser);
    reads(scene, "human:cloud_pc", &mut person);
}

pub(super) fn isolation(scene: &mut Scene) {
    // The remote browser says what it is, or what the person's own one says.
    let platform = scene.draw.one(&["X11; Linux x86_64", WINDOWS]);
    let browser = chrome(platform, CHROME - scene.draw.between(0, 4));
    let networks = if scene.draw.percent(50.0) { PROOFPOINT } else { MIMECAST };
    let mut person = scene.person(networks, browser);
    reads(scene, "human:isolation", &mut person);
}

pub(super) fn web_proxy(scene: &mut Scene) {
    let browser = desktop(scene.draw);
    let mut person = scene.person(ZSCALER, browser);
    if scene.draw.percent(40.0) {
        strip(&mut person.shows);
    }
    if scene.draw.percent(30.0) {
        // The proxy names who asked: an address of the office's own.
        person.shows.x_forwarded_for = scene.person(OFFICE, person.shows.clone()).shows.ip;
    }
    reads(scene, "human:web_proxy", &mut person);
}

pub(super) fn private_relay(scene: &mut Scene) {
    let tenths = scene.draw.one(&[261, 260, 186, 176]);
    let browser = if scene.draw.percent(70.0) { browsers::iphone(tenths) } else { safari(tenths) };
    let mut person = scene.person(APPLE_RELAY, browser);
    reads(scene, "human:private_relay", &mut person);
}

pub(super) fn vpn(scene: &mut Scene) {
    let browser = if scene.draw.percent(60.0) { desktop(scene.draw) } else { mobile(scene.draw) };
    let mut person = scene.person(VPN, browser);
    reads(scene, "human:vpn", &mut person);
}

pub(super) fn old_browser(scene: &mut Scene) {
    let browser = browsers::old(scene.draw);
    let mut person = scene.person(HOME, browser);
    reads(scene, "human:old_browser", &mut person);
}

pub(super) fn stripped(scene: &mut Scene) {
    let browser = desktop(scene.draw);
    let mut person = scene.person(OFFICE, browser);
    strip(&mut person.shows);
    person.shows.http_protocol = Some("HTTP/1.1".to_owned());
    reads(scene, "human:stripped", &mut person);
}

pub(super) fn cubot(scene: &mut Scene) {
    let browser = browsers::cubot(scene.draw);
    let mut person = scene.person(MOBILE, browser);
    reads(scene, "human:cubot", &mut person);
}

/// The new Outlook shows the page itself; the old one asks first, then hands the link to the browser.
pub(super) fn outlook(scene: &mut Scene) {
    if scene.draw.percent(50.0) {
        let browser = browsers::new_outlook(scene.draw);
        let mut person = scene.person(OFFICE, browser);
        return reads(scene, "human:outlook", &mut person);
    }
    let asks = browsers::outlook(scene.draw);
    let (mut browser, recipient) = (at_desk(scene), scene.recipient());
    let mut outlook = scene.machine(OFFICE, asks);
    for (from, to) in
        [(&browser.shows.ip, &mut outlook.shows.ip), (&browser.shows.country, &mut outlook.shows.country)]
    {
        to.clone_from(from);
    }
    outlook.shows.asn = browser.shows.asn;
    let (link, at) = (scene.link(), scene.reading());
    scene.click("human:outlook", &mut outlook, &recipient, link, at);
    let shown = at + scene.draw.between(300, 2_000);
    scene.click("human:outlook", &mut browser, &recipient, link, shown);
}

pub(super) fn in_app(scene: &mut Scene) {
    let browser = browsers::in_app(scene.draw);
    let mut person = scene.person(MOBILE, browser);
    reads(scene, "human:in_app", &mut person);
}

pub(super) fn returning(scene: &mut Scene) {
    let mut person = anybody(scene).known();
    reads(scene, "human:returning", &mut person);
}

pub(super) fn wrapper(scene: &mut Scene) {
    let mut person = at_desk(scene);
    person.shows.referer = Some(scene.draw.one(WRAPPERS).to_owned());
    if person.shows.sec_fetch_site.is_some() {
        person.shows.sec_fetch_site = Some("cross-site".to_owned());
    }
    reads(scene, "human:wrapper", &mut person);
}

pub(super) fn beside_safelinks(scene: &mut Scene) {
    let scanner_first = scene.draw.percent(50.0);
    let person = at_desk(scene);
    beside(scene, person, scanner_first);
}

pub(super) fn plain_http(scene: &mut Scene) {
    let mut person = anybody(scene);
    strip(&mut person.shows);
    person.shows.secure = Some(false);
    person.shows.http_protocol = Some("HTTP/1.1".to_owned());
    reads(scene, "human:plain_http", &mut person);
}

pub(super) fn again(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, at) = (scene.link(), scene.reading());
    scene.click("human:again", &mut person, &recipient, link, at);
    let later = at + scene.draw.scaled(2 * MINUTE, 24 * HOUR);
    scene.click("human:again", &mut person, &recipient, link, later);
}

/// Sixty people on one link within a minute, as any large send has them.
pub(super) fn popular(scene: &mut Scene) {
    let (link, begins) = (scene.link(), scene.draw.between(5 * MINUTE, 30 * MINUTE));
    for _ in 0..60 {
        let (mut person, recipient) = (anybody(scene), scene.recipient());
        let at = begins + scene.draw.between(0, MINUTE);
        scene.click("human:popular", &mut person, &recipient, link, at);
    }
}

/// Two people read one copy from one office, some minutes apart.
pub(super) fn shared_mailbox(scene: &mut Scene) {
    let (mut one, mut other, recipient) = (at_desk(scene), at_desk(scene), scene.recipient());
    if scene.draw.percent(60.0) {
        other.shows.ip.clone_from(&one.shows.ip);
        other.shows.asn = one.shows.asn;
        other.shows.country.clone_from(&one.shows.country);
    }
    let (at, later) = (scene.reading(), scene.draw.scaled(2 * MINUTE, 3 * HOUR));
    let link = scene.link();
    scene.click("human:shared_mailbox", &mut one, &recipient, link, at);
    let link = if scene.draw.percent(50.0) { link } else { scene.link() };
    scene.click("human:shared_mailbox", &mut other, &recipient, link, at + later);
}

pub(super) fn gpc(scene: &mut Scene) {
    let browser = browsers::private(scene.draw);
    let mut person = scene.person(HOME, browser).refusing();
    reads(scene, "human:gpc", &mut person);
}

/// A copy that a sandbox has swept is read like any other.
pub(super) fn after_sweep(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let swept = sweep_then(scene, &recipient);
    let (link, at) = (scene.link(), swept + scene.draw.scaled(20 * SECOND, 12 * HOUR));
    scene.click("human:after_sweep", &mut person, &recipient, link, at);
}

/// A program on the person's own machine looks at the link first, under the browser's name.
pub(super) fn head_before(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, at) = (scene.link(), scene.reading());
    let mut looks = person.clone();
    "HEAD".clone_into(&mut looks.shows.method);
    strip(&mut looks.shows);
    scene.click("scanner_declared:head", &mut looks, &recipient, link, at);
    let later = at + scene.draw.scaled(100, 5 * SECOND);
    scene.click("human:head_before", &mut person, &recipient, link, later);
}

/// Reloads a page that is slow, some times.
pub(super) fn reload(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, mut at) = (scene.link(), scene.reading());
    for _ in 0..scene.draw.between(3, 6) {
        scene.click("human:reload", &mut person, &recipient, link, at);
        at += scene.draw.scaled(900, 25 * SECOND);
    }
}

/// Comes back to an offer over some days.
pub(super) fn comes_back(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, mut at) = (scene.link(), scene.reading());
    for _ in 0..scene.draw.between(3, 5) {
        scene.click("human:comes_back", &mut person, &recipient, link, at);
        at += scene.draw.scaled(10 * MINUTE, 30 * HOUR);
    }
}

/// A provider tells of the delivery by a clock that is late.
pub(super) fn clock_lag(scene: &mut Scene) {
    let (mut person, recipient) = (anybody(scene), scene.recipient());
    let (link, at) = (scene.link(), scene.draw.between(8 * SECOND, 2 * MINUTE));
    scene.click("human:clock_lag", &mut person, &recipient, link, at);
    let later = scene.draw.scaled(500, 20 * SECOND);
    scene.and(|record| record.delivered_at_ms = Some(record.ts_ms + later));
}

pub(super) fn managed_phone(scene: &mut Scene) {
    let browser = browsers::managed(scene.draw);
    let mut person = scene.person(MOBILE, browser);
    reads(scene, "human:managed_phone", &mut person);
}

pub(super) fn bot_phone(scene: &mut Scene) {
    let browser = browsers::bot_phone_in_app(scene.draw);
    let mut person = scene.person(MOBILE, browser);
    reads(scene, "human:bot_phone", &mut person);
}

pub(super) fn esr(scene: &mut Scene) {
    let browser = browsers::esr(scene.draw);
    let mut person = scene.person(OFFICE, browser);
    reads(scene, "human:esr", &mut person);
}

pub(super) fn own_open(scene: &mut Scene) {
    let (mut person, recipient, at) = (anybody(scene), scene.anyone(), scene.reading());
    person.shows.accept = Some("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8".to_owned());
    if person.shows.sec_fetch_mode.is_some() {
        person.shows.sec_fetch_mode = Some("no-cors".to_owned());
        person.shows.sec_fetch_dest = Some("image".to_owned());
        person.shows.sec_fetch_user = None;
    }
    scene.open("human:own_open", &mut person, &recipient, at);
}
