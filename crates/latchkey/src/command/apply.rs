//! `latchkey apply`: makes the store agree with the settings, also where starting or reloading would rather ask.

use std::path::Path;
use std::process::ExitCode;

use administration::Outcome;

use super::{block_on, print};
use crate::apply::{self, Asked};
use crate::platform::Platform;
use crate::settings::{Environment, read};
use crate::start_error::StartError;

/// A running server finds the change by itself.
pub(crate) fn apply(config: &Path, prune: bool) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    let outcome = block_on(async {
        let platform = Platform::open(&loaded).await?;
        let outcome = apply::apply(&platform, loaded, Asked { prune, force: true }).await;
        platform.database.close().await;
        outcome
    })?;
    match outcome {
        Outcome::Unchanged | Outcome::OlderGeneration => print("No changes.\n"),
        Outcome::Applied { plan, generation, .. } if plan.is_empty() => {
            print(&format!("No changes; generation {generation}.\n"))
        }
        Outcome::Applied { plan, generation, .. } => {
            print(&format!("{plan}\nApplied as generation {generation}.\n"))
        }
        Outcome::TooManyRetired { plan } => Err(StartError::TooManyRetired(Box::new(plan))),
    }
}
