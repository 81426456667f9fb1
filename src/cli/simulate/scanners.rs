//! How scanners click. Each function plays one episode of the kind of its name in the table ([`super::kinds`]).

use std::rc::Rc;

use clickproof::record::{Kind, Record};

use super::browsers::{
    self, CHROME, contradictory, desktop, gateway, generic, machine, machine_browser, mobile, pretender,
    sandbox, unreduced,
};
use super::networks::{
    APPLE_RELAY, AZURE, AZURE_SCANNERS, BARRACUDA, CISCO, DEFENDER, EOP, EXCHANGE_ONLINE, GOOGLE_PROXY, HOME,
    HOSTING, MIMECAST, Network, OFFICE, OTHER_GATEWAYS, PROOFPOINT, SYMANTEC, THREAT_INTELLIGENCE,
    TREND_MICRO, YAHOO_PROXY,
};
use super::scene::{HOUR, LANDS_DETONATION, LANDS_SANDBOX, LINKS, MINUTE, SECOND, Scene, Visitor};

/// When sweeps start after the send: 836 bursts of five and more clicks in a second, median 43 s (craft-campaign #546).
/// That log has none between half an hour and an hour.
const SWEEP_STARTS: &[(f64, i64, i64)] = &[
    (0.5, 2 * SECOND, 10 * SECOND),
    (2.2, 10 * SECOND, 20 * SECOND),
    (66.4, 20 * SECOND, MINUTE),
    (28.3, MINUTE, 5 * MINUTE),
    (1.9, 5 * MINUTE, 30 * MINUTE),
    (0.7, HOUR, 24 * HOUR),
];

const SAFE_LINKS: &[&str] = &[
    "https://nam02.safelinks.protection.outlook.com/",
    "https://nam11.safelinks.protection.outlook.com/",
    "https://eur01.safelinks.protection.outlook.com/",
    "https://gbr01.safelinks.protection.outlook.com/",
];

const PREVIEWS: &[&str] = &[
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview) \
     Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/103.0.5060.134 Safari/537.36 BingPreview/1.0b",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
];

const LIBRARIES: &[&str] = &[
    "python-requests/2.32.3",
    "curl/8.5.0",
    "Wget/1.21.4",
    "Go-http-client/1.1",
    "Go-http-client/2.0",
    "Java/17.0.9",
    "Apache-HttpClient/4.5.13 (Java/11.0.22)",
    "AHC/2.1",
    "axios/1.7.7",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "lua-resty-http/0.16.1 (Lua) ngx_lua/10025",
    "Python/3.11 aiohttp/3.9.5",
];

const CRAWLERS: &[&str] = &[
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
];

/// One machine fetches these links, from `first` to `last` milliseconds after each other; says when it ended.
fn sweeps(
    scene: &mut Scene,
    label: &'static str,
    machine: &mut Visitor,
    recipient: &Rc<str>,
    starts: i64,
    (least, most): (i64, i64),
) -> i64 {
    // Nine or ten links: a sandbox may know one already.
    let count = LINKS - usize::from(scene.draw.percent(40.0));
    let mut at = starts;
    for link in scene.links(count) {
        scene.click(label, machine, recipient, link, at);
        at += scene.draw.between(least, most);
    }
    at
}

/// One click on one link of a copy of its own.
fn single(scene: &mut Scene, label: &'static str, machine: &mut Visitor, at: i64) {
    let (recipient, link) = (scene.recipient(), scene.link());
    scene.click(label, machine, &recipient, link, at);
}

/// When a scanner looks at one link on its own: tens of seconds to minutes after delivery (`MillionSend` #22).
fn soon(scene: &mut Scene) -> i64 {
    scene.draw.scaled(10 * SECOND, 8 * MINUTE)
}

pub(super) fn safe_attachments(scene: &mut Scene) {
    let shows = Record { accept_language: Some("en-US,en;q=0.9".to_owned()), ..sandbox(scene.draw) };
    let (machine, recipient) = (scene.machine(DEFENDER, shows), scene.recipient());
    let mut machine = machine.landing(LANDS_DETONATION);
    if scene.draw.percent(30.0) {
        machine.shows.referer = Some("https://outlook.office.com/".to_owned());
    }
    let starts = scene.draw.between(6 * SECOND, 48 * SECOND);
    sweeps(scene, "scanner_safe_attachments:safe_attachments", &mut machine, &recipient, starts, (20, 1_000));
}

