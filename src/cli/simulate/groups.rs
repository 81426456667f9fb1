//! Which part of the list a recipient belongs to, as senders tell it most often: by who keeps the mailbox. What comes to a copy says
//! so, where it is a provider's own machine. It is told afterwards and draws nothing, so it changes no visit.

use std::collections::HashMap;

use clickproof::signals::Signals;

use super::scene::Hit;

/// The groups. Of what speaks for several, the first counts: Microsoft's scanners come to no other mailbox.
const GROUPS: [&str; 4] = ["m365", "gmail", "yahoo", "other"];

/// The groups, by their place, of ten mailboxes to which no provider's machine comes: who has a scanner in front of the mail has it in
/// front of every mail, and most mailboxes are private ones.
const OTHERS: [usize; 10] = [0, 0, 1, 1, 1, 1, 2, 3, 3, 3];

/// Tells every visit the group of its recipient, of which there is one whatever the send.
pub(super) fn tell(hits: &mut [Hit]) {
    let mut shown: HashMap<String, usize> = HashMap::new();
    for hit in hits.iter() {
        if let Some(group) = provider(hit) {
            let known = shown.entry(hit.record.recipient_id.clone()).or_insert(group);
            *known = group.min(*known);
        }
    }
    for Hit { record, .. } in hits {
        let group = shown.get(&record.recipient_id).copied().unwrap_or_else(|| other(&record.recipient_id));
        record.group = Some(GROUPS[group].to_owned());
    }
}

/// The group that a visit shows.
fn provider(hit: &Hit) -> Option<usize> {
    let signals = Signals::of(&hit.record);
    match hit.label {
        _ if signals.is_microsoft() || signals.safelinks_referer => Some(0),
        "proxy_open:gmail_proxy" | "proxy_open:gmail_prefetch" => Some(1),
        "proxy_open:yahoo_proxy" => Some(2),
        _ => None,
    }
}

/// The group of a recipient of whom no visit tells: by the last digit of the number in the id.
fn other(recipient_id: &str) -> usize {
    let digit = recipient_id.bytes().last().map_or(0, |byte| usize::from(byte % 10));
    OTHERS[digit]
}
