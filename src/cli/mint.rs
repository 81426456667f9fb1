//! `mint`: the bodies of `POST /v1/links` in, its answers out, as they come.

use clickproof::config::base_url;
use clickproof::json::Json;
use clickproof::link::keys::Keyring;
use clickproof::link::mint::{Bases, Minted, mint_on};
use serde::Serialize;

use crate::form::Wanted;
use crate::secrets::Secrets;
use crate::stop::Stop;
use crate::streams::Streams;

#[derive(clap::Args)]
#[command(after_help = "\
Each line is a body of POST /v1/links:
  {\"message_id\":\"spring\",\"recipient_id\":\"r1\",\"sent_at_ms\":1795348800000,
   \"links\":[{\"link_id\":\"cta\",\"url\":\"https://brand.example/\"}]}
Each result is its answer:
  {\"links\":[{\"link_id\":\"cta\",\"href\":\"https://click.brand.example/c/…\"}]}

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
    /// Answer a bad line with `{"error":"…"}`, too: a program that sends a line and waits for its answer gets one to each
    #[arg(long)]
    answer_errors: bool,
}

/// Mints; says how many lines were bad.
pub(crate) fn run(args: &Args) -> Result<usize, Stop> {
    let keys = args.secrets.link_keys()?;
    let base_url = args.base_url.as_str();
    let bases = Bases { links: base_url, pixels: args.pixel_url.as_deref().unwrap_or(base_url) };
    let (mut lines, mut output) = args.streams.open(Wanted::Objects)?;
    loop {
        if lines.may_wait() {
            output.flush()?;
        }
        let Some(line) = lines.next()? else { break };
        match line.and_then(|line| answer(line, bases, &keys)) {
            Ok(minted) => output.line(|block| serde_json::to_writer(block, &minted))?,
            Err(problem) => {
                lines.complain(&problem);
                if args.answer_errors {
                    output.line(|block| serde_json::to_writer(block, &Refused { error: problem }))?;
                }
            }
        }
    }
    lines.finish();
    output.flush()?;
    Ok(lines.bad())
}

/// The answer to a bad line, for who waits for one.
#[derive(Serialize)]
pub(crate) struct Refused {
    pub(crate) error: String,
}

fn answer(line: &str, bases: Bases, keys: &Keyring) -> Result<Minted, String> {
    let body = Json::parse(line).map_err(|problem| format!("not a JSON object: {problem}"))?;
    mint_on(&body, bases, keys)
}

/// The keys of the environment.
pub(crate) fn keys() -> Result<Keyring, Stop> {
    Secrets::default().link_keys()
}
