//! A message's rows in memory, shared between the lives of a message as storage is, with a fuse: the call after which
//! everything fails, as storage does when the process dies.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use clickproof::event::pack::PackRow;
use clickproof::message::store::{Meta, Store};
use clickproof::record::EventId;
use clickproof::record::Kind;
use clickproof::record::Sighting;
use clickproof::verdict::Key;

#[derive(Default)]
pub struct Rows {
    pub meta: RefCell<Option<Meta>>,
    pub clicks: RefCell<BTreeMap<EventId, String>>,
    pub packs: RefCell<BTreeMap<u64, PackRow>>,
    pub repeats: RefCell<BTreeMap<EventId, i64>>,
    pub deliveries: RefCell<BTreeMap<u8, Vec<u8>>>,
    pub verifications: RefCell<BTreeMap<EventId, Sighting>>,
    /// The presses of acts, their kinds, and whether they are told.
    pub presses: RefCell<BTreeMap<(Key, EventId), (Kind, bool)>>,
    /// Rows written, as the platform counts them.
    pub written: Cell<u64>,
    /// Clicks read.
    pub read: Cell<usize>,
    /// How often verifications of single clicks were asked for.
    pub asked: Cell<usize>,
    /// How often the keys of packs were gone through.
    pub scans: Cell<usize>,
    /// How many writes still succeed.
    pub fuse: Cell<Option<u64>>,
}

#[derive(Clone, Default)]
pub struct Memory(pub Rc<Rows>);

#[derive(Debug, PartialEq, Eq)]
pub struct Blown;

impl Memory {
    fn write(&self) -> Result<(), Blown> {
        if let Some(left) = self.0.fuse.get() {
            if left == 0 {
                return Err(Blown);
            }
            self.0.fuse.set(Some(left - 1));
        }
        self.0.written.set(self.0.written.get() + 1);
        Ok(())
    }
}

impl Store for Memory {
    type Error = Blown;

    fn meta(&self) -> Result<Option<Meta>, Blown> {
        Ok(self.0.meta.borrow().clone())
    }

    fn create(&self, meta: &Meta) -> Result<(), Blown> {
        self.put_meta(meta)
    }

    fn put_meta(&self, meta: &Meta) -> Result<(), Blown> {
        self.write()?;
        *self.0.meta.borrow_mut() = Some(meta.clone());
        Ok(())
    }

    fn insert_click(&self, id: EventId, record: &str) -> Result<bool, Blown> {
        if self.0.clicks.borrow().contains_key(&id) {
            return Ok(false);
        }
        self.write()?;
        self.0.clicks.borrow_mut().insert(id, record.to_owned());
        Ok(true)
    }

    fn clicks(
        &self,
        from: EventId,
        until: EventId,
        limit: usize,
        each: &mut dyn FnMut(EventId, String),
    ) -> Result<(), Blown> {
        if from < until {
            for (id, json) in self.0.clicks.borrow().range(from..until).take(limit) {
                self.0.read.set(self.0.read.get() + 1);
                each(*id, json.clone());
            }
        }
        Ok(())
    }

    fn clicks_by_id(&self, ids: &[EventId], each: &mut dyn FnMut(EventId, String)) -> Result<(), Blown> {
        self.0.read.set(self.0.read.get() + ids.len());
        for id in ids {
            if let Some(json) = self.0.clicks.borrow().get(id) {
                each(*id, json.clone());
            }
        }
        Ok(())
    }

    fn insert_pack(&self, pack: &PackRow) -> Result<(), Blown> {
        self.write()?;
        let old = self.0.packs.borrow_mut().insert(pack.number, pack.clone());
        assert_eq!(old, None, "a pack is written once");
        Ok(())
    }

    fn packs(&self, from_ms: i64, until_ms: i64, each: &mut dyn FnMut(PackRow)) -> Result<(), Blown> {
        for pack in self.0.packs.borrow().values() {
            if pack.last_ms >= from_ms && pack.first_ms <= until_ms {
                each(pack.clone());
            }
        }
        Ok(())
    }

