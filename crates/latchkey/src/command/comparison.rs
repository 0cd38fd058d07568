//! Settings and store side by side, for commands that only look: nothing is written, not even a database that is not there yet.

use std::sync::Arc;

use administration::{AdministrationStore, Declaration, Plan, ReconcileError, Reconciler};
use keys::{KeySealer, SealingKey};
use secrets::Pepper;

use crate::database::Database;
use crate::sealing::{self, SealingError};
use crate::settings::{Limits, SealingKeys, StorageLocation};
use crate::start_error::StartError;

/// What looks at the store; nothing where there is no store yet.
pub(crate) async fn read_only_reconciler(
    storage: &StorageLocation,
    settings: &SealingKeys,
    limits: &Limits,
) -> Result<Option<Reconciler>, StartError> {
    let Some(database) = Database::open_read_only(storage).await? else { return Ok(None) };
    let rows: Arc<dyn AdministrationStore> = database.administration();
    let sealer: Arc<dyn KeySealer> = match sealing::existing_sealer(settings).await? {
        Some(sealer) => sealer,
        None if rows.holds_sealed_rows().await? => {
            return Err(SealingError::missing(&settings.writing).into());
        }
        // Looking seals nothing.
        None => Arc::new(SealingKey::generate().map_err(SealingError::from)?),
    };
    let pepper = sealing::existing_pepper(&*rows, &*sealer).await?;
    let pepper = pepper.unwrap_or_else(|| Arc::new(Pepper::generate()));
    let mut reconciler = Reconciler::new(rows, sealer, pepper);
    reconciler.clients = limits.clients.get().into();
    Ok(Some(reconciler))
}

/// What a store that is not there yet is compared by.
pub(crate) fn initial_plan(declaration: &Declaration, limits: &Limits) -> Result<Plan, ReconcileError> {
    let plan = {
        let clients = limits.clients.get().into();
        administration::initial_plan(&Pepper::generate(), declaration, clients, crate::clock::now())
    };
    Ok(plan?)
}
