//! `latchkey man`: writes the manual pages, one for each command, from the same definitions as the help
//! texts.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Command;

/// Writes the pages into this folder.
pub(crate) fn run(folder: &Path, command: Command) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command.name("latchkey"), folder))
        .with_context(|| format!("cannot write the manual pages to {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
