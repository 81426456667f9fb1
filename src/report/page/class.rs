//! The types of clicks as pictures show them: eyes tell eight colours apart, and twelve types are too many.

use super::super::counts::ByType;
use crate::verdict::ClickType;

/// How many classes there are.
pub(super) const CLASSES: usize = 8;

/// Clicks by class: people's first, as they stand at the bottom.
pub(super) type Stack = [i64; CLASSES];

/// What each class is called. Its place is its colour.
pub(super) const NAMES: [&str; CLASSES] = [
    "People",
    "Safe Links",
    "Safe Attachments",
    "Campaign correlation",
    "Investigations",
    "Mail gateways",
    "Sweeps and repeats",
    "Other programs",
];

/// The class of a type.
pub(super) const fn class(kind: ClickType) -> usize {
    match kind {
        ClickType::Human => 0,
        ClickType::ScannerSafelinksDelivery | ClickType::ScannerTimeOfClick => 1,
        ClickType::ScannerSafeAttachments => 2,
        ClickType::ScannerCampaignView => 3,
        ClickType::ScannerAirOrMbi => 4,
        ClickType::ScannerGateway => 5,
        ClickType::ScannerSweep | ClickType::ScannerFanout | ClickType::ScannerRepeat => 6,
        ClickType::ScannerDeclared | ClickType::ScannerHeadless | ClickType::ProxyOpen => 7,
    }
}

/// Adds counts by type to those by class.
pub(super) fn add(stack: &mut Stack, by_type: &ByType) {
    for (kind, count) in &by_type.0 {
        if let Some(sum) = stack.get_mut(class(*kind)) {
            *sum += count;
        }
    }
}

/// The sum of some stacks.
pub(super) fn sum(stacks: &[Stack]) -> Stack {
    let mut sums = [0; CLASSES];
    for stack in stacks {
        for (sum, count) in sums.iter_mut().zip(stack) {
            *sum += count;
        }
    }
    sums
}
