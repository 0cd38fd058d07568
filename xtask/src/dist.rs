//! Makes the files of a release for one architecture in `target/packages`: archive, Debian package, Python
//! wheel, npm packages, image context, bill of materials and checksums. The program writes its manual pages
//! and completions itself.

mod control;
mod image;
mod installation;
mod npm;
mod program;
mod sbom;
mod stage;
mod wheel;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::tools::{self, FOR_PACKAGES};
use crate::workspace::{self, ALL_KEY_SERVICES, Doing, Failure, SHIPPED_PROFILE, Workspace, read_text};
use program::{Architecture, Program};
use stage::Stage;

/// The name in package registries and of the image, because `latchkey` belongs to others on PyPI and
/// crates.io. The program, the Debian package and all files have the name `latchkey`. The workflow `release`
/// and docs/operations.md repeat this name.
const PUBLISHED_NAME: &str = "latchkey-idp";

/// What each package says of itself in a line.
const SUMMARY: &str = "multi-tenant identity platform for services and people";

/// What to package.
#[derive(clap::Args)]
pub(crate) struct DistOptions {
    /// Package this program, instead of building one with the profile `dist` and all key services
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Build for this target, for example aarch64-unknown-linux-gnu. CONTRIBUTING.md says what
    /// that needs
    #[arg(long, value_name = "TARGET", conflicts_with = "program")]
    target: Option<String>,
    /// Also install each package into an empty folder without a network, start what is
    /// installed, and fetch a token
    #[arg(long)]
    install: bool,
}

/// Name and version of the release, and where its files go.
struct Release {
    version: String,
    /// An SPDX expression.
    licence: String,
    architecture: &'static Architecture,
    /// The time of the commit, for reproducible archives.
    epoch: String,
    folder: PathBuf,
}

/// The step of `cargo xtask ci --full`.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Failure> {
    run(workspace, &DistOptions { program: None, target: None, install: true })
}

pub(crate) fn run(workspace: &Workspace, options: &DistOptions) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_PACKAGES)?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build(workspace, options.target.as_deref())?,
    };
    let program = Program::read(&program)?;
    let architecture = program.architecture;
    if options.install && !architecture.is_here() {
        let problem =
            format!("--install starts the program, so it needs a machine of {}", architecture.debian);
        return Err(Failure::new(problem));
    }
    let release = Release::new(workspace, workspace.target_folder()?.join("packages"), architecture)?;
    println!("packaging latchkey {} for {}", release.version, architecture.debian);
    print!("{}", release.make(workspace, &program)?);
    if options.install { installation::try_all(workspace, &release, &program) } else { Ok(()) }
}

/// Builds the program. For a target, the linker is GNU's for its processor, as Debian names it.
fn build(workspace: &Workspace, target: Option<&str>) -> Result<PathBuf, Failure> {
    let arguments = ["build", "--locked", "--profile", SHIPPED_PROFILE, "--package", "latchkey"];
    let mut command = workspace.cargo(&arguments);
    let mut folder = workspace.target_folder()?;
    if let Some(target) = target {
        let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
        let processor = target.split('-').next().unwrap_or_default();
        command.args(["--target", target]).env(variable, format!("{processor}-linux-gnu-gcc"));
        folder.push(target);
    }
    workspace::run(command.args(ALL_KEY_SERVICES))?;
    Ok(folder.join(SHIPPED_PROFILE).join("latchkey"))
}

impl Release {
    fn new(
        workspace: &Workspace,
        folder: PathBuf,
        architecture: &'static Architecture,
    ) -> Result<Self, Failure> {
        let line = |program: &str, arguments: &[&str]| -> Result<String, Failure> {
            Ok(read_text(&mut workspace.program(program, arguments))?.trim().to_owned())
        };
        let metadata = workspace.metadata()?;
        Ok(Self {
            version: manifest(&metadata, "version")?,
            licence: manifest(&metadata, "license")?,
            architecture,
            epoch: line("git", &["log", "-1", "--format=%ct"])?,
            folder,
        })
    }

