//! `latchkey migrate`: brings the schema up to date and does nothing else, for those who want that to be a step of its own. Starting
//! does it too, one replica at a time.

use std::path::Path;
use std::process::ExitCode;

use super::{block_on, print};
use crate::database::Database;
use crate::settings::{Environment, read};
use crate::start_error::StartError;

/// A schema that is newer than this program is refused, and nothing is changed.
pub(crate) fn migrate(config: &Path) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    block_on(async {
        Database::open(&loaded.storage).await?.close().await;
        Ok(())
    })?;
    print("The schema is up to date.\n")
}
