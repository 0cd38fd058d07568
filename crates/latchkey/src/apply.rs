//! Applies the settings to the store: the same operation at start, at a reload and for `latchkey apply`.

use administration::{Along, ContentHash, Outcome, Progress, ReconcileOptions, Retirements};

use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::platform::Platform;
use crate::settings::{Loaded, MaxRetired};
use crate::start_error::StartError;

/// Limits of an apply.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ApplyOptions {
    /// Retire any number of rows.
    pub(crate) prune: bool,
    /// Apply an older generation again.
    pub(crate) force: bool,
}

/// The result of an apply.
pub(crate) struct Applied {
    pub(crate) outcome: Outcome,
    /// The tenants to which the settings were not applied.
    pub(crate) left_out: Option<TenantsLeftOut>,
}

/// Applies the settings to the store and invalidates the caches.
pub(crate) async fn apply(
    platform: &Platform,
    loaded: Loaded,
    extent: ApplyOptions,
) -> Result<Applied, StartError> {
    apply_with_progress(platform, loaded, extent, &|_| {}).await
}

/// Like [`apply`], with reports of its progress.
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
    let sources = loaded.snapshot.bytes();
    let along = Along { sources: sources.as_deref().map(Vec::as_slice), progress };
    let outcome = platform.reconciler.apply(&declaration, &content, &options, along).await;
    let outcome = outcome.map_err(|error| conflict_error(error, &declaration, &loaded.locations))?;
    if let Outcome::Applied { invalidations, .. } = &outcome {
        platform.announce(invalidations);
    }
    let left_out = outcome.plan().and_then(|plan| left_out(plan, &declaration, &loaded.locations));
    Ok(Applied { outcome, left_out })
}

/// Logs the result.
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
