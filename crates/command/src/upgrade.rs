//! `latchkey upgrade check`: the changes that a start of this program would make to the store, and which
//! other versions can run at the same time. Changes nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use settings::{Environment, read_platform};
use storage::Upgrade;

use crate::examples::example;
use crate::output::json;
use crate::plan::SOMETHING;
use crate::process::print;
use server::block_on;
use server::database::store_place;

/// What is looked at.
#[derive(Subcommand)]
pub(crate) enum UpgradeCommand {
    /// Show the migrations that starting this version applies to the store, and whether running servers can
    /// continue.
    ///
    /// Exits with 0 if there are no migrations, with 2 if there are some, and with 1 after an error or if
    /// the store is newer than this version.
    #[command(after_help = example!("upgrade check"))]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(
    config: &Path,
    UpgradeCommand::Check { json: as_json }: &UpgradeCommand,
) -> anyhow::Result<ExitCode> {
    let settings = read_platform(config, &Environment::of_process())?;
    let upgrade = block_on(async { Ok(Upgrade::from_place(&store_place(&settings.storage)).await?) })?;
    print(&if *as_json { json(&document(&upgrade)) } else { lines(&upgrade) })?;
    Ok(if upgrade.pending.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING) })
}

fn document(upgrade: &Upgrade) -> serde_json::Value {
    let pending = upgrade.pending.iter().map(|(schema, name)| json!({ "schema": schema, "name": name }));
    json!({
        "schema": upgrade.found,
        "schema_of_program": upgrade.known,
        "migrations": pending.collect::<Vec<_>>(),
        "runs_beside": upgrade.runs_beside(),
    })
}

fn lines(upgrade: &Upgrade) -> String {
    let Upgrade { store, known, pending, .. } = upgrade;
    let Some(found) = upgrade.found else {
        return format!("{store} has no schema yet. The first start creates schema {known}.\n");
    };
    if pending.is_empty() {
        return format!("{store} has schema {found}, as this version expects. Nothing to do.\n");
    }
    let mut text = format!(
        "{store} has schema {found}, and this version needs {known}. A start, or `latchkey migrate`, applies these migrations \
             in one transaction:\n"
    );
    for (schema, name) in pending {
        let _ = writeln!(text, "  {schema}  {name}");
    }
    if upgrade.runs_beside() {
        text.push_str("Running servers can continue next to this version. After a restart, an old server refuses the new schema, so back up \
             first.\n");
    } else {
        let beside = Upgrade::BESIDE;
        let _ = writeln!(
            text,
            "First stop all servers that use the store, because they cannot read what this version writes. From schema \
                 {beside} on, each version can run next to the version before it."
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upgrade_check_names_compatible_versions() {
        let upgrade = |found, pending: &[i64]| Upgrade {
            store: "db/rows".to_owned(),
            found,
            known: 60,
            pending: pending.iter().map(|schema| (*schema, "a name".to_owned())).collect(),
        };
        for (found, pending, says) in [
            (None, &[1, 60][..], "no schema yet"),
            (Some(60), &[], "Nothing to do"),
            (Some(59), &[60], "  60  a name\nRunning servers can continue"),
            (Some(51), &[52, 60], "can continue next to this version"),
            (Some(50), &[51, 60], "First stop all servers that use the store"),
        ] {
            let text = lines(&upgrade(found, pending));
            assert!(text.contains(says), "{text}");
        }
        assert_eq!(document(&upgrade(Some(50), &[51]))["runs_beside"], false);
    }
}
