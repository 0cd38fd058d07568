//! Makes what a release offers for this machine's architecture: archive, Debian package, bill of materials and checksums, in
//! `target/packages`. The program writes its manual pages and completions itself.

mod control;
mod sbom;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tools::{self, FOR_PACKAGES};
use crate::workspace::{self, ALL_KEY_SERVICES, Doing, Failure, SHIPPED_PROFILE, Workspace, read_text};
use stage::Stage;

/// What to package.
#[derive(clap::Args)]
pub(crate) struct DistOptions {
    /// Package this program, instead of building one with the profile `dist` and all key services
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Name and version of the release, and where its files go.
struct Release {
    version: String,
    architecture: String,
    /// The time of the commit, for reproducible archives.
    epoch: String,
    folder: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, options: &DistOptions) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_PACKAGES)?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build(workspace)?,
    };
    let release = Release::of(workspace)?;
    println!("packaging latchkey {} for {}", release.version, release.architecture);
    if release.folder.exists() {
        fs::remove_dir_all(&release.folder).doing("empty the folder of packages")?;
    }
    let stage = Stage::fill(workspace, &release.folder.join("stage"), &program)?;
    let package = release.folder.join(release.name("deb", "_"));
    control::write(workspace, &stage, &program, &release)?;
    let build = ["--root-owner-group", "-Zxz", "--build"];
    let mut command = workspace.program("dpkg-deb", &build);
    workspace::run(command.arg(&stage.root).arg(&package).env("SOURCE_DATE_EPOCH", &release.epoch))?;
    archive(workspace, &release, &stage)?;
    fs::remove_dir_all(&stage.root).doing("remove the staged files")?;
    let sbom = sbom::of(&workspace.metadata()?, &release.version);
    let text = serde_json::to_string_pretty(&sbom).unwrap_or_default() + "\n";
    fs::write(release.folder.join(release.name("cdx.json", "-")), text)
        .doing("write the bill of materials")?;
    checksums(workspace, &release.folder)
}

fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let arguments = ["build", "--locked", "--profile", SHIPPED_PROFILE, "--package", "latchkey"];
    workspace::run(workspace.cargo(&arguments).args(ALL_KEY_SERVICES))?;
    Ok(workspace.target_folder()?.join(SHIPPED_PROFILE).join("latchkey"))
}

impl Release {
    fn of(workspace: &Workspace) -> Result<Self, Failure> {
        let line = |program: &str, arguments: &[&str]| -> Result<String, Failure> {
            Ok(read_text(&mut workspace.program(program, arguments))?.trim().to_owned())
        };
        Ok(Self {
            version: version(&workspace.metadata()?)?,
            architecture: line("dpkg", &["--print-architecture"])?,
            epoch: line("git", &["log", "-1", "--format=%ct"])?,
            folder: workspace.target_folder()?.join("packages"),
        })
    }

    fn name(&self, ending: &str, separator: &str) -> String {
        format!("latchkey{separator}{}{separator}{}.{ending}", self.version, self.architecture)
    }
}

fn version(metadata: &Value) -> Result<String, Failure> {
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let latchkey = packages.find(|package| package["name"] == "latchkey");
    let version = latchkey.and_then(|package| package["version"].as_str()).map(str::to_owned);
    version.ok_or_else(|| Failure::new("cargo metadata names no version of latchkey"))
}

/// The files of the package without its control files, for systems without dpkg.
fn archive(workspace: &Workspace, release: &Release, stage: &Stage) -> Result<(), Failure> {
    let mtime = format!("--mtime=@{}", release.epoch);
    let options = [
        "--create",
        "--use-compress-program=gzip -n",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--exclude=./DEBIAN",
    ];
    let mut command = workspace.program("tar", &options);
    command.arg(mtime).arg("--file").arg(release.folder.join(release.name("tar.gz", "-")));
    workspace::run(command.arg("--directory").arg(&stage.root).arg("."))
}

/// In the form that `sha256sum --check` reads.
fn checksums(workspace: &Workspace, folder: &Path) -> Result<(), Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).doing("list the packages")? {
        names.push(entry.doing("list the packages")?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let sums = read_text(workspace.program("sha256sum", &[]).args(&names).current_dir(folder))?;
    print!("{sums}");
    fs::write(folder.join("SHA256SUMS"), sums).doing("write the checksums")
}
