//! The workspace for all commands: its path, how commands run cargo and other
//! programs in it, and their failures.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use serde_json::Value;

/// The features of the image and the packages: a server needs no keyring. A newcomer builds the default
/// features.
pub(crate) const ALL_KEY_SERVICES: [&str; 2] =
    ["--features", "latchkey/aws-kms,latchkey/aws-secrets,latchkey/vault"];

/// The features of the documentation, and of the program that tidy checks. Tests and lints need no flag: the
/// crates' dev-dependencies have the same features.
pub(crate) const ALL_FEATURES: [&str; 2] =
    ["--features", "latchkey/aws-kms,latchkey/aws-secrets,latchkey/keyring,latchkey/vault"];

/// The crates for others, which alone have examples in their documentation.
pub(crate) const PUBLISHED: [&str; 2] = ["latchkey-client", "latchkey-verifier"];

/// The profile of the image and the packages, which measurements use. Cargo's build folder has a folder with
/// this name.
pub(crate) const SHIPPED_PROFILE: &str = "dist";

/// The profile of the tests. A program that is built with it shares their compiled crates.
pub(crate) const TEST_PROFILE: &str = "test";

/// The name of its folder in cargo's build folder.
pub(crate) const TEST_FOLDER: &str = "debug";

/// Why a command stopped, and its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Adds context to an error.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("cannot {what}: {error}")))
    }
}

/// A folder with the root manifest, and the environment variables of every program that commands start.
#[derive(Clone)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    environment: Vec<(&'static str, &'static str)>,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn here() -> Self {
        let manifest_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_folder.parent().unwrap_or(manifest_folder).to_path_buf();
        Self { root, environment: Vec::new() }
    }

    /// Adds an environment variable for every program.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// A program that runs at the root, without standard input, as on a CI machine.
    pub(crate) fn program(&self, name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(name);
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null());
        command.envs(self.environment.iter().copied());
        command
    }

    /// The search path of programs, with these folders before those of the machine.
    pub(crate) fn path_with(&self, folders: &[&Path]) -> Result<String, Failure> {
        let machine = read_text(&mut self.program("sh", &["-c", "echo \"$PATH\""]))?;
        let folders = folders.iter().map(|folder| folder.display().to_string() + ":");
        Ok(folders.collect::<String>() + machine.trim())
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        self.program("cargo", arguments)
    }

    /// The output of `cargo metadata` for all packages of the graph.
    pub(crate) fn metadata(&self) -> Result<Value, Failure> {
        self.metadata_with(&[])
    }

    fn metadata_with(&self, options: &[&str]) -> Result<Value, Failure> {
        let mut command = self.cargo(&["metadata", "--format-version", "1"]);
        serde_json::from_slice(&read_output(command.args(options))?)
            .map_err(|error| Failure::new(format!("cannot read the answer of cargo metadata: {error}")))
    }

    /// Cargo's build folder, which need not be `target/`.
    pub(crate) fn target_folder(&self) -> Result<PathBuf, Failure> {
        let metadata = self.metadata_with(&["--no-deps"])?;
        let folder = metadata["target_directory"].as_str();
        folder.map(PathBuf::from).ok_or_else(|| Failure::new("cargo metadata names no target_directory"))
    }
}

/// Runs a program with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().doing(format_args!("run {}", words(command)))?;
    succeeded(command, status)
}

/// Runs a program and returns its standard output.
pub(crate) fn read_output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.stderr(Stdio::inherit()).output().doing(format_args!("run {}", words(command)))?;
    succeeded(command, output.status)?;
    Ok(output.stdout)
}

/// Runs a program and returns its standard output as text.
pub(crate) fn read_text(command: &mut Command) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read_output(command)?).into_owned())
}

/// Whether a program succeeds. Its output is discarded.
pub(crate) fn is_content(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { message: format!("{} ended with {status}", words(command)), code })
}

fn words(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let program = command.get_program().to_string_lossy();
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}