pub(super) fn safelinks_delivery(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { browsers::safe_links(scene.draw) } else { sandbox(scene.draw) };
    let (mut machine, recipient) = (scene.machine(EXCHANGE_ONLINE, shows), scene.recipient());
    machine.shows.referer = Some(scene.draw.one(SAFE_LINKS).to_owned());
    let mut at = scene.draw.between(600, 3_500);
    let both = scene.draw.percent(50.0);
    for link in 0..=usize::from(both) {
        scene.click("scanner_safelinks_delivery:safelinks_delivery", &mut machine, &recipient, link, at);
        at += scene.draw.between(50, 1_400);
    }
}

/// Safe Links checks what a person clicks, milliseconds before or after.
pub(super) fn beside(scene: &mut Scene, mut person: Visitor, scanner_first: bool) {
    let shows = browsers::safe_links(scene.draw);
    let (mut machine, recipient) = (scene.machine(EXCHANGE_ONLINE, shows), scene.recipient());
    let referer = scene.draw.one(SAFE_LINKS).to_owned();
    if scene.draw.percent(50.0) {
        person.shows.referer = Some(referer.clone());
        if person.shows.sec_fetch_site.is_some() {
            person.shows.sec_fetch_site = Some("cross-site".to_owned());
        }
    }
    machine.shows.referer = Some(referer);
    let (link, at, apart) = (scene.link(), scene.reading(), scene.draw.between(15, 450));
    let (checks_at, clicks_at) = if scanner_first { (at, at + apart) } else { (at + apart, at) };
    let label = if scanner_first {
        "scanner_timeofclick:safelinks_first"
    } else {
        "scanner_timeofclick:safelinks_second"
    };
    scene.click(label, &mut machine, &recipient, link, checks_at);
    scene.click("human:beside_safelinks", &mut person, &recipient, link, clicks_at);
}

fn office_worker(scene: &mut Scene) -> Visitor {
    let browser = desktop(scene.draw);
    scene.person(OFFICE, browser)
}

pub(super) fn safelinks_first(scene: &mut Scene) {
    let person = office_worker(scene);
    beside(scene, person, true);
}

pub(super) fn safelinks_second(scene: &mut Scene) {
    let person = office_worker(scene);
    beside(scene, person, false);
}

pub(super) fn campaign_burst(scene: &mut Scene) {
    let (link, begins) = (scene.link(), scene.draw.scaled(HOUR, 24 * HOUR));
    let lasts = scene.draw.between(8 * SECOND, 55 * SECOND);
    for recipient in scene.audience(45) {
        let shows = generic(scene.draw);
        let mut machine = scene.machine(DEFENDER, shows);
        let at = begins + scene.draw.between(0, lasts);
        scene.click("scanner_campaign_view:campaign_burst", &mut machine, &recipient, link, at);
    }
}

pub(super) fn air_crawl(scene: &mut Scene) {
    let shows = if scene.draw.percent(50.0) { pretender(scene.draw) } else { sandbox(scene.draw) };
    let (mut machine, recipient) = (scene.machine(DEFENDER, shows), scene.recipient());
    let starts = scene.draw.scaled(2 * HOUR, 72 * HOUR);
    sweeps(scene, "scanner_air_or_mbi:air_crawl", &mut machine, &recipient, starts, (30, 4_000));
}

pub(super) fn mbi_single(scene: &mut Scene) {
    let shows = if scene.draw.percent(70.0) { pretender(scene.draw) } else { generic(scene.draw) };
    let (mut machine, at) = (scene.machine(DEFENDER, shows), scene.draw.scaled(HOUR + MINUTE, 72 * HOUR));
    single(scene, "scanner_air_or_mbi:mbi_single", &mut machine, at);
}

pub(super) fn eop_single(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { pretender(scene.draw) } else { sandbox(scene.draw) };
    let (mut machine, at) = (scene.machine(EOP, shows), soon(scene));
    single(scene, "scanner_gateway:eop_single", &mut machine, at);
}

