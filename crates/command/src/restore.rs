//! `latchkey restore`: writes a backup into an empty store, or only verifies the backup.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use settings::files;
use storage::store_copy::{self, AuditLine, Restored};

use crate::copies::{SHOWN, create, misfit_lines, misfits, named_or_configured, sum, tables};
use crate::output::{json, readable};
use crate::process::print;
use crate::progress::copying;
use server::database::store_place;
use server::{block_on, clock};

/// Which backup, and where to.
#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// File written by `latchkey backup`.
    file: PathBuf,
    /// Empty store, as in `storage.url` [default: the store of the settings].
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Only read and check the whole file.
    #[arg(long, conflicts_with_all = ["to", "revocations"])]
    verify: bool,
    /// Audit since the backup, from `latchkey audit list --json`, or with one record per line. Rows that
    /// were revoked, suspended or deleted after the backup are revoked, suspended or deleted again.
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct AuditPage {
    items: Vec<AuditLine>,
}

pub(crate) fn run(config: &Path, arguments: &RestoreArguments) -> anyhow::Result<ExitCode> {
    let file = &arguments.file;
    let open = || files::open(file);
    if arguments.verify {
        let (facts, found) = store_copy::verify(open().with_context(|| unread(file))?)?;
        let at = readable(facts.at);
        return print(&if arguments.json {
            json(&json!({ "schema": facts.schema, "store": facts.store, "at": at, "tables": tables(&found) }))
        } else {
            format!(
                "The backup is intact: {}, of {} at {at}, schema {}.\n",
                sum(&found),
                facts.store,
                facts.schema
            )
        });
    }
    let audit = arguments.revocations.as_deref().map(audit).transpose()?.unwrap_or_default();
    let to = named_or_configured("--to", arguments.to.as_deref(), config)?;
    let restored = block_on(copying(false, async |tell| {
        let (place, create) = (store_place(&to), || create(&to));
        Ok(store_copy::restore(open, &place, create, audit, clock::now(), tell).await?)
    }))?;
    let misfits = misfits(config, &to)?;
    print(&if arguments.json {
        json(&document(&restored, &misfits))
    } else {
        lines(&restored) + &misfit_lines(&misfits)
    })
}

fn unread(file: &Path) -> String {
    format!("cannot read {}", file.display())
}

fn audit(file: &Path) -> anyhow::Result<Vec<AuditLine>> {
    let text = files::open(file).and_then(io::read_to_string).with_context(|| unread(file))?;
    if let Ok(AuditPage { items }) = serde_json::from_str(&text) {
        return Ok(items);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = lines.enumerate().map(|(number, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}: record {} is not an audit record", file.display(), number + 1))
    });
    read.collect()
}

fn document(restored: &Restored, misfits: &[String]) -> Value {
    json!({
        "at": restored.facts.at.to_rfc3339(),
        "tables": tables(&restored.tables),
        "ended_later": restored.ended_later,
        "live_secrets": restored.live_secrets,
        "live_api_keys": restored.live_api_keys,
        "refused_today": misfits,
    })
}

fn lines(restored: &Restored) -> String {
    let Restored { facts, tables, ended_later, live_secrets, live_api_keys } = restored;
    let mut text = format!(
        "Restored and verified: {}. All tokens, codes, sessions and links from before the restore are invalid. People must \
             sign in again, and services must fetch new tokens.\n",
        sum(tables)
    );
    let _ = writeln!(text, "Revoked because of the audit: {ended_later}.");
    let _ = writeln!(
        text,
        "{} secrets and {} API keys are valid as of {}. Credentials that were revoked later, but are not in the given audit, \
             are valid again:",
        live_secrets.len(),
        live_api_keys.len(),
        readable(facts.at)
    );
    for [tenant, client, id] in live_secrets.iter().chain(live_api_keys).take(SHOWN) {
        let _ = writeln!(text, "  {tenant} {client} {id}");
    }
    if live_secrets.len() + live_api_keys.len() > SHOWN {
        text.push_str("  … and more; --json lists all\n");
    }
    text
}
