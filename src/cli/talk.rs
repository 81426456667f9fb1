//! Commands that a program may keep open beside itself: each line of JSON is answered as it comes.

use clickproof::json::Json;
use serde::Serialize;

use crate::lines::Lines;
use crate::output::Output;
use crate::stop::Stop;

#[derive(clap::Args)]
pub(crate) struct Talk {
    /// Answer a bad line with `{"error":"…"}`, too: a program that sends a line and waits for its answer gets one to each
    #[arg(long)]
    answer_errors: bool,
}

/// The answer to a bad line, for who waits for one.
#[derive(Serialize)]
struct Refused {
    error: String,
}

impl Talk {
    /// Answers each line, and writes when no more are there yet; says how many lines were bad.
    pub(crate) fn answer<T: Serialize>(
        &self,
        mut lines: Lines,
        mut output: Output,
        answer: &mut dyn FnMut(&Json) -> Result<T, String>,
    ) -> Result<usize, Stop> {
        let mut answered = |line: &str| {
            let line = Json::parse(line).map_err(|problem| format!("not a JSON object: {problem}"))?;
            answer(&line)
        };
        loop {
            if lines.may_wait() {
                output.flush()?;
            }
            let Some(line) = lines.next()? else { break };
            match line.and_then(&mut answered) {
                Ok(answer) => output.line(|block| serde_json::to_writer(block, &answer))?,
                Err(error) => {
                    lines.complain(&error);
                    if self.answer_errors {
                        output.line(|block| serde_json::to_writer(block, &Refused { error }))?;
                    }
                }
            }
        }
        lines.finish();
        output.flush()?;
        Ok(lines.bad())
    }
}
