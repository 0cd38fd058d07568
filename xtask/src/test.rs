//! Runs every test: installs missing tools, starts the servers that tests need, runs the examples in the
//! documentation, then the tests.

use std::io::IsTerminal;
use std::process::Command;

use crate::clients::{self, NEWEST_POSTGRES, OLDEST_POSTGRES};
use crate::servers::Servers;
use crate::tools::{self, FOR_FAILOVERS, FOR_TESTS};
use crate::workspace::{self, Failure, PUBLISHED, TEST_FOLDER, TEST_PROFILE, Workspace, is_content};

/// Arguments narrow the run: they are passed to the test runner, and the documentation's examples are
/// skipped.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_TESTS)?;
    let clients = clients::install(workspace)?;
    // Drops at every return of this function, also when tests fail.
    let servers = Servers::start(workspace)?.with_newest_postgres(workspace, &clients.newest_postgres)?;
    let equipped = |arguments: &[&str]| {
        let mut command = workspace.cargo(arguments);
        servers.set_variables(&mut command);
        command.env("LATCHKEY_TEST_PYTHON", &clients.python);
        command.env("LATCHKEY_TEST_NODE_DIR", &clients.node_folder);
        command.env("LATCHKEY_TEST_OPENAPI_PYTHON", &clients.openapi_python);
        command.env("LATCHKEY_TEST_STORES_PYTHON", &clients.stores_python);
        command.env("LATCHKEY_TEST_OPENAPI_NODE_DIR", &clients.openapi_node_folder);
        command.env("LATCHKEY_TEST_BROWSER_NODE_DIR", &clients.browser_node_folder);
        command
    };
    if arguments.is_empty() {
        let packages = PUBLISHED.into_iter().flat_map(|name| ["--package", name]);
        workspace::run(equipped(&["test", "--doc"]).args(packages))?;
    }
    let scope: &[&str] = if names_packages(arguments) { &[] } else { &["--workspace"] };
    if is_content(&mut workspace.cargo(&["nextest", "--version"])) {
        let mut command = equipped(&[&["nextest", "run"], scope].concat());
        if std::io::stderr().is_terminal() {
            command.args(["--color", "always"]);
        }
        workspace::run(command.args(arguments))
    } else {
        let mut command = equipped(&[&["test"], scope, &["--lib", "--bins", "--tests"]].concat());
        workspace::run(command.args(arguments))
    }
}

/// Runs the test that takes the pictures of README, and copies them to docs/images.
pub(crate) fn take_pictures(workspace: &Workspace) -> Result<(), Failure> {
    run(workspace, &["-E", "test(/^readme_pictures::/)"].map(str::to_owned))?;
    let taken = workspace.target_folder()?.join("pictures");
    workspace::run(workspace.program("sh", &["-c", "cp \"$0\"/*.png docs/images/"]).arg(taken))
}

/// The tests of the store, also behind PgBouncer, which the other tests run on the PostgreSQL of the machine.
const OF_STORE: [&str; 2] = ["-E", "binary_id(storage::postgres) | binary_id(storage::postgres_contract)"];

/// Runs the tests of the store on the oldest PostgreSQL and on the newest.
pub(crate) fn run_on_each_postgres(workspace: &Workspace) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_TESTS)?;
    for version in [OLDEST_POSTGRES, NEWEST_POSTGRES] {
        let servers = Servers::start_on(workspace, &clients::install_postgres(workspace, version)?)?;
        workspace::run(&mut nextest(workspace, &servers, &OF_STORE))?;
    }
    Ok(())
}

/// A commit with schema 55, whose replicas may run beside those of this version. They need a lock of all
/// commits, and a notification in each.
const VERSION_BEFORE: &str = "5e57b5f2";

/// Runs the tests of replicas of two versions, and of a rolling upgrade, with a program of the version
/// before, which this builds below `target`, once.
pub(crate) fn run_beside_the_version_before(workspace: &Workspace) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_TESTS)?;
    let folder = workspace.target_folder()?.join("version-before").join(VERSION_BEFORE);
    let unpack = format!("mkdir -p \"$0\" && git archive {VERSION_BEFORE} | tar -x -C \"$0\"");
    workspace::run(workspace.program("sh", &["-c", &unpack]).arg(&folder))?;
    let build = ["build", "--locked", "--profile", TEST_PROFILE, "--package", "latchkey"];
    workspace::run(
        workspace.cargo(&build).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")),
    )?;
    let servers = Servers::start(workspace)?;
    let tests =
        ["--ignore-default-filter", "-E", "test(/previous_version_running_alongside|^rolling_upgrade::/)"];
    let program = folder.join("target").join(TEST_FOLDER).join("latchkey");
    workspace::run(nextest(workspace, &servers, &tests).env("LATCHKEY_TEST_EARLIER_PROGRAM", program))
}

/// Renders and lints the chart with Helm.
pub(crate) fn render_with_helm(workspace: &Workspace) -> Result<(), Failure> {
    let python = clients::install_helm(workspace)?;
    let tests = [
        "nextest",
        "run",
        "--package",
        "latchkey",
        "--ignore-default-filter",
        "-E",
        "test(=helm::helm_renders_the_same)",
    ];
    workspace::run(workspace.cargo(&tests).env("LATCHKEY_TEST_HELM_PYTHON", python))
}

/// Runs the failovers with the files of `deploy/ha`. Each starts its own servers.
pub(crate) fn run_failovers(workspace: &Workspace) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_FAILOVERS)?;
    let servers = Servers::start(workspace)?;
    let tests = ["--ignore-default-filter", "-E", "binary_id(latchkey::failover) - test(/^canaries::/)"];
    workspace::run(&mut nextest(workspace, &servers, &tests))
}

/// The test runner with the servers.
fn nextest(workspace: &Workspace, servers: &Servers, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(&[&["nextest", "run", "--workspace"], arguments].concat());
    servers.set_variables(&mut command);
    command
}

fn names_packages(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_package_replaces_the_whole_workspace() {
        let arguments = [("-p keys", true), ("-pkeys", true), ("--package=keys", true), ("name", false)];
        for (arguments, expected) in arguments {
            let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
            assert_eq!(names_packages(&arguments), expected);
        }
    }
}
