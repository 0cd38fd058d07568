//! `latchkey check`: what is wrong with the settings, and what of them is accepted but not served.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::comparison::read_only_reconciler;
use super::{block_on, print};
use crate::conflict_messages::{beyond_limits, conflict_error};
use settings::{Environment, read, refuse_beyond_loopback};

/// Writes nothing, and opens the store only where its `rows` are to be judged, too.
pub(crate) fn run(config: &Path, rows: bool) -> anyhow::Result<ExitCode> {
    let loaded = read(config, &Environment::of_process())?;
    refuse_beyond_loopback(&loaded, false)?;
    let mut text = String::new();
    administration::check_declared_first_keys(&loaded.declaration)
        .map_err(|conflicts| conflict_error(conflicts.into(), &loaded))?;
    let tenants = loaded.declaration.tenants.len();
    let clients: usize = loaded.declaration.tenants.values().map(|tenant| tenant.clients.len()).sum();
    let beyond_limits = beyond_limits(&loaded, loaded.limits.clients.get().into());
    for warning in loaded.warnings.iter().chain(&beyond_limits) {
        let _ = writeln!(text, "warning: {warning}\n");
    }
    let mut warnings = loaded.warnings.len() + beyond_limits.len();
    if rows {
        let found = block_on(async {
            let Some(store) = read_only_reconciler(&loaded).await? else { return Ok(Vec::new()) };
            Ok(store.rows_beyond_limits().await?)
        })?;
        for row in &found {
            let _ = writeln!(text, "warning: in the store: {row}\n");
        }
        warnings += found.len();
    }
    let _ = writeln!(text, "{}: {tenants} tenants, {clients} clients, {warnings} warnings", config.display());
    print(&text)
}
