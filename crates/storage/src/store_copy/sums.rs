//! Verifies a copy by the number of rows of each table and a digest that does not depend on their order.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use futures_util::TryStreamExt as _;
use keys::sha256;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::store_copy::session::CopySession;
use crate::store_copy::tables::CopiedTable;

/// The number of rows of a table, and their digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSum {
    pub rows: u64,
    digest: [u64; 4],
}

/// The rows of a table that were copied before: the hash of each row by the hash of its key.
pub(super) type Known = HashMap<[u8; 16], [u8; 16]>;

/// A row's text, the hash of its key, and the hash of the whole row.
pub(super) struct SummedRow {
    pub(super) text: String,
    pub(super) key: [u8; 16],
    pub(super) whole: [u8; 16],
}

/// A row in the form that is the same for both engines, and its hash.
pub(super) struct CountedRow {
    row: Map<String, Value>,
    text: String,
    hash: [u8; 32],
}

impl TableSum {
    /// Adds a row to the sum, and returns it in the form that is the same for both engines.
    pub(super) fn add(&mut self, table: &CopiedTable, raw: &str) -> Result<SummedRow, Error> {
        let CountedRow { row, text, hash } = self.count(&table.name, raw)?;
        Ok(SummedRow { key: half(sha256(table.key_of(&row))), whole: half(hash), text })
    }

    /// Adds a row to the sum without hashing its key.
    pub(super) fn count(&mut self, table: &str, raw: &str) -> Result<CountedRow, Error> {
        let unreadable = |cause: serde_json::Error| Error::unreadable(table, cause);
        let row: Map<String, Value> = serde_json::from_str(raw).map_err(unreadable)?;
        let text = serde_json::to_string(&row).map_err(unreadable)?;
        let hash = sha256(&text);
        self.rows += 1;
        for (lane, bytes) in self.digest.iter_mut().zip(hash.chunks(8)) {
            *lane = lane.wrapping_add(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        Ok(CountedRow { row, text, hash })
    }

    /// The sum of the rows that a store contains now.
    pub(super) async fn new(session: &mut CopySession, table: &CopiedTable) -> Result<Self, Error> {
        let selection = table.selection(session.dialect());
        let mut rows = session.texts(selection);
        let mut sum = Self::default();
        while let Some(raw) = rows.try_next().await? {
            sum.add(table, &raw)?;
        }
        Ok(sum)
    }
}

/// Shows the digest in hexadecimal digits.
impl Display for TableSum {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.digest.iter().try_for_each(|lane| write!(formatter, "{lane:016x}"))
    }
}

fn half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}
