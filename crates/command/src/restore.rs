//! `latchkey restore`: writes a backup into an empty store, or verifies it without one.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use settings::files;
use storage::store_copy::{self, AuditLine, CopyStep, Restored};

use crate::copies::{SHOWN, create, misfit_lines, misfits, named_or_configured, sum, tables};
use crate::output::json;
use crate::process::print;
use crate::progress::CopyBar;
use server::database::store_place;
use server::{block_on, clock};

/// Which backup, and where to.
#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// What `latchkey backup` has written.
    file: PathBuf,
    /// An empty store, as in `storage.url` [default: the store of the settings].
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Read and compare the whole file, and write nothing.
    #[arg(long, conflicts_with_all = ["to", "revocations"])]
    verify: bool,
    /// The audit since the backup, as `latchkey audit list --json` prints it, or a record a line: what was
    /// revoked, suspended or deleted later is ended, too.
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
    /// Print a JSON document instead.
    #[arg(long)]
    json: bool,
}

/// A page of the audit.
#[derive(Deserialize)]
struct AuditPage {
    items: Vec<AuditLine>,
}

pub(crate) fn run(config: &Path, arguments: &RestoreArguments) -> anyhow::Result<ExitCode> {
    let file = &arguments.file;
    let open = || files::open(file);
    if arguments.verify {
        let (facts, found) = store_copy::verify(open().with_context(|| unread(file))?)?;
        let at = facts.at.to_rfc3339();
        return print(&if arguments.json {
            json(&json!({ "schema": facts.schema, "store": facts.store, "at": at, "tables": tables(&found) }))
        } else {
            format!("Whole: {}, of {} at {at}, schema {}.\n", sum(&found), facts.store, facts.schema)
        });
    }
    let audit = arguments.revocations.as_deref().map(audit).transpose()?.unwrap_or_default();
    let to = named_or_configured("--to", arguments.to.as_deref(), config)?;
    let bar = CopyBar::new(false);
    let tell = |step: CopyStep<'_>| bar.show(step);
    let restored = block_on(async {
        let (place, create) = (store_place(&to), || create(&to));
        Ok(store_copy::restore(open, &place, create, audit, clock::now(), &tell).await)
    })?;
    bar.end();
    let restored = restored?;
    let misfits = misfits(config, &to)?;
    print(&if arguments.json {
        json(&document(&restored, &misfits))
    } else {
        lines(&restored) + &misfit_lines(&misfits)
    })
}

fn unread(file: &Path) -> String {
    format!("{} cannot be read", file.display())
}

fn audit(file: &Path) -> anyhow::Result<Vec<AuditLine>> {
    let text = files::open(file).and_then(io::read_to_string).with_context(|| unread(file))?;
    if let Ok(AuditPage { items }) = serde_json::from_str(&text) {
        return Ok(items);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = lines.enumerate().map(|(number, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}: record {} is none of the audit", file.display(), number + 1))
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
        "Restored and verified: {}. All tokens, codes, sessions and links from before are ended; people and services get new ones.\n",
        sum(tables)
    );
    let _ = writeln!(text, "Ended by the audit: {ended_later}.");
    let _ = writeln!(
        text,
        "{} secrets and {} API keys are valid as of {}. What was revoked later and is not in the audit given lives again:",
        live_secrets.len(),
        live_api_keys.len(),
        facts.at.to_rfc3339()
    );
    for [tenant, client, id] in live_secrets.iter().chain(live_api_keys).take(SHOWN) {
        let _ = writeln!(text, "  {tenant} {client} {id}");
    }
    if live_secrets.len() + live_api_keys.len() > SHOWN {
        text.push_str("  … and more; --json has all\n");
    }
    text
}
