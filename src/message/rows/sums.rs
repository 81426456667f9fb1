//! Sums of packs, and what the sender tells of the message.

use super::Rows;
use crate::json::Json;
use crate::message::sql::{Database, Table, Value};
use crate::report::About;

/// A value has 2 MB (Durable Objects limits, 2026-11): a longer sum is cut.
const PART_BYTES: usize = 1_000_000;

/// Which packs a sum is of: from and to, both included.
pub(in crate::message) type Span = (u64, u64);

impl<D: Database> Rows<D> {
    /// The spans that there are sums of, in their order: they follow each other without a gap.
    pub(in crate::message) fn spans(&self) -> Result<Vec<Span>, D::Error> {
        let mut spans = Vec::new();
        if !self.has(Table::Sums)? {
            return Ok(spans);
        }
        let statement = "SELECT first_pack, last_pack FROM sums WHERE part = 0 ORDER BY first_pack";
        self.query(statement, Vec::new(), &mut |columns| {
            spans.push((columns.natural()?, columns.natural()?));
            Ok(())
        })?;
        Ok(spans)
    }

    /// The sum of a span, as bytes.
    pub(in crate::message) fn sum(&self, (first, _): Span) -> Result<Vec<u8>, D::Error> {
        let (mut bytes, statement) =
            (Vec::new(), "SELECT first_pack, body FROM sums WHERE first_pack = ? ORDER BY part");
        self.query(statement, vec![first.into()], &mut |columns| {
            columns.natural()?;
            bytes.extend(columns.blob()?);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Puts a sum in, in place of all that begin in its span.
    pub(in crate::message) fn put_sum(&self, (first, last): Span, bytes: &[u8]) -> Result<(), D::Error> {
        self.make(Table::Sums)?;
        self.forget_sums(first)?;
        for (part, body) in (0_i64..).zip(bytes.chunks(PART_BYTES)) {
            let values = vec![first.into(), part.into(), last.into(), Value::Blob(body.to_vec())];
            self.write("INSERT INTO sums VALUES (?, ?, ?, ?)", values)?;
        }
        Ok(())
    }

    /// Forgets all sums from a pack on.
    pub(in crate::message) fn forget_sums(&self, first: u64) -> Result<(), D::Error> {
        if self.has(Table::Sums)? {
            self.write("DELETE FROM sums WHERE first_pack >= ?", vec![first.into()])?;
        }
        Ok(())
    }

    /// What the sender has told of the message.
    pub(in crate::message) fn about(&self) -> Result<Option<About>, D::Error> {
        let mut about = None;
        if !self.has(Table::About)? {
            return Ok(about);
        }
        self.query("SELECT told FROM about", Vec::new(), &mut |columns| {
            let told = columns.text()?;
            let read = Json::parse(&told).ok().map(|body| About::read(&body, &|_| Ok(())));
            about = read.and_then(Result::ok);
            Ok(())
        })?;
        Ok(about)
    }

    pub(in crate::message) fn put_about(&self, told: &str) -> Result<(), D::Error> {
        self.make(Table::About)?;
        self.write("INSERT OR REPLACE INTO about VALUES (1, ?)", vec![told.into()]).map(|_| ())
    }
}
