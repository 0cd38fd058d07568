//! The program that the packages carry, and the machines that it runs on.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Doing, Failure, Workspace};

/// The names of an architecture.
pub(super) struct Architecture {
    /// The name in Debian packages, file names and container images.
    pub(super) debian: &'static str,
    /// The name in Rust, wheel tags, `uname` and names of tools, and for people.
    pub(super) processor: &'static str,
    pub(super) npm: &'static str,
    /// `e_machine` in the ELF header.
    machine: u16,
}

pub(super) const ARCHITECTURES: [Architecture; 2] = [
    Architecture { debian: "amd64", processor: "x86_64", npm: "x64", machine: 62 },
    Architecture { debian: "arm64", processor: "aarch64", npm: "arm64", machine: 183 },
];

impl Architecture {
    /// The architecture in the program's ELF header. A script is for this machine.
    fn of(program: &[u8]) -> Result<&'static Self, Failure> {
        let machine = program.get(18..20).filter(|_| program.starts_with(b"\x7fELF"));
        let found = ARCHITECTURES.iter().find(|architecture| {
            machine.map_or(architecture.is_here(), |machine| *machine == architecture.machine.to_le_bytes())
        });
        found.ok_or_else(|| Failure::new("the program is neither for amd64 nor for arm64"))
    }

    /// Whether this machine has the architecture.
    pub(super) fn is_here(&self) -> bool {
        self.processor == ARCH
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
    pub(super) architecture: &'static Architecture,
    /// On an older glibc it does not start.
    pub(super) glibc: Glibc,
}

impl Program {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).doing(format_args!("read {}", path.display()))?;
        let glibc = newest_glibc(&bytes)
            .ok_or_else(|| Failure::new("the program names no version of glibc; build it for Debian"))?;
        let architecture = Architecture::of(&bytes)?;
        Ok(Self { path: path.to_owned(), bytes, architecture, glibc })
    }

    /// The machines on which the program starts, for people.
    pub(super) fn platform(&self) -> String {
        let Glibc { major, minor } = self.glibc;
        format!("Linux ({}, glibc {major}.{minor} or newer)", self.architecture.processor)
    }

    /// Starts the program, in an emulator if it is for another architecture.
    pub(super) fn command(&self, workspace: &Workspace, arguments: &[&str]) -> Command {
        if self.architecture.is_here() {
            return workspace.program(&self.path, arguments);
        }
        let processor = self.architecture.processor;
        let libraries = format!("/usr/{processor}-linux-gnu");
        let mut command = workspace.program(format!("qemu-{processor}-static"), &["-L", &libraries]);
        command.arg(&self.path).args(arguments);
        command
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

    #[test]
    fn architecture_is_that_of_the_elf_header() {
        let header = |machine: u16| {
            [b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0", &machine.to_le_bytes()[..]].concat()
        };
        assert_eq!(Architecture::of(&header(62)).unwrap().debian, "amd64");
        assert_eq!(Architecture::of(&header(183)).unwrap().debian, "arm64");
        assert!(Architecture::of(&header(243)).is_err());
        assert!(Architecture::of(b"#!/bin/sh\n").unwrap().is_here());
    }
}
