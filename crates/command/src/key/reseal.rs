//! `latchkey key reseal`: works on the store only, because it needs both the previous and the new sealing
//! key.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;

use crate::output::table;
use crate::plan::SOMETHING;
use crate::runner::Runner;
use server::reseal::{Resealed, Resealing};
use server::{block_on, clock, database, sealing};
use settings::{Environment, read_platform};

/// Reseals all values, or only counts them.
pub(super) fn reseal(runner: Runner<'_>, dry_run: bool) -> anyhow::Result<ExitCode> {
    if runner.arguments.server.is_some() {
        bail!(
            "`key reseal` works directly on the store, with the sealing keys of these settings. Omit --server"
        );
    }
    let settings = read_platform(runner.config, &Environment::of_process())?;
    let bar = ProgressBar::new_spinner();
    let resealed = block_on(async {
        let opened = if dry_run {
            database::open_read_only(&settings.storage).await?
        } else {
            Some(database::open(&settings.storage).await?)
        };
        let Some(database) = opened else { return Ok(Resealed::default()) };
        let sealer = sealing::existing_sealer(&settings.sealing_keys).await?;
        let resealing = Resealing { store: database.clone(), sealer, now: clock::now() };
        let mut show = |so_far: &Resealed| bar.set_message(so_far.to_string());
        let resealed = resealing.run(dry_run, &mut show).await;
        bar.finish_and_clear();
        database.close().await;
        resealed.context(
            "some values could not be resealed. The other values are resealed; run the same command again to continue",
        )
    })?;
    runner.print(&resealed, || words(&resealed, dry_run))?;
    Ok(match (resealed.unreadable, resealed.left) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) if dry_run => ExitCode::from(SOMETHING),
        _ => ExitCode::FAILURE,
    })
}

fn words(resealed: &Resealed, dry_run: bool) -> String {
    let Resealed { left, unreadable, faults, .. } = resealed;
    let mut text = format!("{resealed}\n");
    if *unreadable > 0 {
        text.push_str(
            "\nNo configured key can open the values below. Add their key to keys.former_sealing_keys:\n\n",
        );
        let rows = faults.iter().map(|fault| vec![fault.place.clone(), fault.problem.clone()]).collect();
        text.push_str(&table("", &["WHAT", "WHY"], rows));
        let more = unreadable.saturating_sub(faults.len() as u64);
        if more > 0 {
            text.push_str(&format!("and {more} more\n"));
        }
    } else if *left > 0 && !dry_run {
        text.push_str(
            "A server still seals with a former key. Update the settings of all servers, and run the command again.\n",
        );
    }
    text
}
