//! Reads files and variables, each once, and hashes what it reads: the bytes hashed are the bytes applied. It also keeps them, so
//! that the same configuration can be read again when the files say something else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::environment::{Environment, Variable};
use super::recorded::{Kind, Recorded, Recording};

/// Everything that has been read, and the hash over it.
pub(crate) struct Intake<'a> {
    environment: &'a Environment,
    /// Read instead of files and variables, where there is one.
    recorded: Option<&'a Recorded>,
    recording: Recording,
    /// The main file. Names in recordings are relative to its folder and its own name is left out, so that they hold where it lies
    /// elsewhere.
    config: PathBuf,
    digest: Context,
    watched: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Rc<Zeroizing<String>>>,
}

/// What is wrong with what a key points at, and the mend.
pub(crate) struct Unreadable {
    pub(crate) problem: String,
    pub(crate) mend: String,
}

/// More than any secret, key or key set; without a limit `file: /dev/zero` would be read for ever.
const LARGEST_REFERENCED: u64 = 1 << 20;

impl<'a> Intake<'a> {
    /// Of what the files and the environment hold now, or of what was recorded.
    pub(crate) fn new(environment: &'a Environment, config: &Path, recorded: Option<&'a Recorded>) -> Self {
        Self {
            environment,
            recorded,
            recording: Recording::default(),
            config: config.to_owned(),
            digest: Context::new(&SHA256),
            watched: BTreeSet::new(),
            files: BTreeMap::new(),
        }
    }

    /// A file of settings. `name` stands for it in the hash, so that replicas may keep it in different folders.
    pub(crate) fn settings(&mut self, path: &Path, name: &str) -> Result<Zeroizing<String>, Unreadable> {
        let text = self.file(path, u64::MAX)?;
        self.absorb("settings", name, text.as_bytes());
        Ok(text)
    }

    /// What lies in a folder, in no order.
    pub(crate) fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        match self.recorded {
            Some(recorded) => {
                let named = recorded.files().map(|name| self.root().join(name));
                Ok(named.filter(|path| path.parent() == Some(folder)).collect())
            }
            None => fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect(),
        }
    }

    /// A file that a key names, relative to the folder of the file that names it.
    pub(crate) fn referenced(
        &mut self,
        folder: &Path,
        path: &Path,
    ) -> Result<Rc<Zeroizing<String>>, Unreadable> {
        let full = folder.join(path);
        self.watch(&full);
        if let Some(text) = self.files.get(&full) {
            return Ok(Rc::clone(text));
        }
        let text = Rc::new(self.file(&full, LARGEST_REFERENCED)?);
        self.absorb("file", &path.to_string_lossy(), text.as_bytes());
        self.files.insert(full, Rc::clone(&text));
        Ok(text)
    }

    /// A variable that a key names.
    pub(crate) fn variable(&mut self, name: &str) -> Result<Zeroizing<String>, Unreadable> {
        let text = match self.recorded.and_then(|recorded| recorded.get(Kind::Variable, name)) {
            Some(text) => text,
            None => self.unhashed_variable(name)?,
        };
        self.recording.add(Kind::Variable, name, &text);
        self.absorb("variable", name, text.as_bytes());
        Ok(text)
    }

    /// A variable that may differ between replicas of one configuration.
    pub(crate) fn unhashed_variable(&self, name: &str) -> Result<Zeroizing<String>, Unreadable> {
        let problem = match self.environment.get(name) {
            Some(Variable::Text(text)) => return Ok(Zeroizing::new(text.expose().to_owned())),
            Some(Variable::NotText) => format!("the environment variable {name} is not UTF-8"),
            None => format!("the environment variable {name} is not set"),
        };
        Err(Unreadable { problem, mend: format!("set {name} before the start, or name another source") })
    }

    /// Something else that the applied configuration depends on.
    pub(crate) fn absorb(&mut self, kind: &str, name: &str, bytes: &[u8]) {
        // Lengths first, so that no two different readings run together into the same bytes.
        for part in [kind.as_bytes(), name.as_bytes(), bytes] {
            self.digest.update(&(part.len() as u64).to_be_bytes());
            self.digest.update(part);
        }
    }

    pub(crate) fn watch(&mut self, path: &Path) {
        self.watched.insert(path.to_owned());
    }

    /// Notes what issuers are derived from, which may come from a variable that only one machine has.
    pub(crate) fn public_url(&mut self, public_url: &str) {
        self.recording.add(Kind::PublicUrl, "", public_url);
        self.absorb("public_url", "", public_url.as_bytes());
    }

    /// The hash in hexadecimal, the paths whose change is a change of the settings, and what was read.
    pub(crate) fn finish(self) -> (String, Vec<PathBuf>, Recording) {
        let hash = self.digest.finish();
        let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (hex, self.watched.into_iter().collect(), self.recording)
    }

    fn root(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }

    fn file(&mut self, path: &Path, limit: u64) -> Result<Zeroizing<String>, Unreadable> {
        let name = match path {
            path if path == self.config => String::new(),
            path => path.strip_prefix(self.root()).unwrap_or(path).to_string_lossy().into_owned(),
        };
        let text = match self.recorded {
            Some(recorded) => recorded.get(Kind::File, &name).ok_or_else(|| Unreadable {
                problem: format!("{} was not recorded with this generation", path.display()),
                mend: "call `latchkey rollback` with the `--config` at the place where it was when the generation was applied"
                    .to_owned(),
            })?,
            None => read(path, limit)?,
        };
        self.recording.add(Kind::File, &name, &text);
        Ok(text)
    }
}

