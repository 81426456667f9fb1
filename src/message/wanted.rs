//! What is wanted of a message: which of its clicks, which form of its report. Each is a text that the edge writes and the object
//! reads.

use crate::event::line;
use crate::record::{Kind, Record};
use crate::report::{Part, Past, diagnosis};
use crate::verdict::{ClickType, Verdict};

/// Which clicks are wanted; all by default. What is `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The kind of link.
    pub kind: Option<Kind>,
    /// What made it.
    pub click_type: Option<ClickType>,
    /// Whose copy.
    pub recipient_id: Option<String>,
    /// Which link.
    pub link_id: Option<String>,
}

impl Filter {
    /// Whether all are wanted.
    #[must_use]
    pub fn wants_all(&self) -> bool {
        *self == Self::default()
    }

    /// Four lines: kind, type, recipient, link; empty where all are wanted.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { kind, click_type, recipient_id, link_id } = self;
        let kind = kind.map(Kind::name).unwrap_or_default();
        let click_type = click_type.map(ClickType::name).unwrap_or_default();
        let (recipient, link) = (recipient_id.as_deref(), link_id.as_deref());
        format!("{kind}\n{click_type}\n{}\n{}", recipient.unwrap_or_default(), link.unwrap_or_default())
    }

    pub(super) fn decode(lines: &str) -> Result<Self, String> {
        let mut lines = lines.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let (kind, click_type) = (line(), line());
        Ok(Self {
            kind: kind.map(|kind| Kind::named(kind).ok_or("filter: bad kind")).transpose()?,
            click_type: click_type
                .map(|name| ClickType::named(name).ok_or("filter: bad type"))
                .transpose()?,
            recipient_id: line().map(str::to_owned),
            link_id: line().map(str::to_owned),
        })
    }

    /// Whether a click is wanted.
    #[must_use]
    pub fn wants(&self, record: &Record, verdict: &Verdict) -> bool {
        self.kind.is_none_or(|kind| record.kind == kind)
            && (self.click_type.is_none() || verdict.finding.click_type == self.click_type)
            && self.recipient_id.as_ref().is_none_or(|id| record.recipient_id == *id)
            && (self.link_id.is_none() || record.link_id == self.link_id)
    }
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it, as JSON.
    Json,
    /// What a list of messages says of one, as JSON.
    Summary,
    /// The line that the report of a later send compares with.
    Past,
    /// What one of several objects has counted ([`Part`]).
    Part,
}

impl Form {
    const ALL: [(&'static str, Self); 4] =
        [("json", Self::Json), ("summary", Self::Summary), ("past", Self::Past), ("part", Self::Part)];
}

/// A wanted report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// In which form.
    pub form: Form,
    /// The message.
    pub message_id: String,
    /// What its sender's sends before it came to, a line each.
    pub past: Vec<String>,
}

impl View {
    /// What was wanted of what was counted.
    #[must_use]
    pub fn of(&self, counted: Part) -> String {
        if self.form == Form::Part {
            return counted.encode();
        }
        let mut report = counted.report(&self.message_id);
        let past: Vec<Past> = self.past.iter().filter_map(|line| Past::decode(line)).collect();
        diagnosis::compare(&mut report, &past);
        match self.form {
            Form::Summary => line::json(&report.summary()),
            Form::Past => Past::of(&report).encode(),
            Form::Json | Form::Part => line::json(&report),
        }
    }

    pub(super) fn encode(&self) -> String {
        let name = Form::ALL.iter().find(|(_, form)| *form == self.form).map_or("", |(name, _)| name);
        let mut body = format!("{name} {}", self.message_id);
        for line in &self.past {
            body.push('\n');
            body.push_str(line);
        }
        body
    }

    pub(super) fn decode(body: &str) -> Option<Self> {
        let mut lines = body.split('\n');
        let (name, message_id) = lines.next()?.split_once(' ')?;
        let form = Form::ALL.into_iter().find(|(known, _)| *known == name)?.1;
        Some(Self { form, message_id: message_id.to_owned(), past: lines.map(str::to_owned).collect() })
    }
}
