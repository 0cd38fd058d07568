//! Reads files and variables, each once, and hashes what it reads, so that exactly the applied bytes are
//! hashed. It also keeps the bytes, so that the same configuration can be read again after the files have
//! changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use administration::documents::FileSecret;
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::diagnostic::{Diagnostic, ExplainedError};
use super::environment::{Environment, Variable};
use super::file_faults::{is_private, refusal};
use super::read_error::ReadError;
use super::source::SourceFile;
use super::source_map::is_variable_name;
use super::source_snapshot::{EntryKind, SourceSnapshot};
use crate::files::{self, Contents, Holds};

/// Everything that has been read, and its hash.
pub(crate) struct FileReader<'a> {
    pub(super) environment: &'a Environment,
    /// The snapshot to read instead of files and variables, if there is one.
    replayed: Option<&'a SourceSnapshot>,
    snapshot: SourceSnapshot,
    /// The main file. The snapshot contains names relative to its folder, and not its own name, so a snapshot
    /// can be used in another folder.
    config: PathBuf,
    digest: Context,
    watched: BTreeSet<PathBuf>,
    files: BTreeMap<(PathBuf, Holds), FileText>,
}

/// The content of a file; a picture is in base64.
#[derive(Clone)]
pub(crate) struct FileText {
    pub text: FileSecret,
    /// Whether the file contains a secret and every user of this machine may read it.
    pub is_exposed: bool,
}

impl<'a> FileReader<'a> {
    /// Reads the current files and environment, or a snapshot.
    pub(crate) fn new(
        environment: &'a Environment,
        config: &Path,
        replayed: Option<&'a SourceSnapshot>,
    ) -> Self {
        Self {
            environment,
            replayed,
            snapshot: SourceSnapshot::default(),
            config: config.to_owned(),
            digest: Context::new(&SHA256),
            watched: BTreeSet::new(),
            files: BTreeMap::new(),
        }
    }

    /// Reads a settings file. `name` is its name in the hash, so that replicas may have it in different
    /// folders.
    pub(crate) fn settings(&mut self, path: &Path, name: &str) -> Result<SourceFile, ReadError> {
        match self.file(path, Holds::Settings) {
            Ok(FileText { text, .. }) => {
                self.absorb("settings", name, text.expose().as_bytes());
                Ok(SourceFile::new(path.to_owned(), text))
            }
            Err(mut explanation) => {
                if name == "config.yaml" && !path.exists() {
                    "create one with `latchkey init`, or name another file with --config"
                        .clone_into(&mut explanation.hint);
                }
                Err(Diagnostic::about_path(path, explanation).into())
            }
        }
    }

