//! The npm packages. A package for each architecture contains the program. The package with the published
//! name depends on all of them as `optionalDependencies`, so npm installs the one for the machine, and its
//! shell script starts the program: no script runs at the installation, and Node does not run while the
//! program does.

use std::fs;

use serde_json::{Map, Value, json};

use super::program::{ARCHITECTURES, Architecture, Program};
use super::stage::Stage;
use super::{PUBLISHED_NAME, Release, SUMMARY, pack};
use crate::workspace::{Doing, Failure, Workspace};

pub(super) fn write(workspace: &Workspace, program: &Program, release: &Release) -> Result<(), Failure> {
    let licence = fs::read(workspace.root.join("LICENSE")).doing("read LICENSE")?;
    let of_all = format!("Linux with glibc ({})", ARCHITECTURES.map(|one| one.processor).join(" or "));
    let launcher = include_str!("launcher.sh").replace("{name}", PUBLISHED_NAME);
    let packages = [
        (program_manifest(release), program.bytes.as_slice(), program.platform(), program_package(release)),
        (launcher_manifest(release), launcher.as_bytes(), of_all, launcher_package(release)),
    ];
    for (manifest, executable, platform, file) in packages {
        let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        let stage = Stage::new(release.folder.join("npm"));
        stage.add("package/package.json", manifest.as_bytes(), 0o644)?;
        stage.add("package/README.md", release.readme(&platform).as_bytes(), 0o644)?;
        stage.add("package/LICENSE", &licence, 0o644)?;
        stage.add("package/bin/latchkey", executable, 0o755)?;
        pack(workspace, release, &stage, "package", &file)?;
    }
    Ok(())
}

/// The file of the package with the program.
pub(super) fn program_package(release: &Release) -> String {
    release.name("npm.tgz", "-")
}

/// The file of the package that people install. Each architecture's release makes the same.
pub(super) fn launcher_package(release: &Release) -> String {
    format!("latchkey-{}.npm.tgz", release.version)
}

/// The package has no `bin`, because npm would link the commands of both packages to the same name.
fn program_manifest(release: &Release) -> Value {
    let mut manifest = manifest(release, &program_name(release.architecture), &[release.architecture.npm]);
    // Yarn starts no program out of an archive.
    manifest["preferUnplugged"] = json!(true);
    manifest
}

fn launcher_manifest(release: &Release) -> Value {
    let mut manifest = manifest(release, PUBLISHED_NAME, &ARCHITECTURES.map(|architecture| architecture.npm));
    manifest["bin"] = json!({ "latchkey": "bin/latchkey" });
    let programs =
        ARCHITECTURES.iter().map(|architecture| (program_name(architecture), json!(release.version)));
    manifest["optionalDependencies"] = Value::Object(programs.collect::<Map<_, _>>());
    manifest
}

fn manifest(release: &Release, name: &str, processors: &[&str]) -> Value {
    json!({
        "name": name,
        "version": release.version,
        "description": SUMMARY,
        "license": release.licence,
        "os": ["linux"],
        "cpu": processors,
        "libc": ["glibc"],
    })
}

fn program_name(architecture: &Architecture) -> String {
    format!("{PUBLISHED_NAME}-linux-{}", architecture.npm)
}
