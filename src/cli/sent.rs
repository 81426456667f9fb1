//! How large a message is that is being minted: what several commands take alike, and what they say of it.

use clickproof::link::shard;

use crate::say::say;

/// To how many the message goes.
#[derive(clap::Args)]
pub(crate) struct Sent {
    /// To how many recipients the message goes: says on stderr how many shards its links need
    #[arg(long, value_name = "COUNT")]
    pub(crate) sent: Option<u64>,
}

impl Sent {
    /// Says how many shards the message needs.
    pub(crate) fn advise(&self) {
        if let Some(sent) = self.sent {
            let shards = shard::needed(sent);
            say(&format!(
                "advice: {sent} recipients: mint all links of the message with \"shards\":{shards}"
            ));
        }
    }
}