pub(super) fn eop_sweep(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { pretender(scene.draw) } else { sandbox(scene.draw) };
    let (mut machine, recipient) = (scene.machine(EOP, shows), scene.recipient());
    let starts = scene.draw.scaled(MINUTE + 5 * SECOND, 6 * MINUTE);
    sweeps(scene, "scanner_sweep:eop_sweep", &mut machine, &recipient, starts, (2, 40));
}

fn azure(scene: &mut Scene) -> Visitor {
    let shows = pretender(scene.draw);
    let networks = if scene.draw.percent(25.0) { AZURE_SCANNERS } else { AZURE };
    scene.machine(networks, shows)
}

pub(super) fn azure_single(scene: &mut Scene) {
    let (mut machine, at) = (azure(scene), soon(scene));
    single(scene, "scanner_headless:azure_single", &mut machine, at);
}

pub(super) fn azure_sweep(scene: &mut Scene) {
    let (mut machine, recipient, starts) =
        (azure(scene), scene.recipient(), scene.draw.of_bins(SWEEP_STARTS));
    sweeps(scene, "scanner_sweep:azure_sweep", &mut machine, &recipient, starts, (5, 400));
}

/// A gateway looks at every link of a copy, or at one.
fn gateway_visit(scene: &mut Scene, label: &'static str, networks: &[Network]) {
    let shows = gateway(scene.draw);
    let mut machine = scene.machine(networks, shows);
    if scene.draw.percent(35.0) {
        let (recipient, starts) = (scene.recipient(), scene.draw.of_bins(SWEEP_STARTS));
        sweeps(scene, label, &mut machine, &recipient, starts, (10, 700));
    } else {
        let at = soon(scene);
        single(scene, label, &mut machine, at);
    }
}

pub(super) fn proofpoint(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:proofpoint", PROOFPOINT);
}

pub(super) fn mimecast(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:mimecast", MIMECAST);
}

pub(super) fn barracuda(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:barracuda", BARRACUDA);
}

pub(super) fn cisco(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:cisco", CISCO);
}

pub(super) fn trend_micro(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:trend_micro", TREND_MICRO);
}

pub(super) fn symantec(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:symantec", SYMANTEC);
}

pub(super) fn other_gateway(scene: &mut Scene) {
    gateway_visit(scene, "scanner_gateway:other_gateway", OTHER_GATEWAYS);
}

pub(super) fn threat_intelligence(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { pretender(scene.draw) } else { sandbox(scene.draw) };
    let mut machine = scene.machine(THREAT_INTELLIGENCE, shows);
    let at = scene.draw.scaled(HOUR, 96 * HOUR);
    single(scene, "scanner_gateway:threat_intelligence", &mut machine, at);
}

/// A browser of today, driven by a program in a rented machine.
fn modern(scene: &mut Scene) -> Record {
    let version = CHROME - scene.draw.between(0, 6);
    let platform = scene.draw.one(&[
        "Windows NT 10.0; Win64; x64",
        "X11; Linux x86_64",
        "Macintosh; Intel Mac OS X 10_15_7",
    ]);
    machine_browser(platform, version)
}

/// A sweep of a copy by a pool of machines; says when it ended.
pub(super) fn sweep_then(scene: &mut Scene, recipient: &Rc<str>) -> i64 {
    let shows = modern(scene);
    let mut at = scene.draw.of_bins(SWEEP_STARTS);
    let count = LINKS - usize::from(scene.draw.percent(40.0));
    let home = scene.draw.between(0, 8);
    let region = &HOSTING[usize::try_from(home).unwrap_or_default()..][..1];
    for link in scene.links(count) {
        let mut machine = scene.machine(region, shows.clone()).landing(LANDS_SANDBOX);
        scene.click("scanner_sweep:pool_sweep", &mut machine, recipient, link, at);
        at += scene.draw.between(5, 90);
    }
    at
}

pub(super) fn pool_sweep(scene: &mut Scene) {
    let recipient = scene.recipient();
    sweep_then(scene, &recipient);
}

