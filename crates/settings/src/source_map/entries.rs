//! The whole text of an entry: a key with its value, or an item of a list. Removing the entry does not move
//! other text.

use std::ops::Range;

use super::walk::{NodeKind, YamlNode, path_of};
use super::{KeyPath, SourceMap};

pub(crate) struct EntryText {
    pub(crate) path: KeyPath,
    pub(crate) bytes: Range<usize>,
}

impl SourceMap {
    /// Whether the whole file is YAML without aliases.
    pub(crate) fn is_plain(&self) -> bool {
        self.broken.is_none() && !self.has_aliases
    }

    /// The entry whose key or value begins at this byte.
    pub(crate) fn entry_at(&self, text: &str, byte: usize) -> Option<EntryText> {
        let last = self.nodes.partition_point(|node| node.bytes.start <= byte).checked_sub(1)?;
        self.entry_text(text, &self.nodes[last])
    }

    /// The entry of the mapping that begins at this byte, or the last entry before it.
    pub(crate) fn entry_of_mapping_at(&self, text: &str, byte: usize) -> Option<EntryText> {
        let before = self.nodes.partition_point(|node| node.bytes.start <= byte);
        let mapping = self.nodes[..before].iter().rev().find(|node| node.kind == NodeKind::Mapping)?;
        self.entry_text(text, mapping)
    }

    fn entry_text(&self, text: &str, node: &YamlNode) -> Option<EntryText> {
        let entry = node.entry?;
        let first = self.nodes.iter().position(|node| node.entry == Some(entry))?;
        let nodes = self.nodes[first..].iter();
        let end = nodes.take_while(|node| self.is_within(node, entry)).map(|node| node.bytes.end).max()?;
        let (mut start, mut end) = (self.nodes[first].bytes.start, end.min(text.len()));
        if !self.nodes[first].kind.is_key()
            && let Some(before) = text[..start].trim_end().strip_suffix('-')
        {
            start = before.len();
        }
        if self.nodes[first].kind == NodeKind::EmptyKey {
            end = text[end..].find(':').map_or(end, |colon| end + colon + 1);
        }
        let rest = text[end..].trim_start();
        if rest.starts_with(',') {
            end = text.len() - rest.len() + 1;
        }
        Some(EntryText { path: path_of(&self.entries, Some(entry)), bytes: start..end })
    }

    fn is_within(&self, node: &YamlNode, ancestor: usize) -> bool {
        let mut entry = node.entry;
        while let Some(index) = entry {
            if index == ancestor {
                return true;
            }
            entry = self.entries[index].parent;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_spans_from_key_to_end_of_value() {
        for (text, at, expected) in [
            ("a: { b: 1, c: { d: 2 }, e: 3 }", "c", "c: { d: 2 },"),
            ("a: { b: 1, c: { d: 2 } }", "c", "c: { d: 2 }"),
            ("a: { b: 1, c: [ 'x', y ], }", "[", "c: [ 'x', y ],"),
            ("a: [x, y, z]", "y", "y,"),
            ("a:\n  b:\n    - x\n    - y\n  c: 1\n", "b", "b:\n    - x\n    - y"),
            ("a:\n  - x: 1\n    y: 2\n  - z: 3\n", "z", "z: 3"),
            ("a:\n  - x\n  - y\n", "y", "- y"),
            ("a:\n  b:\nc: 1\n", "b", "b:"),
        ] {
            let found = SourceMap::from_text(text).entry_at(text, text.find(at).unwrap()).unwrap();
            assert_eq!(&text[found.bytes], expected, "{text}");
        }
    }

    #[test]
    fn mapping_entry_surrounds_its_keys() {
        for (text, at, path, expected) in [
            ("a:\n  - x: 1\n    y: 2\n  - z: 3\n", "x", ["a", "[0]"], "- x: 1\n    y: 2"),
            ("a: [{ x: 1 }, { z: 3 }]", "{ x", ["a", "[0]"], "{ x: 1 },"),
        ] {
            let found = SourceMap::from_text(text).entry_of_mapping_at(text, text.find(at).unwrap()).unwrap();
            assert_eq!((found.path.as_slice(), &text[found.bytes]), (&path.map(str::to_owned)[..], expected));
        }
    }
}
