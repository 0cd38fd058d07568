//! The size of an entry in memory, estimated from its JSON and rounded up. It limits the caches, so that a
//! few large rows cannot use up the memory.

use std::io::{self, Write};

use registry::Client;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Bytes of an entry without its value: slot, epoch and the cache's own data.
const ENTRY: usize = 512;

/// Bytes of a text without its characters: pointer and overhead of the allocator.
pub(crate) const TEXT: usize = 48;

/// Writes JSON with a space before each value of a list, to count list values. Scopes already contain spaces
/// between their tokens.
struct SpacedLists;

impl Formatter for SpacedLists {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }
}

/// Counts the bytes and the spaces that are written.
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

/// The size in bytes of an entry with a key and a value of these sizes.
pub(crate) const fn entry(key: usize, value: usize) -> usize {
    ENTRY + key + value
}

/// The estimated size of a value in bytes, with everything that it points to. The names and the punctuation
/// in its JSON stand for the overhead of allocations, and each value of a list adds [`TEXT`].
pub(crate) fn of<T: Serialize>(value: &T) -> usize {
    let mut length = Length::default();
    // An error cannot happen for rows, which are all serializable.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut length, SpacedLists));
    size_of::<T>() + 2 * length.bytes + TEXT * length.spaces
}

/// Parsed keys are larger than their text, and the description is not part of the JSON.
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
    fn short_text_weight_includes_allocations() {
        let client = Client::new(tenant_id("acme"), client_id("svc"));
        let texts: Vec<_> = (10..60).map(|number| number.to_string()).collect();
        let lists = Client { audiences: texts.clone(), ..client.clone() };
        let scopes = Client { scope: Scope::parse(&texts.join(" ")).unwrap(), ..client.clone() };
        let least = of_client(&client) + 49 * (TEXT + 2);
        assert!(of_client(&lists) >= least && of_client(&scopes) >= least);
    }
}
