//! Reads files and variables, each once, and hashes what it reads: the bytes hashed are the bytes applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::environment::{Environment, Variable};

/// Everything that has been read, and the hash over it.
pub(crate) struct Intake<'a> {
    environment: &'a Environment,
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
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self { environment, digest: Context::new(&SHA256), watched: BTreeSet::new(), files: BTreeMap::new() }
    }

    /// A file of settings. `name` stands for it in the hash, so that replicas may keep it in different folders.
    pub(crate) fn settings(&mut self, path: &Path, name: &str) -> Result<Zeroizing<String>, Unreadable> {
        let text = read(path, u64::MAX)?;
        self.absorb("settings", name, text.as_bytes());
        Ok(text)
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
        let text = Rc::new(read(&full, LARGEST_REFERENCED)?);
        self.absorb("file", &path.to_string_lossy(), text.as_bytes());
        self.files.insert(full, Rc::clone(&text));
        Ok(text)
    }

    /// A variable that a key names.
    pub(crate) fn variable(&mut self, name: &str) -> Result<Zeroizing<String>, Unreadable> {
        let text = self.unhashed_variable(name)?;
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

    /// The hash in hexadecimal, and the paths whose change is a change of the settings.
    pub(crate) fn finish(self) -> (String, Vec<PathBuf>) {
        let hash = self.digest.finish();
        let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (hex, self.watched.into_iter().collect())
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
        let mut intake = Intake::new(&environment);
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
            let refused = Intake::new(&environment).referenced(folder.path(), Path::new(name)).err().unwrap();
            assert!(refused.problem.contains(problem), "{}", refused.problem);
        }
    }

    #[test]
    fn the_hash_tells_readings_apart() {
        let environment = Environment::default();
        let hash = |parts: &[(&str, &str)]| {
            let mut intake = Intake::new(&environment);
            parts.iter().for_each(|(name, text)| intake.absorb("file", name, text.as_bytes()));
            intake.finish().0
        };
        assert_eq!(hash(&[("a", "b")]).len(), 64);
        assert_eq!(hash(&[("a", "b")]), hash(&[("a", "b")]));
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    }
}
