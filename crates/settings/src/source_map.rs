//! The position of each key and value in a YAML file, and the ranges that contain secrets. The typed settings
//! have no positions, so a file is only scanned again for a message about it.

use std::ops::Range;

use walk::{Broken, EntryId, NodeKind, PathEntry, Walk, YamlNode, path_of};

mod contract;
mod entries;
mod redaction;
mod walk;

pub(crate) use contract::{LISTENER_WORDS, NumberPlace, item_key, members, names_in};
pub(crate) use entries::EntryText;
pub(crate) use redaction::is_variable_name;

/// The keys that lead to a value, outermost first. An item of a list is `[0]`, `[1]`, ….
pub(crate) type KeyPath = Vec<String>;

/// Every node of one file, in the order of the file.
pub(crate) struct SourceMap {
    nodes: Vec<YamlNode>,
    entries: Vec<PathEntry>,
    broken: Option<Broken>,
    /// Whether aliases use values in other places than where they are written.
    has_aliases: bool,
    /// Whether a key has no value. Such a key may be a value without its key.
    has_odd_keys: bool,
}

/// A byte range of text that must not be shown.
pub(crate) type Hidden = Range<usize>;

impl SourceMap {
    pub(crate) fn from_text(text: &str) -> Self {
        let mut walk = Walk::new(text);
        let broken = walk.file().err();
        let Walk { nodes, entries, .. } = walk;
        let has_aliases = nodes.iter().any(|node| node.kind == NodeKind::Alias);
        let has_odd_keys =
            nodes.iter().any(|node| matches!(node.kind, NodeKind::BareKey | NodeKind::EmptyKey));
        Self { nodes, entries, broken, has_aliases, has_odd_keys }
    }

    /// The path of the node that begins at this byte, or of the last node before it.
    pub(crate) fn path_at(&self, byte: usize) -> KeyPath {
        if let Some(broken) = &self.broken
            && self.nodes.last().is_none_or(|last| last.bytes.start < byte)
        {
            return broken.path.clone();
        }
        let before = self.nodes.partition_point(|node| node.bytes.start <= byte);
        before.checked_sub(1).map(|index| self.path(&self.nodes[index])).unwrap_or_default()
    }

    /// The first byte of the key at the end of this path.
    pub(crate) fn key(&self, path: &[String]) -> Option<usize> {
        self.node(path, NodeKind::is_key).map(|node| node.bytes.start)
    }

    /// The first byte of the value at this path. If the file does not contain the value, the first byte of
    /// the nearest key around it.
    pub(crate) fn value(&self, path: &[String]) -> usize {
        let written = self.node(path, |kind| !kind.is_key()).map(|node| node.bytes.start);
        let around = || (1..=path.len()).rev().find_map(|length| self.key(&path[..length]));
        written.or_else(around).unwrap_or(0)
    }

    /// The scalars where numbers and durations are expected, in reverse order, so that replacing one does not
    /// move the others.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (KeyPath, Range<usize>, NumberPlace)> {
        self.nodes
            .iter()
            .rev()
            .filter(|node| node.kind == NodeKind::Scalar && !node.bytes.is_empty())
            .filter_map(|node| {
                let path = self.path(node);
                let place = contract::number_place(&path)?;
                Some((path, node.bytes.clone(), place))
            })
    }

    fn path(&self, node: &YamlNode) -> KeyPath {
        path_of(&self.entries, node.entry)
    }

    fn node(&self, path: &[String], wanted: impl Fn(NodeKind) -> bool) -> Option<&YamlNode> {
        self.nodes.iter().find(|node| wanted(node.kind) && self.leads_to(path, node.entry))
    }

    fn leads_to(&self, path: &[String], mut entry: EntryId) -> bool {
        for segment in path.iter().rev() {
            match entry.map(|index| &self.entries[index]) {
                Some(found) if found.segment == *segment => entry = found.parent,
                Some(_) | None => return false,
            }
        }
        entry.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "tenants:\n  acme:\n    clients:\n      web: { client_secret: { value: \"hunter2\" }, scopes: [a, b] }\nkeys: [1, {a: 2}]\n";

    /// The byte at a line and a column, which both begin with 1.
    fn byte(text: &str, line: usize, column: usize) -> usize {
        text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>() + column - 1
    }

    fn path(keys: &[&str]) -> KeyPath {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn path_and_byte_position_convert_both_ways() {
        let source_map = SourceMap::from_text(TEXT);
        for (keys, line, column) in [
            (&["tenants", "acme", "clients", "web", "scopes", "[1]"][..], 4, 63),
            (&["keys"], 5, 7),
            (&["keys", "[1]", "a"], 5, 15),
            // The file does not contain the value, so the nearest key around it is found.
            (&["tenants", "acme", "issuer"], 2, 3),
            (&["server"], 1, 1),
        ] {
            assert_eq!(source_map.value(&path(keys)), byte(TEXT, line, column), "{keys:?}");
        }
        assert_eq!(source_map.key(&path(&["tenants", "acme"])), Some(byte(TEXT, 2, 3)));
        let scope = path(&["tenants", "acme", "clients", "web", "scopes", "[1]"]);
        assert_eq!(source_map.path_at(byte(TEXT, 4, 63)), scope);
    }

    #[test]
    fn broken_file_is_mapped_up_to_the_fault() {
        let text = "tenants:\n  acme:\n    name: \"x\n";
        let source_map = SourceMap::from_text(text);
        assert!(source_map.broken.is_some());
        assert_eq!(source_map.path_at(byte(text, 4, 1)), path(&["tenants", "acme", "name"]));
    }

    #[test]
    fn collection_as_a_key_is_skipped() {
        let text = "? [a, b]\n: {c: 1}\nd: 2\n";
        let source_map = SourceMap::from_text(text);
        assert_eq!(source_map.key(&path(&["d"])), Some(byte(text, 3, 1)));
    }
}
