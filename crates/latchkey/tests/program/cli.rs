//! Runs commands in tests of the command line: on the store, or through a running server.

use std::process::Command;

use serde_json::Value;

use crate::administrator::Administrator;
use crate::folder::Folder;
use crate::host::{Ran, run};
use crate::program::Program;
use crate::reload::until_status;

/// Runs commands on the store or through a server, and searches their output for the folder's canaries.
pub(crate) struct Cli<'a> {
    folder: &'a Folder,
    /// `--server` and the file of the token, or nothing.
    more: Vec<String>,
}

impl<'a> Cli<'a> {
    pub(crate) fn store(folder: &'a Folder) -> Self {
        Self { folder, more: Vec::new() }
    }

    /// Runs commands through a running server as its first administrator, which this function creates.
    pub(crate) async fn server(folder: &'a Folder, program: &Program) -> Self {
        first_administrator(folder, program).await;
        Self::as_client(folder, program, "platform", "admin", "admin.secret")
    }

    /// Runs commands through a running server as this client.
    pub(crate) fn as_client(
        folder: &'a Folder,
        program: &Program,
        tenant: &str,
        client: &str,
        secret_file: &str,
    ) -> Self {
        let url = program.url("");
        let more =
            ["--server", &url, "--as-tenant", tenant, "--as-client", client, "--as-client-secret-file"];
        let more = more.into_iter().chain([secret_file]).map(str::to_owned).collect();
        Self { folder, more }
    }

    /// The same server at another address.
    pub(crate) fn at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.more[1]);
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        let mut command = self.folder.program(&[arguments, &more].concat());
        command.env("USER", "ops");
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.command(arguments));
        self.folder.canaries.assert_absent(&ran.out);
        self.folder.canaries.assert_absent(&ran.err);
        ran
    }

    /// The JSON output of a command that succeeds.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Creates a tenant with the client `svc` and an audience. Returns the secret and adds it to the
    /// canaries.
    #[track_caller]
    pub(crate) fn add_tenant(&self, tenant: &str) -> String {
        let add = ["tenant", "add", tenant, "--client", "svc", "--audience", "api"];
        let made = self.json(&[&add[..], &["--scope", "api:read", "--scope", "api:write"]].concat());
        let secret = made["client"]["secret"]["client_secret"].as_str().expect("a secret").to_owned();
        self.folder.canaries.add(&secret);
        secret
    }

    #[track_caller]
    pub(crate) fn assert_ends(&self, arguments: &[&str], code: i32, words: &str) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {words:?} in {}", ran.err);
    }
}

/// Creates the first administrator and fetches its token.
pub(crate) async fn administrator(folder: &Folder, program: &Program) -> Administrator {
    Administrator::init(program, &mut folder.program(&["admin", "init", "--json"]), &folder.canaries).await
}

/// Creates the first administrator `admin`, with its secret in `admin.secret`, and waits until the running
/// server issues tokens to it. Returns the secret and adds it to the canaries.
pub(crate) async fn first_administrator(folder: &Folder, program: &Program) -> String {
    let made = Cli::store(folder).run(&["admin", "init", "--secret-file", "admin.secret"]).output();
    let secret = folder.read("admin.secret").trim().to_owned();
    assert!(!made.contains(&secret) && secret.starts_with("lk_"), "{made}");
    folder.canaries.add(&secret);
    until_status(program, ("platform", "admin", &secret), 200).await;
    secret
}
