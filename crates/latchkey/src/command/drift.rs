//! `latchkey drift`: how the store differs from the settings, also in what applying them would leave alone. Nothing is written.

use std::path::Path;
use std::process::ExitCode;

use administration::{Drift, DriftView};

use super::comparison::{initial_plan, read_only_reconciler};
use super::output::json;
use super::plan::SOMETHING;
use super::{block_on, print};
use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::settings::{Environment, Loaded, read};
use crate::start_error::StartError;

/// Compares settings and store.
pub(crate) fn drift(config: &Path, as_json: bool) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    let (drift, left_out) = block_on(compare(loaded))?;
    match (as_json, drift.is_empty() && left_out.is_none()) {
        (true, _) => print(&json(&DriftView::from(&drift)))?,
        (false, true) => print("No drift.\n")?,
        (false, false) => print(&drift.to_string())?,
    };
    if let Some(left_out) = left_out {
        return Err(left_out.into());
    }
    Ok(if drift.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING) })
}

async fn compare(loaded: Loaded) -> Result<(Drift, Option<TenantsLeftOut>), StartError> {
    let store = read_only_reconciler(&loaded.storage, &loaded.sealing_keys, &loaded.limits).await?;
    let declaration = loaded.declaration;
    let drift = match store {
        Some(store) => store.drift(&declaration, clock::now()).await,
        None => initial_plan(&declaration, &loaded.limits).map(|plan| Drift { plan, left_alone: Vec::new() }),
    };
    let drift = drift.map_err(|error| conflict_error(error, &declaration, &loaded.locations))?;
    let left_out = left_out(&drift.plan, &declaration, &loaded.locations);
    Ok((drift, left_out))
}
