//! Installs each package of a release from its file alone into an empty folder, starts the program there with
//! the sample settings, and fetches a token.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::program::Program;
use super::{Release, image, npm, wheel};
use crate::servers::{Process, on_free_port};
use crate::tools::{self, FOR_INSTALLATIONS};
use crate::workspace::{Doing, Failure, Workspace, read_text, run};

/// A kind of package.
struct Kind {
    /// The package, and packages that it needs.
    files: Vec<String>,
    /// Installs the files into a folder that exists.
    install: fn(&Workspace, &[PathBuf], &Path) -> Result<(), Failure>,
    /// Where the program is then.
    program: &'static str,
}

fn kinds(release: &Release, program: &Program) -> Result<[Kind; 4], Failure> {
    let program_of_system = "usr/bin/latchkey";
    Ok([
        Kind { files: vec![release.archive_name()], install: extract_archive, program: program_of_system },
        Kind {
            files: vec![release.debian_name()],
            install: extract_debian_package,
            program: program_of_system,
        },
        Kind {
            files: vec![wheel::name(release, program.glibc)?],
            install: install_wheel,
            program: "bin/latchkey",
        },
        Kind {
            files: vec![npm::launcher_package(release), npm::program_package(release)],
            install: install_npm_packages,
            program: "node_modules/.bin/latchkey",
        },
    ])
}

pub(super) fn try_all(workspace: &Workspace, release: &Release, program: &Program) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_INSTALLATIONS)?;
    let place = workspace.target_folder()?.join(format!("installations-{}", std::process::id()));
    for kind in kinds(release, program)? {
        let name = kind.files.join(" with ");
        let folder = place.join(&name);
        fs::create_dir_all(&folder).doing("make a folder")?;
        let files: Vec<_> = kind.files.iter().map(|file| release.folder.join(file)).collect();
        (kind.install)(workspace, &files, &folder)?;
        let service = folder.join("service");
        fs::create_dir(&service).doing("make a folder")?;
        on_free_port(|port| fetch_token(workspace, release, &folder.join(kind.program), &service, port))?;
        println!("installed, started and asked for a token: {name}");
    }
    fs::remove_dir_all(&place).doing("remove the folder of installations")?;
    image::check(workspace, release)
}

fn extract_archive(workspace: &Workspace, files: &[PathBuf], folder: &Path) -> Result<(), Failure> {
    let mut command = workspace.program("tar", &["--extract", "--file"]);
    run(command.args(files).arg("--directory").arg(folder))
}

/// The machine keeps its own packages: no script of the package runs.
fn extract_debian_package(workspace: &Workspace, files: &[PathBuf], folder: &Path) -> Result<(), Failure> {
    run(workspace.program("dpkg-deb", &["--extract"]).args(files).arg(folder))
}

fn install_wheel(workspace: &Workspace, files: &[PathBuf], folder: &Path) -> Result<(), Failure> {
    run(workspace.program("python3", &["-m", "venv"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"];
    run(workspace.program(folder.join("bin/python"), &pip).args(files))
}

/// The cache is a new one, so that nothing is used that the machine has. npm leaves out the program of the
/// other architecture.
fn install_npm_packages(workspace: &Workspace, files: &[PathBuf], folder: &Path) -> Result<(), Failure> {
    let npm = ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
    let mut command = workspace.program("npm", &npm);
    run(command.arg(folder).arg("--cache").arg(folder.join("cache")).args(files))
}

fn fetch_token(
    workspace: &Workspace,
    release: &Release,
    program: &Path,
    folder: &Path,
    port: u16,
) -> Result<(), Failure> {
    let name = program.display();
    let version = read_text(&mut workspace.program(program, &["--version"]))?;
    if version.trim() != format!("latchkey {}", release.version) {
        return Err(Failure::new(format!("{name} is {}, not {}", version.trim(), release.version)));
    }
    let sample = fs::read_to_string(workspace.root.join("config.yaml")).doing("read config.yaml")?;
    fs::write(folder.join("config.yaml"), sample.replace(":3000", &format!(":{port}")))
        .doing("write config.yaml")?;
    let log = folder.join("server.log");
    let mut serve = workspace.program(program, &["serve"]);
    let _server = Process::serve(workspace, serve.current_dir(folder), &log, port)?;
    let tokens = format!("http://127.0.0.1:{port}/api/v1/tenant/test-tenant/oauth/token");
    let form = "grant_type=client_credentials&client_id=your-client-id&client_secret=your-client-secret";
    let curl = ["--silent", "--show-error", "--fail-with-body", "--data", form, &tokens];
    let answer = read_text(&mut workspace.program("curl", &curl))?;
    let token: Value = serde_json::from_str(&answer).unwrap_or_default();
    let is_token = token["access_token"].as_str().is_some_and(|token| token.split('.').count() == 3);
    if is_token { Ok(()) } else { Err(Failure::new(format!("{name} gave no token: {answer}"))) }
}
