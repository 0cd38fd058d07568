//! What a configuration was read from, as one piece of bytes: every file and variable by its name. It holds secrets, so it is sealed
//! before it is stored and wiped after it was used.

use std::collections::BTreeMap;
use std::path::Path;

use zeroize::Zeroizing;

use super::environment::{Environment, Variable};

/// What a configuration may weigh to be kept for a rollback.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024;

/// Of which format the bytes are.
const FORMAT: u8 = 1;

/// What is being read.
pub(crate) struct SnapshotBuilder {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether it grew over what is kept.
    too_large: bool,
}

/// What was read once.
pub(crate) struct SourceSnapshot {
    entries: BTreeMap<(u8, String), Zeroizing<String>>,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A file, relative to the folder of the main file if it lies below that; the main file itself has no name.
    File,
    /// A variable that a key names.
    Variable,
    /// The public URL, wherever it came from.
    PublicUrl,
}

/// The bytes are of no format that this program knows.
#[derive(Debug, thiserror::Error)]
#[error("what was recorded with this generation cannot be read by this version")]
pub(crate) struct UnreadableSnapshot;

impl Default for SnapshotBuilder {
    fn default() -> Self {
        Self { bytes: Zeroizing::new(vec![FORMAT]), too_large: false }
    }
}

impl SnapshotBuilder {
    /// One more thing that was read.
    pub(crate) fn add(&mut self, kind: EntryKind, name: &str, text: &str) {
        self.too_large |= self.bytes.len() + name.len() + text.len() > LARGEST;
        if self.too_large {
            // It is of no use any more.
            self.bytes = Zeroizing::new(Vec::new());
            return;
        }
        let room = 9 + name.len() + text.len();
        if self.bytes.capacity() - self.bytes.len() < room {
            // Grown by hand, since what a vector leaves behind when it grows is not wiped.
            let mut grown = Zeroizing::new(Vec::with_capacity((self.bytes.len() + room) * 2));
            grown.extend_from_slice(&self.bytes);
            self.bytes = grown;
        }
        self.bytes.push(kind.tag());
        for part in [name, text] {
            self.bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }

    /// All of it, unless it is more than is kept.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        (!self.too_large).then_some(&self.bytes)
    }
}

impl std::fmt::Debug for SnapshotBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapshotBuilder").finish_non_exhaustive()
    }
}

impl SourceSnapshot {
    /// What [`SnapshotBuilder::bytes`] gave.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, UnreadableSnapshot> {
        let (&format, mut rest) = bytes.split_first().ok_or(UnreadableSnapshot)?;
        if format != FORMAT {
            return Err(UnreadableSnapshot);
        }
        let mut entries = BTreeMap::new();
        while let Some((&kind, after)) = rest.split_first() {
            let (name, after) = part(after).ok_or(UnreadableSnapshot)?;
            let (text, after) = part(after).ok_or(UnreadableSnapshot)?;
            entries.insert((kind, name.to_owned()), Zeroizing::new(text.to_owned()));
            rest = after;
        }
        Ok(Self { entries })
    }

    pub(crate) fn get(&self, kind: EntryKind, name: &str) -> Option<Zeroizing<String>> {
        self.entries.get(&(kind.tag(), name.to_owned())).cloned()
    }

    /// The names of all files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let files = self.entries.keys().filter(|(kind, _)| *kind == EntryKind::File.tag());
        files.map(|(_, name)| Path::new(name))
    }

    /// The environment of today with the public URL of then: issuers must come to what they were.
    pub(crate) fn environment(&self, today: Environment) -> Environment {
        match self.get(EntryKind::PublicUrl, "") {
            Some(mut text) => {
                let text = administration::FileSecret::new(std::mem::take(&mut text));
                today.with("LATCHKEY__SERVER__PUBLIC_URL", Variable::Text(text))
            }
            None => today,
        }
    }
}

impl EntryKind {
    const fn tag(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Variable => 2,
            Self::PublicUrl => 3,
        }
    }
}

fn part(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_captured_is_read_again() {
        let mut snapshot = SnapshotBuilder::default();
        snapshot.add(EntryKind::File, "config.yaml", "tenants: {}");
        snapshot.add(EntryKind::Variable, "SECRET", "hunter2");
        snapshot.add(EntryKind::Variable, "EMPTY", "");
        let snapshot = SourceSnapshot::parse(snapshot.bytes().unwrap()).ok().unwrap();
        let text = |kind, name| snapshot.get(kind, name).map(|text| text.to_string());
        assert_eq!(text(EntryKind::File, "config.yaml").as_deref(), Some("tenants: {}"));
        assert_eq!(text(EntryKind::Variable, "SECRET").as_deref(), Some("hunter2"));
        assert_eq!(text(EntryKind::Variable, "EMPTY").as_deref(), Some(""));
        assert_eq!(text(EntryKind::File, "SECRET"), None);
        assert_eq!(snapshot.files().collect::<Vec<_>>(), [Path::new("config.yaml")]);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let mut snapshot = SnapshotBuilder::default();
        snapshot.add(EntryKind::File, "a", &"x".repeat(LARGEST - 100));
        assert!(snapshot.bytes().is_some());
        snapshot.add(EntryKind::File, "b", &"x".repeat(100));
        assert!(snapshot.bytes().is_none());
        snapshot.add(EntryKind::File, "c", "x");
        assert!(snapshot.bytes().is_none());
    }

    #[test]
    fn bytes_of_another_format_are_refused() {
        for bytes in
            [&[][..], &[2], &[1, 1], &[1, 1, 0, 0, 0, 9, b'a'], &[1, 1, 0, 0, 0, 1, 0xff, 0, 0, 0, 0]]
        {
            assert!(SourceSnapshot::parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_snapshot_prints_nothing_of_itself() {
        let mut snapshot = SnapshotBuilder::default();
        snapshot.add(EntryKind::Variable, "SECRET", "hunter2");
        assert!(!format!("{snapshot:?}").contains("hunter2"));
    }
}
