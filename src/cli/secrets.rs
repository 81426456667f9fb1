//! Where commands take secrets from: the environment, or the file that a local Worker has them in. They are no flags: what stands
//! on a command line, every process can read.

use std::fs;
use std::path::{Path, PathBuf};

use clickproof::link::keys::Keyring;

use crate::stop::Stop;

/// The variable of the signing keys.
const KEYS: &str = "LINK_KEYS";

#[derive(clap::Args, Default)]
pub(crate) struct Secrets {
    /// Take secrets from this file, such as a local Worker's `.dev.vars`, instead of the environment
    #[arg(long, value_name = "FILE")]
    dev_vars: Option<PathBuf>,
}

impl Secrets {
    /// A secret by its variable's name, which is not blank; `remedy` is what to set it to.
    pub(crate) fn get(&self, name: &str, remedy: &str) -> Result<String, Stop> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the ban is the Worker's; a command has an environment"
        )]
        let (found, place) = match &self.dev_vars {
            None => (std::env::var(name).ok(), "the environment".to_owned()),
            Some(path) => (variable(&read("dev-vars", path)?, name), path.display().to_string()),
        };
        let found = found.filter(|text| !text.trim().is_empty());
        found.ok_or_else(|| Stop::Refused(format!("{name} is missing from {place}: {remedy}")))
    }

    /// The signing keys. The Worker does with the usable ones of a damaged list; here somebody is there to mend it, and a batch
    /// signed with the wrong key stays in mailboxes for years.
    pub(crate) fn link_keys(&self) -> Result<Keyring, Stop> {
        const REMEDY: &str = "set it to what the Worker has: key id, colon, at least 32 random bytes in base64; several with \
                              commas between";
        match Keyring::parse(&self.get(KEYS, REMEDY)?) {
            (Some(keys), problems) if problems.is_empty() => Ok(keys),
            (_, problems) => Err(Stop::Refused(format!("{KEYS}: {}; {REMEDY}", problems.join("; ")))),
        }
    }
}

/// The text of a file that a flag names.
pub(crate) fn read(flag: &str, path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|error| {
        Stop::Refused(format!("--{flag} {}: {error}; name a file that can be read", path.display()))
    })
}

/// The value that a name has last in a file of variables, read as wrangler reads it: `NAME=value`, maybe behind `export`, the
/// value in quotes of one of three sorts, or bare up to a comment.
fn variable(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line);
        let (found, value) = line.split_once('=')?;
        (found.trim() == name).then(|| unquoted(value.trim()).to_owned())
    };
    text.lines().filter_map(value).next_back()
}

fn unquoted(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote)?.split_once(quote).map(|(inside, _)| inside);
    ['\'', '"', '`']
        .into_iter()
        .find_map(quoted)
        .unwrap_or_else(|| value.split('#').next().unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn a_variable_is_read_as_wrangler_reads_it() {
        for (line, value) in [
            ("LINK_KEYS=k1:AA==", "k1:AA=="),
            ("  export LINK_KEYS = k1:AA== # the first", "k1:AA=="),
            ("LINK_KEYS=\"k1:A#A\" # the first", "k1:A#A"),
            ("LINK_KEYS='k1:AA'", "k1:AA"),
            ("LINK_KEYS=`k1:AA`", "k1:AA"),
            ("LINK_KEYS='k1:AA", "'k1:AA"),
            ("LINK_KEYS=", ""),
        ] {
            let text = format!("# LINK_KEYS=no\r\nOTHER=x\r\n{line}\r\nLINK_KEYS_2=no\r\n");
            assert_eq!(variable(&text, "LINK_KEYS").as_deref(), Some(value), "{line}");
        }
        assert_eq!(variable("A=1\nA=2\n", "A").as_deref(), Some("2"), "the last wins");
        assert_eq!(variable("EXPORTED=1\nexportB=2\n", "B"), None);
    }
}
