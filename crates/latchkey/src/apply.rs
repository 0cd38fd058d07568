//! Making the store agree with the settings: the same step at start, at a reload and for `latchkey apply`.

use administration::{Along, ContentHash, Outcome, Progress, ReconcileOptions, Retirements};

use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::platform::Platform;
use crate::settings::{Loaded, MaxRetired};
use crate::start_error::StartError;

/// How far applying may go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ApplyOptions {
    /// Retire as much as there is.
    pub(crate) prune: bool,
    /// Apply an older generation again.
    pub(crate) force: bool,
}

/// What became of the settings.
pub(crate) struct Applied {
    pub(crate) outcome: Outcome,
    /// Those to whom they were not applied.
    pub(crate) left_out: Option<TenantsLeftOut>,
}

/// Makes the store agree with the settings and lets caches forget what changed.
pub(crate) async fn apply(
    platform: &Platform,
    loaded: Loaded,
    extent: ApplyOptions,
) -> Result<Applied, StartError> {
    apply_with_progress(platform, loaded, extent, &|_| {}).await
}

/// As [`apply`], telling how far it has come.
pub(crate) async fn apply_with_progress(
    platform: &Platform,
    loaded: Loaded,
    extent: ApplyOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Applied, StartError> {
    let content = ContentHash::of([loaded.content_hash.as_bytes()]);
    let options = ReconcileOptions {
        max_retired: retirements(&loaded.reconcile.max_retired),
        prune: extent.prune,
        force_generation: extent.force,
        now: clock::now(),
    };
    let declaration = loaded.declaration;
    let along = Along { sources: loaded.snapshot.bytes(), progress };
    let outcome = platform.reconciler.apply_along(&declaration, &content, &options, along).await;
    let outcome = outcome.map_err(|error| conflict_error(error, &declaration, &loaded.locations))?;
    if let Outcome::Applied { invalidations, .. } = &outcome {
        platform.announce(invalidations);
    }
    let left_out = outcome.plan().and_then(|plan| left_out(plan, &declaration, &loaded.locations));
    Ok(Applied { outcome, left_out })
}

/// What became of the settings, for the log.
pub(crate) fn say(outcome: &Outcome) {
    match outcome {
        Outcome::Unchanged => tracing::info!("settings unchanged"),
        // The caller that applies reports them.
        Outcome::StillLeftOut { .. } => {}
        Outcome::Applied { plan, generation, .. } => {
            tracing::info!(generation, changes = plan.changes.len(), "settings applied");
        }
        Outcome::OlderGeneration => tracing::warn!(
            "these settings were replaced by later ones; the store is served as it is. If they are meant, run `latchkey apply`"
        ),
        Outcome::TooManyRetired { plan } => {
            let Retirements { tenants, clients } = plan.retirements();
            tracing::error!(
                tenants,
                clients,
                "settings not applied: they would retire more than reconcile.max_retired allows. If it is meant, run `latchkey apply --prune`"
            );
        }
    }
}

fn retirements(allowed: &MaxRetired) -> Retirements {
    Retirements { tenants: allowed.tenants as usize, clients: allowed.clients as usize }
}
