//! The wheel: a Python package that carries the program, so that `pip install` puts it on the search path
//! (PEP 427, and PEP 600 for the tag).

use std::fs;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::program::{Glibc, Program};
use super::stage::Stage;
use super::{PUBLISHED_NAME, Release, SUMMARY, sha256sum};
use crate::workspace::{self, Doing, Failure, Workspace};

pub(super) fn write(workspace: &Workspace, program: &Program, release: &Release) -> Result<(), Failure> {
    let version = python_version(&release.version)?;
    let tag = tag(release, program.glibc);
    let folder = format!("{}-{version}", name_in_files());
    let info = format!("{folder}.dist-info");
    let licence = fs::read(workspace.root.join("LICENSE")).doing("read LICENSE")?;
    let metadata = format!(
        "Metadata-Version: 2.4\nName: {PUBLISHED_NAME}\nVersion: {version}\nSummary: {SUMMARY}\nLicense-Expression: {}\n\
         License-File: LICENSE\nRequires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n{}",
        release.licence,
        release.readme(&program.platform())
    );
    let wheel =
        format!("Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: false\nTag: {tag}\n");
    // In the order of their names.
    let files = [
        (format!("{folder}.data/scripts/latchkey"), program.bytes.as_slice(), 0o755),
        (format!("{info}/METADATA"), metadata.as_bytes(), 0o644),
        (format!("{info}/WHEEL"), wheel.as_bytes(), 0o644),
        (format!("{info}/licenses/LICENSE"), &licence, 0o644),
    ];
    let stage = Stage::new(release.folder.join("wheel"));
    for (path, bytes, mode) in &files {
        stage.add(path, bytes, *mode)?;
    }
    let mut names: Vec<_> = files.iter().map(|(path, _, _)| path.as_str()).collect();
    let sums = sha256sum(workspace, &stage.root, &names)?;
    let lengths = files.iter().map(|(_, bytes, _)| bytes.len());
    let lines = sums.lines().zip(lengths).map(|(line, length)| record(line, length));
    let path = format!("{info}/RECORD");
    let text = lines.collect::<Option<String>>().ok_or_else(|| Failure::new("sha256sum gave no digests"))?;
    stage.add(&path, format!("{text}{path},,\n").as_bytes(), 0o644)?;
    names.push(&path);
    zip(workspace, release, &stage, &names, &name(release, program.glibc)?)
}

pub(super) fn name(release: &Release, glibc: Glibc) -> Result<String, Failure> {
    let version = python_version(&release.version)?;
    Ok(format!("{}-{version}-{}.whl", name_in_files(), tag(release, glibc)))
}

/// The published name in file names, where a hyphen separates the parts.
pub(super) fn name_in_files() -> String {
    PUBLISHED_NAME.replace('-', "_")
}

/// Any Python 3, on a Linux with this glibc or a newer one.
fn tag(release: &Release, Glibc { major, minor }: Glibc) -> String {
    format!("py3-none-manylinux_{major}_{minor}_{}", release.architecture.processor)
}

/// What Python calls a version (PEP 440). A hyphen separates the parts of a wheel's name.
fn python_version(version: &str) -> Result<String, Failure> {
    let Some((release, pre)) = version.split_once('-') else { return Ok(version.to_owned()) };
    let letters = [("alpha.", "a"), ("beta.", "b"), ("rc.", "rc")];
    let number = letters.iter().find_map(|(word, letter)| {
        let number: u32 = pre.strip_prefix(word)?.parse().ok()?;
        Some(format!("{release}{letter}{number}"))
    });
    number.ok_or_else(|| {
        Failure::new(format!("Python has no version {version}; write -alpha.1, -beta.1 or -rc.1"))
    })
}

/// The line of `RECORD` for a line of `sha256sum`.
fn record(line: &str, length: usize) -> Option<String> {
    let (digest, path) = line.split_once("  ")?;
    let byte = |place| u8::from_str_radix(digest.get(place..place + 2)?, 16).ok();
    let bytes = (0..digest.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some(format!("{path},sha256={},{length}\n", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Writes the wheel: the files in this order, at the time of the commit, without owners (`-X`) and folders
/// (`-D`). Zip writes local times.
fn zip(
    workspace: &Workspace,
    release: &Release,
    stage: &Stage,
    names: &[&str],
    wheel: &str,
) -> Result<(), Failure> {
    let date = format!("--date=@{}", release.epoch);
    workspace::run(workspace.program("touch", &[&date]).args(names).current_dir(&stage.root))?;
    let mut command = workspace.program("zip", &["-q", "-9", "-X", "-D"]);
    command.arg(release.folder.join(wheel)).args(names).env("TZ", "UTC").current_dir(&stage.root);
    workspace::run(&mut command)?;
    fs::remove_dir_all(&stage.root).doing("remove the files of the wheel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_follows_python_rules() {
        for (version, expected) in
            [("1.2.3", Some("1.2.3")), ("1.2.3-rc.10", Some("1.2.3rc10")), ("1.2.3-alpha.1", Some("1.2.3a1"))]
        {
            assert_eq!(python_version(version).ok().as_deref(), expected, "{version}");
        }
        assert!(python_version("1.2.3-nightly").is_err());
    }

    #[test]
    fn record_contains_the_base64url_digest() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/b";
        let expected = "a/b,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
        assert_eq!(record(empty, 0).as_deref(), Some(expected));
        assert_eq!(record("", 0), None);
    }
}
