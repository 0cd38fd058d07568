//! Compares settings and store for commands that only read: nothing is written, and no database is created.

use administration::declaration::outcome::ReconcileError;
use administration::declaration::plan::Plan;
use administration::declaration::reconcile::Reconciler;
use secrets::Pepper;

use server::{clock, database, sealing};
use settings::Loaded;

/// The reconciler for reading the store. `None` if the store does not exist yet.
pub(crate) async fn read_only_reconciler(loaded: &Loaded) -> anyhow::Result<Option<Reconciler>> {
    let Some(database) = database::open_read_only(&loaded.platform.storage).await? else { return Ok(None) };
    let (sealer, pepper) = sealing::for_reading(&loaded.platform.sealing_keys, &database).await?;
    let mut reconciler = Reconciler::new(database, sealer, pepper);
    reconciler.clients = loaded.platform.limits.clients.get().into();
    Ok(Some(reconciler))
}

/// The plan for a store that does not exist yet.
pub(crate) fn initial_plan(loaded: &Loaded) -> Result<Plan, ReconcileError> {
    let clients = loaded.platform.limits.clients.get().into();
    Ok(administration::declaration::compare::initial_plan(
        &Pepper::generate(),
        &loaded.declaration,
        clients,
        clock::now(),
    )?)
}