    /// Makes all files, and returns their checksums.
    fn make(&self, workspace: &Workspace, program: &Program) -> Result<String, Failure> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).doing("empty the folder of packages")?;
        }
        let stage = Stage::fill(workspace, self.folder.join("stage"), program)?;
        control::write(workspace, &stage, program, self)?;
        let build = ["--root-owner-group", "-Zxz", "--build"];
        let mut command = workspace.program("dpkg-deb", &build);
        let package = self.folder.join(self.debian_name());
        workspace::run(command.arg(&stage.root).arg(package).env("SOURCE_DATE_EPOCH", &self.epoch))?;
        pack(workspace, self, &stage, ".", &self.archive_name())?;
        wheel::write(workspace, program, self)?;
        npm::write(workspace, program, self)?;
        image::write(workspace, program, self)?;
        let sbom = sbom::of(&workspace.metadata()?, &self.version);
        let text = serde_json::to_string_pretty(&sbom).unwrap_or_default() + "\n";
        fs::write(self.folder.join(self.name("cdx.json", "-")), text).doing("write the bill of materials")?;
        checksums(workspace, &self.folder)
    }

    fn name(&self, ending: &str, separator: &str) -> String {
        format!("latchkey{separator}{}{separator}{}.{ending}", self.version, self.architecture.debian)
    }

    /// For systems without dpkg.
    fn archive_name(&self) -> String {
        self.name("tar.gz", "-")
    }

    fn debian_name(&self) -> String {
        self.name("deb", "_")
    }

    /// The page of wheel and npm packages in their registries.
    fn readme(&self, platform: &str) -> String {
        let text = include_str!("dist/readme.md").replace("{platform}", platform);
        text.replace("{licence}", &self.licence)
    }
}

/// What the manifest of the program says.
fn manifest(metadata: &Value, key: &str) -> Result<String, Failure> {
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let latchkey = packages.find(|package| package["name"] == "latchkey");
    let value = latchkey.and_then(|package| package[key].as_str()).map(str::to_owned);
    value.ok_or_else(|| Failure::new(format!("cargo metadata names no {key} of latchkey")))
}

/// Packs a part of the staged files, but no control files of Debian.
fn pack(
    workspace: &Workspace,
    release: &Release,
    stage: &Stage,
    part: &str,
    name: &str,
) -> Result<(), Failure> {
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
    command.arg(mtime).arg("--file").arg(release.folder.join(name));
    workspace::run(command.arg("--directory").arg(&stage.root).arg(part))?;
    fs::remove_dir_all(&stage.root).doing("remove the staged files")
}

