//! The content that a configuration was read from, as one byte string: every file and variable by name. It
//! contains secrets, so it is sealed before it is stored, and wiped after use.

use std::{collections::BTreeMap, path::Path};

use administration::documents::FileSecret;
use zeroize::Zeroizing;

use super::environment::Environment;

/// A larger snapshot is not stored, so a rollback to it is impossible.
pub const LARGEST: usize = 16 * 1024 * 1024;

const FORMAT: u8 = 1;

/// Everything that was read, by kind and name.
#[derive(Debug, Default)]
pub struct SourceSnapshot {
    entries: BTreeMap<(u8, String), FileSecret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryKind {
    /// A file. The name is relative to the folder of the main file if the file is in that folder. The main
    /// file has an empty name.
    File = 1,
    /// A variable that a key names.
    Variable = 2,
    /// The public URL, wherever it came from.
    PublicUrl = 3,
}

/// The bytes have an unknown format.
#[derive(Debug, thiserror::Error)]
#[error("this version cannot read what was recorded with this generation")]
pub struct UnreadableSnapshot;

impl SourceSnapshot {
    pub fn add(&mut self, kind: EntryKind, name: &str, text: &str) {
        self.entries.insert((kind as u8, name.to_owned()), FileSecret::new(text.to_owned()));
    }

    /// All entries, or `None` if they are larger than the limit.
    pub fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let size =
            self.entries.iter().map(|((_, name), text)| 9 + name.len() + text.expose().len()).sum::<usize>()
                + 1;
        if size > LARGEST {
            return None;
        }
        // Allocates the whole buffer first, because the memory of a vector that grows is not wiped.
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.push(FORMAT);
        for ((kind, name), text) in &self.entries {
            bytes.push(*kind);
            for part in [name, text.expose()] {
                bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        Some(bytes)
    }

    /// Reads the result of [`SourceSnapshot::bytes`].
    pub fn parse(bytes: &[u8]) -> Result<Self, UnreadableSnapshot> {
        let mut rest = bytes.strip_prefix(&[FORMAT]).ok_or(UnreadableSnapshot)?;
        let mut entries = BTreeMap::new();
        while let Some((&kind, after)) = rest.split_first() {
            let (name, after) = part(after).ok_or(UnreadableSnapshot)?;
            let (text, after) = part(after).ok_or(UnreadableSnapshot)?;
            entries.insert((kind, name.to_owned()), FileSecret::new(text.to_owned()));
            rest = after;
        }
        Ok(Self { entries })
    }

    pub(crate) fn get(&self, kind: EntryKind, name: &str) -> Option<FileSecret> {
        self.entries.get(&(kind as u8, name.to_owned())).cloned()
    }

    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let files = self.entries.keys().filter(|(kind, _)| *kind == EntryKind::File as u8);
        files.map(|(_, name)| Path::new(name))
    }

    /// The current environment with the public URL of the snapshot, so that issuers are the same as before.
    pub fn environment(&self, today: Environment) -> Environment {
        match self.get(EntryKind::PublicUrl, "") {
            Some(text) => today.with("LATCHKEY__SERVER__PUBLIC_URL", text),
            None => today,
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
    fn snapshot_round_trips() {
        let mut snapshot = SourceSnapshot::default();
        snapshot.add(EntryKind::File, "config.yaml", "tenants: {}");
        snapshot.add(EntryKind::Variable, "SECRET", "hunter2");
        snapshot.add(EntryKind::Variable, "EMPTY", "");
        let snapshot = SourceSnapshot::parse(&snapshot.bytes().unwrap()).ok().unwrap();
        let text = |kind, name| snapshot.get(kind, name).map(|text| text.expose().to_owned());
        assert_eq!(text(EntryKind::File, "config.yaml").as_deref(), Some("tenants: {}"));
        assert_eq!(text(EntryKind::Variable, "SECRET").as_deref(), Some("hunter2"));
        assert_eq!(text(EntryKind::Variable, "EMPTY").as_deref(), Some(""));
        assert_eq!(text(EntryKind::File, "SECRET"), None);
        assert_eq!(snapshot.files().collect::<Vec<_>>(), [Path::new("config.yaml")]);
    }

    #[test]
    fn oversized_snapshot_is_not_kept() {
        let mut snapshot = SourceSnapshot::default();
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
    fn snapshot_debug_shows_no_content() {
        let mut snapshot = SourceSnapshot::default();
        snapshot.add(EntryKind::Variable, "SECRET", "hunter2");
        assert!(!format!("{snapshot:?}").contains("hunter2"));
    }
}
