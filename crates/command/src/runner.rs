//! Runs a command over the admin API: opens a client, sends requests, shows the answers, and closes the
//! client, even after an error.

use std::path::Path;
use std::process::ExitCode;

use administration::documents::{Page, as_answer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin_client::{AdminApi, AdminArguments, ApiRequest};
use crate::output::{DocumentTable, ListArguments, OneTimeOutput, OutputArguments, json, name_next};
use crate::process::print;
use server::block_on;
use settings::Environment;

/// How commands run: with these settings, or with the server in these arguments.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    pub(crate) config: &'a Path,
    pub(crate) arguments: &'a AdminArguments,
}

impl Runner<'_> {
    /// Runs a command that sends any number of requests.
    pub(crate) fn run<T>(self, work: impl AsyncFnOnce(&AdminApi) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.run_as(|admin| admin, work)
    }

    /// Like [`Runner::run`], but requests wait for a server that is busy.
    pub(crate) fn run_patiently(
        self,
        work: impl AsyncFnOnce(&AdminApi) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        self.run_as(AdminApi::patient, work)
    }

    fn run_as<T>(
        self,
        prepared: impl FnOnce(AdminApi) -> AdminApi,
        work: impl AsyncFnOnce(&AdminApi) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        block_on(async {
            let admin = AdminApi::open(self.config, self.arguments, &Environment::of_process()).await?;
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

    /// Sends a request whose answer contains a secret. Creates the file for the secret first.
    pub(crate) fn show_secret<T: Serialize + DeserializeOwned>(
        self,
        request: ApiRequest,
        secret: &OutputArguments,
        lines: impl FnOnce(&T, &mut OneTimeOutput) -> anyhow::Result<String>,
    ) -> anyhow::Result<ExitCode> {
        let mut sink = OneTimeOutput::open(secret)?;
        self.run(async |admin| {
            let document = admin.send(request).await?;
            let lines = lines(&document, &mut sink)?;
            self.print(&sink.document(&document), || lines)
        })
    }

    /// Shows a list, with as many pages as the arguments ask for.
    pub(crate) fn list<T: Serialize + DeserializeOwned>(
        self,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
        list: &ListArguments,
        columns: &DocumentTable,
    ) -> anyhow::Result<ExitCode> {
        self.list_in_words(path, filters, list, async |_, items: &[T]| columns.table(items))
    }

    /// Like [`Runner::list`], with this text for people. The text may take further requests, which JSON does
    /// not need.
    pub(crate) fn list_in_words<T: Serialize + DeserializeOwned>(
        self,
        path: &str,
        filters: Vec<(&'static str, Option<String>)>,
        list: &ListArguments,
        lines: impl AsyncFnOnce(&AdminApi, &[T]) -> String,
    ) -> anyhow::Result<ExitCode> {
        self.run(async |admin| {
            let page: Page<T> = list.read(admin, path, filters).await?;
            let text = if self.arguments.json { String::new() } else { lines(admin, &page.items).await };
            let printed = self.print(&page, || text);
            name_next(&page);
            printed
        })
    }

    /// Sends a request whose answer has no document, and prints `words`.
    pub(crate) fn done(self, request: ApiRequest, words: &str) -> anyhow::Result<ExitCode> {
        self.run(async |admin| {
            let () = admin.send(request).await?;
            // Programs read the exit code.
            if self.arguments.json { Ok(ExitCode::SUCCESS) } else { print(&format!("{words}\n")) }
        })
    }

    /// Prints the document for programs, or this text for people.
    pub(crate) fn print(
        self,
        document: &impl Serialize,
        lines: impl FnOnce() -> String,
    ) -> anyhow::Result<ExitCode> {
        print(&if self.arguments.json { as_answer(|| json(document)) } else { lines() })
    }
}
