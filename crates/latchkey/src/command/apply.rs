//! `latchkey apply`: makes the store agree with the settings, also where starting or reloading would rather ask.

use std::path::Path;
use std::process::ExitCode;

use administration::{Outcome, Progress};

use super::progress::Bar;
use super::{block_on, print};
use crate::apply::{self, Asked};
use crate::door::tell;
use crate::platform::Platform;
use crate::settings::{Environment, Loaded, read};
use crate::start_error::StartError;

/// A running server finds the change by itself.
pub(crate) fn apply(config: &Path, prune: bool) -> Result<ExitCode, StartError> {
    let bar = Bar::new();
    let applied = read(config, &Environment::of_process()).map_err(StartError::from).and_then(|loaded| {
        block_on(async {
            let platform = Platform::open(&loaded).await?;
            let asked = Asked { prune, force: true };
            let outcome = take_over(&platform, loaded, asked, &|progress| bar.show(progress)).await;
            platform.database.close().await;
            outcome
        })
    });
    bar.end();
    report(applied?)
}

/// Applies, and waits until those who share what they read are told.
pub(super) async fn take_over(
    platform: &Platform,
    loaded: Loaded,
    asked: Asked,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Outcome, StartError> {
    let outcome = apply::apply_telling(platform, loaded, asked, progress).await?;
    if let Outcome::Applied { invalidations, .. } = &outcome {
        tell(&platform.caches, invalidations).await;
    }
    Ok(outcome)
}

/// What became of it.
pub(super) fn report(outcome: Outcome) -> Result<ExitCode, StartError> {
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