pub(super) fn source_sweep(scene: &mut Scene) {
    let shows = modern(scene);
    let (machine, recipient) = (scene.machine(HOSTING, shows), scene.recipient());
    let mut machine = machine.landing(LANDS_SANDBOX);
    let starts = scene.draw.of_bins(SWEEP_STARTS);
    sweeps(scene, "scanner_sweep:source_sweep", &mut machine, &recipient, starts, (5, 90));
}

pub(super) fn profile_sweep(scene: &mut Scene) {
    let shows = modern(scene);
    let (machine, recipient) = (scene.machine_with_profile(HOSTING, shows), scene.recipient());
    let mut machine = machine.landing(LANDS_SANDBOX);
    let starts = scene.draw.of_bins(SWEEP_STARTS);
    sweeps(scene, "scanner_sweep:profile_sweep", &mut machine, &recipient, starts, (40, 300));
}

pub(super) fn slow_sweep(scene: &mut Scene) {
    let shows = if scene.draw.percent(50.0) { modern(scene) } else { pretender(scene.draw) };
    let (mut machine, recipient) = (scene.machine(HOSTING, shows), scene.recipient());
    let starts = scene.draw.of_bins(SWEEP_STARTS);
    sweeps(scene, "scanner_sweep:slow_sweep", &mut machine, &recipient, starts, (500, 1_050));
}

/// The source of a sweep comes again minutes later: for one link of that copy, or of another one.
pub(super) fn recheck(scene: &mut Scene) {
    let shows = modern(scene);
    let (mut machine, recipient) = (scene.machine(HOSTING, shows), scene.recipient());
    let starts = scene.draw.of_bins(SWEEP_STARTS);
    let mut at = sweeps(scene, "scanner_sweep:source_sweep", &mut machine, &recipient, starts, (5, 90));
    for _ in 0..2 {
        at += scene.draw.scaled(40 * SECOND, 7 * MINUTE);
        let (link, other) = (scene.link(), scene.draw.percent(40.0));
        let recipient = if other { scene.recipient() } else { Rc::clone(&recipient) };
        scene.click("scanner_sweep:recheck", &mut machine, &recipient, link, at);
    }
}

pub(super) fn fan_out(scene: &mut Scene) {
    let shows = modern(scene);
    let mut machine = scene.machine(HOSTING, shows);
    let (link, begins) = (scene.link(), scene.draw.scaled(10 * SECOND, 10 * MINUTE));
    let lasts = scene.draw.between(3 * SECOND, 40 * SECOND);
    for _ in 0..20 {
        let (recipient, at) = (scene.recipient(), begins + scene.draw.between(0, lasts));
        let link = if scene.draw.percent(70.0) { link } else { scene.link() };
        scene.click("scanner_fanout:fan_out", &mut machine, &recipient, link, at);
    }
}

pub(super) fn headless_single(scene: &mut Scene) {
    let shows = contradictory(scene.draw);
    let (mut machine, at) = (scene.machine(HOSTING, shows), soon(scene));
    single(scene, "scanner_headless:headless_single", &mut machine, at);
}

/// A program that says what it is.
fn declared(scene: &mut Scene, label: &'static str, agents: &[&str]) {
    let shows = machine(scene.draw.one(agents), "*/*");
    let networks = if scene.draw.percent(80.0) { HOSTING } else { AZURE };
    let (mut machine, at) = (scene.machine(networks, shows), scene.draw.scaled(5 * SECOND, 24 * HOUR));
    single(scene, label, &mut machine, at);
}

pub(super) fn preview(scene: &mut Scene) {
    declared(scene, "scanner_declared:preview", PREVIEWS);
}

pub(super) fn library(scene: &mut Scene) {
    declared(scene, "scanner_declared:library", LIBRARIES);
}

pub(super) fn crawler(scene: &mut Scene) {
    declared(scene, "scanner_declared:crawler", CRAWLERS);
}

pub(super) fn head(scene: &mut Scene) {
    let shows = if scene.draw.percent(50.0) { modern(scene) } else { pretender(scene.draw) };
    let (mut machine, at) = (scene.machine(HOSTING, shows), scene.draw.scaled(3 * SECOND, HOUR));
    "HEAD".clone_into(&mut machine.shows.method);
    single(scene, "scanner_declared:head", &mut machine, at);
}

