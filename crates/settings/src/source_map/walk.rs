//! Reads the events of a YAML file and records the position of each key and value.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, Span, StrInput};

use super::KeyPath;

/// A file that nests deeper counts as broken there: its settings are refused long before.
const DEEPEST: usize = 64;

/// A key, a scalar or a collection of the file.
pub(super) struct YamlNode {
    pub(super) entry: EntryId,
    pub(super) kind: NodeKind,
    pub(super) bytes: Range<usize>,
}

/// The part that a key or an item of a list adds to the path of the collection around it. If every node had a
/// whole path, a deeply nested file would cost its depth for every byte.
pub(super) struct PathEntry {
    pub(super) parent: EntryId,
    pub(super) segment: String,
}

/// An index into the entries; none for the whole document.
pub(super) type EntryId = Option<usize>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Key,
    /// A key in braces, without a value.
    BareKey,
    /// A key with nothing after its colon.
    EmptyKey,
    Scalar,
    Alias,
    List,
    Mapping,
}

/// The place where a file stops being YAML.
pub(super) struct Broken {
    /// The path at which the walk ended.
    pub(super) path: KeyPath,
    /// The byte from which on a quote or bracket may have been misunderstood.
    pub(super) unclear_from: usize,
}

/// A walk through a file: the events to come, and what was found.
pub(super) struct Walk<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
    pub(super) nodes: Vec<YamlNode>,
    pub(super) entries: Vec<PathEntry>,
}

type EventAt<'t> = (Event<'t>, Span);

impl NodeKind {
    pub(super) fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::BareKey | Self::EmptyKey)
    }
}

impl<'t> Walk<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, events: Parser::new_from_str(text), nodes: Vec::new(), entries: Vec::new() }
    }

    /// Walks through the whole file. A second document is no part of the settings.
    pub(super) fn file(&mut self) -> Result<(), Broken> {
        let mut documents = 0;
        loop {
            match self.next(None)? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(..), span) if documents > 0 => {
                    let unclear_from = span.start.byte_offset().unwrap_or(0);
                    return Err(Broken { path: vec!["---".to_owned()], unclear_from });
                }
                (Event::DocumentStart(..), _) => documents += 1,
                value => self.value(value, None, 0)?,
            }
        }
    }

    /// The value of an entry, from its first event on.
    fn value(&mut self, (event, span): EventAt<'t>, entry: EntryId, depth: usize) -> Result<(), Broken> {
        let collection = self.nodes.len();
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) if depth > DEEPEST => {
                return Err(self.broken(entry));
            }
            Event::SequenceStart(..) => {
                self.record(entry, NodeKind::List, &span);
                for index in 0_usize.. {
                    let item = self.next(entry)?;
                    if item.0 == Event::SequenceEnd {
                        self.close(collection, &item.1);
                        break;
                    }
                    let at = self.enter(entry, format!("[{index}]"));
                    self.value(item, at, depth + 1)?;
                }
            }
            Event::MappingStart(..) => {
                self.record(entry, NodeKind::Mapping, &span);
                loop {
                    let key = self.next(entry)?;
                    if key.0 == Event::MappingEnd {
                        self.close(collection, &key.1);
                        break;
                    }
                    self.member(key, entry, depth + 1)?;
                }
            }
            Event::Alias(_) => self.record(entry, NodeKind::Alias, &span),
            _ => self.record(entry, NodeKind::Scalar, &span),
        }
        Ok(())
    }

    /// A key of the mapping at this entry, and its value.
    fn member(&mut self, key: EventAt<'t>, mapping: EntryId, depth: usize) -> Result<(), Broken> {
        let (Event::Scalar(name, ..), span) = key else {
            // A key that is no scalar has no name.
            let entry = self.enter(mapping, "?".to_owned());
            self.value(key, entry, depth)?;
            let value = self.next(entry)?;
            return self.value(value, entry, depth);
        };
        let entry = self.enter(mapping, name.into_owned());
        let rest = span.end.byte_offset().and_then(|end| self.text.get(end..));
        let has_colon = rest.is_some_and(|rest| rest.trim_start().starts_with(':'));
        let index = self.nodes.len();
        self.record(entry, if has_colon { NodeKind::EmptyKey } else { NodeKind::BareKey }, &span);
        let value = self.next(entry)?;
        if has_colon && !(matches!(value.0, Event::Scalar(..)) && value.1.is_empty()) {
            self.nodes[index].kind = NodeKind::Key;
        }
        self.value(value, entry, depth)
    }

    /// The next event about content. Text that is no YAML any more belongs to the entry `here`.
    fn next(&mut self, here: EntryId) -> Result<EventAt<'t>, Broken> {
        loop {
            match self.events.next() {
                Some(Ok((Event::StreamStart | Event::DocumentEnd, _))) => {}
                Some(Ok(event)) => return Ok(event),
                Some(Err(_)) | None => return Err(self.broken(here)),
            }
        }
    }

    fn broken(&self, here: EntryId) -> Broken {
        let unclear_from = self.nodes.iter().rev().nth(1).map_or(0, |node| node.bytes.start);
        Broken { path: path_of(&self.entries, here), unclear_from }
    }

    fn enter(&mut self, parent: EntryId, segment: String) -> EntryId {
        self.entries.push(PathEntry { parent, segment });
        Some(self.entries.len() - 1)
    }

    /// Ends a collection: one in brackets with its bracket, any other with its last value.
    fn close(&mut self, collection: usize, span: &Span) {
        let node = &mut self.nodes[collection];
        if self.text.get(node.bytes.start..).is_some_and(|text| text.starts_with(['[', '{']))
            && let Some(end) = span.end.byte_offset()
        {
            node.bytes.end = node.bytes.end.max(end);
        }
    }

    fn record(&mut self, entry: EntryId, kind: NodeKind, span: &Span) {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(usize::MAX).max(start);
        self.nodes.push(YamlNode { entry, kind, bytes: start..end });
    }
}

/// The keys that lead to an entry, outermost first.
pub(super) fn path_of(entries: &[PathEntry], mut entry: EntryId) -> KeyPath {
    let mut path = KeyPath::new();
    while let Some(found) = entry.map(|index| &entries[index]) {
        path.push(found.segment.clone());
        entry = found.parent;
    }
    path.reverse();
    path
}
