//! `latchkey plan`: what applying the settings would change. Nothing is written, not even a database that is not there yet.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use administration::{AdministrationStore, Plan, Reconciler};
use keys::{KeySealer, LocalSealer, SealingKey};
use registry::Pepper;
use storage_sqlite::SqliteDatabase;

use super::empty_store::EmptyStore;
use super::{block_on, print};
use crate::declare::declare;
use crate::sealing::{self, SealingError};
use crate::settings::{Environment, Loaded, SealingKey as Setting, StorageLocation, read};
use crate::start_error::StartError;
use crate::clock;

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
    let StorageLocation::Sqlite(path) = &loaded.storage else { return Err(StartError::PostgresNotServed) };
    let reconciler = match SqliteDatabase::open_read_only(&path.to_string_lossy()).await? {
        Some(database) => over(Arc::new(database), &loaded.sealing_key).await?,
        None => over_nothing()?,
    };
    Ok(reconciler.plan(&declare(loaded.tenants)?, clock::now()).await?)
}

async fn over(database: Arc<SqliteDatabase>, setting: &Setting) -> Result<Reconciler, StartError> {
    let sealer = match sealing::existing_sealer(setting)? {
        Some(sealer) => sealer,
        None if database.holds_sealed_rows().await? => return Err(missing(setting).into()),
        None => throwaway_sealer()?,
    };
    let pepper = sealing::existing_pepper(&*database, &*sealer).await?;
    Ok(Reconciler::new(database, sealer, pepper.unwrap_or_else(|| Arc::new(Pepper::generate()))))
}

/// Without a store everything is new.
fn over_nothing() -> Result<Reconciler, StartError> {
    let store = Arc::new(EmptyStore);
    Ok(Reconciler::new(store, throwaway_sealer()?, Arc::new(Pepper::generate())))
}

/// Planning seals nothing.
fn throwaway_sealer() -> Result<Arc<dyn KeySealer>, SealingError> {
    Ok(Arc::new(LocalSealer::new(SealingKey::generate()?)))
}

fn missing(setting: &Setting) -> SealingError {
    match setting {
        Setting::File(path) => SealingError::Missing(path.clone()),
        Setting::Text(_) => SealingError::PepperLength,
    }
}
