//! The program that the packages carry, and the machines that it runs on.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Doing, Failure};

/// The names of an architecture.
pub(super) struct Architecture {
    pub(super) debian: &'static str,
    /// The name in a wheel's tag, and for people.
    pub(super) wheel: &'static str,
    pub(super) npm: &'static str,
}

const ARCHITECTURES: [Architecture; 2] = [
    Architecture { debian: "amd64", wheel: "x86_64", npm: "x64" },
    Architecture { debian: "arm64", wheel: "aarch64", npm: "arm64" },
];

impl Architecture {
    pub(super) fn from_debian(debian: &str) -> Result<&'static Self, Failure> {
        let found = ARCHITECTURES.iter().find(|architecture| architecture.debian == debian);
        found.ok_or_else(|| Failure::new(format!("packages are for amd64 and arm64, and not for {debian}")))
    }
}

/// A version of glibc.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Glibc {
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// A program, in memory because each package needs its bytes or its length.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// On an older glibc it does not start.
    pub(super) glibc: Glibc,
}

impl Program {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).doing(format_args!("read {}", path.display()))?;
        let glibc = newest_glibc(&bytes)
            .ok_or_else(|| Failure::new("the program names no version of glibc; build it for Debian"))?;
        Ok(Self { path: path.to_owned(), bytes, glibc })
    }
}

/// The newest version of glibc's symbols that the program needs.
fn newest_glibc(program: &[u8]) -> Option<Glibc> {
    const MARK: &[u8] = b"GLIBC_";
    let versions = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let version = |(place, _): (usize, &[u8])| {
        let text: Vec<u8> = program[place + MARK.len()..]
            .iter()
            .copied()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .collect();
        let text = String::from_utf8(text).ok()?;
        let mut numbers = text.split('.').map(str::parse);
        Some(Glibc { major: numbers.next()?.ok()?, minor: numbers.next()?.ok()? })
    };
    versions.filter_map(version).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_versions_are_compared_as_numbers() {
        let program = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0GLIBC_2.4\0";
        assert_eq!(newest_glibc(program), Some(Glibc { major: 2, minor: 34 }));
        assert_eq!(newest_glibc(b"static"), None);
    }
}
