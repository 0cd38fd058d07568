//! The control files of the Debian package (Debian policy, chapter 5): name, dependencies, settings, and the
//! scripts of an installation.

use std::fs;

use super::program::{Glibc, Program};
use super::stage::{SETTINGS, Stage};
use super::{Release, SUMMARY};
use crate::workspace::{Doing, Failure, Workspace};

const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

pub(super) fn write(
    workspace: &Workspace,
    stage: &Stage,
    program: &Program,
    release: &Release,
) -> Result<(), Failure> {
    let control = control(&release.version, release.architecture.debian, program.glibc, program.bytes.len());
    stage.add("DEBIAN/control", control.as_bytes(), 0o644)?;
    stage.add("DEBIAN/conffiles", format!("{SETTINGS}\n").as_bytes(), 0o644)?;
    for script in SCRIPTS {
        let text = fs::read(workspace.root.join("deploy/debian").join(script))
            .doing(format_args!("read {script}"))?;
        stage.add(&format!("DEBIAN/{script}"), &text, 0o755)?;
    }
    Ok(())
}

fn control(version: &str, architecture: &str, Glibc { major, minor }: Glibc, bytes: usize) -> String {
    format!(
        "Package: latchkey\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Latchkey developers <latchkey@localhost>\n\
         Section: net\n\
         Priority: optional\n\
         Installed-Size: {}\n\
         Depends: libc6 (>= {major}.{minor}), libgcc-s1, passwd\n\
         Description: {SUMMARY}\n \
         An OAuth 2.0 authorization server for services. Tenants are declared in files or\n \
         created over an API; each has its own issuer, clients, scopes and signing keys.\n",
        bytes.div_ceil(1024)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_requires_the_glibc_of_the_program() {
        let control = control("1.2.3", "amd64", Glibc { major: 2, minor: 34 }, 2049);
        assert!(control.contains("\nDepends: libc6 (>= 2.34), "), "{control}");
        assert!(control.contains("\nInstalled-Size: 3\n"), "{control}");
        assert!(control.lines().skip(9).all(|line| line.starts_with(' ')), "{control}");
    }
}
