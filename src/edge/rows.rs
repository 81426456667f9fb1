//! The object's `SQLite` storage as a message's database ([`crate::message::sql`] has the schema), and its transactions.

use std::cell::Cell;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Error, Result, SqlStorage, SqlStorageValue, State};

use crate::message::sql::{Columns, Database, Mismatch, Value};

#[wasm_bindgen]
extern "C" {
    /// What workers-rs 0.8.7 does not bind.
    type Storage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &Storage,
        call: &mut dyn FnMut() -> std::result::Result<(), JsValue>,
    ) -> std::result::Result<JsValue, JsValue>;
}

/// Runs a call: what it writes is there afterwards as a whole, or not at all where it fails.
pub(super) fn transaction<T>(state: &State, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let storage = state.as_raw().storage()?;
    let (mut call, mut outcome) = (Some(call), None);
    let committed = storage.unchecked_ref::<Storage>().transaction_sync(&mut || {
        outcome = call.take().map(|call| call());
        // What is thrown here rolls back; the reason is kept on this side.
        if matches!(outcome, Some(Ok(_))) { Ok(()) } else { Err(JsValue::NULL) }
    });
    match (outcome, committed) {
        (Some(Ok(done)), Ok(_)) => Ok(done),
        (Some(Err(error)), _) => Err(error),
        (_, Err(thrown)) => Err(thrown.into()),
        (None, Ok(_)) => Err(Error::RustError("storage: the transaction did not run".to_owned())),
    }
}

/// The rows in one object's storage.
pub(super) struct Rows {
    sql: SqlStorage,
    written: Cell<usize>,
}

impl Rows {
    pub(super) fn new(sql: SqlStorage) -> Self {
        Self { sql, written: Cell::new(0) }
    }

    /// Rows written so far, as they are billed; alarms are not among them.
    pub(super) fn written(&self) -> usize {
        self.written.get()
    }

    /// The size of the database, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.sql.database_size()
    }
}

impl From<Mismatch> for Error {
    fn from(Mismatch(wanted): Mismatch) -> Self {
        Self::RustError(format!("storage: {wanted} expected"))
    }
}

impl Database for Rows {
    type Error = Error;

    fn run(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<()>,
    ) -> Result<usize> {
        let bound = |value: Value| match value {
            Value::Null => SqlStorageValue::Null,
            Value::Integer(number) => SqlStorageValue::Integer(number),
            Value::Text(text) => SqlStorageValue::String(text),
            Value::Blob(bytes) => SqlStorageValue::Blob(bytes),
        };
        let found = |value: SqlStorageValue| match value {
            SqlStorageValue::Integer(number) => Value::Integer(number),
            SqlStorageValue::String(text) => Value::Text(text),
            SqlStorageValue::Blob(bytes) => Value::Blob(bytes),
            // No column is a truth value or a float: neither is what any reader expects.
            SqlStorageValue::Null | SqlStorageValue::Boolean(_) | SqlStorageValue::Float(_) => Value::Null,
        };
        let cursor = self.sql.exec(statement, values.into_iter().map(bound).collect::<Vec<_>>())?;
        for row in cursor.raw() {
            each(&mut Columns::new(row?.into_iter().map(found).collect()))?;
        }
        let written = cursor.rows_written();
        self.written.set(self.written.get() + written);
        Ok(written)
    }
}
