//! The environment of a measurement: the temporary servers, a folder, a sealing key and the program to
//! measure.

use std::fs;
use std::path::{Path, PathBuf};

use crate::servers::Servers;
use crate::workspace::{Doing, Failure, Workspace, read_text, run as run_program};

/// Dropping it stops the servers and removes the folder.
pub(super) struct TestEnv<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) program: PathBuf,
    servers: Servers,
    folder: PathBuf,
}

impl<'a> TestEnv<'a> {
    pub(super) fn new(workspace: &'a Workspace, program: PathBuf) -> Result<Self, Failure> {
        let servers = Servers::start(workspace)?;
        let folder = workspace.target_folder()?.join(format!("soak-{}", std::process::id()));
        fs::create_dir_all(&folder).doing(format_args!("make {}", folder.display()))?;
        let test_env = Self { workspace, program, folder, servers };
        let mut make_key = workspace.program(&test_env.program, &["key", "new-sealing-key", "--file"]);
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

    /// The program of the environment's Redis.
    pub(super) fn redis_program(&self) -> &Path {
        self.servers.redis.program()
    }

    /// The password of the environment's Redis and of the one that a measurement starts.
    pub(super) fn redis_password(&self) -> &str {
        password_of(self.servers.redis.url())
    }

    /// The server's answer to a statement of its administrator.
    pub(super) fn sql(&self, database: &str, text: &str) -> Result<String, Failure> {
        let url = self.database_url(database).replacen(
            &format!(":{}@", password_of(self.servers.postgres.url())),
            "@",
            1,
        );
        let arguments = ["--no-psqlrc", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", text];
        let mut command = self.workspace.program(self.tool("psql"), &arguments);
        // The password is no argument, because every user can read a command line.
        let password = password_of(self.servers.postgres.url());
        Ok(read_text(command.env("PGPASSWORD", password))?.trim().to_owned())
    }

    /// One of PostgreSQL's programs.
    pub(super) fn tool(&self, name: &str) -> PathBuf {
        let beside = self.servers.postgres.programs().join(name);
        if beside.exists() { beside } else { Path::new(name).to_path_buf() }
    }

    fn database_url(&self, name: &str) -> String {
        let server = self.servers.postgres.url().rsplit_once('/').map_or("", |(server, _)| server);
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
    fn password_is_found_in_a_url() {
        for (url, expected) in [
            ("postgres://postgres:ab12@127.0.0.1:5432/postgres", "ab12"),
            ("redis://default:cd34@127.0.0.1:6379", "cd34"),
            ("redis://127.0.0.1:6379", ""),
        ] {
            assert_eq!(password_of(url), expected);
        }
    }
}
