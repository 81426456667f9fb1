//! What becomes known of clicks after they came: repeats, delivery times, landing pages, acts, and whose clicks are to be
//! judged again.

use super::week::of_week;
use super::{Rows, values};
use crate::message::sql::{Columns, Database, Mismatch, Table, Value};
use crate::record::{EventId, Kind, Sighting, Verified};
use crate::verdict::Key;

/// Recipients whose settled clicks are judged again, pack by pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::message) struct Revisit {
    /// Its number; 0 until it is stored.
    pub number: u64,
    /// Whose clicks: the first halves of their keys, ascending; all clicks where there are none.
    pub recipients: Vec<u64>,
    /// Their clicks in packs up to this one are done.
    pub done_pack: u64,
    /// The last pack in which there are any: what settles later knows already.
    pub last_pack: u64,
}

impl Revisit {
    /// Whether every click is to be judged again.
    pub(in crate::message) fn is_of_all(&self) -> bool {
        self.recipients.is_empty()
    }
}

impl<D: Database> Rows<D> {
    /// Counts clicks on the record that stands for them.
    pub(in crate::message) fn add_repeats(&self, id: EventId, count: i64) -> Result<(), D::Error> {
        self.make(Table::Repeats)?;
        let statement =
            "INSERT INTO repeats VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count";
        self.write(statement, vec![id.into(), count.into()]).map(|_| ())
    }

    /// The clicks counted on records between two ids, the second left out.
    pub(in crate::message) fn repeats(
        &self,
        from: EventId,
        until: EventId,
    ) -> Result<Vec<(EventId, i64)>, D::Error> {
        let mut repeats = Vec::new();
        if !self.has(Table::Repeats)? {
            return Ok(repeats);
        }
        let statement = "SELECT event_id, count FROM repeats WHERE event_id >= ? AND event_id < ?";
        self.query(statement, vec![from.into(), until.into()], &mut |columns| {
            repeats.push((columns.id()?, columns.integer()?));
            Ok(())
        })?;
        Ok(repeats)
    }

    /// The delivery times and bounces of a bucket (see [`super::deliveries`]); empty when there are none.
    pub(in crate::message) fn deliveries(&self, bucket: u8) -> Result<Vec<u8>, D::Error> {
        let (mut entries, statement) =
            (Vec::new(), "SELECT bucket, entries FROM deliveries WHERE bucket = ?");
        if !self.has(Table::Deliveries)? {
            return Ok(entries);
        }
        self.query(statement, vec![i64::from(bucket).into()], &mut |columns| {
            columns.integer()?;
            entries = columns.blob()?;
            Ok(())
        })?;
        Ok(entries)
    }

    pub(in crate::message) fn put_deliveries(&self, bucket: u8, entries: &[u8]) -> Result<(), D::Error> {
        self.make(Table::Deliveries)?;
        let values = vec![i64::from(bucket).into(), Value::Blob(entries.to_vec())];
        self.write("INSERT OR REPLACE INTO deliveries VALUES (?, ?)", values).map(|_| ())
    }

    pub(in crate::message) fn has_deliveries(&self) -> Result<bool, D::Error> {
        self.has(Table::Deliveries)
    }

    /// Keeps what the landing page of a click showed, in place of what it showed before.
    pub(in crate::message) fn put_verification(
        &self,
        click: EventId,
        sighting: &Sighting,
    ) -> Result<(), D::Error> {
        self.make(Table::Verifications)?;
        let since_load_ms = sighting.since_load_ms.map_or(Value::Null, Value::from);
        let level = (sighting.verified as i64).into();
        let values = vec![click.into(), sighting.event_id.into(), level, since_load_ms];
        self.write("INSERT OR REPLACE INTO verifications VALUES (?, ?, ?, ?)", values).map(|_| ())
    }

