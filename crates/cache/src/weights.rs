//! The size of an entry in memory, estimated from its JSON, rather too high than too low. It bounds the
//! caches, so that a few large rows cannot exhaust the memory.

use std::io::{self, Write};

use registry::Client;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// An entry without its value: slot, epoch and the bookkeeping of the cache.
const ENTRY: usize = 512;

/// A text without its bytes: pointer and overhead of the allocator.
pub(crate) const TEXT: usize = 48;

/// JSON with a space before each value of a list. The tokens of a scope have spaces between them, too.
struct SpacedLists;

impl Formatter for SpacedLists {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }
}

/// Counts what is written, and its spaces.
#[derive(Default)]
struct Length {
    bytes: usize,
    spaces: usize,
}

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        self.spaces += bytes.iter().filter(|byte| **byte == b' ').count();
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

/// The size of a value with what it points to. The names of members and the punctuation in its JSON account
/// for the overhead of allocations. A list has one more for each of its values.
pub(crate) fn of<T: Serialize>(value: &T) -> usize {
    let mut length = Length::default();
    // A value without JSON is no row that replicas share.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut length, SpacedLists));
    size_of::<T>() + 2 * length.bytes + TEXT * length.spaces
}

/// Parsed keys are larger than their text, and the description is no part of the JSON.
pub(crate) fn of_client(client: &Client) -> usize {
    let keys = client.keys.as_ref().map_or(0, |keys| 8 * keys.document().len());
    of(client) + keys + client.description.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use protocol::Scope;
    use testkit::fixtures::{client_id, tenant_id};

    use super::*;

    #[test]
    fn short_texts_count_with_their_allocations() {
        let client = Client::new(tenant_id("acme"), client_id("svc"));
        let texts: Vec<_> = (10..60).map(|number| number.to_string()).collect();
        let lists = Client { audiences: texts.clone(), ..client.clone() };
        let scopes = Client { scope: Scope::parse(&texts.join(" ")).unwrap(), ..client.clone() };
        let least = of_client(&client) + 49 * (TEXT + 2);
        assert!(of_client(&lists) >= least && of_client(&scopes) >= least);
    }
}
