//! `latchkey migrate`: only updates the schema, as a separate step. Without this command a start does the
//! same, one replica at a time.

use std::io::{Write as _, stderr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use crate::output::json;
use crate::process::{OUTPUT, print};
use server::{block_on, database};
use settings::{Environment, read_platform};

/// A schema that is newer than this program is refused and stays unchanged.
pub(crate) fn run(config: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = read_platform(config, &Environment::of_process())?;
    let warning = block_on(async {
        let database = database::open(&settings.storage).await?;
        database.close().await;
        Ok(database.warning())
    })?;
    if as_json {
        return print(&json(&json!({ "schema": "up-to-date", "warning": warning })));
    }
    if let Some(warning) = warning {
        stderr().write_all(format!("warning: {warning}\n").as_bytes()).context(OUTPUT)?;
    }
    print("The schema is up to date.\n")
}