    /// The files of a folder, in no particular order.
    pub(crate) fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        match self.replayed {
            Some(replayed) => {
                let named = replayed.files().map(|name| self.root().join(name));
                Ok(named.filter(|path| path.parent() == Some(folder)).collect())
            }
            None => fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect(),
        }
    }

    /// Reads a file that a key names, relative to the folder of the file with the key.
    pub(crate) fn referenced(
        &mut self,
        folder: &Path,
        path: &Path,
        holds: Holds,
    ) -> Result<FileText, ExplainedError> {
        let full = folder.join(path);
        self.watch(&full);
        if let Some(known) = self.files.get(&(full.clone(), holds)) {
            return Ok(known.clone());
        }
        let read = self.file(&full, holds)?;
        self.absorb("file", &path.to_string_lossy(), read.text.expose().as_bytes());
        self.files.insert((full, holds), read.clone());
        Ok(read)
    }

    pub(crate) fn variable(&mut self, name: &str) -> Result<FileSecret, ExplainedError> {
        let text = match self.replayed.and_then(|replayed| replayed.get(EntryKind::Variable, name)) {
            Some(text) => text,
            None => self.unhashed_variable(name)?,
        };
        self.snapshot.add(EntryKind::Variable, name, text.expose());
        self.absorb("variable", name, text.expose().as_bytes());
        Ok(text)
    }

    /// Reads a variable that may differ between replicas with the same configuration, so it is not hashed.
    pub(crate) fn unhashed_variable(&self, name: &str) -> Result<FileSecret, ExplainedError> {
        let mut problem = match self.environment.get(name) {
            Some(Variable::Text(text)) => return Ok(text.clone()),
            Some(Variable::NotText) => "this environment variable is not UTF-8".to_owned(),
            None => "this environment variable is not set".to_owned(),
        };
        // The file may contain a secret instead of a name, so only a valid name is repeated.
        if is_variable_name(name) {
            problem += &format!(", {name}");
        }
        Err(ExplainedError::new(problem, "set it before you start the server, or use another source"))
    }

    /// Adds something else to the hash on which the applied configuration depends.
    pub(crate) fn absorb(&mut self, kind: &str, name: &str, bytes: &[u8]) {
        // The lengths come first, so that different readings never have the same bytes.
        for part in [kind.as_bytes(), name.as_bytes(), bytes] {
            self.digest.update(&(part.len() as u64).to_be_bytes());
            self.digest.update(part);
        }
    }

    pub(crate) fn watch(&mut self, path: &Path) {
        self.watched.insert(path.to_owned());
    }

    /// Adds the URL from which issuers are derived. A variable of a single machine may set it.
    pub(crate) fn public_url(&mut self, public_url: &str) {
        self.snapshot.add(EntryKind::PublicUrl, "", public_url);
        self.absorb("public_url", "", public_url.as_bytes());
    }

    /// The hash in hexadecimal, the paths to watch for changes, and the snapshot.
    pub(crate) fn finish(self) -> (String, Vec<PathBuf>, SourceSnapshot) {
        let hash = self.digest.finish();
        let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (hex, self.watched.into_iter().collect(), self.snapshot)
    }

    fn root(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }

    fn file(&mut self, path: &Path, holds: Holds) -> Result<FileText, ExplainedError> {
        let name = if path == self.config { Path::new("") } else { path };
        let name = name.strip_prefix(self.root()).unwrap_or(name).to_string_lossy().into_owned();
        let read = match self.replayed {
            Some(replayed) => {
                let text = replayed.get(EntryKind::File, &name).ok_or_else(|| {
                    ExplainedError::new(
                        "this generation contains no copy of this file",
                        "run `latchkey rollback` with the same `--config` path that you used when you \
                            applied the generation",
                    )
                })?;
                FileText { text, is_exposed: false }
            }
            None => read(path, holds, self.environment)?,
        };
        self.snapshot.add(EntryKind::File, &name, read.text.expose());
        Ok(read)
    }
}

fn read(path: &Path, holds: Holds, environment: &Environment) -> Result<FileText, ExplainedError> {
    let Contents { bytes, others_may_read } =
        files::read(path, holds).map_err(|error| refusal(&error, path))?;
    if holds == Holds::Image {
        return Ok(FileText { text: FileSecret::new(BASE64_STANDARD.encode(&*bytes)), is_exposed: false });
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        ExplainedError::new(format!("this file is not valid UTF-8 at line {line}"), "save it as UTF-8")
    })?;
    let is_exposed = holds == Holds::Secret && others_may_read && !is_private(path, environment);
    Ok(FileText { text: FileSecret::new(text.to_owned()), is_exposed })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_once_and_watched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "first").unwrap();
        let environment = Environment::default();
        let mut file_reader = FileReader::new(&environment, Path::new(""), None);
        let first = file_reader.referenced(folder.path(), Path::new("a"), Holds::Public).ok().unwrap();
        fs::write(folder.path().join("a"), "second").unwrap();
        let second = file_reader.referenced(folder.path(), Path::new("a"), Holds::Public).ok().unwrap();
        assert_eq!((first.text.expose(), second.text.expose()), ("first", "first"));
        assert_eq!(file_reader.finish().1, [folder.path().join("a")]);
    }

    #[test]
    fn oversized_missing_and_non_utf8_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("large"), vec![b'a'; (1 << 20) + 1]).unwrap();
        fs::write(folder.path().join("bytes"), b"a\n\xff").unwrap();
        let environment = Environment::default();
        for (name, problem) in [
            ("large", "is larger than 1048576 bytes"),
            ("missing", "this file does not exist"),
            ("bytes", "is not valid UTF-8 at line 2"),
        ] {
            let refused = FileReader::new(&environment, Path::new(""), None)
                .referenced(folder.path(), Path::new(name), Holds::Public)
                .err()
                .unwrap();
            assert!(refused.problem.contains(problem), "{}", refused.problem);
        }
    }

    #[test]
    fn different_sources_have_different_hashes() {
        let environment = Environment::default();
        let hash = |parts: &[(&str, &str)]| {
            let mut file_reader = FileReader::new(&environment, Path::new(""), None);
            parts.iter().for_each(|(name, text)| file_reader.absorb("file", name, text.as_bytes()));
            file_reader.finish().0
        };
        assert_eq!(hash(&[("a", "b")]).len(), 64);
        assert_eq!(hash(&[("a", "b")]), hash(&[("a", "b")]));
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    }
}
