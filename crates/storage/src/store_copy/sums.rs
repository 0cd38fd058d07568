//! Verifies a copy by the number of a table's rows and a digest of them that does not depend on their order.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use futures_util::TryStreamExt as _;
use keys::sha256;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::store_copy::session::CopySession;
use crate::store_copy::tables::CopiedTable;

/// Number and digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSum {
    /// How many rows.
    pub rows: u64,
    digest: [u64; 4],
}

/// The previous rows of a table, by the hash of each key.
pub(super) type Known = HashMap<[u8; 16], [u8; 16]>;

/// A row: its text, and the hashes of its key and of the whole.
pub(super) struct SummedRow {
    pub(super) text: String,
    pub(super) key: [u8; 16],
    pub(super) whole: [u8; 16],
}

/// A row as every engine writes it, and its hash.
pub(super) struct CountedRow {
    row: Map<String, Value>,
    text: String,
    hash: [u8; 32],
}

impl TableSum {
    /// The row as every engine writes it, which is counted from now on.
    pub(super) fn add(&mut self, table: &CopiedTable, raw: &str) -> Result<SummedRow, Error> {
        let CountedRow { row, text, hash } = self.count(&table.name, raw)?;
        Ok(SummedRow { key: half(sha256(table.key_of(&row))), whole: half(hash), text })
    }

    /// Counts a row of a table whose previous rows are unknown.
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

    /// The sum of the rows that a store has now.
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

/// The digest in hexadecimal digits.
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
