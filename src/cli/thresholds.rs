//! The windows and counts of the rules as flags, generated from the table that the Worker's settings come from.

use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};
use clickproof::verdict::Thresholds;
use clickproof::verdict::thresholds::{SETTINGS, Setting};

/// The thresholds of a command line.
pub(crate) struct Flags(pub(crate) Thresholds);

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        SETTINGS.into_iter().fold(command.next_help_heading("Windows and counts"), |command, setting| {
            command.arg(
                Arg::new(setting.name)
                    .long(setting.name.to_ascii_lowercase().replace('_', "-"))
                    .value_name(if setting.name.ends_with("_MS") { "MS" } else { "COUNT" })
                    .help(capitalised(setting.words))
                    .default_value(setting.default.to_string())
                    // Else a negative number would be taken for a flag, and the answer would not name the bounds.
                    .allow_negative_numbers(true)
                    .value_parser(move |text: &str| value(&setting, text)),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self(Thresholds::default());
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for setting in SETTINGS {
            if let Some(value) = matches.get_one(setting.name) {
                *(setting.slot)(&mut self.0) = *value;
            }
        }
        Ok(())
    }
}

/// Reads a value; what is no number gets the same answer as one out of bounds.
fn value(setting: &Setting, text: &str) -> Result<i64, String> {
    let value = text.parse().ok();
    // One beyond the bound stands for what cannot be read: it is refused by the bounds themselves.
    let value = value.unwrap_or(setting.max.saturating_add(1));
    setting.set(&mut Thresholds::default(), value).map(|()| value)
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
