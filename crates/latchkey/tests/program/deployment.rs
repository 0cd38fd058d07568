//! Tests that the files in `deploy/` are valid for the program.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::folder::Folder;
use crate::host::run;

const COMPOSE: &str = include_str!("../../../../deploy/compose.yaml");
const DOCKERFILE: &str = include_str!("../../../../deploy/Dockerfile");
const UNIT: &str = include_str!("../../../../deploy/latchkey.service");
const CONFIG: &str = include_str!("../../../../deploy/config.yaml");

/// Sets the variables of compose.yaml as literal text, because the container engine substitutes values.
#[test]
fn settings_of_the_compose_file_are_valid() {
    let folder = Folder::with(CONFIG);
    let key = folder.run(&["key", "new-sealing-key"]).output();
    let mut command = folder.program(&["check", "--strict"]);
    let environment =
        COMPOSE.split("environment:\n").nth(1).unwrap().split("    depends_on:").next().unwrap();
    let mut names = Vec::new();
    for line in environment.lines().filter(|line| !line.trim().is_empty()) {
        let (name, value) = line.trim().split_once(": ").unwrap();
        let value = match name {
            "LATCHKEY_SEALING_KEY" => key.trim().to_owned(),
            _ => value.replace("${", "").replace(":?}", ""),
        };
        command.env(name, value);
        names.push(name);
    }
    assert!(names.contains(&"LATCHKEY__STORAGE__URL") && names.contains(&"LATCHKEY__CACHE__REDIS_URL"));
    let ran = run(&mut command);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.out.contains("config.yaml: 1 tenant, 1 client, 0 warnings"), "{}", ran.out);
}

/// The commands in the header of the file create everything that the rest of the file requires.
#[test]
fn commands_in_the_compose_header_set_required_variables() {
    let (head, services) = COMPOSE.split_once("\nservices:\n").unwrap();
    let commands: Vec<&str> = head.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let exported = commands.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let exported: BTreeSet<&str> = exported.map(|(name, _)| name).collect();
    let needed: BTreeSet<&str> =
        services.split("${").skip(1).map(|rest| rest.split_once(":?}").unwrap().0).collect();
    assert_eq!(exported, needed);
    let place = |words: &str| commands.iter().position(|line| line.contains(words)).expect(words);
    assert!(place("docker build -f deploy/Dockerfile -t latchkey .") < place("docker run --rm latchkey "));
    assert_eq!(place("docker compose -f deploy/compose.yaml up"), commands.len() - 2);
    assert_eq!(place("docker compose -f deploy/compose.yaml exec latchkey latchkey "), commands.len() - 1);
    assert!(services.contains("    image: latchkey\n"));
    // The folder looks like that of the image, which starts without mounted settings.
    let folder = Folder::with("");
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(["--config", "/etc/latchkey/config.yaml", "key", "new-sealing-key"]);
    assert!(!run(command.current_dir(folder.path(""))).output().trim().is_empty());
}

/// Checks the steps of `deploy/docker-check.sh` as far as that is possible without a build.
#[test]
fn steps_of_the_dockerfile_name_existing_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = root.join("deploy/docker-check.sh");
    run(Command::new("bash").arg("-n").arg(&script)).output();
    let script = std::fs::read_to_string(script).unwrap();

    let steps = DOCKERFILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let steps: Vec<(&str, &str)> = steps.map(|line| line.split_once(' ').unwrap()).collect();
    for (instruction, _) in &steps {
        let known = [format!(" {instruction})"), format!(" {instruction} |")];
        assert!(known.iter().any(|arm| script.contains(arm)), "the script does not know {instruction}");
    }
    let runs: Vec<&str> = steps.iter().filter(|(name, _)| *name == "RUN").map(|(_, rest)| *rest).collect();
    let after = |option: &str| {
        let words = runs.iter().flat_map(|run| run.split_once(option));
        words.map(|(_, rest)| rest.split(' ').next().unwrap()).next().expect(option)
    };
    // A changed source file must not recompile all crates.
    for cached in ["/usr/local/cargo/registry", "/build/target"] {
        let mount = format!("--mount=type=cache,target={cached} ");
        assert!(runs.iter().any(|run| run.contains(&mount)), "{mount}");
    }
    // The built package exists and is not excluded from the build.
    let built = after("--path ");
    assert!(root.join(built).join("Cargo.toml").exists(), "{built}");
    let ignored = std::fs::read_to_string(root.join(".dockerignore")).unwrap();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("members = [\"crates/*\", \"xtask\"]"));
    for needed in ["Cargo.toml", "Cargo.lock", "crates", "xtask", "migrations"] {
        assert!(root.join(needed).exists() && !ignored.lines().any(|line| line == needed), "{needed}");
    }
    // A stage copies only files that the other stage creates in its working folder.
    let folders =
        runs.iter().filter_map(|run| run.strip_prefix("mkdir -p ")).flat_map(|folders| folders.split(' '));
    let made =
        std::iter::once(format!("{}/bin/latchkey", after("--root "))).chain(folders.map(str::to_owned));
    let made: Vec<String> = made.map(|path| format!("/build/{path}")).collect();
    let taken = steps
        .iter()
        .filter_map(|(name, rest)| (*name == "COPY").then_some(*rest)?.strip_prefix("--from=build "));
    let taken: Vec<&str> = taken.map(|rest| rest.split(' ').rev().nth(1).unwrap()).collect();
    assert_eq!(taken, made);
    assert!(steps.contains(&("WORKDIR", "/build")));
}

/// The commands that the image and the unit start exist in the program.
#[test]
fn commands_of_image_and_unit_exist() {
    let folder = Folder::with("{}");
    for (file, words) in [
        (DOCKERFILE, "\"/usr/local/bin/latchkey\", \"health\", \"--address\", \"127.0.0.1:3000\""),
        (DOCKERFILE, "\"/usr/local/bin/latchkey\", \"--config\", \"/etc/latchkey/config.yaml\""),
        (UNIT, "/usr/local/bin/latchkey --config /etc/latchkey/config.yaml serve"),
    ] {
        assert_eq!(file.matches(words).count(), 1, "{words}");
    }
    for command in ["health", "serve"] {
        run(folder.program(&[command]).arg("--help")).output();
    }
}

/// The timeout is longer than those of `drain.rs` and of the gateway: 5 s and 25 s.
#[test]
fn stop_timeouts_are_longer_than_draining() {
    for (file, setting) in [(COMPOSE, "stop_grace_period: 35s"), (UNIT, "TimeoutStopSec=35s")] {
        assert_eq!(file.matches(setting).count(), 1, "{setting}");
    }
}
