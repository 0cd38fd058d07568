//! The environment of a measurement: the temporary servers, a folder, a sealing key and the program to
//! measure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::servers::Servers;
use crate::workspace::{Doing, Failure, Workspace, read_output, run as run_program};

/// Dropping it stops the servers and removes the folder.
pub(super) struct TestEnv<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) program: PathBuf,
    _servers: Servers,
    folder: PathBuf,
    postgres_url: String,
    redis_url: String,
    /// The folder of PostgreSQL's programs.
    pub(super) postgres_programs: PathBuf,
    pub(super) redis_program: PathBuf,
}

impl<'a> TestEnv<'a> {
    pub(super) fn new(workspace: &'a Workspace, program: PathBuf) -> Result<Self, Failure> {
        let servers = Servers::start(workspace)?;
        // A command that never runs, to read the variables that the servers set.
        let mut command = Command::new("true");
        servers.set_variables(&mut command);
        let variable = |name: &str| {
            let mut variables = command.get_envs();
            let value = variables.find_map(|(key, value)| (key == name).then_some(value?));
            let value = value.map(|value| value.to_string_lossy().into_owned());
            value.ok_or_else(|| Failure::new(format!("the servers do not tell {name}")))
        };
        let folder = workspace.target_folder()?.join(format!("soak-{}", std::process::id()));
        fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;
        let test_env = Self {
            workspace,
            program,
            folder,
            postgres_url: variable("LATCHKEY_TEST_POSTGRES_URL")?,
            redis_url: variable("LATCHKEY_TEST_REDIS_URL")?,
            postgres_programs: variable("LATCHKEY_TEST_POSTGRES_BIN")?.into(),
            redis_program: variable("LATCHKEY_TEST_REDIS_SERVER")?.into(),
            _servers: servers,
        };
        let program = test_env.program.to_string_lossy();
        let mut make_key = workspace.program(&program, &["key", "new-sealing-key", "--file"]);
        run_program(make_key.arg(test_env.file("sealing.key")))?;
        Ok(test_env)
    }

    /// The path of a file of this run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new database.
    pub(super) fn create_database(&self, name: &str) -> Result<String, Failure> {
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.database_url(name))
    }

    /// The password of the environment's Redis and of the one that a measurement starts.
    pub(super) fn redis_password(&self) -> &str {
        password_of(&self.redis_url)
    }

    /// The server's answer to a statement of its administrator.
    pub(super) fn sql(&self, database: &str, text: &str) -> Result<String, Failure> {
        let url =
            self.database_url(database).replacen(&format!(":{}@", password_of(&self.postgres_url)), "@", 1);
        let psql = self.tool("psql");
        let arguments = ["--no-psqlrc", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", text];
        let mut command = self.workspace.program(&psql.to_string_lossy(), &arguments);
        // The password is no argument, because every user can read a command line.
        let answer = read_output(command.env("PGPASSWORD", password_of(&self.postgres_url)))?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }

    /// One of PostgreSQL's programs.
    pub(super) fn tool(&self, name: &str) -> PathBuf {
        let beside = self.postgres_programs.join(name);
        if beside.exists() { beside } else { Path::new(name).to_path_buf() }
    }

    fn database_url(&self, name: &str) -> String {
        let server = self.postgres_url.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{name}")
    }
}

impl Drop for TestEnv<'_> {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn password_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
    login.split_once(':').map_or("", |(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_in_a_url() {
        for (url, expected) in [
            ("postgres://postgres:ab12@127.0.0.1:5432/postgres", "ab12"),
            ("redis://default:cd34@127.0.0.1:6379", "cd34"),
            ("redis://127.0.0.1:6379", ""),
        ] {
            assert_eq!(password_of(url), expected);
        }
    }
}
