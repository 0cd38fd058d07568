//! Code that backups, restores, copies of the store and moves of tenants share: the store of an option, a new
//! file, and reports of what was copied.

use std::fs::OpenOptions;
use std::io::{Write, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use administration::documents::FileSecret;
use administration::rules::TenantContext;
use anyhow::{Context as _, bail};
use serde_json::json;
use server::{block_on, clock, database};
use settings::{Environment, PlatformSettings, StorageLocation, read_platform};
use storage::store_copy::TableSum;
use values::Lifetime;

/// How many items of a list are printed. The JSON document has all of them.
pub(crate) const SHOWN: usize = 20;

/// The store of an option, or the store of the settings.
pub(crate) fn named_or_configured(
    option: &str,
    url: Option<&str>,
    config: &Path,
) -> anyhow::Result<StorageLocation> {
    match url {
        Some(url) => named(option, url),
        None => Ok(read_platform(config, &Environment::of_process())?.storage),
    }
}

/// Creates the file of a SQLite store. It gets the owner of its folder, because the service runs as that
/// user.
pub(crate) fn create(location: &StorageLocation) -> std::io::Result<()> {
    if let StorageLocation::Sqlite(path) = location { database::create(path) } else { Ok(()) }
}

/// Finds written rows that the current rules would refuse. Such rows stay valid until they are changed.
pub(crate) fn misfits(config: &Path, location: &StorageLocation) -> anyhow::Result<Vec<String>> {
    block_on(async {
        // The command may know only the stores, without settings.
        let settings = read_platform(config, &Environment::of_process()).ok();
        let l1_lifetime = Lifetime::from_seconds(10);
        let unknown = TenantContext { public_url: "", l1_lifetime, branding: None };
        let context = settings.as_ref().map_or(unknown, context);
        let Some(database) = database::open_read_only(location).await? else { return Ok(Vec::new()) };
        let found = database.misfits(context, clock::now()).await;
        database.close().await;
        Ok(found?)
    })
}

/// Lists the rows for people.
pub(crate) fn misfit_lines(misfits: &[String]) -> String {
    if misfits.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "The current rules do not accept {} settings of the rows below. The rows keep working until you change them:\n",
        misfits.len()
    );
    for misfit in misfits.iter().take(SHOWN) {
        text.push_str(&format!("  {misfit}\n"));
    }
    if misfits.len() > SHOWN {
        text.push_str("  … and more; --json lists all\n");
    }
    text
}

pub(crate) fn named(option: &str, url: &str) -> anyhow::Result<StorageLocation> {
    let folder = std::env::current_dir().context("cannot read the working directory")?;
    match StorageLocation::of_url(&FileSecret::new(url.to_owned()), &folder) {
        Some(location) => Ok(location),
        None => bail!("{option} is not the URL of a store. {}", StorageLocation::HINT),
    }
}

/// The facts that the rules for tenants need in addition to rows.
pub(crate) fn context(settings: &PlatformSettings) -> TenantContext<'_> {
    let public_url = settings.server.public_url.as_str();
    TenantContext { public_url, l1_lifetime: settings.l1_lifetime, branding: None }
}

/// A new file that only its owner may read, or the standard output.
pub(crate) fn new_output(file: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(stdout()));
    }
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    Ok(Box::new(new.with_context(|| format!("cannot write {}", file.display()))?))
}

pub(crate) fn tables(tables: &[(String, TableSum)]) -> serde_json::Value {
    let table = |(name, sum): &(String, TableSum)| json!({ "table": name, "rows": sum.rows, "digest": sum.to_string() });
    tables.iter().map(table).collect()
}

/// `12 rows of 3 tables`.
pub(crate) fn sum(tables: &[(String, TableSum)]) -> String {
    let rows: u64 = tables.iter().map(|(_, sum)| sum.rows).sum();
    format!("{rows} rows of {} tables", tables.len())
}
