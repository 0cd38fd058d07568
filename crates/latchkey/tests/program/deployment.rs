//! The files under `deploy/` say what the program understands.

use crate::folder::Folder;
use crate::host::run;

const COMPOSE: &str = include_str!("../../../../deploy/compose.yaml");
const DOCKERFILE: &str = include_str!("../../../../deploy/Dockerfile");
const UNIT: &str = include_str!("../../../../deploy/latchkey.service");
const CONFIG: &str = include_str!("../../../../deploy/config.yaml");

/// With the variables that compose.yaml gives it, as text: a value is filled in by the engine.
#[test]
fn the_settings_of_the_compose_file_are_sound() {
    let folder = Folder::with(CONFIG);
    let key = folder.run(&["key", "new-sealing-key"]).output();
    let mut command = folder.program(&["check"]);
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
    assert!(ran.out.contains("config.yaml: 1 tenants, 1 clients"), "{}", ran.out);
}

/// The commands that the files start are ones that the program has.
#[test]
fn the_commands_of_image_and_unit_are_understood() {
    let folder = Folder::with("{}");
    for (file, words) in [
        (DOCKERFILE, "\"/usr/local/bin/latchkey\", \"health\", \"--address\", \"127.0.0.1:3000\""),
        (DOCKERFILE, "\"/usr/local/bin/latchkey\", \"--config\", \"/etc/latchkey/config.yaml\""),
        (UNIT, "/usr/local/bin/latchkey --config /etc/latchkey/config.yaml serve"),
    ] {
        assert_eq!(file.matches(words).count(), 1, "{words}");
    }
    for command in ["health", "serve"] {
        let ran = run(folder.program(&[command]).arg("--help"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

/// Long enough for what `drain.rs` and the gateway allow themselves: 5 s and 25 s.
#[test]
fn nobody_kills_a_program_that_is_ending_in_order() {
    for (file, setting) in [(COMPOSE, "stop_grace_period: 35s"), (UNIT, "TimeoutStopSec=35s")] {
        assert_eq!(file.matches(setting).count(), 1, "{setting}");
    }
}
