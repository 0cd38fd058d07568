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
    /// Show the migrations that a start of this program applies to the store, and whether the programs that
    /// serve it go on beside this one. Exit 0 for none, 2 for some, 1 for an error or a newer store
    #[command(after_help = example!("upgrade check"))]
    Check {
        /// Print a JSON document instead.
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
        return format!("{store} has no schema yet; the first start creates schema {known}.\n");
    };
    if pending.is_empty() {
        return format!("{store} has schema {found}, which is the one of this program. Nothing is to do.\n");
    }
    let mut text = format!(
        "{store} has schema {found}, and this program {known}. A start, or `latchkey migrate`, applies in one transaction:\n"
    );
    for (schema, name) in pending {
        let _ = writeln!(text, "  {schema}  {name}");
    }
    if upgrade.runs_beside() {
        text.push_str("Programs that serve the store go on beside this one. One that is started again refuses the new schema, so back up first.\n");
    } else {
        let beside = Upgrade::BESIDE;
        let _ = writeln!(
            text,
            "Stop the programs that serve the store first: they cannot read what this one writes. From schema {beside} on each version runs \
             beside the one before it."
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
            (Some(60), &[], "Nothing is to do"),
            (Some(59), &[60], "  60  a name\nPrograms that serve the store go on"),
            (Some(51), &[52, 60], "go on beside this one"),
            (Some(50), &[51, 60], "Stop the programs that serve the store first"),
        ] {
            let text = lines(&upgrade(found, pending));
            assert!(text.contains(says), "{text}");
        }
        assert_eq!(document(&upgrade(Some(50), &[51]))["runs_beside"], false);
    }
}
