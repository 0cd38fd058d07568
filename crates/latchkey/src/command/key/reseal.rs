//! `latchkey key reseal`: on the store only, since moving sealed values needs both keys.

use std::path::Path;
use std::process::ExitCode;

use indicatif::ProgressBar;

use crate::admin_client::AdminArguments;
use crate::clock;
use crate::command::output::{json, table};
use crate::command::plan::SOMETHING;
use crate::command::{block_on, print};
use crate::database::Database;
use crate::reseal::{Resealed, Resealing};
use crate::sealing::{self, SealingError};
use crate::settings::{Environment, read};
use crate::start_error::StartError;

/// Moves everything, or counts what would be moved.
pub(super) fn reseal(config: &Path, admin: &AdminArguments, dry_run: bool) -> Result<ExitCode, StartError> {
    if admin.server.is_some() {
        let why = "`key reseal` works on the store itself, with the sealing keys of these settings; leave --server out";
        return Err(StartError::Unusable(why.to_owned()));
    }
    let loaded = read(config, &Environment::of_process())?;
    let bar = ProgressBar::new_spinner();
    let resealed = block_on(async {
        let opened = if dry_run {
            Database::open_read_only(&loaded.storage).await?
        } else {
            Some(Database::open(&loaded.storage).await?)
        };
        let Some(database) = opened else { return Ok(Resealed::default()) };
        let (keys, store) = (&loaded.sealing_keys, database.administration());
        let Some(sealer) = sealing::existing_sealer(keys).await? else {
            return Err(SealingError::missing(&keys.writing).into());
        };
        let resealing = Resealing { store, sealer, now: clock::now() };
        let show = |so_far: &Resealed| bar.set_message(so_far.to_string());
        let resealed = if dry_run { resealing.look(show).await } else { resealing.run(show).await };
        bar.finish_and_clear();
        database.close().await;
        Ok(resealed?)
    })?;
    print(&if admin.json { json(&resealed) } else { words(&resealed, dry_run) })?;
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
            "\nNo key that is configured opens these; name theirs under keys.former_sealing_keys:\n\n",
        );
        let rows = faults.iter().map(|fault| vec![fault.place.clone(), fault.problem.clone()]).collect();
        text.push_str(&table("", &["WHAT", "WHY"], rows));
        let more = unreadable.saturating_sub(faults.len() as u64);
        if more > 0 {
            text.push_str(&format!("and {more} more\n"));
        }
    } else if *left > 0 && !dry_run {
        text.push_str(
            "A server still seals with a former key: give all servers these settings, and run it again.\n",
        );
    }
    text
}
