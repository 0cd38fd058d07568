//! The control files of the Debian package (Debian policy, chapter 5): name, dependencies, settings, and the scripts of an installation.

use std::fs;
use std::path::Path;

use super::Release;
use super::stage::{SETTINGS, Stage};
use crate::workspace::{Doing, Failure, Workspace};

const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

pub(super) fn write(
    workspace: &Workspace,
    stage: &Stage,
    program: &Path,
    release: &Release,
) -> Result<(), Failure> {
    let bytes = fs::read(program).doing(format_args!("read {}", program.display()))?;
    let glibc = newest_glibc(&bytes)
        .ok_or_else(|| Failure::new("the program names no version of glibc; build it for Debian"))?;
    let control = control(&release.version, &release.architecture, glibc, bytes.len());
    stage.add("DEBIAN/control", control.as_bytes(), 0o644)?;
    stage.add("DEBIAN/conffiles", format!("{SETTINGS}\n").as_bytes(), 0o644)?;
    for script in SCRIPTS {
        let text = fs::read(workspace.root.join("deploy/debian").join(script))
            .doing(format_args!("read {script}"))?;
        stage.add(&format!("DEBIAN/{script}"), &text, 0o755)?;
    }
    Ok(())
}

fn control(version: &str, architecture: &str, (major, minor): (u32, u32), bytes: usize) -> String {
    format!(
        "Package: latchkey\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Latchkey developers <latchkey@localhost>\n\
         Section: net\n\
         Priority: optional\n\
         Installed-Size: {}\n\
         Depends: libc6 (>= {major}.{minor}), libgcc-s1, passwd\n\
         Description: multi-tenant identity platform for services and people\n \
         An OAuth 2.0 authorization server for services. Tenants are declared in files or\n \
         created over an API; each has its own issuer, clients, scopes and signing keys.\n",
        bytes.div_ceil(1024)
    )
}

/// The newest version of glibc's symbols that the program needs: on an older glibc it does not start.
fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
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
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    versions.filter_map(version).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_as_numbers() {
        let program = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0GLIBC_2.4\0";
        assert_eq!(newest_glibc(program), Some((2, 34)));
        assert_eq!(newest_glibc(b"static"), None);
        let control = control("1.2.3", "amd64", (2, 34), 2049);
        assert!(control.contains("\nDepends: libc6 (>= 2.34), "), "{control}");
        assert!(control.contains("\nInstalled-Size: 3\n"), "{control}");
        assert!(control.lines().skip(9).all(|line| line.starts_with(' ')), "{control}");
    }
}
