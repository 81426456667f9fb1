//! `mint`: the bodies of `POST /v1/links` in, its answers out, as they come.

use clickproof::config::base_url;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::{Bases, mint_on};

use crate::form::Wanted;
use crate::secrets::Secrets;
use crate::sent::Sent;
use crate::stop::Stop;
use crate::streams::Streams;
use crate::talk::Talk;

#[derive(clap::Args)]
#[command(after_help = "\
Each line is a body of POST /v1/links:
  {\"message_id\":\"spring\",\"recipient_id\":\"r1\",\"sent_at_ms\":1795348800000,
   \"links\":[{\"link_id\":\"cta\",\"url\":\"https://brand.example/\"}]}
Each result is its answer:
  {\"links\":[{\"link_id\":\"cta\",\"href\":\"https://click.brand.example/c/…\"}]}

A message to more than half a million recipients needs \"shards\", the same in every line of it: --sent says how many. A line
that has \"sent\" gets \"advice\" where its shards do not fit.

Answers leave as soon as the input pauses. Blank lines are skipped; a line has at most 1 MiB.

Environment:
  LINK_KEYS  The signing keys, as the Worker has them: kid:base64,… (the first signs)")]
pub(crate) struct Args {
    #[command(flatten)]
    streams: Streams,
    #[command(flatten)]
    secrets: Secrets,
    /// What the links begin with: the Worker's click domain, such as `https://click.brand.example`
    #[arg(long, value_name = "URL", value_parser = base_url)]
    base_url: String,
    /// What open pixels begin with, where they have a host of their own, as the Worker's `PIXEL_URL` [default: as links]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pixel_url: Option<String>,
    #[command(flatten)]
    sent: Sent,
    #[command(flatten)]
    talk: Talk,
}

/// Mints; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let keys = args.secrets.link_keys()?;
    let base_url = args.base_url.as_str();
    let bases = Bases { links: base_url, pixels: args.pixel_url.as_deref().unwrap_or(base_url) };
    args.sent.advise();
    let (lines, output) = args.streams.open(Wanted::Objects)?;
    args.talk.answer(lines, output, &mut |body| mint_on(body, bases, &keys))
}

/// The keys of the environment.
pub(crate) fn keys() -> Result<Keyring, Stop> {
    Secrets::default().link_keys()
}
