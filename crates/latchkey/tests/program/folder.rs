//! A folder with the settings of one program, deleted at the end of the test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::canaries::Canaries;
use crate::host::{Ran, run};

pub(crate) struct Folder {
    root: TempDir,
    config: PathBuf,
    pub(crate) canaries: Canaries,
}

impl Folder {
    pub(crate) fn with(settings: &str) -> Self {
        Self::with_config_at("config.yaml", settings)
    }

    pub(crate) fn with_config_at(config: &str, settings: &str) -> Self {
        let folder = Self {
            root: TempDir::new().unwrap(),
            config: PathBuf::from(config),
            canaries: Canaries::default(),
        };
        folder.write(config, settings);
        folder
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path(&self.config)
    }

    /// Overwrites a file in place, like `>` in a shell. Adds its secrets to the canaries.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.canaries.add_all_of(text);
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // Independent of the umask: the program refuses a secret that other users may write.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes a file that only contains a secret.
    pub(crate) fn write_secret(&self, name: &str, secret: &str) {
        self.canaries.add(secret);
        self.write(name, secret);
    }

    /// Replaces a file by renaming a new one, as careful editors and deployment tools do.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let beside = format!("{name}.new");
        self.write(&beside, text);
        fs::rename(self.path(beside), self.path(name)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The program with these arguments, in this folder and with an empty environment.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(arguments).arg("--config").arg(self.config()).current_dir(self.root.path()).env_clear();
        command
    }

    /// Executes statements on the store. No server may use the store at the same time.
    pub(crate) fn execute(&self, statements: &str) {
        let script = "import sqlite3, sys\nsqlite3.connect(sys.argv[1]).executescript(sys.argv[2])";
        let database = self.path("data/latchkey.db");
        run(Command::new("python3").arg("-c").arg(script).arg(database).arg(statements)).output();
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.program(arguments));
        self.canaries.assert_absent(&ran.out);
        self.canaries.assert_absent(&ran.err);
        ran
    }
}
