//! `latchkey backup`: writes a consistent copy of the store to a file, while servers use the store.

use std::io::{BufWriter, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use storage::store_copy;

use crate::copies::{named_or_configured, new_output, sum};
use crate::process::OUTPUT;
use crate::progress::copying;
use server::database::store_place;
use server::{block_on, clock};

/// What is backed up, and where to.
#[derive(Args)]
pub(crate) struct BackupArguments {
    /// New file to write, or `-` for standard output.
    file: PathBuf,
    /// Store to back up, as in `storage.url` [default: the store of the settings].
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

pub(crate) fn run(
    config: &Path,
    BackupArguments { file, from }: &BackupArguments,
) -> anyhow::Result<ExitCode> {
    let from = store_place(&named_or_configured("--from", from.as_deref(), config)?);
    let mut out = new_output(file)?;
    let mut buffered = BufWriter::with_capacity(1 << 16, &mut *out);
    let written = block_on(copying(false, async |tell| {
        Ok(store_copy::backup(&from, &mut buffered, clock::now(), tell).await?)
    }));
    drop(buffered);
    if written.is_err() && file.as_os_str() != "-" {
        // Somebody could mistake an incomplete backup for a complete one.
        drop(std::fs::remove_file(file));
    }
    let done = format!(
        "Backed up: {}. The backup does not contain the sealing key. Keep a copy of the sealing key elsewhere: without it you \
             cannot restore sealed data.\n",
        sum(&written?)
    );
    stderr().write_all(done.as_bytes()).context(OUTPUT)?;
    Ok(ExitCode::SUCCESS)
}
