//! `latchkey plan`: what applying the settings would change, and who gains or loses which scope by it. Nothing is written.

use std::path::Path;
use std::process::ExitCode;

use administration::{Plan, PlanView};

use super::compared::{initial, looking};
use super::shown::json;
use super::{block_on, print};
use crate::clock;
use crate::contradicted::contradicted;
use crate::declare::declare;
use crate::settings::{Environment, Loaded, read};
use crate::start_error::StartError;

/// As `diff` does: 0 for nothing, 2 for something, and 1, through the error, for trouble.
pub(super) const SOMETHING: u8 = 2;

/// Compares settings and store.
pub(crate) fn plan(config: &Path, as_json: bool) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    let plan = block_on(compare(loaded))?;
    match (as_json, plan.is_empty()) {
        (true, _) => print(&json(&PlanView::from(&plan)))?,
        (false, true) => print("No changes.\n")?,
        (false, false) => print(&format!("{plan}\n"))?,
    };
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING) })
}

async fn compare(loaded: Loaded) -> Result<Plan, StartError> {
    let store = looking(&loaded.storage, &loaded.sealing_keys).await?;
    let declaration = declare(loaded.tenants)?;
    let plan = match store {
        Some(store) => store.plan(&declaration, clock::now()).await,
        None => initial(&declaration),
    };
    plan.map_err(|error| contradicted(error, &declaration, &loaded.places))
}
