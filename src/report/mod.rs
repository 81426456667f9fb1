//! What a message's clicks come to: counts by their current verdicts ([`tally`]), kept as sums ([`stored`]), with what the sender
//! tells of the message ([`about`]). [`figures`] are what a report says, [`diagnosis`] what they mean, [`change`] how they differ from
//! the sends before ([`past`]). A [`part`] is what one of several objects has counted.

mod about;
mod change;
mod counts;
pub mod diagnosis;
mod figures;
mod finding;
mod part;
mod past;
mod share;
mod stored;
pub mod tally;

pub use about::About;
pub use counts::{ByName, ByType, Counts};

pub use figures::{
    Acts, Change, Delay, Difference, Group, Groups, LinkCount, Minute, Opens, Rates, Report, Summary,
    Verifieds,
};
pub use finding::{Diagnosis, Severity};
pub use part::Part;
pub use past::Past;
pub use tally::Tally;
