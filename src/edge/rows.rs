//! The object's `SQLite` storage as a message's database ([`crate::message::sql`] has the schema), and its transactions.

use std::cell::Cell;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::clock::{number, whole};
use super::runtime::{self, Error, Result, Sql, State};
use crate::message::sql::{Columns, Database, Value};

/// Runs a call: what it writes is there afterwards as a whole, or not at all where it fails.
pub(super) fn transaction(state: &State, call: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    let mut outcome = Ok(());
    let committed = state.storage().transaction_sync(&mut || {
        outcome = call();
        // What is thrown here rolls back; the reason is kept on this side.
        if outcome.is_ok() { Ok(()) } else { Err(JsValue::NULL) }
    });
    outcome?;
    committed.map(|_| ()).map_err(Error::from)
}

/// The rows in one object's storage.
pub(super) struct Rows {
    sql: Sql,
    written: Cell<usize>,
}

impl Rows {
    pub(super) fn new(sql: Sql) -> Self {
        Self { sql, written: Cell::new(0) }
    }

    /// Rows written so far, as they are billed; alarms are not among them.
    pub(super) fn written(&self) -> usize {
        self.written.get()
    }

    /// The size of the database, bytes.
    pub(super) fn bytes(&self) -> usize {
        count(self.sql.database_size())
    }
}

fn count(number: f64) -> usize {
    usize::try_from(whole(number)).unwrap_or_default()
}

impl Database for Rows {
    type Error = Error;

    fn run(
        &self,
        statement: &str,
        values: Vec<Value>,
        each: &mut dyn FnMut(&mut Columns) -> Result<()>,
    ) -> Result<usize> {
        let values: Array = values.into_iter().map(bound).collect();
        let mut failed = None;
        let ran = runtime::run(&self.sql, statement, &values, &mut |row: Array| {
            each(&mut Columns::new(row.iter().map(|value| found(&value)).collect())).map_err(|error| {
                failed = Some(error);
                JsValue::NULL
            })
        });
        let written = match (failed, ran) {
            (Some(error), _) => return Err(error),
            (None, ran) => count(ran?),
        };
        self.written.set(self.written.get() + written);
        Ok(written)
    }
}

/// A value as a statement binds it.
fn bound(value: Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(integer) => JsValue::from_f64(number(integer)),
        Value::Text(text) => JsValue::from_str(&text),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}

/// A value of a row: bytes are an `ArrayBuffer`. No column is a truth value or a fraction: neither is what any reader expects.
fn found(value: &JsValue) -> Value {
    if let Some(number) = value.as_f64() {
        if number.fract() == 0.0 { Value::Integer(whole(number)) } else { Value::Null }
    } else if let Some(text) = value.as_string() {
        Value::Text(text)
    } else if value.is_object() {
        Value::Blob(Uint8Array::new(value.unchecked_ref::<JsValue>()).to_vec())
    } else {
        Value::Null
    }
}
