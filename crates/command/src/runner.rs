//! Runs a command of the admin API: opens a client, sends requests, shows the answers, and closes the client,
//! even after an error.

use std::path::Path;
use std::process::ExitCode;

use administration::{Page, as_answer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin_client::{AdminArguments, AdminClient, ApiRequest};
use crate::output::{DocumentTable, ListArguments, SecretArguments, SecretSink, json, name_next};
use crate::process::print;
use server::block_on;
use settings::Environment;

/// How commands are run: with these settings, or with the server of these arguments.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    pub(crate) config: &'a Path,
    pub(crate) arguments: &'a AdminArguments,
}

impl Runner<'_> {
    /// Runs a command of any number of requests.
    pub(crate) fn run<T>(
        self,
        work: impl AsyncFnOnce(&AdminClient) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.run_as(|admin| admin, work)
    }

    /// Runs a command as [`Runner::run`] does. Its requests wait for a server that has no room for them.
    pub(crate) fn run_patiently(
        self,
        work: impl AsyncFnOnce(&AdminClient) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        self.run_as(AdminClient::patient, work)
    }

    fn run_as<T>(
        self,
        prepared: impl FnOnce(AdminClient) -> AdminClient,
        work: impl AsyncFnOnce(&AdminClient) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        block_on(async {
            let admin = AdminClient::open(self.config, self.arguments, &Environment::of_process()).await?;
            let admin = prepared(admin);
            let done = work(&admin).await;
            admin.close().await;
            done
        })
    }

    /// Sends a request and shows its document.
    pub(crate) fn show<T: Serialize + DeserializeOwned>(
        self,
        request: ApiRequest,
        lines: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<ExitCode> {
        self.run(async |admin| {
            let document = admin.send(request).await?;
            self.print(&document, || lines(&document))
        })
    }

    /// Sends a request whose answer contains a secret. The file for the secret is created first.
    pub(crate) fn show_secret<T: Serialize + DeserializeOwned>(
        self,
        request: ApiRequest,
        secret: &SecretArguments,
        lines: impl FnOnce(&T, &mut SecretSink) -> anyhow::Result<String>,
    ) -> anyhow::Result<ExitCode> {
        let mut sink = SecretSink::open(secret)?;
        self.run(async |admin| {
            let document = admin.send(request).await?;
            let lines = lines(&document, &mut sink)?;
            self.print(&sink.document(&document), || lines)
        })
    }

    /// Shows a list, which has as many pages as the arguments want.
    pub(crate) fn list<T: Serialize + DeserializeOwned>(
        self,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
        list: &ListArguments,
        columns: &DocumentTable,
    ) -> anyhow::Result<ExitCode> {
        self.list_in_words(path, filters, list, |items: &[T]| columns.table(items))
    }

    /// Shows a list as [`Runner::list`] does, with these lines for people.
    pub(crate) fn list_in_words<T: Serialize + DeserializeOwned>(
        self,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
        list: &ListArguments,
        lines: impl FnOnce(&[T]) -> String,
    ) -> anyhow::Result<ExitCode> {
        self.run(async |admin| {
            let page: Page<T> = list.read(admin, path, filters).await?;
            let printed = self.print(&page, || lines(&page.items));
            name_next(&page);
            printed
        })
    }

    /// Sends a request whose answer has no document.
    pub(crate) fn done(self, request: ApiRequest, words: &str) -> anyhow::Result<ExitCode> {
        self.run(async |admin| {
            let () = admin.send(request).await?;
            // A program reads the exit code.
            if self.arguments.json { Ok(ExitCode::SUCCESS) } else { print(&format!("{words}\n")) }
        })
    }

    /// Prints the document for programs, or these lines for people.
    pub(crate) fn print(
        self,
        document: &impl Serialize,
        lines: impl FnOnce() -> String,
    ) -> anyhow::Result<ExitCode> {
        print(&if self.arguments.json { as_answer(|| json(document)) } else { lines() })
    }
}
