//! `latchkey plan`: what applying the settings would change, and who gains or loses which scope by it. `latchkey drift`: also what
//! applying would leave alone. Nothing is written.

use std::path::Path;
use std::process::ExitCode;

use administration::Drift;

use super::comparison::{initial_plan, read_only_reconciler};
use super::output::json;
use super::{block_on, print};
use crate::clock;
use crate::conflict_messages::{TenantsLeftOut, conflict_error, left_out};
use crate::settings::{Environment, read};
use crate::start_error::StartError;

/// As `diff` does: 0 for nothing, 2 for something, and 1, through the error, for trouble, such as a tenant that is left out.
pub(super) const SOMETHING: u8 = 2;

/// The differences, and the tenants to which the settings cannot be applied.
struct Comparison {
    drift: Drift,
    left_out: Option<TenantsLeftOut>,
}

/// Compares settings and store as far as applying goes.
pub(crate) fn plan(config: &Path, as_json: bool) -> Result<ExitCode, StartError> {
    let comparison = Comparison::of(config, false)?;
    let plan = &comparison.drift.plan;
    let document = as_json.then(|| json(plan));
    let text = format!("{plan}\n");
    comparison.show(document, "No changes.\n", &text)
}

/// Compares all of settings and store.
pub(crate) fn drift(config: &Path, as_json: bool) -> Result<ExitCode, StartError> {
    let comparison = Comparison::of(config, true)?;
    let drift = &comparison.drift;
    let document = as_json.then(|| json(drift));
    let text = drift.to_string();
    comparison.show(document, "No drift.\n", &text)
}

impl Comparison {
    /// `left_alone`: with what applying would leave alone.
    fn of(config: &Path, left_alone: bool) -> Result<Self, StartError> {
        let loaded = read(config, &Environment::of_process())?;
        let (declaration, now) = (loaded.declaration, clock::now());
        let drift = block_on(async {
            let store = read_only_reconciler(&loaded.storage, &loaded.sealing_keys, &loaded.limits).await?;
            let plan = match store {
                Some(store) if left_alone => return Ok(store.drift(&declaration, now).await),
                Some(store) => store.plan(&declaration, now).await,
                None => initial_plan(&declaration, &loaded.limits),
            };
            Ok(plan.map(|plan| Drift { plan, left_alone: Vec::new() }))
        })?;
        let drift = drift.map_err(|error| conflict_error(error, &declaration, &loaded.locations))?;
        let left_out = left_out(&drift.plan, &declaration, &loaded.locations);
        Ok(Self { drift, left_out })
    }

    fn show(self, document: Option<String>, none: &str, text: &str) -> Result<ExitCode, StartError> {
        let Self { drift, left_out } = self;
        let text = if drift.is_empty() && left_out.is_none() { none } else { text };
        print(document.as_deref().unwrap_or(text))?;
        match left_out {
            Some(left_out) => Err(left_out.into()),
            None if drift.is_empty() => Ok(ExitCode::SUCCESS),
            None => Ok(ExitCode::from(SOMETHING)),
        }
    }
}
