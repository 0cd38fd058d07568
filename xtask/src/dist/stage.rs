//! The files of a package below a folder. Those of archive and Debian package are as they will be below `/`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::program::Program;
use crate::workspace::{self, Doing, Failure, Workspace, read_text};

/// Settings that an upgrade does not overwrite.
pub(super) const SETTINGS: &str = "/etc/latchkey/config.yaml";

/// A shell, and the file that it reads completions from.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/latchkey"),
    ("zsh", "usr/share/zsh/vendor-completions/_latchkey"),
    ("fish", "usr/share/fish/vendor_completions.d/latchkey.fish"),
];

/// A folder with the files of one package.
pub(super) struct Stage {
    pub(super) root: PathBuf,
}

impl Stage {
    /// A stage without files.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The program, its unit and settings, manual pages, completions and licence.
    pub(super) fn fill(workspace: &Workspace, root: PathBuf, program: &Program) -> Result<Self, Failure> {
        let stage = Self::new(root);
        stage.add("usr/bin/latchkey", &program.bytes, 0o755)?;
        let read =
            |path: &str| fs::read_to_string(workspace.root.join(path)).doing(format_args!("read {path}"));
        // Packages own /usr/bin, and leave /usr/local to the administrator.
        let unit = packaged_unit(&read("deploy/latchkey.service")?);
        stage.add("usr/lib/systemd/system/latchkey.service", unit.as_bytes(), 0o644)?;
        stage.add(&SETTINGS[1..], read("deploy/systemd.yaml")?.as_bytes(), 0o640)?;
        stage.add("usr/share/doc/latchkey/copyright", read("LICENSE")?.as_bytes(), 0o644)?;
        stage.add("usr/share/doc/latchkey/changelog", read("CHANGELOG.md")?.as_bytes(), 0o644)?;
        for (shell, path) in COMPLETIONS {
            let script = read_text(&mut program.command(workspace, &["completion", shell]))?;
            stage.add(path, script.as_bytes(), 0o644)?;
        }
        let pages = stage.root.join("usr/share/man/man1");
        workspace::run(program.command(workspace, &["man"]).arg(&pages))?;
        workspace::run(workspace.program("gzip", &["-n", "-9", "-r"]).arg(&pages))?;
        Ok(stage)
    }

    /// Adds a file, and the folders above it.
    pub(super) fn add(&self, path: &str, bytes: &[u8], mode: u32) -> Result<(), Failure> {
        let file = self.root.join(path);
        self.add_folder(file.parent().unwrap_or(&self.root))?;
        fs::write(&file, bytes).doing(format_args!("write {}", file.display()))?;
        set_mode(&file, mode)
    }

    /// Adds a folder that every user may read, and those above it. A relative path is below the root.
    pub(super) fn add_folder(&self, path: impl AsRef<Path>) -> Result<(), Failure> {
        let folder = self.root.join(path);
        fs::create_dir_all(&folder).doing(format_args!("create {}", folder.display()))?;
        let mut folders = folder.ancestors().take_while(|folder| folder.starts_with(&self.root));
        folders.try_for_each(|folder| set_mode(folder, 0o755))
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .doing(format_args!("change the mode of {}", path.display()))
}

/// The unit without the commands for an installation by hand.
fn packaged_unit(unit: &str) -> String {
    let begin = unit.find("[Unit]").unwrap_or(0);
    unit[begin..].replace("/usr/local/bin/latchkey", "/usr/bin/latchkey")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packaged_unit_starts_the_packaged_program() {
        let unit = packaged_unit(include_str!("../../../deploy/latchkey.service"));
        assert!(unit.starts_with("[Unit]\n"), "{unit}");
        let command = "/usr/bin/latchkey --config /etc/latchkey/config.yaml serve";
        assert!(unit.contains(&format!("\nExecStart={command}\n")), "{unit}");
        assert!(!unit.contains("/usr/local"), "{unit}");
    }
}
