//! Settings and store side by side, for commands that only look: nothing is written, not even a database that is not there yet.

use std::sync::Arc;

use administration::{Plan, ReconcileError, Reconciler, SealedItems as _};
use keys::KeySealer;
use secrets::Pepper;

use crate::sealing::{self, MissingKey};
use crate::{clock, database};
use settings::Loaded;

/// What looks at the store; nothing where there is no store yet.
pub(crate) async fn read_only_reconciler(loaded: &Loaded) -> anyhow::Result<Option<Reconciler>> {
    let Some(database) = database::open_read_only(&loaded.storage).await? else { return Ok(None) };
    let sealer: Arc<dyn KeySealer> = match sealing::existing_sealer(&loaded.sealing_keys).await {
        // Looking seals nothing.
        Err(error) if error.is::<MissingKey>() && !database.holds_sealed_rows().await? => {
            Arc::new(sealing::generate()?)
        }
        sealer => sealer?,
    };
    let pepper = sealing::existing_pepper(&*database, &*sealer).await?;
    let pepper = pepper.unwrap_or_else(|| Arc::new(Pepper::generate()));
    let mut reconciler = Reconciler::new(database, sealer, pepper);
    reconciler.clients = loaded.limits.clients.get().into();
    Ok(Some(reconciler))
}

/// What a store that is not there yet is compared by.
pub(crate) fn initial_plan(loaded: &Loaded) -> Result<Plan, ReconcileError> {
    let clients = loaded.limits.clients.get().into();
    Ok(administration::initial_plan(&Pepper::generate(), &loaded.declaration, clients, clock::now())?)
}
