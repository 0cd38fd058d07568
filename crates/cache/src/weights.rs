//! The size of an entry in memory, estimated from its JSON, rather too high than too low. It bounds the caches, so that a few large rows
//! cannot exhaust the memory.

use std::io::{self, Write};

use registry::Client;
use serde::Serialize;

/// An entry without its value: slot, epoch and the bookkeeping of the cache.
const ENTRY: usize = 512;

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The size of an entry with a key of this length and a value of this size.
pub(crate) const fn entry(key: usize, value: usize) -> usize {
    ENTRY + key + value
}

/// A value with what it points to. Names of members and punctuation in its JSON stand for the overhead of allocations.
pub(crate) fn of<T: Serialize>(value: &T) -> usize {
    let mut length = Length(0);
    // What has no JSON is none of the rows that replicas share.
    let _ = serde_json::to_writer(&mut length, value);
    size_of::<T>() + 2 * length.0
}

/// Parsed keys are larger than their text, and the description is no part of the JSON.
pub(crate) fn of_client(client: &Client) -> usize {
    let keys = client.keys.as_ref().map_or(0, |keys| 8 * keys.document().len());
    of(client) + keys + client.description.as_ref().map_or(0, String::len)
}
