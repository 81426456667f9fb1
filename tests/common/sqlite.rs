//! A message's rows in `SQLite` itself, shared between the lives of a message as storage is. It counts what it does, and has
//! a fuse: the write after which everything fails, as storage does when the process dies.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use clickproof::event::pack::{PackRow, Stored};
use clickproof::message::sql::{Columns, Database, Mismatch, Value};
use clickproof::record::{EventId, packed};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

/// How often a statement ran, and how many rows it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    pub times: usize,
    pub rows: usize,
}

struct Inner {
    connection: Connection,
    ran: RefCell<BTreeMap<String, Ran>>,
    written: Cell<usize>,
    fuse: Cell<Option<u64>>,
    fuse_of_all: Cell<Option<u64>>,
}

#[derive(Clone)]
pub struct Sqlite(Rc<Inner>);

#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The fuse.
    Blown,
    /// A column of another type.
    Mismatch(&'static str),
}

impl From<Mismatch> for Failure {
    fn from(Mismatch(words): Mismatch) -> Self {
        Self::Mismatch(words)
    }
}

impl Default for Sqlite {
    fn default() -> Self {
        Self::on(Connection::open_in_memory().unwrap())
    }
}

impl Sqlite {
    fn on(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        let (ran, written, fuse) = (RefCell::default(), Cell::default(), Cell::default());
        Self(Rc::new(Inner { connection, ran, written, fuse, fuse_of_all: Cell::default() }))
    }

    /// The bytes of all that it holds, without what `SQLite` has deleted and not yet written over.
    pub fn bytes(&self) -> Vec<u8> {
        let file = std::env::temp_dir().join(format!(
            "clickproof-{}-{:p}.sqlite",
            std::process::id(),
            &raw const *self.0
        ));
        self.0.connection.execute("VACUUM INTO ?", [file.to_str()]).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        bytes
    }

