//! `latchkey plan`: what applying the settings would change. Nothing is written, not even a database that is not there yet.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use administration::{Plan, ReconcileError, Reconciler, initial_plan};
use keys::{LocalSealer, SealingKey};
use registry::Pepper;

use super::{block_on, print};
use crate::clock;
use crate::database::Database;
use crate::declare::declare;
use crate::sealing::{self, SealingError};
use crate::settings::{Environment, Loaded, read};
use crate::start_error::StartError;

/// As `diff` does: 0 for nothing, 2 for something, and 1, through the error, for trouble.
const SOMETHING: u8 = 2;

/// Compares settings and store.
pub(crate) fn plan(config: &Path) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    let plan = block_on(compare(loaded))?;
    if plan.is_empty() {
        return print("No changes.\n");
    }
    print(&format!("{plan}\n"))?;
    Ok(ExitCode::from(SOMETHING))
}

async fn compare(loaded: Loaded) -> Result<Plan, StartError> {
    let database = Database::open_read_only(&loaded.storage).await?;
    let setting = loaded.sealing_key;
    let declaration = declare(loaded.tenants)?;
    let Some(rows) = database.map(|database| database.administration()) else {
        return Ok(
            initial_plan(&Pepper::generate(), &declaration, clock::now()).map_err(ReconcileError::from)?
        );
    };
    let sealer = match sealing::existing_sealer(&setting)? {
        Some(sealer) => sealer,
        None if rows.holds_sealed_rows().await? => return Err(SealingError::missing(&setting).into()),
        // Planning seals nothing.
        None => Arc::new(LocalSealer::new(SealingKey::generate().map_err(SealingError::from)?)),
    };
    let pepper = sealing::existing_pepper(&*rows, &*sealer).await?;
    let pepper = pepper.unwrap_or_else(|| Arc::new(Pepper::generate()));
    Ok(Reconciler::new(rows, sealer, pepper).plan(&declaration, clock::now()).await?)
}
