//! A map in parts that copies share. Adding an entry to a copy duplicates only one part.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Ids end in random characters, so the parts have about the same size.
const PARTS: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "HashMap<String, V>",
    into = "HashMap<String, V>",
    bound(serialize = "V: Clone + Serialize", deserialize = "V: Clone + Deserialize<'de>")
)]
pub(crate) struct SharedMap<V> {
    /// Empty before the first entry is added.
    parts: Vec<Arc<HashMap<String, V>>>,
}

impl<V> SharedMap<V> {
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.parts.get(part(id))?.get(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}

impl<V: Clone> SharedMap<V> {
    pub(crate) fn entry(&mut self, id: String, new: impl FnOnce() -> V) -> &mut V {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Arc::default);
        }
        Arc::make_mut(&mut self.parts[part(&id)]).entry(id).or_insert_with(new)
    }
}

impl<V> Default for SharedMap<V> {
    fn default() -> Self {
        Self { parts: Vec::new() }
    }
}

impl<V: Clone> From<HashMap<String, V>> for SharedMap<V> {
    fn from(values: HashMap<String, V>) -> Self {
        let mut map = Self::default();
        for (id, value) in values {
            map.entry(id, || value);
        }
        map
    }
}

impl<V: Clone> From<SharedMap<V>> for HashMap<String, V> {
    fn from(map: SharedMap<V>) -> Self {
        map.iter().map(|(id, value)| (id.clone(), value.clone())).collect()
    }
}

fn part(id: &str) -> usize {
    id.bytes().rev().take(2).fold(0, |sum, byte| sum * 31 + usize::from(byte)) % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_an_entry_copies_only_one_part() {
        let ids =
            |count: usize| (0..count).map(|number| (format!("{:04x}", number * 7_919 % 65_536), number));
        let before = SharedMap::from(ids(10_000).collect::<HashMap<_, _>>());
        assert_eq!(before.len(), 10_000);
        let mut after = before.clone();
        *after.entry("new".to_owned(), || 0) += 7;
        assert_eq!((before.get("new"), after.get("new"), after.len()), (None, Some(&7), 10_001));
        for (id, number) in ids(10_000) {
            assert_eq!((before.get(&id), after.get(&id)), (Some(&number), Some(&number)));
        }
        let copied = before.parts.iter().zip(&after.parts).filter(|(old, new)| !Arc::ptr_eq(old, new));
        assert_eq!(copied.map(|(old, _)| old.len()).max().map(|most| most < 1_000), Some(true), "of 10 000");
        let text = serde_json::to_string(&after).unwrap();
        assert_eq!(serde_json::from_str::<SharedMap<usize>>(&text).unwrap(), after);
        assert_eq!(SharedMap::<u8>::default().get("new"), None);
    }
}
