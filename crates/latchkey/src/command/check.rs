//! `latchkey check`: what is wrong with the settings, and what of them is accepted but not served.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::comparison::read_only_reconciler;
use super::{block_on, print};
use crate::conflict_messages::{beyond_limits, conflict_error};
use crate::settings::{Environment, read, refuse_beyond_loopback};
use crate::start_error::StartError;

/// Writes nothing, and opens the store only where its `rows` are to be judged, too.
pub(crate) fn check(config: &Path, rows: bool) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    refuse_beyond_loopback(&loaded, false)?;
    let mut text = String::new();
    let (declaration, mut warnings) = (loaded.declaration, loaded.warnings);
    administration::check_declared_first_keys(&declaration)
        .map_err(|conflicts| conflict_error(conflicts.into(), &declaration, &loaded.locations))?;
    let tenants = declaration.tenants.len();
    let clients: usize = declaration.tenants.values().map(|tenant| tenant.clients.len()).sum();
    warnings.extend(beyond_limits(&declaration, loaded.limits.clients.get().into(), &loaded.locations));
    for warning in &warnings {
        let _ = writeln!(text, "warning: {warning}\n");
    }
    let mut warnings = warnings.len();
    if rows {
        let found = block_on(async {
            let store = read_only_reconciler(&loaded.storage, &loaded.sealing_keys, &loaded.limits).await?;
            let Some(store) = store else { return Ok(Vec::new()) };
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