    /// A copy of a database file, in memory.
    pub fn copy_of(file: &Path) -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.restore("main", file, None::<fn(rusqlite::backup::Progress)>).unwrap();
        Self::on(connection)
    }

    /// A copy of its own, as it is now.
    pub fn copy(&self) -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        let backup = rusqlite::backup::Backup::new(&self.0.connection, &mut connection).unwrap();
        backup.run_to_completion(1_000, std::time::Duration::ZERO, None).unwrap();
        drop(backup);
        Self::on(connection)
    }

    /// Runs a call as the object does: all that it writes is there afterwards, or nothing.
    pub fn transaction<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let run = |statement| self.0.connection.execute_batch(statement).unwrap();
        run("BEGIN");
        let result = call();
        run(if result.is_ok() { "COMMIT" } else { "ROLLBACK" });
        result
    }

    /// So many writes still succeed.
    pub fn set_fuse(&self, writes: Option<u64>) {
        self.0.fuse.set(writes);
    }

    /// So many statements still succeed, those that read among them; returns how many it would have been by the last call.
    pub fn set_fuse_of_all(&self, statements: Option<u64>) -> Option<u64> {
        self.0.fuse_of_all.replace(statements)
    }

    /// Rows written, as the platform counts them; alarms are not among them.
    pub fn written(&self) -> usize {
        self.0.written.get()
    }

    /// What all statements did.
    pub fn ran_in_all(&self) -> Ran {
        self.ran("")
    }

    /// What statements with such a text did.
    pub fn ran(&self, text: &str) -> Ran {
        let all = self.0.ran.borrow();
        all.iter().filter(|(statement, _)| statement.contains(text)).fold(Ran::default(), |sum, (_, ran)| {
            Ran { times: sum.times + ran.times, rows: sum.rows + ran.rows }
        })
    }

    /// Begins to count anew.
    pub fn forget_counts(&self) {
        self.0.ran.borrow_mut().clear();
    }

    /// How many rows a table has, closed weeks with it: none where it was not made.
    pub fn rows_of(&self, table: &str) -> usize {
        let count = |row: &rusqlite::Row| row.get::<_, u32>(0);
        let rows =
            |name: &String| self.0.connection.query_row(&format!("SELECT count(*) FROM {name}"), [], count);
        self.weeks_of(table).iter().map(|name| rows(name).unwrap() as usize).sum()
    }

    /// A table and its closed weeks, by name.
    pub fn weeks_of(&self, table: &str) -> Vec<String> {
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = ?1 OR name GLOB ?1 || '_1*') ORDER BY name";
        let mut statement = self.0.connection.prepare(names).unwrap();
        statement.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Changes the rows behind the message's back.
    pub fn change(&self, statement: &str) {
        self.0.connection.execute_batch(statement).unwrap();
    }

    /// The bytes that a statement asks for, a row each.
    pub fn blobs(&self, statement: &str) -> Vec<Vec<u8>> {
        let mut statement = self.0.connection.prepare(statement).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Every pack, in order.
    pub fn packs(&self) -> Vec<PackRow> {
        let mut packs = Vec::new();
        self.each_pack(&mut |pack| packs.push(pack));
        packs
    }

    /// The same one after the other: those of millions are larger than all that is made of them.
    pub fn each_pack(&self, each: &mut dyn FnMut(PackRow)) {
        let mut statement = self.0.connection.prepare("SELECT * FROM packs ORDER BY number").unwrap();
        let pack = |row: &rusqlite::Row| {
            Ok(PackRow {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                first_ms: row.get(1)?,
                last_ms: row.get(2)?,
                open_from_ms: row.get(3)?,
                keys: row.get(4)?,
                body: match row.get(5)? {
                    rusqlite::types::Value::Text(text) => Stored::Json(text),
                    rusqlite::types::Value::Blob(bytes) => Stored::Bytes(bytes),
                    other => panic!("{other:?}"),
                },
            })
        };
        statement.query_map([], pack).unwrap().map(Result::unwrap).for_each(each);
    }

    /// The ids of all clicks.
    pub fn ids(&self) -> Vec<EventId> {
        let mut ids: Vec<EventId> = Vec::new();
        for week in self.weeks_of("batches") {
            let mut statement = self.0.connection.prepare(&format!("SELECT records FROM {week}")).unwrap();
            let batches = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            let clicks = batches.flat_map(|batch| packed::all(&batch.unwrap()).unwrap());
            ids.extend(clicks.map(|(id, _)| id));
        }
        ids.sort_unstable();
        ids
    }
}

struct Bound(Value);

impl ToSql for Bound {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(value: ValueRef) -> Value {
    match value {
        // A fraction is none either, as the object reads it: no column is one.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl Database for Sqlite {
    type Error = Failure;

    fn run(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        let Inner { connection, ran, written, fuse, fuse_of_all } = &*self.0;
        if let Some(left) = fuse_of_all.get() {
            fuse_of_all.set(Some(left.checked_sub(1).ok_or(Failure::Blown)?));
        }
        let is_schema = statement.contains("CREATE TABLE");
        let mut prepared = if is_schema { None } else { Some(connection.prepare_cached(statement).unwrap()) };
        if prepared.as_ref().is_none_or(|prepared| !prepared.readonly())
            && let Some(left) = fuse.get()
        {
            fuse.set(Some(left.checked_sub(1).ok_or(Failure::Blown)?));
        }
        let Some(prepared) = &mut prepared else {
            connection.execute_batch(statement).unwrap();
            return Ok(0);
        };
        let before = connection.total_changes();
        let columns = prepared.column_count();
        let mut found = 0;
        let mut rows = prepared.query(params_from_iter(values.into_iter().map(Bound))).unwrap();
        while let Some(row) = rows.next().unwrap() {
            found += 1;
            let values = (0..columns).map(|at| value(row.get_ref(at).unwrap())).collect();
            each(&mut Columns::new(values))?;
        }
        let mut ran = ran.borrow_mut();
        // Lists of marks differ by their length alone.
        let statement = statement.split(" IN (").next().unwrap_or(statement);
        let ran = ran.entry(statement.to_owned()).or_default();
        (ran.times, ran.rows) = (ran.times + 1, ran.rows + found);
        let changes = usize::try_from(connection.total_changes() - before).unwrap();
        written.set(written.get() + changes);
        Ok(changes)
    }
}
