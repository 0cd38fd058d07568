//! Where in a YAML file each key and value stands, and which stretches of it hold secrets.
//! The typed settings carry no positions; a file is walked again only when something is to be said about it.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, Span};

/// The keys that lead to a value, outermost first; an item of a list is `[0]`, `[1]`, ….
pub(crate) type KeyPath = Vec<String>;

/// Every node of one file, in the order of the file.
pub(crate) struct Outline {
    nodes: Vec<Node>,
    /// Where the walk had come to when the file stopped being YAML.
    broken: Option<KeyPath>,
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A stretch of text that is not to be shown, in bytes.
pub(crate) type Hidden = Range<usize>;

struct Node {
    path: KeyPath,
    kind: Kind,
    position: Position,
    bytes: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Key,
    Scalar,
    Collection,
}

/// Below these keys every scalar is a secret, but for those that only say where the secret is.
const SECRET_KEYS: [&str; 7] =
    ["client_secret", "client_secrets", "password", "first_key", "sealing_key", "value", "hash"];
const POINTERS: [&str; 3] = ["env", "file", "expires"];
/// These hold a password when they hold a user.
const CONNECTIONS: [&str; 2] = ["url", "redis_url"];

impl Outline {
    pub(crate) fn of(text: &str) -> Self {
        let mut walk = Walk::default();
        for event in Parser::new_from_str(text) {
            match event {
                Ok((event, span)) => walk.step(&event, span),
                Err(_) => return Self { broken: Some(walk.here()), nodes: walk.nodes },
            }
        }
        Self { nodes: walk.nodes, broken: None }
    }

    /// The path of the node that begins at this position, or of the last one before it.
    pub(crate) fn path_at(&self, position: Position) -> KeyPath {
        if let Some(broken) = &self.broken
            && self.nodes.last().is_none_or(|last| last.position < position)
        {
            return broken.clone();
        }
        let before = self.nodes.partition_point(|node| node.position <= position);
        before.checked_sub(1).map(|index| self.nodes[index].path.clone()).unwrap_or_default()
    }

    /// Where the key at the end of this path stands.
    pub(crate) fn key(&self, path: &[String]) -> Option<Position> {
        self.find(path, |kind| kind == Kind::Key)
    }

    /// Where the value at this path stands; where it is not written itself, the nearest key around it.
    pub(crate) fn value(&self, path: &[String]) -> Option<Position> {
        self.find(path, |kind| kind != Kind::Key).or_else(|| {
            (1..=path.len()).rev().find_map(|length| self.key(&path[..length])).or(Some(Position::START))
        })
    }

    /// The stretches that a message must not show. Everything below `doubtful` counts as secret: a mistyped
    /// `client_secret` is an unknown key with a secret under it.
    pub(crate) fn hidden(&self, doubtful: Option<&[String]>) -> Vec<Hidden> {
        let secret = |node: &&Node| {
            let Some((last, _)) = node.path.split_last() else { return false };
            let under = |key: &&str| node.path.iter().any(|segment| segment == key);
            let named = SECRET_KEYS.iter().any(|key| under(key)) && !POINTERS.contains(&last.as_str());
            let connection = CONNECTIONS.contains(&last.as_str());
            let doubted = doubtful.is_some_and(|doubtful| node.path.starts_with(doubtful));
            node.kind == Kind::Scalar && (named || connection || doubted)
        };
        self.nodes.iter().filter(secret).map(|node| node.bytes.clone()).collect()
    }

    /// Whether the file is YAML to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.broken.is_none()
    }

    fn find(&self, path: &[String], wanted: impl Fn(Kind) -> bool) -> Option<Position> {
        self.nodes.iter().find(|node| wanted(node.kind) && node.path == path).map(|node| node.position)
    }
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// One frame for each open collection: `None` for a list's frame counts items, a mapping remembers its last key.
#[derive(Default)]
struct Walk {
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    path: KeyPath,
}

enum Frame {
    List { items: usize },
    Mapping { key_is_pending: bool },
}

impl Walk {
    fn step(&mut self, event: &Event<'_>, span: Span) {
        match event {
            Event::Scalar(text, ..) => {
                if let Some(Frame::Mapping { key_is_pending: pending @ false }) = self.frames.last_mut() {
                    *pending = true;
                    self.path.push(text.clone().into_owned());
                    self.record(Kind::Key, span);
                } else {
                    self.enter();
                    self.record(Kind::Scalar, span);
                    self.leave();
                }
            }
            Event::Alias(_) => {
                self.enter();
                self.record(Kind::Scalar, span);
                self.leave();
            }
            Event::SequenceStart(..) => {
                self.enter();
                self.record(Kind::Collection, span);
                self.frames.push(Frame::List { items: 0 });
            }
            Event::MappingStart(..) => {
                self.enter();
                self.record(Kind::Collection, span);
                self.frames.push(Frame::Mapping { key_is_pending: false });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.frames.pop();
                self.leave();
            }
            _ => {}
        }
    }