    /// Hands over what the landing pages of these clicks showed, in any order; a click without one is left out.
    pub(in crate::message) fn verifications(
        &self,
        clicks: &[EventId],
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), D::Error> {
        // What the page showed later stands in a later week.
        let statement = "SELECT * FROM verifications WHERE click IN ({marks})";
        let from_ms = clicks.iter().min().map_or(i64::MIN, |click| click.ts_ms());
        for week in self.weeks(statement, from_ms)? {
            self.query_any(&of_week(statement, &week), values(clicks), &mut |columns| {
                let (click, sighting) = verification(columns)?;
                each(click, sighting);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Hands over what the landing pages of the clicks from an id on showed.
    pub(in crate::message) fn verifications_from(
        &self,
        from: EventId,
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), D::Error> {
        let statement = "SELECT * FROM verifications WHERE click >= ?";
        self.query_weeks(statement, from.ts_ms(), &[from.into()], &mut |columns| {
            let (click, sighting) = verification(columns)?;
            each(click, sighting);
            Ok(())
        })
    }

    pub(in crate::message) fn has_verifications(&self) -> Result<bool, D::Error> {
        self.has(Table::Verifications)
    }

    /// The presses of an act (see [`super::acts`]), oldest first, and whether each is told.
    pub(in crate::message) fn presses(&self, act: Key) -> Result<Vec<(EventId, bool)>, D::Error> {
        let mut presses = Vec::new();
        if !self.has(Table::Presses)? {
            return Ok(presses);
        }
        let statement = "SELECT event_id, told FROM presses WHERE act = ? ORDER BY event_id";
        self.query(statement, vec![act.into()], &mut |columns| {
            presses.push((columns.id()?, columns.integer()? != 0));
            Ok(())
        })?;
        Ok(presses)
    }

    /// Adds a press to an act of that kind, untold.
    pub(in crate::message) fn put_press(&self, act: Key, id: EventId, kind: Kind) -> Result<(), D::Error> {
        self.make(Table::Presses)?;
        let statement = "INSERT INTO presses VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING";
        self.write(statement, vec![act.into(), id.into(), (kind as i64).into()]).map(|_| ())
    }

    pub(in crate::message) fn mark_told(&self, act: Key, id: EventId) -> Result<(), D::Error> {
        let statement = "UPDATE presses SET told = 1 WHERE act = ? AND event_id = ?";
        self.write(statement, vec![act.into(), id.into()]).map(|_| ())
    }

    /// The presses that are not told yet, oldest first.
    pub(in crate::message) fn untold(&self) -> Result<Vec<(Key, EventId, Kind)>, D::Error> {
        let mut untold = Vec::new();
        if !self.has(Table::Presses)? {
            return Ok(untold);
        }
        let statement = "SELECT act, event_id, kind FROM presses WHERE told = 0 ORDER BY event_id";
        self.query(statement, Vec::new(), &mut |columns| {
            let (act, id) = (columns.key()?, columns.id()?);
            let number = columns.natural().unwrap_or(u64::MAX);
            let kind = Kind::ALL.into_iter().find(|kind| *kind as u64 == number).ok_or(Mismatch("a kind"));
            // What kind it is decides only whether it waits for its verdict, and to wait is never wrong.
            untold.push((act, id, kind.unwrap_or(Kind::Confirm)));
            kind.map(|_| ())
        })?;
        Ok(untold)
    }

    /// Keeps a revisit, under its number or a new one, which it gets; one that is done is deleted.
    pub(in crate::message) fn put_revisit(&self, revisit: &mut Revisit) -> Result<(), D::Error> {
        let (number, done) = (revisit.number, revisit.done_pack);
        if done >= revisit.last_pack {
            return self.write("DELETE FROM revisits WHERE number = ?", vec![number.into()]).map(|_| ());
        }
        if number > 0 {
            let statement = "UPDATE revisits SET done_pack = ? WHERE number = ?";
            return self.write(statement, vec![done.into(), number.into()]).map(|_| ());
        }
        self.make(Table::Revisits)?;
        let last = "SELECT coalesce(max(number), 0) + 1 FROM revisits";
        self.query(last, Vec::new(), &mut |columns| {
            revisit.number = columns.natural()?;
            Ok(())
        })?;
        let recipients = revisit.recipients.iter().flat_map(|short| short.to_be_bytes()).collect();
        let (number, last_pack) = (revisit.number.into(), revisit.last_pack.into());
        let values = vec![number, Value::Blob(recipients), done.into(), last_pack];
        self.write("INSERT INTO revisits VALUES (?, ?, ?, ?)", values).map(|_| ())
    }

    /// The revisits that are not done, oldest first.
    pub(in crate::message) fn revisits(&self) -> Result<Vec<Revisit>, D::Error> {
        let mut revisits = Vec::new();
        if !self.has(Table::Revisits)? {
            return Ok(revisits);
        }
        self.query("SELECT * FROM revisits ORDER BY number", Vec::new(), &mut |columns| {
            let (number, bytes) = (columns.natural()?, columns.blob()?);
            let recipients = bytes.as_chunks().0.iter().map(|short| u64::from_be_bytes(*short)).collect();
            let (done_pack, last_pack) = (columns.natural()?, columns.natural()?);
            revisits.push(Revisit { number, recipients, done_pack, last_pack });
            Ok(())
        })?;
        Ok(revisits)
    }
}

fn verification(columns: &mut Columns) -> Result<(EventId, Sighting), Mismatch> {
    let (click, event_id, level) = (columns.id()?, columns.id()?, columns.natural()?);
    let known = |verified: &Verified| *verified as u64 == level;
    let verified = Verified::ALL.into_iter().find(known).ok_or(Mismatch("a level"))?;
    Ok((click, Sighting { event_id, verified, since_load_ms: columns.number()? }))
}
