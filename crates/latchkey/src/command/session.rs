//! A command of the admin API: opens a client, sends requests, shows the answers, and closes the client, also after an error.

use std::path::Path;
use std::process::ExitCode;

use administration::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::output::{Columns, ListArguments, SecretArguments, SecretSink, json};
use super::{block_on, print};
use crate::admin_client::{AdminArguments, AdminClient, AdminClientError, ApiRequest};
use crate::settings::Environment;
use crate::start_error::StartError;

/// How commands are run: with these settings, or with the server of these arguments.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    config: &'a Path,
    arguments: &'a AdminArguments,
}

/// An open client, and the form in which its answers are shown.
pub(crate) struct Session {
    admin: AdminClient,
    json: bool,
}

impl<'a> Runner<'a> {
    pub(crate) const fn new(config: &'a Path, arguments: &'a AdminArguments) -> Self {
        Self { config, arguments }
    }

    /// Runs a command of any number of requests.
    pub(crate) fn run(
        self,
        work: impl AsyncFnOnce(&Session) -> Result<ExitCode, StartError>,
    ) -> Result<ExitCode, StartError> {
        block_on(async {
            let admin = AdminClient::open(self.config, self.arguments, &Environment::of_process()).await?;
            let session = Session { admin, json: self.arguments.json };
            let done = work(&session).await;
            session.admin.close().await;
            done
        })
    }

    /// Sends a request and shows its document.
    pub(crate) fn show<T: Serialize + DeserializeOwned>(
        self,
        request: ApiRequest,
        lines: impl FnOnce(&T) -> String,
    ) -> Result<ExitCode, StartError> {
        self.run(async |session| {
            let document = session.send(request).await?;
            session.show(&document, || lines(&document))
        })
    }

    /// Sends a request that has a secret in its answer. The file for the secret is created first.
    pub(crate) fn show_secret<T: Serialize + DeserializeOwned>(
        self,
        request: ApiRequest,
        secret: &SecretArguments,
        lines: impl FnOnce(&T, &mut SecretSink) -> Result<String, StartError>,
    ) -> Result<ExitCode, StartError> {
        let mut sink = SecretSink::open(secret)?;
        self.run(async |session| {
            let document = session.send(request).await?;
            let lines = lines(&document, &mut sink)?;
            session.show(&sink.document(&document), || lines)
        })
    }

    /// Shows a list, which has as many pages as the arguments want.
    pub(crate) fn list<T: Serialize + DeserializeOwned>(
        self,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
        list: &ListArguments,
        columns: &Columns,
    ) -> Result<ExitCode, StartError> {
        self.run(async |session| {
            let page: Page<T> = list.read(&session.admin, path, filters).await?;
            session.show(&page, || columns.table(&page.items))
        })
    }

    /// Sends a request whose answer has no document.
    pub(crate) fn done(self, request: ApiRequest, words: &str) -> Result<ExitCode, StartError> {
        self.run(async |session| {
            let () = session.send(request).await?;
            // A program reads the exit code.
            if session.json { Ok(ExitCode::SUCCESS) } else { print(&format!("{words}\n")) }
        })
    }
}

impl Session {
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: ApiRequest) -> Result<T, AdminClientError> {
        self.admin.send(request).await
    }

    /// The document for programs, or these lines for people.
    pub(crate) fn show(
        &self,
        document: &impl Serialize,
        lines: impl FnOnce() -> String,
    ) -> Result<ExitCode, StartError> {
        print(&if self.json { json(document) } else { lines() })
    }
}
