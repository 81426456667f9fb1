//! Hosts that rewrite the links of a mail: one of them in a referer says that a click came through that gateway, which is
//! more often a person passing than the gateway itself.

use super::class::Status;
use crate::link::url;

include!(concat!(env!("OUT_DIR"), "/wrappers.rs"));

/// A gateway's rewritten links.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrapper {
    /// What the wrapper is called, for people.
    pub name: &'static str,
    /// Whose it is, as the verdict says it.
    pub vendor: &'static str,
    /// How well it is known.
    pub status: Status,
    /// Where the facts come from.
    pub source: &'static str,
    /// The source's own date, or else the day it was read: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub date: &'static str,
    hosts: &'static [Host],
}

/// A host, or a domain with all that lies below it where `below` is true; only where the path begins with `path`.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    name: &'static str,
    below: bool,
    path: &'static str,
}

impl Host {
    fn holds(&self, host: &str, path: &str) -> bool {
        let is_host = if self.below {
            url::is_host_or_below(host, self.name)
        } else {
            host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case(self.name)
        };
        is_host
            && path.strip_prefix(self.path).is_some_and(|rest| self.path.is_empty() || is_segment_end(rest))
    }
}

/// Whether a path's segment is over where `rest` begins.
fn is_segment_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The wrapper that a URL's host and path belong to: the whole host, or a domain that it lies below, never a part of a
/// label; whatever its case, and without one final dot. The path counts where a host also serves other things.
#[must_use]
pub fn wrapper(host: &str, path: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|wrapper| wrapper.hosts.iter().any(|known| known.holds(host, path)))
}

/// The wrapper that a referer names. Often it is a bare origin, because that is all that browsers tell another site: then
/// the host must be the wrapper's alone.
#[must_use]
pub fn wrapper_in_referer(referer: &str) -> Option<&'static Wrapper> {
    wrapper(&url::host(referer)?, path(referer))
}

/// The path of a URL that has a host: what follows the authority, up to a query or fragment.
fn path(url: &str) -> &str {
    let after_scheme = url.find("//").map_or("", |at| &url[at + 2..]);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}
