//! A tally as bytes: the sum of many packs in a row or two. Version 1, in [`columns`](crate::record::columns):
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version |
//! | column | the plain sums, in the order of their list |
//! | column | the first event's time and the last's |
//! | number, 2 columns | vendors: name, count |
//! | number, 1 + types columns | groups: name, counts by type |
//! | number, 4 columns | links: name, URL, clicks, people's |
//! | number, 1 + types columns | minutes: beginning, counts by type |
//! | number, 6 columns | recipients: key, group, link, clicks, people's, time-of-click |
//! | number, 1 column | the shadow ruleset |
//! | number | where there are any, verdicts that cannot be read |
//!
//! A sum can be made again from its packs: one of another version is not read but made anew.

use super::counts::{Counts, Names};
use super::tally::{PerLink, Share, Tally};
use crate::record::columns::{Damaged, Reader, Writer};
use crate::verdict::ClickType;

const VERSION: u8 = 1;

impl Tally {
    /// Writes it.
    #[must_use]
    pub fn seal(mut self) -> Vec<u8> {
        self.sort();
        let mut writer = Writer(vec![VERSION]);
        let sums: Vec<i64> = self.sums.numbers().into_iter().map(|number| *number).collect();
        writer.integers(sums.len(), &|at| sums.get(at).copied());
        let span = self.span_ms;
        writer.integers(2, &|at| span.map(|(first, last)| if at == 0 { first } else { last }));

        let vendors = &self.vendors;
        writer.number(vendors.len() as u64);
        writer.texts(vendors.len(), &|at| vendors.get(at).map(|(name, _)| name.as_str()));
        writer.integers(vendors.len(), &|at| vendors.get(at).map(|(_, count)| *count));

        let groups = self.groups.listed();
        put_named(&mut writer, &groups, &self.per_group);
        let (links, counts) = (self.links.listed(), &self.per_link);
        writer.number(links.len() as u64);
        writer.texts(links.len(), &|at| links.get(at)?.as_deref());
        writer.texts(links.len(), &|at| counts.get(at)?.url.as_deref());
        writer.integers(links.len(), &|at| counts.get(at).map(|link| link.clicks));
        writer.integers(links.len(), &|at| counts.get(at).map(|link| link.human));

        let minutes = &self.minutes;
        writer.number(minutes.len() as u64);
        writer.integers(minutes.len(), &|at| minutes.get(at).map(|(minute, _)| *minute));
        for kind in 0..ClickType::COUNT {
            writer.integers(minutes.len(), &|at| minutes.get(at).map(|(_, counts)| counts[kind]));
        }

        let shares = &self.shares;
        writer.number(shares.len() as u64);
        let columns: [fn(&Share) -> i64; 6] = [
            |share| share.recipient.cast_signed(),
            |share| share.group.into(),
            |share| share.link.into(),
            |share| share.clicks,
            |share| share.human,
            |share| share.time_of_click,
        ];
        for column in columns {
            writer.integers(shares.len(), &|at| shares.get(at).map(column));
        }
        writer.texts(1, &|_| Some(self.shadow.as_str()));
        if let Ok(unreadable @ 1..) = u64::try_from(self.unreadable) {
            writer.number(unreadable);
        }
        writer.0
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is damaged, or of another version.
    pub fn open(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader(bytes);
        if reader.byte()? != VERSION {
            return Err(Damaged);
        }
        let mut tally = Self::default();
        let mut sums = tally.sums.numbers();
        reader.integers(sums.len(), &mut |at, number| {
            if let Some(sum) = sums.get_mut(at) {
                **sum = number;
            }
        })?;
        let span = integers(&mut reader, 2)?;
        tally.span_ms = span[0].zip(span[1]);

        let count = counted(&mut reader)?;
        let names = texts(&mut reader, count)?;
        let counts = integers(&mut reader, count)?;
        for (name, count) in names.into_iter().zip(counts) {
            tally.vendors.push((name.unwrap_or_default(), count.ok_or(Damaged)?));
        }

        let count = counted(&mut reader)?;
        tally.groups = named(&texts(&mut reader, count)?);
        tally.per_group = by_type(&mut reader, count)?;
        let count = counted(&mut reader)?;
        tally.links = named(&texts(&mut reader, count)?);
        let urls = texts(&mut reader, count)?;
        let (clicks, human) = (integers(&mut reader, count)?, integers(&mut reader, count)?);
        for (url, (clicks, human)) in urls.into_iter().zip(clicks.into_iter().zip(human)) {
            let (clicks, human) = (clicks.ok_or(Damaged)?, human.ok_or(Damaged)?);
            tally.per_link.push(PerLink { url, clicks, human });
        }

        let count = counted(&mut reader)?;
        let minutes = integers(&mut reader, count)?;
        for (minute, counts) in minutes.into_iter().zip(by_type(&mut reader, count)?) {
            tally.minutes.push((minute.ok_or(Damaged)?, counts));
        }

        let count = counted(&mut reader)?;
        let none = Share { recipient: 0, group: 0, link: 0, clicks: 0, human: 0, time_of_click: 0 };
        tally.shares = vec![none; count];
        let (groups, links) = (tally.per_group.len(), tally.per_link.len());
        let mut fits = true;
        let mut place = |number: i64, most: usize| {
            let place = u32::try_from(number).unwrap_or(u32::MAX);
            fits &= (place as usize) < most;
            place
        };
        let shares = &mut tally.shares;
        reader.integers(count, &mut |at, number| shares[at].recipient = number.cast_unsigned())?;
        reader.integers(count, &mut |at, number| shares[at].group = place(number, groups))?;
        reader.integers(count, &mut |at, number| shares[at].link = place(number, links))?;
        reader.integers(count, &mut |at, number| shares[at].clicks = number)?;
        reader.integers(count, &mut |at, number| shares[at].human = number)?;
        reader.integers(count, &mut |at, number| shares[at].time_of_click = number)?;
        tally.sorted = count;
        tally.shadow = texts(&mut reader, 1)?.pop().flatten().unwrap_or_default();
        if !reader.0.is_empty() {
            tally.unreadable = i64::try_from(reader.number()?).map_err(|_| Damaged)?;
        }
        if fits && reader.0.is_empty() { Ok(tally) } else { Err(Damaged) }
    }
}

fn put_named(writer: &mut Writer, names: &[Option<String>], counts: &[Counts]) {
    writer.number(names.len() as u64);
    writer.texts(names.len(), &|at| names.get(at)?.as_deref());
    for kind in 0..ClickType::COUNT {
        writer.integers(names.len(), &|at| counts.get(at).map(|counts| counts[kind]));
    }
}

/// A count of things that follow. No two are alike, so each has a byte of its own in some column: a damaged count that says more
/// must not take memory for them.
fn counted(reader: &mut Reader) -> Result<usize, Damaged> {
    let count = reader.count()?;
    if count <= reader.0.len() { Ok(count) } else { Err(Damaged) }
}

fn named(names: &[Option<String>]) -> Names {
    let mut known = Names::default();
    for name in names {
        known.place(name.as_deref());
    }
    known
}

fn texts(reader: &mut Reader, count: usize) -> Result<Vec<Option<String>>, Damaged> {
    let mut found = vec![None; count];
    reader.texts(count, &|_| true, &mut |at, text| found[at] = Some(text))?;
    Ok(found)
}

fn integers(reader: &mut Reader, count: usize) -> Result<Vec<Option<i64>>, Damaged> {
    let mut found = vec![None; count];
    reader.integers(count, &mut |at, number| found[at] = Some(number))?;
    Ok(found)
}

fn by_type(reader: &mut Reader, count: usize) -> Result<Vec<Counts>, Damaged> {
    let mut found = vec![[0; ClickType::COUNT]; count];
    for kind in ClickType::ALL {
        reader.integers(count, &mut |at, number| found[at][kind as usize] = number)?;
    }
    Ok(found)
}
