//! Runs other programs as clients: bash, and the packages for Node and Python that `cargo xtask test`
//! installs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::host::{LONGEST, Ran, run_within};

/// Replaces addresses in a document's example by those of the test, for instance `http://localhost:3000`.
#[track_caller]
pub(crate) fn pointed(example: &str, replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(example.to_owned(), |text, (printed, served)| {
        assert!(text.contains(printed), "{printed:?} is not in\n{example}");
        text.replace(printed, served)
    })
}

/// An example from the documents, as printed.
pub(crate) fn example(name: &str) -> String {
    std::fs::read_to_string(examples().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples")
}

/// Runs an example with this text instead of its own, as a person does: by its name, in its folder, next to
/// the other files of that folder. So a file that hides a module of its language makes the test fail. `files`
/// is the path below `docs/examples`, followed by further files of a Go program.
pub(crate) fn run_example(files: &str, text: &str, environment: &[(&str, &str)]) -> Ran {
    let (folder, names) = files.split_once('/').unwrap();
    let names: Vec<_> = names.split(' ').collect();
    let place = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(examples().join(folder)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), place.path().join(entry.file_name())).unwrap();
        }
    }
    std::fs::write(place.path().join(names[0]), text.replace(GO_OIDC, GO_OIDC_OF_DEBIAN)).unwrap();
    let mut command = match names[0].rsplit_once('.').unwrap().1 {
        "mjs" => node_in(place.path()),
        "py" => python_command(),
        "go" => go_run(),
        "java" => Command::new("java"),
        "php" => Command::new("php"),
        "rb" => Command::new("ruby"),
        other => panic!("no program runs *.{other}"),
    };
    run_in(command.args(names).envs(environment.iter().copied()), place.path(), LONGEST)
}

pub(crate) fn bash(script: &str, environment: &[(&str, &str)]) -> Ran {
    run_file(Command::new("bash"), "script.sh", script, environment)
}

/// Runs a Node script that may `require` jose and axios.
pub(crate) fn node(script: &str, environment: &[(&str, &str)]) -> Ran {
    run_file(node_command(), "script.cjs", script, environment)
}

pub(crate) fn node_command() -> Command {
    let mut node = Command::new("node");
    node.env("NODE_PATH", installed("LATCHKEY_TEST_NODE_DIR").join("node_modules"));
    node
}

/// Runs a file of `scripts` that controls Debian's Chromium and may `require` client libraries for browsers.
/// It runs in its own folder, next to the files that such scripts share.
pub(crate) fn browser(file: &str, environment: &[(&str, &str)]) -> Ran {
    browser_within(file, environment, LONGEST)
}

/// Like [`browser`], with this time limit.
pub(crate) fn browser_within(file: &str, environment: &[(&str, &str)], longest: Duration) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Command::new("node");
    node.env("NODE_PATH", installed("LATCHKEY_TEST_BROWSER_NODE_DIR").join("node_modules"));
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/scripts").join(file));
    run_in(node.envs(environment.iter().copied()), folder.path(), longest)
}

/// Runs a Node module, which may import the packages that [`node`] may `require`.
pub(crate) fn node_module(module: &str, environment: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    run_in(&mut module_in(folder.path(), module, environment), folder.path(), LONGEST)
}

fn module_in(folder: &Path, module: &str, environment: &[(&str, &str)]) -> Command {
    std::fs::write(folder.join("module.mjs"), module).unwrap();
    let mut node = node_in(folder);
    node.arg("module.mjs").envs(environment.iter().copied());
    node
}

/// A Node that finds packages in this folder.
fn node_in(folder: &Path) -> Command {
    let modules = installed("LATCHKEY_TEST_NODE_DIR").join("node_modules");
    std::os::unix::fs::symlink(modules, folder.join("node_modules")).unwrap();
    // Node 18 needs a flag for the global `crypto`. Later versions accept the flag.
    let mut node = Command::new("node");
    node.args(["--no-warnings", "--experimental-global-webcrypto"]);
    node
}

/// A process that is killed when this value is dropped.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A Node module that runs until this value is dropped.
pub(crate) struct NodeServer {
    _process: Killed,
    _folder: TempDir,
}

impl NodeServer {
    /// Waits for the module's first line, which it prints when it is ready.
    #[track_caller]
    pub(crate) fn start(module: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut node = module_in(folder.path(), module, environment);
        without_proxy(&mut node).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = node.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let server = Self { _process: Killed(process), _folder: folder };
        assert!(!line.is_empty(), "it has ended");
        server
    }
}

/// The paths of Debian's packages contain no version.
const GO_OIDC: &str = "go-oidc/v3/oidc";
const GO_OIDC_OF_DEBIAN: &str = "go-oidc";

pub(crate) fn go(text: &str, environment: &[(&str, &str)]) -> Ran {
    run_file(go_run(), "main.go", text, environment)
}

pub(crate) fn go_run() -> Command {
    let mut go = Command::new("go");
    // The tests share the compiled packages.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-build");
    go.arg("run").env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOCACHE", cache);
    go
}

/// Runs a Python script that may import jwt and requests.
pub(crate) fn python(script: &str, environment: &[(&str, &str)]) -> Ran {
    run_file(python_command(), "script.py", script, environment)
}

pub(crate) fn python_command() -> Command {
    Command::new(installed("LATCHKEY_TEST_PYTHON"))
}

fn run_file(mut command: Command, name: &str, text: &str, environment: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    run_in(command.arg(path).envs(environment.iter().copied()), folder.path(), LONGEST)
}

pub(crate) fn run_in(command: &mut Command, folder: &Path, longest: Duration) -> Ran {
    run_within(without_proxy(command).current_dir(folder), longest)
}

/// Requests to loopback addresses must not go through the machine's proxy.
pub(crate) fn without_proxy(command: &mut Command) -> &mut Command {
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost")
}

/// The path of an installed program. Without the program the test fails, because skipping the test would hide
/// errors.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, where it installed foreign clients"
)]
pub(crate) fn installed(variable: &str) -> PathBuf {
    let place = std::env::var_os(variable).map(PathBuf::from);
    let place = place.unwrap_or_else(|| {
        panic!("{variable} is not set: run `cargo xtask test`, which installs what this needs")
    });
    assert!(Path::new(&place).exists(), "{} is not there: run `cargo xtask test`", place.display());
    place
}
