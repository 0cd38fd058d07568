//! `latchkey plan`: the changes that applying the settings would make, and the scopes that clients gain or
//! lose. `latchkey drift`: in addition, the differences that applying would not undo. Nothing is written.

use std::io::{Write as _, stderr};
use std::path::Path;
use std::process::ExitCode;

use administration::declaration::compare::Drift;
use anyhow::Context as _;

use crate::arguments::PlanOutput;
use crate::comparison::{initial_plan, read_only_reconciler};
use crate::output::{folded, json, plan_lines};
use crate::process::{OUTPUT, print_coloured};
use server::apply::retirement_warning;
use server::conflict_messages::{conflict_error, left_out};
use server::last_store::LastStore;
use server::{block_on, clock};
use settings::{Environment, read};

/// The exit code for changes, as in `diff`. 0 means no changes, and 1 an error, for example a tenant with a
/// conflict.
pub(super) const SOMETHING: u8 = 2;

/// Compares settings and store. `is_drift` also shows the differences that applying would not undo.
pub(crate) fn run(config: &Path, output: &PlanOutput, is_drift: bool) -> anyhow::Result<ExitCode> {
    let PlanOutput { json: as_json, full: is_full } = *output;
    let loaded = read(config, &Environment::of_process())?;
    let drift = block_on(async {
        let plan = match read_only_reconciler(&loaded).await? {
            Some(store) if is_drift => return Ok(store.drift(&loaded.declaration, clock::now()).await),
            Some(store) => store.plan(&loaded.declaration, clock::now()).await,
            None => initial_plan(&loaded),
        };
        Ok(plan.map(|plan| Drift { plan, left_alone: Vec::new() }))
    })?;
    let drift = drift.map_err(|error| conflict_error(error, &loaded))?;
    let last_store = LastStore::new(config, &loaded.platform);
    if let Some(emptied) = block_on(last_store.look(&loaded.platform))? {
        let warning = format!("warning: {emptied}\n  = {}\n\n", LastStore::FIX);
        stderr().write_all(warning.as_bytes()).context(OUTPUT)?;
    }
    let left_out = left_out(&drift.plan, &loaded);
    let nothing = drift.is_empty() && left_out.is_none();
    print_coloured(&match (as_json, is_drift) {
        (true, true) => json(&drift),
        (true, false) => json(&drift.plan),
        (false, true) if nothing => "No drift.\n".to_owned(),
        (false, true) => folded(&values::printable_lines(&drift.to_string()), is_full),
        (false, false) if nothing => "No changes.\n".to_owned(),
        (false, false) => plan_lines(&drift.plan, is_full),
    })?;
    if let Some(warning) = retirement_warning(&drift.plan, &loaded) {
        stderr().write_all(format!("warning: {warning}\n").as_bytes()).context(OUTPUT)?;
    }
    match left_out {
        Some(left_out) => Err(left_out.into()),
        None if nothing => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::from(SOMETHING)),
    }
}
