//! Where in a YAML file each key and value stands, and which stretches of it hold secrets.
//! The typed settings carry no positions; a file is walked again only when something is to be said about it.

use std::ops::Range;

use serde_saphyr::granit_parser::Parser;

use walk::{Entry, EntryId, Kind, Node, Walk, path_of};

mod walk;

/// The keys that lead to a value, outermost first; an item of a list is `[0]`, `[1]`, ….
pub(crate) type KeyPath = Vec<String>;

/// Every node of one file, in the order of the file.
pub(crate) struct Outline {
    nodes: Vec<Node>,
    entries: Vec<Entry>,
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

/// Below these keys every scalar is a secret, but for those that only say where the secret is.
const SECRET_KEYS: [&str; 8] = [
    "client_secret",
    "client_secrets",
    "password",
    "first_key",
    "sealing_key",
    "former_sealing_keys",
    "value",
    "hash",
];
const POINTERS: [&str; 3] = ["env", "file", "expires"];
/// These hold a password when they hold a user.
const CONNECTIONS: [&str; 2] = ["url", "redis_url"];

impl Outline {
    pub(crate) fn of(text: &str) -> Self {
        let mut walk = Walk::default();
        for event in Parser::new_from_str(text) {
            match event {
                Ok((event, span)) => walk.step(&event, span),
                Err(_) => {
                    let broken = Some(path_of(&walk.entries, walk.here()));
                    return Self { nodes: walk.nodes, entries: walk.entries, broken };
                }
            }
        }
        Self { nodes: walk.nodes, entries: walk.entries, broken: None }
    }

    /// The path of the node that begins at this position, or of the last one before it.
    pub(crate) fn path_at(&self, position: Position) -> KeyPath {
        if let Some(broken) = &self.broken
            && self.nodes.last().is_none_or(|last| last.position < position)
        {
            return broken.clone();
        }
        let before = self.nodes.partition_point(|node| node.position <= position);
        before.checked_sub(1).map(|index| self.path(&self.nodes[index])).unwrap_or_default()
    }

    /// Where the key at the end of this path stands.
    pub(crate) fn key(&self, path: &[String]) -> Option<Position> {
        self.find(path, |kind| kind == Kind::Key)
    }

    /// Where the value at this path stands; where it is not written itself, the nearest key around it.
    pub(crate) fn value(&self, path: &[String]) -> Position {
        let around = || (1..=path.len()).rev().find_map(|length| self.key(&path[..length]));
        self.find(path, |kind| kind != Kind::Key).or_else(around).unwrap_or(Position::START)
    }

    /// The stretches of these bytes that a message must not show. Everything below `doubtful` counts as secret: a
    /// mistyped `client_secret` is an unknown key with a secret under it.
    pub(crate) fn hidden(&self, shown: &Range<usize>, doubtful: Option<&[String]>) -> Vec<Hidden> {
        let touches = |node: &&Node| node.bytes.start < shown.end && shown.start < node.bytes.end;
        let secret = |node: &&Node| {
            let path = self.path(node);
            node.kind == Kind::Scalar
                && (holds_secret(&path) || doubtful.is_some_and(|doubtful| path.starts_with(doubtful)))
        };
        self.nodes.iter().filter(touches).filter(secret).map(|node| node.bytes.clone()).collect()
    }

    /// Where the file stops being YAML, if it does. From there on nothing says what is a secret.
    pub(crate) fn broken(&self) -> Option<&KeyPath> {
        self.broken.as_ref()
    }

    fn path(&self, node: &Node) -> KeyPath {
        path_of(&self.entries, node.entry)
    }

    fn find(&self, path: &[String], wanted: impl Fn(Kind) -> bool) -> Option<Position> {
        let found = |node: &&Node| wanted(node.kind) && self.leads_to(path, node.entry);
        self.nodes.iter().find(found).map(|node| node.position)
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

/// Whether a scalar at this path is a secret.
pub(crate) fn holds_secret(path: &[String]) -> bool {
    let Some(last) = path.last().map(String::as_str) else { return false };
    let under_secret = path.iter().any(|segment| SECRET_KEYS.contains(&segment.as_str()));
    under_secret && !POINTERS.contains(&last) || CONNECTIONS.contains(&last)
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
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
            assert_eq!(outline.value(&path(keys)), Position { line, column }, "{keys:?}");
        }
        assert_eq!(outline.key(&path(&["tenants", "acme"])), Some(Position { line: 2, column: 3 }));
        assert_eq!(
            outline.path_at(Position { line: 4, column: 63 }),
            path(&["tenants", "acme", "clients", "web", "scopes", "[1]"])
        );
    }

    #[test]
    fn a_secret_is_hidden_and_its_pointer_is_not() {
        let text =
            "client_secret: { vale: hunter2, env: NAME }\npassword: |\n  a\n  b\nclient_secert: c\nurl: d\n";
        let hidden = Outline::of(text).hidden(&(0..text.len()), Some(&path(&["client_secert"])));
        let shown: Vec<&str> = hidden.into_iter().map(|range| text[range].trim_end()).collect();
        assert_eq!(shown[0], "hunter2");
        assert!(shown[1].contains("a\n  b"), "{shown:?}");
        assert_eq!(&shown[2..], ["c", "d"]);
    }

    #[test]
    fn a_broken_file_is_walked_as_far_as_it_goes() {
        let outline = Outline::of("tenants:\n  acme:\n    name: \"x\n");
        assert!(outline.broken().is_some());
        assert_eq!(outline.path_at(Position { line: 4, column: 1 }), path(&["tenants", "acme", "name"]));
    }

    #[test]
    fn a_collection_as_a_key_confuses_nothing() {
        let outline = Outline::of("? [a, b]\n: {c: 1}\nd: 2\n");
        assert_eq!(outline.key(&path(&["d"])), Some(Position { line: 3, column: 1 }));
    }
}