    fn pack(&self, number: u64) -> Result<Option<PackRow>, Blown> {
        Ok(self.0.packs.borrow().get(&number).cloned())
    }

    fn pack_bounds(&self) -> Result<Option<(u64, i64, i64)>, Blown> {
        let packs = self.0.packs.borrow();
        let Some((number, last)) = packs.last_key_value() else { return Ok(None) };
        Ok(Some((*number, last.open_from_ms, packs.values().map(|pack| pack.first_ms).min().unwrap())))
    }

    fn pack_keys(&self, from_ms: i64, until_ms: i64, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Blown> {
        self.0.scans.set(self.0.scans.get() + 1);
        for pack in self.0.packs.borrow().values() {
            if pack.last_ms >= from_ms && pack.first_ms <= until_ms {
                each(pack.number, &pack.keys);
            }
        }
        Ok(())
    }

    fn add_repeat(&self, id: EventId) -> Result<(), Blown> {
        self.write()?;
        *self.0.repeats.borrow_mut().entry(id).or_default() += 1;
        Ok(())
    }

    fn repeats(&self, from: EventId, until: EventId) -> Result<Vec<(EventId, i64)>, Blown> {
        Ok(self.0.repeats.borrow().range(from..until).map(|(id, count)| (*id, *count)).collect())
    }

    fn deliveries(&self, bucket: u8) -> Result<Vec<u8>, Blown> {
        Ok(self.0.deliveries.borrow().get(&bucket).cloned().unwrap_or_default())
    }

    fn put_deliveries(&self, bucket: u8, entries: &[u8]) -> Result<(), Blown> {
        self.write()?;
        self.0.deliveries.borrow_mut().insert(bucket, entries.to_vec());
        Ok(())
    }

    fn put_verification(&self, click: EventId, sighting: &Sighting) -> Result<(), Blown> {
        self.write()?;
        self.0.verifications.borrow_mut().insert(click, sighting.clone());
        Ok(())
    }

    fn verifications(
        &self,
        clicks: &[EventId],
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), Blown> {
        self.0.asked.set(self.0.asked.get() + usize::from(!clicks.is_empty()));
        for click in clicks {
            if let Some(sighting) = self.0.verifications.borrow().get(click) {
                each(*click, sighting.clone());
            }
        }
        Ok(())
    }

    fn verifications_from(
        &self,
        from: EventId,
        each: &mut dyn FnMut(EventId, Sighting),
    ) -> Result<(), Blown> {
        for (click, sighting) in self.0.verifications.borrow().range(from..) {
            each(*click, sighting.clone());
        }
        Ok(())
    }

    fn has_verifications(&self) -> Result<bool, Blown> {
        Ok(!self.0.verifications.borrow().is_empty())
    }

    fn has_deliveries(&self) -> Result<bool, Blown> {
        Ok(!self.0.deliveries.borrow().is_empty())
    }

    fn presses(&self, act: Key) -> Result<Vec<(EventId, bool)>, Blown> {
        let presses = self.0.presses.borrow();
        let of_it = presses.iter().filter(|((of, _), _)| *of == act);
        Ok(of_it.map(|((_, id), (_, told))| (*id, *told)).collect())
    }

    fn put_press(&self, act: Key, id: EventId, kind: Kind) -> Result<(), Blown> {
        self.write()?;
        self.0.presses.borrow_mut().entry((act, id)).or_insert((kind, false));
        Ok(())
    }

    fn mark_told(&self, act: Key, id: EventId) -> Result<(), Blown> {
        self.write()?;
        if let Some((_, told)) = self.0.presses.borrow_mut().get_mut(&(act, id)) {
            *told = true;
        }
        Ok(())
    }

    fn untold(&self) -> Result<Vec<(Key, EventId, Kind)>, Blown> {
        let presses = self.0.presses.borrow();
        let untold = presses.iter().filter(|(_, (_, told))| !told);
        let mut untold: Vec<_> = untold.map(|((act, id), (kind, _))| (*act, *id, *kind)).collect();
        untold.sort_by_key(|(_, id, _)| *id);
        Ok(untold)
    }
}