fn read(path: &Path, limit: u64) -> Result<Zeroizing<String>, Unreadable> {
    let unreadable = |problem: String, mend: &str| Unreadable { problem, mend: mend.to_owned() };
    let file = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(
            format!("there is no file {}", path.display()),
            "make it, or mend the path; paths are relative to the file that names them",
        ),
        io::ErrorKind::PermissionDenied => {
            unreadable(format!("{} may not be read", path.display()), "give this user the right to read it")
        }
        _ => {
            unreadable(format!("{} cannot be read: {error}", path.display()), "name a file that can be read")
        }
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let opened = File::open(path).map_err(file)?;
    opened.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(file)?;
    if bytes.len() as u64 > limit {
        let problem = format!("{} is larger than {limit} bytes", path.display());
        return Err(unreadable(problem, "name the file that holds the secret or the keys, and nothing else"));
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            let problem = format!("{} is not UTF-8 in line {line}", path.display());
            Err(unreadable(problem, "save it as UTF-8"))
        }
    }
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
        let mut intake = Intake::new(&environment, Path::new(""), None);
        let first = intake.referenced(folder.path(), Path::new("a")).ok().unwrap();
        fs::write(folder.path().join("a"), "second").unwrap();
        let second = intake.referenced(folder.path(), Path::new("a")).ok().unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("first", "first"));
        assert_eq!(intake.finish().1, [folder.path().join("a")]);
    }

    #[test]
    fn what_is_too_large_missing_or_not_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("large"), vec![b'a'; (1 << 20) + 1]).unwrap();
        fs::write(folder.path().join("bytes"), b"a\n\xff").unwrap();
        let environment = Environment::default();
        for (name, problem) in [
            ("large", "is larger than 1048576 bytes"),
            ("missing", "there is no file"),
            ("bytes", "is not UTF-8 in line 2"),
        ] {
            let refused = Intake::new(&environment, Path::new(""), None)
                .referenced(folder.path(), Path::new(name))
                .err()
                .unwrap();
            assert!(refused.problem.contains(problem), "{}", refused.problem);
        }
    }

    #[test]
    fn the_hash_tells_readings_apart() {
        let environment = Environment::default();
        let hash = |parts: &[(&str, &str)]| {
            let mut intake = Intake::new(&environment, Path::new(""), None);
            parts.iter().for_each(|(name, text)| intake.absorb("file", name, text.as_bytes()));
            intake.finish().0
        };
        assert_eq!(hash(&[("a", "b")]).len(), 64);
        assert_eq!(hash(&[("a", "b")]), hash(&[("a", "b")]));
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    }
}
