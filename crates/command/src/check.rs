//! `latchkey check`: the errors in the settings, the errors that a start would find, and settings with no
//! effect or a surprising one.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::comparison::read_only_reconciler;
use crate::output::{counted, json};
use crate::process::print;
use server::conflict_messages::{beyond_limits, conflict_faults, unread};
use server::last_store::LastStore;
use server::{block_on, clock, logging};
use settings::{
    Diagnostic, Environment, ExplainedError, Findings, Loaded, Location, ReadError, StorageLocation, inspect,
};
use storage::postgres::{self, UrlFault};

/// Writes nothing. Opens the store only if `rows` is set. With `strict` warnings are errors.
pub(crate) fn run(config: &Path, rows: bool, strict: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let loaded = match inspected(config, &environment) {
        Err(ReadError { faults, warnings }) if as_json => {
            let documents = |found: &[Diagnostic]| found.iter().map(document).collect::<Vec<_>>();
            let (errors, warnings) = (documents(&faults), documents(&warnings));
            print(&json(
                &json!({ "tenants": null, "clients": null, "errors": errors, "warnings": warnings }),
            ))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            print(
                &error.warnings.iter().map(|warning| format!("warning: {warning}\n\n")).collect::<String>(),
            )?;
            return Err(error.into());
        }
        Ok(loaded) => loaded,
    };
    let mut text = String::new();
    let tenants = loaded.declaration.tenants.len();
    let clients: usize = loaded.declaration.tenants.values().map(|tenant| tenant.clients.len()).sum();
    let log_filter = logging::check_filter(&environment);
    let beyond_limits = beyond_limits(&loaded, loaded.platform.limits.clients.get().into());
    let mut documents = Vec::new();
    let unread = unread(&loaded);
    let elsewhere = served_elsewhere(config, &loaded);
    let warnings = loaded.warnings.iter().chain(&log_filter).chain(&beyond_limits).chain(&unread);
    for warning in warnings.chain(&elsewhere) {
        let _ = writeln!(text, "warning: {warning}\n");
        documents.push(document(warning));
    }
    if rows {
        let found = block_on(async {
            let Some(store) = read_only_reconciler(&loaded).await? else { return Ok(Vec::new()) };
            Ok(store.rows_beyond_limits().await?)
        })?;
        for row in &found {
            let _ = writeln!(text, "warning: in the store: {row}\n");
            documents.push(
                json!({ "location": "the store", "key": "", "problem": row.to_string(), "hint": null }),
            );
        }
    }
    let warnings = documents.len();
    let counts = [counted(tenants, "tenant"), counted(clients, "client"), counted(warnings, "warning")];
    let _ = writeln!(text, "{}: {}", config.display(), counts.join(", "));
    print(&if as_json {
        json(&json!({ "tenants": tenants, "clients": clients, "errors": [], "warnings": documents }))
    } else {
        text
    })?;
    Ok(if strict && warnings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Warns if a server with these settings would use another store than before.
fn served_elsewhere(config: &Path, loaded: &Loaded) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    if let Some(elsewhere) = LastStore::new(config, &loaded.platform).elsewhere() {
        findings.error(Location::section("storage").key("url"), elsewhere, LastStore::FIX);
    }
    loaded.locations.faults(findings).faults
}

/// Reads the settings, or returns all errors.
fn inspected(config: &Path, environment: &Environment) -> Result<Loaded, ReadError> {
    let loaded = inspect(config, environment, clock::now())?;
    match refuse_unusable(&loaded) {
        Ok(()) => Ok(loaded),
        Err(error) => Err(ReadError { warnings: loaded.warnings, ..error }),
    }
}

/// An error or a warning as JSON.
fn document(Diagnostic { location, key, explanation, .. }: &Diagnostic) -> Value {
    let ExplainedError { problem, hint } = explanation;
    json!({ "location": location, "key": key, "problem": problem, "hint": hint })
}

/// Finds the errors that the settings crate cannot find.
fn refuse_unusable(loaded: &Loaded) -> Result<(), ReadError> {
    let mut findings = Findings::default();
    if let StorageLocation::Postgres(urls) = &loaded.platform.storage {
        for (key, url) in urls.by_key() {
            if let Err(UrlFault { problem, hint }) = postgres::check_url(url.expose()) {
                findings.error(Location::section("storage").key(key), problem, hint);
            }
        }
    }
    let ReadError { mut faults, .. } = loaded.locations.faults(findings);
    if let Err(conflicts) =
        administration::declaration::compare::check_declared_first_keys(&loaded.declaration)
    {
        faults.extend(conflict_faults(&conflicts.0, loaded).faults);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}
