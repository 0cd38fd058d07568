//! `latchkey store copy`: copies the platform's rows into another store, while servers use them.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use storage::store_copy::{self, Copied};

use crate::copies::{create, misfit_lines, misfits, named, named_or_configured, sum, tables};
use crate::examples::example;
use crate::output::json;
use crate::process::print;
use crate::progress::copying;
use server::database::store_place;
use server::{block_on, clock};

/// What is done with a store.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy a store into an empty store, also to another database engine.
    ///
    /// Servers can use the source during the copy. From the last step on, the source refuses writes.
    #[command(after_help = example!("store copy --from sqlite://data/latchkey.db --to postgres://latchkey@db.example/latchkey"))]
    Copy(CopyArguments),
}

/// From where, and to where.
#[derive(Args)]
pub(crate) struct CopyArguments {
    /// Store to copy, as in `storage.url`; a path is relative to the working directory [default: the store
    /// of the settings].
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Empty store to copy to, as in `storage.url`. A SQLite file is created. The password may be in
    /// PGPASSWORD.
    #[arg(long, value_name = "URL", required_unless_present = "take_back")]
    to: Option<String>,
    /// Allow writes again to a store that was copied. Do not serve its copy any longer: both would sign as
    /// the same issuer.
    #[arg(long, conflicts_with = "to")]
    take_back: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(config: &Path, StoreCommand::Copy(arguments): StoreCommand) -> anyhow::Result<ExitCode> {
    let from = store_place(&named_or_configured("--from", arguments.from.as_deref(), config)?);
    let Some(to) = &arguments.to else {
        return match block_on(async { Ok(store_copy::take_back(&from).await?) })? {
            Some(copied) => print(&format!(
                "The store accepts writes again. Do not serve {copied} any longer: both would sign as the same issuer.\n"
            )),
            None => print("Nothing to do: the store was not moved.\n"),
        };
    };
    let to = named("--to", to)?;
    let copied = block_on(copying(true, async |tell| {
        let (place, create) = (store_place(&to), || create(&to));
        Ok(store_copy::copy(&from, &place, create, clock::now(), tell).await?)
    }))?;
    let misfits = misfits(config, &to)?;
    print(&if arguments.json {
        json(&document(&copied, &misfits))
    } else {
        lines(&copied) + &misfit_lines(&misfits)
    })
}

fn document(copied: &Copied, misfits: &[String]) -> serde_json::Value {
    let pause = u64::try_from(copied.pause.as_millis()).unwrap_or(u64::MAX);
    json!({ "tables": tables(&copied.tables), "pause_ms": pause, "refused_today": misfits })
}

fn lines(copied: &Copied) -> String {
    format!(
        "Copied and verified: {}. Writes were refused for {:.1} s, and the source now refuses all writes.\nNext: set \
             storage.url to the new store, and restart every replica.\n",
        sum(&copied.tables),
        copied.pause.as_secs_f64(),
    )
}