/// A person's own browser that fetches ahead of the person.
pub(super) fn prefetch(scene: &mut Scene) {
    let browser = if scene.draw.percent(50.0) { desktop(scene.draw) } else { mobile(scene.draw) };
    let (mut person, at) = (scene.person(HOME, browser), scene.reading());
    person.shows.sec_purpose =
        Some(scene.draw.one(&["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip"]).to_owned());
    person.shows.sec_fetch_user = None;
    single(scene, "scanner_declared:prefetch", &mut person, at);
}

/// Where machines are that no list names: rented ones, and a company's own.
fn anywhere(scene: &mut Scene) -> &'static [Network] {
    if scene.draw.percent(60.0) { HOSTING } else { OFFICE }
}

pub(super) fn head_get(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { pretender(scene.draw) } else { contradictory(scene.draw) };
    let networks = anywhere(scene);
    let (mut machine, recipient) = (scene.machine(networks, shows), scene.recipient());
    let (link, at) = (scene.link(), soon(scene));
    let later = at + scene.draw.scaled(40, 3 * SECOND);
    "HEAD".clone_into(&mut machine.shows.method);
    scene.click("scanner_declared:head_get", &mut machine, &recipient, link, at);
    "GET".clone_into(&mut machine.shows.method);
    scene.click("scanner_declared:head_get", &mut machine, &recipient, link, later);
}

/// Looks at a link and at the page that unsubscribes at once, or accepts and declines at once.
pub(super) fn act_sweep(scene: &mut Scene) {
    let label = "scanner_sweep:act_sweep";
    let shows = if scene.draw.percent(50.0) { modern(scene) } else { pretender(scene.draw) };
    let networks = anywhere(scene);
    let (mut machine, recipient) = (scene.machine(networks, shows), scene.recipient());
    let (at, link) = (scene.draw.of_bins(SWEEP_STARTS), scene.link());
    let later = at + scene.draw.between(30, 1_900);
    if scene.draw.percent(60.0) {
        scene.click(label, &mut machine, &recipient, link, at);
        scene.act(label, &mut machine, &recipient, (Kind::Unsubscribe, "unsubscribe"), later);
    } else {
        scene.act(label, &mut machine, &recipient, (Kind::Confirm, "accept"), at);
        scene.act(label, &mut machine, &recipient, (Kind::Confirm, "decline"), later);
    }
}

/// Follows every link of a copy that has so many.
fn small_copy(scene: &mut Scene, label: &'static str, links: usize) {
    let shows = pretender(scene.draw);
    let (mut machine, recipient, mut at) = (scene.machine(HOSTING, shows), scene.recipient(), soon(scene));
    for link in 0..links {
        scene.click(label, &mut machine, &recipient, link, at);
        scene.and(|record| record.links_total = i64::try_from(links).ok());
        at += scene.draw.scaled(30, 4 * SECOND);
    }
}

pub(super) fn small_sweep(scene: &mut Scene) {
    let links = if scene.draw.percent(50.0) { 2 } else { 3 };
    small_copy(scene, "scanner_sweep:small_sweep", links);
}

pub(super) fn single_link(scene: &mut Scene) {
    small_copy(scene, "scanner_headless:single_link", 1);
}

/// One link of one copy again and again, so many times, `between` so many milliseconds.
fn repeats(scene: &mut Scene, label: &'static str, count: usize, between: (i64, i64)) {
    let shows = if scene.draw.percent(50.0) { modern(scene) } else { pretender(scene.draw) };
    let networks = anywhere(scene);
    let (mut machine, recipient) = (scene.machine(networks, shows), scene.recipient());
    let (link, mut at) = (scene.link(), scene.draw.scaled(MINUTE, 12 * HOUR));
    for _ in 0..count {
        scene.click(label, &mut machine, &recipient, link, at);
        at += scene.draw.between(between.0, between.1);
    }
}

