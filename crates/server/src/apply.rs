//! Applies the settings to the store. Starts, reloads and `latchkey apply` share this code.

use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome;
use administration::declaration::outcome::Outcome;
use administration::declaration::plan::{Plan, Retirements};
use anyhow::anyhow;

use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::platform::Platform;
use settings::{Loaded, MaxRetired};

#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyOptions {
    /// Retire any number of rows.
    pub prune: bool,
    /// Apply an earlier generation again.
    pub force: bool,
    /// Revoke the secrets immediately that `previous_for` would keep.
    pub now: bool,
}

pub struct Applied {
    pub outcome: Outcome,
    /// The tenants with a conflict, to which the settings were not applied.
    pub left_out: Option<TenantsLeftOut>,
}

/// Applies the settings to the store and invalidates the caches. Drops the settings, so that their secrets
/// are wiped.
pub async fn apply(
    platform: &Platform,
    loaded: Loaded,
    extent: ApplyOptions,
    progress: &(dyn Fn(outcome::Progress) + Send + Sync),
) -> anyhow::Result<Applied> {
    let content = ContentHash::from_parts([loaded.content_hash.as_bytes()]);
    let options = outcome::ReconcileOptions {
        max_retired: max_retired(&loaded),
        prune: extent.prune,
        force_generation: extent.force,
        ends_previous: extent.now,
        now: clock::now(),
    };
    let sources = loaded.snapshot.bytes();
    let along = outcome::Along { sources: sources.as_deref().map(Vec::as_slice), progress };
    let outcome = platform.reconciler.apply(&loaded.declaration, &content, &options, along).await;
    let outcome = outcome.map_err(|error| conflict_error(error, &loaded))?;
    if let Outcome::Applied { invalidations, .. } = &outcome {
        platform.caches.apply(invalidations);
    }
    let left_out = outcome.plan().and_then(|plan| left_out(plan, &loaded));
    Ok(Applied { outcome, left_out })
}

fn max_retired(loaded: &Loaded) -> Retirements {
    let MaxRetired { tenants, clients } = loaded.reconcile.max_retired;
    Retirements { tenants: tenants as usize, clients: clients as usize }
}

/// The warning for a plan that retires more rows than a start or a reload may.
pub fn retirement_warning(plan: &Plan, loaded: &Loaded) -> Option<String> {
    let allowed = max_retired(loaded);
    plan.exceeds(&allowed).then(|| {
        let Retirements { tenants, clients } = plan.retirements();
        format!(
            "this plan retires {tenants} tenants and {clients} clients, but reconcile.max_retired allows {} and {}. \
             The server and `latchkey apply` will refuse the settings. If you want to retire the rows, run `latchkey apply --prune`",
            allowed.tenants, allowed.clients
        )
    })
}

/// The error for a plan that retires more rows than a start or a reload may.
pub fn too_many_retired(plan: &Plan) -> anyhow::Error {
    anyhow!(
        "{plan}\nthese settings would retire more rows than reconcile.max_retired allows, for example because a file is \
             truncated. Nothing was changed. If you want to retire the rows, run `latchkey apply --prune`"
    )
}

pub(crate) fn say(outcome: &Outcome) {
    match outcome {
        Outcome::Unchanged => tracing::info!("settings unchanged"),
        // The caller reports these conflicts.
        Outcome::StillLeftOut { .. } => {}
        Outcome::Applied { plan, generation, .. } => {
            tracing::info!(generation, changes = plan.changes.len(), "settings applied");
        }
        Outcome::OlderGeneration => tracing::warn!(
            "newer settings have already replaced these settings, so they are not applied. To apply them anyway, run `latchkey apply`"
        ),
        Outcome::TooManyRetired { plan } => {
            let Retirements { tenants, clients } = plan.retirements();
            tracing::error!(
                tenants,
                clients,
                "settings not applied: they would retire more rows than reconcile.max_retired allows. If you want to retire \
                     the rows, run `latchkey apply --prune`"
            );
        }
    }
}
