//! `latchkey check`: what is wrong with the settings, and what of them is accepted but not served.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::print;
use crate::declare::declare;
use crate::settings::{Environment, read, refuse_beyond_loopback};
use crate::start_error::StartError;

/// Opens no store and writes nothing.
pub(crate) fn check(config: &Path) -> Result<ExitCode, StartError> {
    let loaded = read(config, &Environment::of_process())?;
    refuse_beyond_loopback(&loaded, false)?;
    let mut text = String::new();
    for warning in &loaded.warnings {
        let _ = writeln!(text, "warning: {warning}\n");
    }
    let (tenants, warnings) = (loaded.tenants.len(), loaded.warnings.len());
    let clients: usize = loaded.tenants.iter().map(|tenant| tenant.clients.len()).sum();
    declare(loaded.tenants)?;
    let _ = writeln!(text, "{}: {tenants} tenants, {clients} clients, {warnings} warnings", config.display());
    print(&text)
}
