//! What a ruleset finds about one click: a type, how sure, by which rule, for which reasons.

use std::borrow::Cow;

use serde::Serialize;

use crate::record::named::named;

named! {
    /// What made a click. The names are the contract's (§5, §6) and stand in every event and report.
    pub enum ClickType: serde {
        /// A person.
        Human = "human",
        /// Safe Links checked the URL when the message was delivered.
        ScannerSafelinksDelivery = "scanner_safelinks_delivery",
        /// Safe Links checked the URL because a person clicked it; that click stands beside this one.
        ScannerTimeOfClick = "scanner_timeofclick",
        /// Safe Attachments detonated every link of the copy.
        ScannerSafeAttachments = "scanner_safe_attachments",
        /// Campaign correlation fetched one link across many recipients.
        ScannerCampaignView = "scanner_campaign_view",
        /// Automated investigation, or a mailbox intelligence crawl, long after the send.
        ScannerAirOrMbi = "scanner_air_or_mbi",
        /// It says so itself.
        ScannerDeclared = "scanner_declared",
        /// A mail gateway, or another scanner known by its network.
        ScannerGateway = "scanner_gateway",
        /// Many links of one copy at once.
        ScannerSweep = "scanner_sweep",
        /// Many recipients from one source at once.
        ScannerFanout = "scanner_fanout",
        /// Headers that contradict the agent, from a hosting network.
        ScannerHeadless = "scanner_headless",
        /// An open that a mail provider's image proxy or privacy prefetch made: it says nothing of a person.
        ProxyOpen = "proxy_open",
        /// One link of one copy requested again and again.
        ScannerRepeat = "scanner_repeat",
    }
}

impl ClickType {
    /// Every type that a click can have, in the order in which reports list them.
    pub const CLICKS: [Self; 12] = [
        Self::Human,
        Self::ScannerSafelinksDelivery,
        Self::ScannerTimeOfClick,
        Self::ScannerSafeAttachments,
        Self::ScannerCampaignView,
        Self::ScannerAirOrMbi,
        Self::ScannerDeclared,
        Self::ScannerGateway,
        Self::ScannerSweep,
        Self::ScannerFanout,
        Self::ScannerHeadless,
        Self::ScannerRepeat,
    ];

    /// How many types there are, opens' included.
    pub const COUNT: usize = Self::ALL.len();

    /// What happened, in a sentence for people who send mail.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Human => "A person opened this link",
            Self::ScannerSafelinksDelivery => {
                "Microsoft Safe Links checked this link as the mail was delivered"
            }
            Self::ScannerTimeOfClick => {
                "Microsoft Safe Links checked this link because a person was opening it"
            }
            Self::ScannerSafeAttachments => {
                "Microsoft Safe Attachments opened the links of this mail to see whether they are safe"
            }
            Self::ScannerCampaignView => {
                "Microsoft opened this link in many recipients' mails at once, to judge the campaign as a whole"
            }
            Self::ScannerAirOrMbi => {
                "Microsoft looked into this mail long after it came, as it does after an alarm"
            }
            Self::ScannerDeclared => "A program opened this link, and says so itself",
            Self::ScannerGateway => "A mail security service opened this link to check it",
            Self::ScannerSweep => {
                "A machine opened several links of this mail at once, faster than a person does"
            }
            Self::ScannerFanout => "One machine opened this link in many recipients' mails within moments",
            Self::ScannerHeadless => "A program opened this link: no person's browser asks like that",
            Self::ScannerRepeat => "A program asked for this link again and again",
            Self::ProxyOpen => {
                "A mail provider fetched this picture by itself, whether anybody read the mail or not"
            }
        }
    }

    /// Whether a machine made the click: the name begins with `scanner_`.
    #[must_use]
    pub fn is_bot(self) -> bool {
        self.name().starts_with("scanner_")
    }

    /// Whether it is one of the published Defender table's five scanner types.
    #[must_use]
    pub const fn is_defender_bot(self) -> bool {
        matches!(
            self,
            Self::ScannerSafelinksDelivery
                | Self::ScannerTimeOfClick
                | Self::ScannerSafeAttachments
                | Self::ScannerCampaignView
                | Self::ScannerAirOrMbi
        )
    }
}

named! {
    /// How sure a verdict is. Proof of a person overturns `Probable`, never `Certain`.
    pub enum Confidence: serde {
        /// The evidence cannot come from a person.
        Certain = "certain",
        /// The evidence points one way; a person could have left it.
        Probable = "probable",
    }
}

/// What a ruleset found about one click, before it gets a revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Finding {
    /// What the click was; `None` for a record that is not a click.
    pub click_type: Option<ClickType>,
    /// Whose scanner it was.
    pub vendor: Option<Cow<'static, str>>,
    /// How sure.
    pub confidence: Confidence,
    /// The id of the rule that decided.
    pub rule: Cow<'static, str>,
    /// Every signal that spoke: `+name` for a scanner, `-name` for a person.
    pub reasons: Vec<Cow<'static, str>>,
    /// The `event_id` of the other click of a pair.
    pub paired_with: Option<Box<str>>,
}

impl Finding {
    /// What every record of another kind than `click` gets under the published table.
    #[must_use]
    pub fn not_a_click() -> Self {
        Self {
            click_type: None,
            vendor: None,
            confidence: Confidence::Certain,
            rule: Cow::Borrowed("not_a_click"),
            reasons: Vec::new(),
            paired_with: None,
        }
    }
}
