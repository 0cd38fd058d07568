//! The npm package that carries the program. The project builds for one platform, so one package
//! has the program itself: it installs from its file alone, and Node does not run while the
//! program does. For a second platform this name becomes a package that names one such package
//! for each platform in `optionalDependencies`.

use std::fs;

use serde_json::json;

use super::program::Program;
use super::stage::Stage;
use super::{Release, SUMMARY, pack};
use crate::workspace::{Doing, Failure, Workspace};

/// The name in the registry, which may be another one than that of the program.
const NAME: &str = "latchkey";

pub(super) fn write(workspace: &Workspace, program: &Program, release: &Release) -> Result<(), Failure> {
    let manifest = json!({
        "name": NAME,
        "version": release.version,
        "description": SUMMARY,
        "license": release.licence,
        "bin": { "latchkey": "bin/latchkey" },
        "os": ["linux"],
        "cpu": [release.architecture.npm],
        "libc": ["glibc"],
        // Yarn starts no program out of an archive.
        "preferUnplugged": true,
    });
    let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    let licence = fs::read(workspace.root.join("LICENSE")).doing("read LICENSE")?;
    let stage = Stage::new(release.folder.join("npm"));
    stage.add("package/package.json", manifest.as_bytes(), 0o644)?;
    stage.add("package/README.md", release.readme(program).as_bytes(), 0o644)?;
    stage.add("package/LICENSE", &licence, 0o644)?;
    stage.add("package/bin/latchkey", &program.bytes, 0o755)?;
    pack(workspace, release, &stage, "package", &name(release))
}

pub(super) fn name(release: &Release) -> String {
    release.name("npm.tgz", "-")
}