/// So often in a small send, that is played live as well, and so often in a whole one.
fn by_size(scene: &Scene, small: usize, whole: usize) -> usize {
    if scene.send.recipients.len() < 1_000 { small } else { whole }
}

pub(super) fn repeat_fast(scene: &mut Scene) {
    repeats(scene, "scanner_repeat:repeat_fast", by_size(scene, 60, 300), (40, 700));
}

pub(super) fn repeat_steady(scene: &mut Scene) {
    // Four thousand in half an hour is what the report counted.
    repeats(scene, "scanner_repeat:repeat_steady", by_size(scene, 30, 4_000), (429, 449));
}

pub(super) fn repeat_long(scene: &mut Scene) {
    repeats(scene, "scanner_repeat:repeat_long", by_size(scene, 50, 180), (5 * SECOND, 15 * SECOND));
}

pub(super) fn no_agent(scene: &mut Scene) {
    let shows = machine("", scene.draw.one(&["*/*", "text/html"]));
    // Headers are known here, so that there was none is known as well.
    let shows = Record { user_agent: Some(String::new()), ..shows };
    let networks = anywhere(scene);
    let (mut machine, at) = (scene.machine(networks, shows), soon(scene));
    single(scene, "scanner_headless:no_agent", &mut machine, at);
}

/// Looks before the provider has taken the mail.
pub(super) fn before_delivery(scene: &mut Scene) {
    let shows = contradictory(scene.draw);
    let (mut machine, at) = (scene.machine(HOSTING, shows), scene.draw.between(2 * SECOND, 20 * SECOND));
    single(scene, "scanner_headless:before_delivery", &mut machine, at);
    let later = scene.draw.scaled(SECOND, 30 * SECOND);
    scene.and(|record| record.delivered_at_ms = Some(record.ts_ms + later));
}

/// Looks at a mail that its gateway then refuses: nobody ever gets it.
pub(super) fn bounced(scene: &mut Scene) {
    let shows = if scene.draw.percent(60.0) { modern(scene) } else { pretender(scene.draw) };
    let networks = anywhere(scene);
    let (mut machine, at) = (scene.machine(networks, shows), soon(scene));
    single(scene, "scanner_gateway:bounced", &mut machine, at);
    let after = scene.draw.scaled(2 * SECOND, 2 * MINUTE);
    scene.and(|record| record.bounced_at_ms = Some(record.sent_at_ms + after));
}

/// Says a version that no desktop Chrome has said since 2023: Chrome itself rounds it.
pub(super) fn unreduced_single(scene: &mut Scene) {
    let shows = unreduced(scene.draw);
    let (mut machine, at) = (scene.machine(HOSTING, shows), soon(scene));
    single(scene, "scanner_headless:unreduced", &mut machine, at);
}

/// A provider's machine fetches the pixel.
fn fetches_pixel(scene: &mut Scene, label: &'static str, networks: &[Network], agent: &str, at: i64) {
    let (mut proxy, recipient) =
        (scene.machine(networks, machine(agent, "image/*,*/*;q=0.8")), scene.anyone());
    scene.open(label, &mut proxy, &recipient, at);
}

pub(super) fn gmail_proxy(scene: &mut Scene) {
    let (agent, at) = (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        scene.reading(),
    );
    fetches_pixel(scene, "proxy_open:gmail_proxy", GOOGLE_PROXY, agent, at);
}

pub(super) fn gmail_prefetch(scene: &mut Scene) {
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 \
                 Safari/537.36 Edge/12.246 Mozilla/5.0";
    let at = scene.draw.between(9 * SECOND, 26 * SECOND);
    fetches_pixel(scene, "proxy_open:gmail_prefetch", GOOGLE_PROXY, agent, at);
}

pub(super) fn yahoo_proxy(scene: &mut Scene) {
    let (agent, at) =
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", scene.reading());
    fetches_pixel(scene, "proxy_open:yahoo_proxy", YAHOO_PROXY, agent, at);
}

pub(super) fn apple_mpp(scene: &mut Scene) {
    let at = scene.draw.scaled(MINUTE, 12 * HOUR);
    fetches_pixel(scene, "proxy_open:apple_mpp", APPLE_RELAY, "Mozilla/5.0", at);
}
