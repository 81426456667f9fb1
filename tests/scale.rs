//! The simulation of a large send in small (`cargo bench --profile release --bench scale` plays it at length): some ten thousand clicks over
//! four shards, while calls get lost and objects die. The verdicts that stand at the end are those of the whole history.

mod common;

use common::scale::{Setup, play};
use common::several::Meter;
use common::traffic::Sending;

#[test]
fn a_send_in_small_is_judged_as_its_whole_history_is() {
    let send =
        Sending { recipients: 60_000, clicks: 10_000, clicks_per_second: 150, stragglers: 1_000, seed: 7 };
    let setup = Setup { send, shards: 4, isolates: 16, has_faults: true };
    let play = play(setup, Meter::default());
    let counts = play.counts;
    assert!(counts.deaths > 0 && counts.again > 0 && counts.late > 0 && counts.shown > 0, "{counts:?}");
    assert!(counts.calls < counts.clicks, "{counts:?}");
    let verdicts = play.into_verdicts();
    assert!(verdicts.amended > 0);
    let (rules, wrong) = verdicts.compare(send);
    assert_eq!(wrong, 0, "verdicts that are others than the whole history's");
    for rule in ["campaign_view", "fanout", "carry_over", "timeofclick_pair", "safe_attachments", "sweep"] {
        assert!(rules.iter().any(|((_, name), _)| name == rule), "{rule} must occur: {rules:?}");
    }
}
