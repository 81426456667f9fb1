//! What is wrong with an input, told on stderr line by line and counted.

use indicatif::ProgressBar;

use crate::say::say;

/// The complaints of a run.
pub(crate) struct Complaints {
    input: String,
    bad: usize,
    bar: ProgressBar,
}

impl Complaints {
    /// `input` is what the lines are called by: a file's name, or `stdin`.
    pub(crate) fn new(input: String, bar: ProgressBar) -> Self {
        Self { input, bad: 0, bar }
    }

    /// Tells that a line is bad and why.
    pub(crate) fn add(&mut self, line: u64, problem: &str) {
        self.bad += 1;
        // What stands in the input may be quoted: it must neither break the line nor steer the terminal.
        let problem = problem.replace(char::is_control, "\u{fffd}");
        self.bar.suspend(|| say(&format!("{}:{line}: {problem}", self.input)));
    }

    /// How many lines were bad.
    pub(crate) fn bad(&self) -> usize {
        self.bad
    }

    /// What the lines are called by.
    pub(crate) fn input(&self) -> &str {
        &self.input
    }

    /// Shows how far the reading is.
    pub(crate) fn progress(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Takes the progress bar away: the input is read.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
