//! A command that uses a backend: opens it, does its work, and closes it in every case.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::output::json;
use super::{block_on, print};
use crate::admin_client::{self, AdminArguments, AdminBackend};
use crate::settings::Environment;
use crate::start_error::StartError;

/// An open backend, and how its answers are shown.
pub(crate) struct Session {
    backend: Box<dyn AdminBackend>,
    json: bool,
}

impl Session {
    pub(crate) fn backend(&self) -> &dyn AdminBackend {
        &*self.backend
    }

    /// The document for programs, or these lines for people.
    pub(crate) fn show(
        &self,
        document: &impl Serialize,
        lines: impl FnOnce() -> String,
    ) -> Result<ExitCode, StartError> {
        print(&if self.json { json(document) } else { lines() })
    }

    /// Words for people; a program is told by the exit code.
    pub(crate) fn say(&self, words: &str) -> Result<ExitCode, StartError> {
        if self.json { Ok(ExitCode::SUCCESS) } else { print(&format!("{words}\n")) }
    }
}

/// Runs a command with the requested backend.
pub(crate) fn with_session(
    config: &Path,
    arguments: &AdminArguments,
    work: impl AsyncFnOnce(&Session) -> Result<ExitCode, StartError>,
) -> Result<ExitCode, StartError> {
    block_on(async {
        let backend = admin_client::open(config, arguments, Environment::of_process()).await?;
        let session = Session { backend, json: arguments.json };
        let done = work(&session).await;
        session.backend.close().await;
        done
    })
}
