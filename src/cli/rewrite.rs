//! `rewrite`: mails for recipients in, their copies with tracked links out, as they come.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clickproof::config::base_url;
use clickproof::link::url::host;
use clickproof::sender::line::Lines;
use clickproof::sender::options::{Options, Parameter, Pixel};

use crate::eml::{self, Ids};
use crate::form::Wanted;
use crate::secrets::Secrets;
use crate::sent::Sent;
use crate::stop::Stop;
use crate::streams::Streams;
use crate::talk::Talk;

/// The longest line, bytes: a mail is longer than any record.
const MAX_LINE_BYTES: usize = 1 << 26;

#[derive(clap::Args)]
#[command(after_help = "\
Each line is a copy of a mail:
  {\"message_id\":\"spring\",\"recipient_id\":\"r1\",\"sent_at_ms\":1795348800000,
   \"html\":\"<a href=…\",\"text\":\"…\"}
and may have a \"group\", \"shards\" and \"sent\" as mint's and, for who refused it, \"track\":{\"clicks\":false,\"opens\":false}. Each result is its rewriting:
  {\"html\":\"…\",\"text\":\"…\",\"headers\":{\"List-Unsubscribe\":\"<…>\",…},
   \"links\":[{\"link_id\":\"1\",\"href\":\"…\",\"url\":\"…\"}],
   \"left\":[{\"url\":\"mailto:…\",\"reason\":\"scheme\"}],\"warnings\":[…]}
A line may have a whole mail as \"eml\" instead of html and text; its result has the mail as \"eml\".

With --eml, one mail is read and written: a filter for mail servers, before the signer. The mail's X-Clickproof-Message,
X-Clickproof-Recipient, X-Clickproof-Sent-At (Unix milliseconds; else its Date), X-Clickproof-Group, X-Clickproof-Shards and X-Clickproof-Track
(clicks=off, opens=off) say whose copy it is and do not leave with it. A mail that is refused, such as one that has a
DKIM-Signature, is not written, and the exit status is 1.

Every byte that is no link stays. In the mail, href=\"clickproof:unsubscribe\" and href=\"clickproof:confirm?to=URL\" become
links that act, src=\"clickproof:open\" the pixel; data-cp-link names a link, data-cp-track=\"off\" leaves it, data-cp-path=\"app\"
lets an app open it. Rewrite after templates are rendered and before the mail is signed.

Answers leave as soon as the input pauses. Blank lines are skipped; a line has at most 64 MiB.

Environment:
  LINK_KEYS  The signing keys, as the Worker has them: kid:base64,… (the first signs)")]
pub(crate) struct Args {
    #[command(flatten)]
    streams: Streams,
    /// What the links begin with: the Worker's click domain, such as `https://click.brand.example`
    #[arg(long, value_name = "URL", value_parser = base_url)]
    base_url: String,
    /// Read one mail instead of lines, and write it: a filter for mail servers
    #[arg(long)]
    eml: bool,
    #[command(flatten)]
    ids: Ids,
    /// What open pixels begin with, where they have a host of their own, as the Worker's `PIXEL_URL` [default: as links]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pixel_url: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    sent: Sent,
    #[command(flatten)]
    talk: Talk,
    /// One HTML body for all lines
    #[arg(long, value_name = "FILE", conflicts_with = "eml")]
    html: Option<PathBuf>,
    /// One text body for all lines; off: the links of text bodies stay
    #[arg(long, value_name = "FILE|off")]
    text: Option<PathBuf>,
    /// Where the open pixel goes, unless the HTML says so itself
    #[arg(long, value_enum, default_value_t)]
    pixel: Place,
    /// What becomes of links whose text is a URL on another host
    #[arg(long, value_enum, default_value_t)]
    visible_urls: Visible,
    /// A host whose links stay, such as one that must open an app; may stand several times
    #[arg(long, value_name = "HOST", value_parser = host_name)]
    leave_host: Vec<String>,
    /// A parameter for tracked URLs that lack it: source=mail adds `utm_source=mail`; may stand several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = Parameter::utm)]
    utm: Vec<Parameter>,
}

/// Where the pixel goes.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Place {
    /// Before `</body>`.
    #[default]
    Bottom,
    /// Behind the body's tag.
    Top,
    /// Nowhere.
    None,
}

/// What becomes of links that show a URL.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Visible {
    /// They stay: mail filters compare what is shown with where it leads.
    #[default]
    Leave,
    /// They are tracked.
    Track,
}

/// Rewrites; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let leaves_text = args.text.as_deref() == Some(Path::new("off"));
    let options = Options {
        base_url: args.base_url.clone(),
        pixel_url: args.pixel_url.clone(),
        pixel: match args.pixel {
            Place::Bottom => Pixel::Bottom,
            Place::Top => Pixel::Top,
            Place::None => Pixel::None,
        },
        tracks_visible_urls: args.visible_urls == Visible::Track,
        leaves_text,
        leave_hosts: args.leave_host.clone(),
        utm: args.utm.clone(),
        unsubscribe_urls: Vec::new(),
    };
    if args.eml {
        return match &args.text {
            Some(_) if !leaves_text => Err(Stop::Refused(
                "--text FILE is for lines: with --eml, give --text off or nothing".to_owned(),
            )),
            _ => eml::run(&args.streams, &args.ids, args.sent.sent, &args.secrets.link_keys()?, &options),
        };
    }
    args.sent.advise();
    let keys = args.secrets.link_keys()?;
    let html = args.html.as_deref().map(|path| read("html", path)).transpose()?;
    let text = args.text.as_deref().filter(|_| !leaves_text).map(|path| read("text", path)).transpose()?;
    let mut rewriting = Lines::new(&keys, &options, html.as_deref(), text.as_deref());
    let (lines, output) = args.streams.open(Wanted::Objects)?;
    args.talk.answer(lines.up_to(MAX_LINE_BYTES), output, &mut |line| rewriting.answer(line))
}

/// The body for all lines.
fn read(flag: &str, path: &Path) -> Result<String, Stop> {
    let refused = |problem: &str| Stop::Refused(format!("--{flag} {}: {problem}", path.display()));
    let bytes = fs::read(path).map_err(|error| refused(&format!("{error}; name a file that can be read")))?;
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8; write it as UTF-8"))
}

fn host_name(text: &str) -> Result<String, String> {
    match host(&format!("https://{text}/")) {
        Some(host) if host.eq_ignore_ascii_case(text) => Ok(host.into_owned()),
        _ => Err("must be a host name alone, such as app.brand.example".to_owned()),
    }
}
