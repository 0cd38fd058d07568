//! `latchkey plan`: what applying the settings would change, and who gains or loses which scope by it. Nothing is written.

use std::path::Path;
use std::process::ExitCode;

use administration::{Plan, PlanView};

use super::comparison::{initial_plan, read_only_reconciler};
use super::output::json;
use super::{block_on, print};
use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::settings::{Environment, Loaded, read};
use crate::start_error::StartError;

/// As `diff` does: 0 for nothing, 2 for something, and 1, through the error, for trouble, such as a tenant that is left out.
pub(super) const SOMETHING: u8 = 2;

/// Compares settings and store.
pub(crate) fn plan(config: &Path, as_json: bool) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    let (plan, left_out) = block_on(compare(loaded))?;
    match (as_json, plan.is_empty() && left_out.is_none()) {
        (true, _) => print(&json(&PlanView::from(&plan)))?,
        (false, true) => print("No changes.\n")?,
        (false, false) => print(&format!("{plan}\n"))?,
    };
    if let Some(left_out) = left_out {
        return Err(left_out.into());
    }
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING) })
}

async fn compare(loaded: Loaded) -> Result<(Plan, Option<TenantsLeftOut>), StartError> {
    let store = read_only_reconciler(&loaded.storage, &loaded.sealing_keys, &loaded.limits).await?;
    let declaration = loaded.declaration;
    let plan = match store {
        Some(store) => store.plan(&declaration, clock::now()).await,
        None => initial_plan(&declaration, &loaded.limits),
    };
    let plan = plan.map_err(|error| conflict_error(error, &declaration, &loaded.locations))?;
    let left_out = left_out(&plan, &declaration, &loaded.locations);
    Ok((plan, left_out))
}