    fn here(&self) -> KeyPath {
        self.path.clone()
    }

    /// A value begins: an item of a list gets its number; a key that is itself a collection counts as nameless.
    fn enter(&mut self) {
        match self.frames.last_mut() {
            Some(Frame::List { items }) => {
                self.path.push(format!("[{items}]"));
                *items += 1;
            }
            Some(Frame::Mapping { key_is_pending: pending @ false }) => {
                *pending = true;
                self.path.push("?".to_owned());
                // The collection is the key, so its end must not close the entry that it opens.
                self.path.push("?".to_owned());
            }
            Some(Frame::Mapping { .. }) | None => {}
        }
    }

    fn leave(&mut self) {
        match self.frames.last_mut() {
            Some(Frame::List { .. }) => {
                self.path.pop();
            }
            Some(Frame::Mapping { key_is_pending }) => {
                if self.path.last().is_some_and(|segment| segment == "?")
                    && self.path.len() >= 2
                    && self.path[self.path.len() - 2] == "?"
                {
                    self.path.pop();
                } else {
                    self.path.pop();
                    *key_is_pending = false;
                }
            }
            None => {}
        }
    }

    fn record(&mut self, kind: Kind, span: Span) {
        let position = Position { line: span.start.line(), column: span.start.col() + 1 };
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(usize::MAX).max(start);
        self.nodes.push(Node { path: self.path.clone(), kind, position, bytes: start..end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "tenants:\n  acme:\n    clients:\n      web: { client_secret: { value: \"hunter2\" }, scopes: [a, b] }\nkeys: [1, {a: 2}]\n";

    fn path(keys: &[&str]) -> KeyPath {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn a_path_leads_to_its_place_and_back() {
        let outline = Outline::of(TEXT);
        for (keys, line, column) in [
            (&["tenants", "acme", "clients", "web", "scopes", "[1]"][..], 4, 63),
            (&["keys"], 5, 7),
            (&["keys", "[1]", "a"], 5, 15),
            // Not written, so the nearest key around it.
            (&["tenants", "acme", "issuer"], 2, 3),
            (&["server"], 1, 1),
        ] {
            assert_eq!(outline.value(&path(keys)), Some(Position { line, column }), "{keys:?}");
        }
        assert_eq!(outline.key(&path(&["tenants", "acme"])), Some(Position { line: 2, column: 3 }));
        assert_eq!(
            outline.path_at(Position { line: 4, column: 63 }),
            path(&["tenants", "acme", "clients", "web", "scopes", "[1]"])
        );
    }

    #[test]
    fn a_secret_is_hidden_and_its_pointer_is_not() {
        let text = "client_secret: { vale: hunter2, env: NAME }\npassword: |\n  a\n  b\nclient_secert: c\nurl: d\n";
        let hidden = Outline::of(text).hidden(Some(&path(&["client_secert"])));
        let shown: Vec<&str> = hidden.into_iter().map(|range| text[range].trim_end()).collect();
        assert_eq!(shown[0], "hunter2");
        assert!(shown[1].contains("a\n  b"), "{shown:?}");
        assert_eq!(&shown[2..], ["c", "d"]);
    }

    #[test]
    fn a_broken_file_is_walked_as_far_as_it_goes() {
        let outline = Outline::of("tenants:\n  acme:\n    name: \"x\n");
        assert!(!outline.is_whole());
        assert_eq!(outline.path_at(Position { line: 4, column: 1 }), path(&["tenants", "acme", "name"]));
    }

    #[test]
    fn a_collection_as_a_key_confuses_nothing() {
        let outline = Outline::of("? [a, b]\n: {c: 1}\nd: 2\n");
        assert_eq!(outline.key(&path(&["d"])), Some(Position { line: 3, column: 1 }));
    }
}
