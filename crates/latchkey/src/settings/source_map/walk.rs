//! Walks the events of a YAML file and notes the position of each key and value.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Span};

use super::{KeyPath, Position};

/// A key, a scalar or a collection of the file.
pub(super) struct Node {
    pub(super) entry: EntryId,
    pub(super) kind: NodeKind,
    pub(super) position: Position,
    pub(super) bytes: Range<usize>,
}

/// What a key or an item of a list adds to the path of the collection around it. A whole path for every node would
/// make a file that nests deeply cost its depth for every byte.
pub(super) struct Entry {
    pub(super) parent: EntryId,
    pub(super) segment: String,
}

/// An index into the entries; none for the whole document.
pub(super) type EntryId = Option<usize>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Key,
    /// In braces, without a value.
    BareKey,
    /// With nothing after its colon.
    EmptyKey,
    Scalar,
    Alias,
    List,
    Mapping,
}

/// The way through a file, with the collections that are open.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) nodes: Vec<Node>,
    pub(super) entries: Vec<Entry>,
    frames: Vec<Frame>,
}

/// An open collection.
struct Frame {
    owner: EntryId,
    /// The collection is itself the key of an entry.
    is_key: bool,
    content: Content,
}

enum Content {
    List { items: usize },
    Mapping { pending: EntryId },
}

impl NodeKind {
    pub(super) fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::BareKey | Self::EmptyKey)
    }

    pub(super) fn is_collection(self) -> bool {
        matches!(self, Self::List | Self::Mapping)
    }
}

impl Walk {
    pub(super) fn step(&mut self, event: &Event<'_>, span: Span) {
        match event {
            Event::Scalar(text, ..) if self.awaits_key() => {
                let entry = self.open(text.clone().into_owned());
                self.record(entry, NodeKind::Key, span);
            }
            Event::Scalar(..) => self.value(NodeKind::Scalar, span),
            Event::Alias(_) => self.value(NodeKind::Alias, span),
            Event::SequenceStart(..) => self.begin(NodeKind::List, Content::List { items: 0 }, span),
            Event::MappingStart(..) => {
                self.begin(NodeKind::Mapping, Content::Mapping { pending: None }, span);
            }

            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
    }

    /// The entry that is being filled.
    pub(super) fn here(&self) -> EntryId {
        self.frames.last().and_then(|frame| match frame.content {
            Content::Mapping { pending: Some(entry) } => Some(entry),
            Content::Mapping { pending: None } | Content::List { .. } => frame.owner,
        })
    }

    fn awaits_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| matches!(frame.content, Content::Mapping { pending: None }))
    }

    fn value(&mut self, kind: NodeKind, span: Span) {
        let entry = self.slot();
        self.record(entry, kind, span);
        self.filled();
    }

    fn begin(&mut self, kind: NodeKind, content: Content, span: Span) {
        let is_key = self.awaits_key();
        let owner = self.slot();
        self.record(owner, kind, span);
        self.frames.push(Frame { owner, is_key, content });
    }

    fn end(&mut self) {
        if self.frames.pop().is_some_and(|frame| !frame.is_key) {
            self.filled();
        }
    }

    /// The entry that the next value fills. A key that is no scalar has no name to be called by.
    fn slot(&mut self) -> EntryId {
        let next = match &mut self.frames.last_mut()?.content {
            Content::Mapping { pending: Some(entry) } => return Some(*entry),
            Content::Mapping { pending: None } => "?".to_owned(),
            Content::List { items } => {
                *items += 1;
                format!("[{}]", *items - 1)
            }
        };
        self.open(next)
    }

    fn open(&mut self, segment: String) -> EntryId {
        let frame = self.frames.last_mut()?;
        let entry = Some(self.entries.len());
        self.entries.push(Entry { parent: frame.owner, segment });
        if let Content::Mapping { pending } = &mut frame.content {
            *pending = entry;
        }
        entry
    }

    fn filled(&mut self) {
        if let Some(Frame { content: Content::Mapping { pending }, .. }) = self.frames.last_mut() {
            *pending = None;
        }
    }

    fn record(&mut self, entry: EntryId, kind: NodeKind, span: Span) {
        let position = Position { line: span.start.line(), column: span.start.col() + 1 };
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(usize::MAX).max(start);
        self.nodes.push(Node { entry, kind, position, bytes: start..end });
    }
}

/// The keys that lead to an entry, outermost first.
pub(super) fn path_of(entries: &[Entry], mut entry: EntryId) -> KeyPath {
    let mut path = KeyPath::new();
    while let Some(found) = entry.map(|index| &entries[index]) {
        path.push(found.segment.clone());
        entry = found.parent;
    }
    path.reverse();
    path
}
