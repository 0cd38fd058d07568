//! `latchkey store copy`: copies the platform's rows into another store, while they are served.

use std::path::Path;
use std::process::ExitCode;

use administration::{FileSecret, TenantContext};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use settings::{Environment, StorageLocation, read_platform};
use storage::store_copy::{self, Copied, CopyStep, TableSum};

use crate::examples::example;
use crate::output::json;
use crate::process::print;
use crate::progress::CopyBar;
use crate::restore::SHOWN;
use crate::tenant_move;
use server::block_on;
use server::clock;
use server::database::{self, store_place};
use values::Lifetime;

/// What is done with a store.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy a store into an empty one, of the same engine or the other. The source is served meanwhile and
    /// refuses writes from the last step on
    #[command(after_help = example!("store copy --from sqlite://data/latchkey.db --to postgres://latchkey@db.example/latchkey"))]
    Copy(CopyArguments),
}

/// From where, and to where.
#[derive(Args)]
pub(crate) struct CopyArguments {
    /// The store that is copied, as in `storage.url`; a path is relative to the working directory
    /// [default: the store of the settings].
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// An empty store, as in `storage.url`; it is created where it is a file.
    /// PGPASSWORD may hold its password.
    #[arg(long, value_name = "URL", required_unless_present = "take_back")]
    to: Option<String>,
    /// Let a store that was copied take writes again. Serve its copy no more: both would sign as one issuer.
    #[arg(long, conflicts_with = "to")]
    take_back: bool,
    /// Print a JSON document instead.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(config: &Path, StoreCommand::Copy(arguments): StoreCommand) -> anyhow::Result<ExitCode> {
    let from = store_place(&named_or_configured("--from", arguments.from.as_deref(), config)?);
    let Some(to) = &arguments.to else {
        return match block_on(async { Ok(store_copy::take_back(&from).await?) })? {
            Some(copied) => print(&format!(
                "The store takes writes again. Serve {copied} no more: both would sign as one issuer.\n"
            )),
            None => print("The store was not moved.\n"),
        };
    };
    let to = named("--to", to)?;
    let bar = CopyBar::new(true);
    let copied = block_on(async {
        let (place, create) = (store_place(&to), || create(&to));
        Ok(store_copy::copy(&from, &place, create, clock::now(), &|step: CopyStep<'_>| bar.show(step)).await)
    })?;
    bar.end();
    let copied = copied?;
    let misfits = misfits(config, &to)?;
    print(&if arguments.json {
        json(&document(&copied, &misfits))
    } else {
        lines(&copied) + &misfit_lines(&misfits)
    })
}

/// The store of an option, or that of the settings.
pub(super) fn named_or_configured(
    option: &str,
    url: Option<&str>,
    config: &Path,
) -> anyhow::Result<StorageLocation> {
    match url {
        Some(url) => named(option, url),
        None => Ok(read_platform(config, &Environment::of_process())?.storage),
    }
}

/// Creates the store to write, where it is a file. It gets the owner of its folder, who serves it.
pub(super) fn create(location: &StorageLocation) -> std::io::Result<()> {
    if let StorageLocation::Sqlite(path) = location { database::create(path) } else { Ok(()) }
}

/// What rules of today refuse of the rows that were written. They go on until they are changed.
pub(super) fn misfits(config: &Path, location: &StorageLocation) -> anyhow::Result<Vec<String>> {
    block_on(async {
        // The command may know the stores alone.
        let settings = read_platform(config, &Environment::of_process()).ok();
        let l1_lifetime = Lifetime::from_seconds(10);
        let unknown = TenantContext { public_url: "", l1_lifetime, branding: None };
        let context = settings.as_ref().map_or(unknown, tenant_move::context);
        let Some(database) = database::open_read_only(location).await? else { return Ok(Vec::new()) };
        let found = database.misfits(context, clock::now()).await;
        database.close().await;
        Ok(found?)
    })
}

/// Names them to people.
pub(super) fn misfit_lines(misfits: &[String]) -> String {
    if misfits.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "Rules of today refuse {} settings of these rows. They go on until they are changed:\n",
        misfits.len()
    );
    for misfit in misfits.iter().take(SHOWN) {
        text.push_str(&format!("  {misfit}\n"));
    }
    if misfits.len() > SHOWN {
        text.push_str("  … and more; --json has all\n");
    }
    text
}

fn named(option: &str, url: &str) -> anyhow::Result<StorageLocation> {
    let folder = std::env::current_dir().context("the working directory cannot be read")?;
    match StorageLocation::of_url(&FileSecret::new(url.to_owned()), &folder) {
        Some(location) => Ok(location),
        None => bail!("{option} names no store; {}", StorageLocation::HINT),
    }
}

fn document(copied: &Copied, misfits: &[String]) -> serde_json::Value {
    let pause = u64::try_from(copied.pause.as_millis()).unwrap_or(u64::MAX);
    json!({ "tables": tables(&copied.tables), "pause_ms": pause, "refused_today": misfits })
}

/// The content of each table.
pub(super) fn tables(tables: &[(String, TableSum)]) -> serde_json::Value {
    let table = |(name, sum): &(String, TableSum)| json!({ "table": name, "rows": sum.rows, "digest": sum.to_string() });
    tables.iter().map(table).collect()
}

/// `12 rows of 3 tables`.
pub(super) fn sum(tables: &[(String, TableSum)]) -> String {
    let rows: u64 = tables.iter().map(|(_, sum)| sum.rows).sum();
    format!("{rows} rows of {} tables", tables.len())
}

fn lines(copied: &Copied) -> String {
    format!(
        "Copied and verified: {}. Writes were refused for {:.1} s, and the source refuses them from now on.\n\
         Next: name the new store in storage.url, and restart every replica.\n",
        sum(&copied.tables),
        copied.pause.as_secs_f64(),
    )
}