/// The checksums in the form that `sha256sum --check` reads.
fn checksums(workspace: &Workspace, folder: &Path) -> Result<String, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).doing("list the packages")? {
        names.push(entry.doing("list the packages")?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let sums = sha256sum(workspace, folder, &names)?;
    fs::write(folder.join("SHA256SUMS"), &sums).doing("write the checksums")?;
    Ok(sums)
}

/// A line for each file, with its digest in hexadecimal and its name.
fn sha256sum(workspace: &Workspace, folder: &Path, names: &[impl AsRef<OsStr>]) -> Result<String, Failure> {
    read_text(workspace.program("sha256sum", &[]).args(names).current_dir(folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::program::ARCHITECTURES;
    use super::*;

    /// A substitute for the program: it writes completions and a manual page, and contains a version of
    /// glibc.
    const PROGRAM: &str = "#!/bin/sh\n# GLIBC_2.34\ncase $1 in\ncompletion) echo \"complete for $2\";;\n\
        man) mkdir -p \"$2\" && echo page > \"$2/latchkey.1\";;\nesac\n";

    /// Prints mode and name of each file of `RECORD`, which must list all with the right length and digest.
    const READ_WHEEL: &str = "\
import base64, csv, hashlib, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
record = next(name for name in wheel.namelist() if name.endswith('/RECORD'))
rows = list(csv.reader(wheel.read(record).decode().splitlines()))
assert sorted(row[0] for row in rows) == sorted(wheel.namelist()), rows
for name, digest, length in rows:
    if name == record:
        assert (digest, length) == ('', ''), digest
        continue
    data = wheel.read(name)
    expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')
    assert (digest, length) == ('sha256=' + expected, str(len(data))), name
    print(f'{wheel.getinfo(name).external_attr >> 16:o} {name}')
";

    #[test]
    fn workflow_publishes_each_architecture() {
        let workflow = include_str!("../../.github/workflows/release.yml");
        let made = workflow.lines().filter(|line| line.contains("{ architecture: "));
        assert_eq!(made.count(), ARCHITECTURES.len());
        let platforms = ARCHITECTURES.map(|architecture| format!("linux/{}", architecture.debian));
        assert!(workflow.contains(&format!("--platform {} ", platforms.join(","))));
        for Architecture { debian, .. } in &ARCHITECTURES {
            assert!(workflow.contains(&format!("{{ architecture: {debian}, ")), "{debian}");
        }
        assert!(workflow.contains(&format!("/{PUBLISHED_NAME}\n")), "{PUBLISHED_NAME}");
    }

    /// Makes the packages for each architecture. The substitute for the program runs on all of them.
    #[test]
    fn packages_contain_the_program_and_its_files() {
        let workspace = Workspace::here();
        let folder = workspace.target_folder().unwrap().join(format!("packages-test-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("latchkey");
        fs::write(&program, PROGRAM).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = Program::read(&program).unwrap();
        let mut launchers = Vec::new();
        for architecture in &ARCHITECTURES {
            let release = Release::new(&workspace, folder.join(architecture.debian), architecture).unwrap();
            let sums = release.make(&workspace, &program).unwrap();
            if architecture.is_here() {
                assert_eq!(release.make(&workspace, &program).unwrap(), sums, "the second time");
            }
            let read = |tool: &str, arguments: &[&str]| {
                let mut command = workspace.program(tool, arguments);
                read_text(command.current_dir(&release.folder)).unwrap()
            };
            check_files_of_system(&release, read);
            check_files_of_registries(&release, &program, read);
            let sums = read("sha256sum", &["--check", "SHA256SUMS"]);
            assert_eq!(sums.lines().filter(|line| line.ends_with(": OK")).count(), 7, "{sums}");
            launchers.push(fs::read(release.folder.join(npm::launcher_package(&release))).unwrap());
        }
        assert!(launchers.iter().all(|launcher| *launcher == launchers[0]));
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Archive, Debian package and image context.
    fn check_files_of_system(release: &Release, read: impl Fn(&str, &[&str]) -> String) {
        let architecture = release.architecture.debian;
        let package = release.debian_name();
        let listed = read("dpkg-deb", &["--contents", &package]);
        for (mode, path) in [
            ("-rwxr-xr-x", "./usr/bin/latchkey"),
            ("-rw-r-----", "./etc/latchkey/config.yaml"),
            ("-rw-r--r--", "./usr/lib/systemd/system/latchkey.service"),
            ("-rw-r--r--", "./usr/share/bash-completion/completions/latchkey"),
            ("-rw-r--r--", "./usr/share/zsh/vendor-completions/_latchkey"),
            ("-rw-r--r--", "./usr/share/fish/vendor_completions.d/latchkey.fish"),
            ("-rw-r--r--", "./usr/share/man/man1/latchkey.1.gz"),
            ("-rw-r--r--", "./usr/share/doc/latchkey/copyright"),
            ("-rw-r--r--", "./usr/share/doc/latchkey/changelog"),
            ("drwxr-xr-x", "./etc/latchkey/"),
        ] {
            let is_it = |line: &&str| line.starts_with(&format!("{mode} root/root ")) && line.ends_with(path);
            assert_eq!(listed.lines().filter(is_it).count(), 1, "{mode} {path}\n{listed}");
        }
        let files = listed.lines().filter(|line| line.starts_with('-')).count();
        assert_eq!(files, 9, "{listed}");
        let control = read("dpkg-deb", &["--field", &package]);
        assert!(control.contains(&format!("Version: {}\n", release.version)), "{control}");
        assert!(control.contains(&format!("Architecture: {architecture}\n")), "{control}");
        assert!(control.contains("Depends: libc6 (>= 2.34), "), "{control}");
        let settings = read("dpkg-deb", &["--info", &package, "conffiles"]);
        assert_eq!(settings, "/etc/latchkey/config.yaml\n");
        for script in ["postinst", "prerm", "postrm"] {
            assert!(read("dpkg-deb", &["--info", &package, script]).starts_with("#!/bin/sh"), "{script}");
        }
        let archived = read("tar", &["--list", "--file", &release.archive_name()]);
        assert_eq!(archived.lines().filter(|path| !path.ends_with('/')).count(), files, "{archived}");
        let context = read("tar", &["--list", "--verbose", "--file", &image::name(release)]);
        let program = format!("./{architecture}/latchkey");
        let expected = [
            ("drwxr-xr-x", "./"),
            ("-rw-r--r--", "./Dockerfile"),
            ("drwxr-xr-x", &program[..program.len() - "latchkey".len()]),
            ("-rwxr-xr-x", &program),
            ("drwxr-xr-x", "./keys/"),
            ("drwxr-xr-x", "./state/"),
        ];
        let mut listed: Vec<_> = listed_by_tar(&context).collect();
        listed.sort_by_key(|(_, path)| *path);
        assert_eq!(listed, expected);
    }

    /// Mode and path of each line of `tar --list --verbose`.
    fn listed_by_tar(listed: &str) -> impl Iterator<Item = (&str, &str)> {
        listed.lines().map(|line| (&line[..10], line.rsplit(' ').next().unwrap()))
    }

    /// Wheel and npm packages.
    fn check_files_of_registries(
        release: &Release,
        program: &Program,
        read: impl Fn(&str, &[&str]) -> String,
    ) {
        let Architecture { processor, npm, .. } = release.architecture;
        let wheel = wheel::name(release, program.glibc).unwrap();
        let name = format!("{}-{}", wheel::name_in_files(), release.version);
        assert_eq!(wheel, format!("{name}-py3-none-manylinux_2_34_{processor}.whl"));
        let dist_info = format!("{name}.dist-info");
        let recorded = read("python3", &["-c", READ_WHEEL, &wheel]);
        let expected = format!(
            "100755 {name}.data/scripts/latchkey\n100644 {dist_info}/METADATA\n100644 {dist_info}/WHEEL\n\
             100644 {dist_info}/licenses/LICENSE\n"
        );
        assert_eq!(recorded, expected);

        let packages = [npm::program_package(release), npm::launcher_package(release)];
        let manifests = packages.map(|package| {
            let listed = read("tar", &["--list", "--verbose", "--file", &package]);
            let files = listed_by_tar(&listed).filter(|(mode, _)| mode.starts_with('-'));
            let expected = [
                ("-rw-r--r--", "package/LICENSE"),
                ("-rw-r--r--", "package/README.md"),
                ("-rwxr-xr-x", "package/bin/latchkey"),
                ("-rw-r--r--", "package/package.json"),
            ];
            assert_eq!(files.collect::<Vec<_>>(), expected, "{package}");
            let manifest =
                read("tar", &["--extract", "--to-stdout", "--file", &package, "package/package.json"]);
            serde_json::from_str::<Value>(&manifest).unwrap()
        });
        let [of_program, launcher] = manifests;
        assert_eq!(of_program["cpu"], serde_json::json!([npm]));
        assert_eq!(launcher["name"], PUBLISHED_NAME);
        let name = of_program["name"].as_str().unwrap();
        assert_eq!(launcher["optionalDependencies"][name], of_program["version"]);
        let script = read(
            "tar",
            &["--extract", "--to-stdout", "--file", &npm::launcher_package(release), "package/bin/latchkey"],
        );
        assert!(script.contains(&format!("{processor}) package={name} ;;")), "{script}");
    }
}
