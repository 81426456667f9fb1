//! What the rules read of a request: from whichever it comes, the request or what was stored of it.

use super::agents::Agent;
use super::catalogue::Network;
use super::catalogue::learned::Learned;
use super::votes::Votes;

/// The signals of one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a signal of its own")]
pub struct Signals {
    /// Names of networks and agents are for the rules alone and never told: `PRIVACY` was `verdict`.
    pub is_withheld: bool,
    /// The referer is a URL of Safe Links.
    pub safelinks_referer: bool,
    /// There is a referer at all, or none could be.
    pub has_referer: bool,
    /// It is known that there was none.
    pub lacks_referer: bool,
    /// The address could be read.
    pub has_address: bool,
    /// The catalogue's entry for the address: what the published table goes by.
    pub network: Option<&'static Network>,
    /// Where the click came from, by address and AS number.
    pub place: Option<&'static Network>,
    /// What the sender's own history knows of where it came from, where no list says more than that machines are rented there.
    pub learned: Option<&'static Learned>,
    /// The machine that the agent says it is.
    pub agent: Option<Agent>,
    /// Headers are known: what is missing of them was not sent.
    pub knows_headers: bool,
    /// The agent is Office's, which checks links and opens them for people.
    pub is_office: bool,
    /// The method is one that people's browsers use there: GET, and POST where a link acts.
    pub is_get: bool,
    /// A mail provider asks for its user, without a browser (RFC 8058).
    pub is_one_click: bool,
    /// A link that acts was told to, by whichever way; without that its page was looked at.
    pub has_acted: bool,
    /// `Sec-CH-UA` names a browser without a window.
    pub is_headless: bool,
    /// A header says that the page is only fetched ahead.
    pub is_prefetch: bool,
    /// Microsoft's AS number: never enough by itself.
    pub is_microsoft_system: bool,
    /// What the request votes.
    pub votes: Votes,
    /// Who sent it, where the address could be read.
    pub source: Option<Source>,
    /// What our cookie said.
    pub cookie: Cookie,
    /// The agent, in one number.
    pub browser: u64,
}

/// What our cookie said; visitors are numbers that differ where their ids do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Nothing: switched off, not wanted, or not known.
    None,
    /// It was set with this click.
    New(u64),
    /// It came back.
    Returning(u64),
}

/// Who sent a request, as far as two requests can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The address (in IPv6 its /64) and the agent, in one number.
    pub exact: u64,
    /// What counts as one that asks: where machines are rented, the network and the agent, because one render comes from
    /// several addresses there; else the same as `exact`.
    pub group: u64,
    /// The network (/24, in IPv6 /48) and the agent, in one number. Where machines are rented, the network alone: a neighbour
    /// there is the same tenant's under another name.
    pub origin: u64,
    /// There is an agent.
    pub has_agent: bool,
}
